"""Settings in and out: from YAML or JSON, with complaints of one line; to stages."""

import difflib
import json

from pydantic import ValidationError

from s2snets.config.base import Settings, models_in
from s2snets.config.study import Study
from s2snets.runtime.errors import UserError


def keys_at(location):
    """The keys that are allowed where a validation error points."""
    model = Study
    for step in location:
        field = model.model_fields.get(step) if isinstance(step, str) else None
        if field is not None:
            model = (models_in(field.annotation) or [model])[0]
    return list(model.model_fields)


def explain(error, origin="config"):
    """A validation error in one line: the key, what is wrong, and the mend."""
    found = []
    for item in error.errors():
        key = ".".join(map(str, item["loc"]))
        text = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            known = keys_at(item["loc"][:-1])
            near = difflib.get_close_matches(item["loc"][-1], known, 1)
            text = (
                f"unknown key; did you mean {near[0]!r}?"
                if near
                else (f"unknown key; known here: {', '.join(known)}")
            )
        elif item["type"] == "missing":
            text = "is missing"
        elif not isinstance(item["input"], dict | list):
            text = f"{text}, not {item['input']!r}"
        found.append(f"{key}: {text}" if key else text)
    return f"{origin}: " + "; ".join(found)


def load(values, origin="config"):
    """Typed settings from what YAML or JSON gave.

    Raises:
        UserError: every unknown key, missing key and bad value, in one line.
    """
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise UserError(explain(error, origin)) from None


def settings(model):
    """An argparse type: the JSON of one section of the settings."""

    def parse(text):
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            raise UserError(explain(error, "--settings")) from None

    return parse


def section_json(study, *keys, **values):
    """The JSON of some top-level settings, and further values, in a fixed order.

    What a rule passes to its stage: reordered YAML changes nothing, and a colour
    retrains no network.
    """
    plain = study.model_dump(mode="json", include=set(keys))
    for name, value in values.items():
        is_model = isinstance(value, Settings)
        plain[name] = value.model_dump(mode="json") if is_model else value
    return json.dumps(plain, sort_keys=True)
