"""The networks: the autoencoder and the classifiers."""

from typing import Literal

from pydantic import Field, model_validator

from s2snets.config.base import Count, Homely, Positive, Settings, Triple

STATES = (".safetensors", ".pth", ".pt", ".bin", ".tar")  # files of weights


class Autoencoder(Settings):
    """SegNet (section 3.1)."""

    width: int = Field(
        64, ge=4, description="Channels of the first stage (64; section 3.1)."
    )
    stages: int = Field(
        5, ge=1, le=5, description="Pooling stages (5: maps of 1/32; section 3.1)."
    )


class Classifier(Settings):
    """One network of the set C (section 3.3)."""

    architecture: str = Field(
        description="`lenet5`, `small_alexnet`, `small_vgg`, `small_inception` or"
        " `small_resnet`; `small_alexnet_lrn` or `caffe_alexnet`, with local response"
        " normalisation; `torchvision/NAME` or `timm/NAME` for any classifier of these"
        " libraries; or `package.module:function`, a function of yours that returns a"
        " network and its preprocessing."
    )
    weights: Homely | None = Field(
        None,
        description="null: the workflow trains it, and a function's network is as it"
        " comes; a name of the library's, such as `IMAGENET1K_V1`, `DEFAULT` or timm's"
        " tag `a1_in1k`; or the path of a state, `.safetensors` or `.pth`.",
    )
    resize: Count | None = Field(
        None,
        description="Side to which the frozen wrapper resizes images, antialiased;"
        " null: the weights' own where `crop` is null too, else as they come.",
    )
    crop: Count | None = Field(
        None,
        description="Side of the centre crop after that; null: the weights' own where"
        " `resize` is null too, else none (224; table 1).",
    )
    interpolation: Literal["bilinear", "bicubic"] | None = Field(
        None, description="How it resizes; null: as for the weights, else bilinear."
    )
    mean: Triple | None = Field(
        None,
        description="Subtracted from the pixels; null: the weights' own, else"
        " ImageNet's 0.485, 0.456, 0.406.",
    )
    std: tuple[Positive, Positive, Positive] | None = Field(
        None,
        description="The pixels are divided by it; null: the weights' own, else"
        " ImageNet's 0.229, 0.224, 0.225.",
    )

    @model_validator(mode="after")
    def consistent(self):
        if self.named and not self.architecture.startswith(("torchvision/", "timm/")):
            raise ValueError(
                f"weights: {self.weights!r} is neither a file"
                f" ({', '.join(STATES)}) nor has {self.architecture} weights by name"
            )
        return self

    @property
    def function(self):
        """Whether the network is what a user's function returns."""
        return ":" in self.architecture

    @property
    def trained(self):
        """Whether the workflow trains it."""
        return self.weights is None and not self.function

    @property
    def normalises(self):
        """Whether it is one of ours with local response normalisation."""
        return self.architecture in ("caffe_alexnet", "small_alexnet_lrn")

    @property
    def named(self):
        """Whether its weights are a library's, by their name there."""
        return self.weights is not None and not self.weights.endswith(STATES)
