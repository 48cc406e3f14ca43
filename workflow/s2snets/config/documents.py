"""The JSON schema and the tables of ``config/README.md``, written from the models.

``python -m s2snets.config.documents`` writes both.
"""

import json
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

from s2snets.config.base import Settings, models_in
from s2snets.config.study import Study
from s2snets.runtime.files import replacing

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "workflow/schemas/config.schema.json"
README = ROOT / "config/README.md"


def type_name(annotation):
    """A type as a reader of YAML would say it."""
    if annotation is type(None):
        return "null"
    if get_origin(annotation) is Annotated:
        return type_name(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return "mapping"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " \\| ".join(f"`{value}`" for value in arguments)
    if origin is list:
        return f"list of {type_name(arguments[0])}"
    if origin is tuple:
        return f"{len(arguments)} numbers"
    if origin is dict:
        return "mapping by name"
    if arguments:
        return " or ".join(type_name(argument) for argument in arguments)
    names = {int: "integer", float: "number", str: "text", bool: "true/false"}
    return names[annotation]


def sections(model=Study, place=""):
    """Every settings model below one, with the places where it stands.

    Returns:
        dict of model -> list of keys, such as ``pretrain.photos``; the study's own is
        the empty key.
    """
    found = {model: [place]}
    marks = {list: "[]", dict: ".NAME"}
    for name, field in model.model_fields.items():
        mark = marks.get(get_origin(field.annotation), "")
        for inner in models_in(field.annotation):
            key = f"{place}.{name}{mark}".lstrip(".")
            for below, places in sections(inner, key).items():
                found.setdefault(below, []).extend(places)
    return found


def document(model):
    """Rows (key, type, default, description) of one model's own keys."""
    for name, field in model.model_fields.items():
        if field.is_required():
            default = "required"
        elif isinstance(field.default, Settings):
            default = "see there"
        else:
            default = f"`{json.dumps(field.default)}`"
        yield name, type_name(field.annotation), default, field.description


def schema_text():
    """The JSON schema, for editors that complete and check YAML."""
    return json.dumps(Study.model_json_schema(), indent=1) + "\n"


def readme_text(text):
    """``config/README.md`` with the tables between its two marks made anew."""
    start, end = "<!-- settings -->\n", "<!-- /settings -->"
    head, _, rest = text.partition(start)
    lines = []
    for model, places in sections().items():
        places = ", ".join(f"`{place}`" for place in places if place) or "The study"
        lines += [f"### {places}", "", model.__doc__.strip().splitlines()[0], ""]
        lines += ["| key | type | default | meaning (source) |", "|---|---|---|---|"]
        lines += [
            f"| `{key}` | {kind} | {default} | {text} |"
            for key, kind, default, text in document(model)
        ]
        lines += [""]
    return head + start + "\n" + "\n".join(lines) + end + rest.partition(end)[2]


def main():
    for path, text in (
        (SCHEMA, schema_text()),
        (README, readme_text(README.read_text())),
    ):
        with replacing(path) as draft:
            draft.write_text(text)


if __name__ == "__main__":
    main()
