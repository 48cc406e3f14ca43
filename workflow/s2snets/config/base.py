"""The base of all settings: a closed model, and the types of values."""

import os
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Part = Literal["decoder", "encoder", "both"]
Reference = Literal["labels", "predictions"]
Informed = Literal["neither", "masks", "switches", "both"]
Mode = Literal["scratch", "pretrained"]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+([_.][A-Za-z0-9]+)*$")]
Triple = tuple[float, float, float]
UserPath = Annotated[str, AfterValidator(os.path.expanduser)]  # ~ means home


class Settings(BaseModel):
    """Base class of settings: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def models_in(annotation: object) -> list[type[Settings]]:
    """Return the settings models in an annotation, such as ``list[Source] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]
