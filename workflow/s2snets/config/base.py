"""The base of all settings: a closed model, and the types of values."""

import os
import re
from collections import Counter
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

T = TypeVar("T")


def check_distinct(values: list[T]) -> list[T]:
    """Raise if a list has a value twice; return it."""
    for text, count in Counter(map(repr, values)).items():
        if count > 1:
            raise ValueError(f"{text} is there twice; give each once")
    return values


def check_path(path: str) -> str:
    """Raise if Snakemake would not take a path literally; return it, ~ as home."""
    if mark := re.search(r"[{}\0-\x1f\x7f]|<.*>", path):
        raise ValueError(
            f"no path may contain {mark[0]!r}, which Snakemake would replace; rename"
            " the file or folder"
        )
    return os.path.expanduser(path)


def check_pattern(text: str) -> str:
    """Raise if a text is no regular expression; return it."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


Distinct = AfterValidator(check_distinct)
LIMIT = 2**63  # integers above do not fit where they are used
Part = Literal["decoder", "encoder", "both"]
Reference = Literal["labels", "predictions"]
Informed = Literal["neither", "masks", "switches", "both"]
Mode = Literal["scratch", "pretrained"]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, lt=LIMIT)]
Several = Annotated[int, Field(ge=2, lt=LIMIT)]
Seed = Annotated[int, Field(ge=0, lt=LIMIT)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Name = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]+([_.][A-Za-z0-9]+)*$", max_length=100)
]
Triple = tuple[float, float, float]
Pattern = Annotated[str, Field(min_length=1), AfterValidator(check_pattern)]
UserPath = Annotated[str, Field(min_length=1), AfterValidator(check_path)]


class Settings(BaseModel):
    """Base class of settings: immutable; unknown keys and NaN are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def models_in(annotation: object) -> list[type[Settings]]:
    """Return the settings models in an annotation, such as ``list[Source] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]
