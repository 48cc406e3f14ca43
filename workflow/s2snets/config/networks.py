"""Settings of the networks: the autoencoder and the classifiers."""

import difflib
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from s2snets.config.base import Count, Positive, Settings, Triple, UserPath

OWN_ARCHITECTURES = (
    "lenet5",
    "small_alexnet",
    "small_alexnet_lrn",
    "small_vgg",
    "small_inception",
    "small_resnet",
    "caffe_alexnet",
)
LIBRARIES = ("torchvision/", "timm/")
# Of a library's constructor; the study itself decides on these.
TAKEN_OPTIONS = ("num_classes", "weights", "pretrained", "checkpoint_path", "in_chans")
Option = bool | int | float | str
STATE_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".tar")


class Autoencoder(Settings):
    """SegNet (section 3.1)."""

    width: int = Field(
        64, ge=4, description="Channels of the first stage (64; section 3.1)."
    )
    stages: int = Field(
        5, ge=1, le=5, description="Pooling stages (5: maps of 1/32; section 3.1)."
    )

    @property
    def size(self) -> str:
        """Width and stages as a name, such as ``64x5``."""
        return f"{self.width}x{self.stages}"


class Classifier(Settings):
    """One classifier of the set C (section 3.3)."""

    architecture: str = Field(
        description="`lenet5`, `small_alexnet`, `small_vgg`, `small_inception` or"
        " `small_resnet`; `small_alexnet_lrn` or `caffe_alexnet`, with local response"
        " normalisation; `torchvision/NAME` or `timm/NAME` for any classifier of these"
        " libraries; or `package.module:function`, a function of yours that returns a"
        " network and its preprocessing."
    )
    options: dict[str, Option | list[Option]] = Field(
        {},
        description="Arguments of the library's constructor, such as"
        " `{img_size: 32, patch_size: 4}` of timm's transformers; for"
        " `torchvision/NAME` and `timm/NAME`.",
    )
    weights: UserPath | None = Field(
        None,
        description="A name that the library publishes, such as `IMAGENET1K_V1`,"
        " `DEFAULT` or timm's tag `a1_in1k`; or the path of a state, `.safetensors` or"
        " `.pth`. null: the workflow trains the network, and keeps a function's as it"
        " comes.",
    )
    resize: Count | None = Field(
        None,
        description="Side to which the frozen wrapper resizes images, antialiased;"
        " null: as published with the weights where `crop` is null too, else no"
        " resizing.",
    )
    crop: Count | None = Field(
        None,
        description="Side of the centre crop after resizing; null: as published with"
        " the weights where `resize` is null too, else no crop (224; table 1).",
    )
    interpolation: Literal["bilinear", "bicubic"] | None = Field(
        None, description="null: as published with the weights, else bilinear."
    )
    mean: Triple | None = Field(
        None,
        description="Subtracted from the pixels; null: as published with the weights,"
        " else ImageNet's 0.485, 0.456, 0.406.",
    )
    std: tuple[Positive, Positive, Positive] | None = Field(
        None,
        description="Divisor of the pixels; null: as published with the weights, else"
        " ImageNet's 0.229, 0.224, 0.225.",
    )

    @field_validator("architecture")
    @classmethod
    def check_architecture(cls, name: str) -> str:
        """Require a name of ours, of a library, or of a function."""
        library, _, named = name.partition("/")
        if not (
            name in OWN_ARCHITECTURES
            or ":" in name
            or (library in ("torchvision", "timm") and named)
        ):
            near = difflib.get_close_matches(name, OWN_ARCHITECTURES, 3, 0.3)
            raise ValueError(
                f"unknown; perhaps {', '.join(near or OWN_ARCHITECTURES)}"
                " (or torchvision/NAME, timm/NAME, package.module:function)"
            )
        return name

    @model_validator(mode="after")
    def check_weights(self) -> Self:
        """Require a file, or a library that publishes weights by name."""
        library = self.architecture.startswith(LIBRARIES)
        if self.is_published and not library:
            raise ValueError(
                f"weights: {self.weights!r} is neither a file"
                f" ({', '.join(STATE_SUFFIXES)}) nor has {self.architecture} weights by"
                " name"
            )
        return self

    @model_validator(mode="after")
    def check_options(self) -> Self:
        """Require a library whose constructor takes them, and none of the study's."""
        if self.options and not self.architecture.startswith(LIBRARIES):
            raise ValueError(
                f"options: {self.architecture} takes none; torchvision/NAME and"
                " timm/NAME do"
            )
        if taken := sorted({*TAKEN_OPTIONS} & self.options.keys()):
            raise ValueError(f"options: {', '.join(taken)}: the study sets it itself")
        return self

    @property
    def is_function(self) -> bool:
        """Whether a user's function returns the network."""
        return ":" in self.architecture

    @property
    def is_trained(self) -> bool:
        """Whether the workflow trains it."""
        return self.weights is None and not self.is_function

    @property
    def has_lrn(self) -> bool:
        """Whether it is one of ours with local response normalisation."""
        return self.architecture in ("caffe_alexnet", "small_alexnet_lrn")

    def input_side(self, image_size: int) -> int | None:
        """Return the side of what it receives; None where its weights may tell it."""
        named = self.crop or self.resize
        return named or (None if self.is_published or self.is_function else image_size)

    @property
    def is_published(self) -> bool:
        """Whether its weights are published by a library under a name."""
        return self.weights is not None and not self.weights.endswith(STATE_SUFFIXES)
