"""Any settings are read, or refused in one line that names the key."""

import copy
import json
import re
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from s2snets.config import check_paths, load
from s2snets.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
VALID = [
    load(yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())).model_dump()
    for name in ("demo", "paper")
]
TEXT = st.text(st.characters(), max_size=12)
WEIRD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.integers(-2, 300),
    st.floats(),
    TEXT,
    st.sampled_from(
        ["", "~", "{set}", "<b>", "a" * 5000, "\0", "\n", "18", "NaN", "-"]
    ),
    st.binary(max_size=3),
    st.dates(),  # what YAML makes of 2018-06-18
)
VALUES = st.recursive(
    WEIRD,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXT | st.integers() | st.booleans() | st.none(), inner, max_size=3
        )
    ),
    max_leaves=5,
)


def places(values):
    """Every place in nested settings: a container and a key or number in it."""
    pairs = values.items() if isinstance(values, dict) else enumerate(values)
    for key, inner in pairs:
        yield values, key
        if isinstance(inner, dict | list | tuple):
            yield from places(inner)


@st.composite
def changed(draw):
    """Valid settings of which up to three have other values, are gone or are new."""
    values = json.loads(json.dumps(draw(st.sampled_from(VALID))))
    keys = []
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(list(places(values))))
        change = draw(st.sampled_from(["replace", "remove", "repeat", "add"]))
        if change == "replace":
            container[key] = draw(VALUES)
        elif change == "remove":
            del container[key]
        elif isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        else:
            container[draw(TEXT)] = draw(VALUES)
        keys.append(key)
    return values


def complaint_of(read, *arguments):
    """What a function returns, and the line by which it refuses its arguments."""
    try:
        return read(*arguments), None
    except UserError as error:
        return None, str(error)


def check(values):
    """Read settings; a complaint is one line, and names the file and a key."""
    study, complaint = complaint_of(load, values, "mine.yaml")
    if study is None:
        assert re.match(r"mine\.yaml: \S+", complaint)
        assert complaint.isprintable()
        return
    assert load(study.model_dump(mode="json")) == study
    _, complaint = complaint_of(check_paths, study)
    assert complaint is None or complaint.isprintable()


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(changed())
def test_changed_settings_are_read_or_refused_in_one_line(values):
    check(values)


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(VALUES)
def test_anything_is_read_or_refused_in_one_line(values):
    check(values)
