"""Settings from YAML or JSON, with errors of one line."""

import difflib
import json
import reprlib
from collections.abc import Iterable

from pydantic import ValidationError

from s2snets.config.base import Settings, models_in
from s2snets.config.study import Study
from s2snets.runtime.errors import UserError

RENAMED = {
    "fit": "resize_mode",
    "most_failed": "max_failed",
    "most_rejected": "max_rejected",
    "rate": "learning_rate",
    "units": "loss_space",
}
"""Former name of a key -> its name."""


def keys_at(location: Iterable[int | str]) -> list[str]:
    """Return the keys that are allowed where a validation error points."""
    model: type[Settings] = Study
    for step in location:
        field = model.model_fields.get(step) if isinstance(step, str) else None
        if field is not None:
            model = (models_in(field.annotation) or [model])[0]
    return list(model.model_fields)


def unknown_key(key: str, known: list[str]) -> str:
    """Return what to tell of an unknown key, given the keys known in its place."""
    if (name := RENAMED.get(key)) in known:
        return f"was renamed, write {name!r}"
    if near := difflib.get_close_matches(key, known, 1):
        return f"unknown key; did you mean {near[0]!r}?"
    return f"unknown key; known here: {', '.join(known)}"


SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 200


def explain(error: ValidationError, origin: str = "config") -> str:
    """Return a validation error as one line: each key, its problem and the remedy."""
    problems = []
    for item in error.errors():
        steps = map(str, item["loc"])
        key = ".".join(step if step.isprintable() else repr(step) for step in steps)
        text = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            text = unknown_key(str(item["loc"][-1]), keys_at(item["loc"][:-1]))
        elif item["type"] == "missing":
            text = "is missing"
        elif item["type"] == "list_type" and isinstance(
            item["input"], bool | int | str
        ):
            text = f"must be a list, write [{json.dumps(item['input'])}]"
        elif not isinstance(item["input"], dict | list):
            text = f"{text}, not {SHORT.repr(item['input'])}"
        problems.append(f"{key}: {text}" if key else text)
    return f"{origin}: " + "; ".join(problems)


def load(values: object, origin: str = "config") -> Study:
    """Return the settings of a study, from what YAML or JSON gave.

    Args:
        values: what the file holds.
        origin: where they come from, for the error.

    Raises:
        UserError: every unknown key, missing key and bad value, in one line.
    """
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise UserError(explain(error, origin)) from None
