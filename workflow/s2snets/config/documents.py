"""The JSON schema and the tables of ``config/README.md``, written from the models.

``python -m s2snets.config.documents`` writes both in a checkout of the project.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from s2snets.config.base import Settings, models_in
from s2snets.config.study import Study
from s2snets.runtime.files import replacing

SCHEMA = Path("workflow/schemas/config.schema.json")
README = Path("config/README.md")
NAMES: dict[Any, str] = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "true/false",
    type(None): "null",
}
MARKS = ("<!-- settings -->\n", "<!-- /settings -->")  # around the README's tables


def type_name(annotation: object) -> str:
    """Return the name of a type for readers of YAML."""
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
    return NAMES[annotation]


def sections(
    model: type[Settings] = Study, key: str = ""
) -> dict[type[Settings], list[str]]:
    """Return every settings model in one, with the keys under which it stands.

    The study's own key is empty; others are such as ``pretrain.photos``.
    """
    found = {model: [key]}
    marks: dict[Any, str] = {list: "[]", dict: ".NAME"}
    for name, field in model.model_fields.items():
        mark = marks.get(get_origin(field.annotation), "")
        for inner in models_in(field.annotation):
            below = sections(inner, f"{key}.{name}{mark}".lstrip("."))
            for section, keys in below.items():
                found.setdefault(section, []).extend(keys)
    return found


def setting_rows(
    model: type[Settings],
) -> Iterator[tuple[str, str, str, str | None]]:
    """Yield key, type, default and description of each of a model's own settings."""
    for name, field in model.model_fields.items():
        if field.is_required():
            default = "required"
        elif isinstance(field.default, Settings):
            default = "see there"
        else:
            default = f"`{json.dumps(field.default)}`"
        yield name, type_name(field.annotation), default, field.description


def schema_text() -> str:
    """Return the JSON schema, for editors that complete and check YAML."""
    return json.dumps(Study.model_json_schema(), indent=1) + "\n"


def readme_text(text: str) -> str:
    """Return ``config/README.md`` with the tables between its marks replaced."""
    start, end = MARKS
    head, _, rest = text.partition(start)
    lines = []
    for model, keys in sections().items():
        title = ", ".join(f"`{key}`" for key in keys if key) or "The study"
        lines += [f"### {title}", "", str(model.__doc__).strip().splitlines()[0], ""]
        lines += ["| key | type | default | meaning (source) |", "|---|---|---|---|"]
        lines += [f"| `{key}` | {' | '.join(map(str, row))} |"
                  for key, *row in setting_rows(model)]  # fmt: skip
        lines += [""]
    return head + start + "\n" + "\n".join(lines) + end + rest.partition(end)[2]


def main(argv: list[str] | None = None) -> None:
    """Write the schema and the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(),
        help="root of the checkout (default: the working directory)",
    )
    root = parser.parse_args(argv).root
    readme = root / README
    for path, text in (
        (root / SCHEMA, schema_text()),
        (readme, readme_text(readme.read_text())),
    ):
        with replacing(path) as draft:
            draft.write_text(text)


if __name__ == "__main__":
    main()
