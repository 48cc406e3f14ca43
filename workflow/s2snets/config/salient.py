"""Settings of the first companion study (Mahendran & Vedaldi 2016)."""

from typing import Annotated, Literal

from pydantic import Field

from s2snets.config.base import (
    Count,
    Distinct,
    Fraction,
    Name,
    Positive,
    Settings,
    Several,
    UserPath,
)
from s2snets.config.training import Augmentation, Optimisation


class Segmentation(Settings):
    """Segmentation from saliency by GrabCut (Mahendran & Vedaldi 2016, 3.5)."""

    path: UserPath = Field(
        description="`gtsegs_ijcv.mat`, the ImageNet-Segmentation set as published; or"
        " a folder with `images/CLASS/NAME.*` and `masks/CLASS/NAME.png`."
    )
    images: Count | None = Field(
        None, description="Number of images used, the same for all networks; null: all."
    )
    side: Count = Field(
        256, description="Short side that images are resized to, bicubic (256)."
    )
    foreground: Fraction = Field(
        0.90,
        description="Quantile of the saliency above which a pixel is probably"
        " foreground (0.90; not in print, the published code).",
    )
    foreground_salinet: Fraction = Field(0.95, description="The quantile for SaliNet.")
    background: Fraction = Field(
        0.30, description="Quantile below which a pixel is probably background (0.30)."
    )
    certain: Fraction = Field(
        0.995,
        description="Quantile above which a pixel is certainly foreground; below 1"
        " minus this, certainly background (0.995, 0.005).",
    )
    iterations: Count = Field(
        5,
        description="Iterations of GrabCut (not in print; OpenCV's γ is 50, the"
        " published code's 150).",
    )


class Inversion(Optimisation):
    """Inverse networks informed by the bottleneck (Mahendran & Vedaldi 2016, 3.3)."""

    classifier: Name | None = Field(
        None,
        description="Network that is inverted, a chain such as AlexNet or VGG; null:"
        " the first of `classifiers`.",
    )
    layer: str | None = Field(
        None,
        description="Module whose output is inverted; null: the last max-pooling (not"
        " in print).",
    )
    images: Count = Field(1_281_167, description="Images seen in all (not in print).")
    optimiser: Literal["sgd", "adam"] = Field(
        "adam", description="As Dosovitskiy & Brox 2016."
    )
    learning_rate: Positive = Field(0.001, description="Learning rate (not in print).")
    schedule: Literal["plateau", "one_cycle", "constant"] = Field(
        "one_cycle", description="As for pretraining (not in print)."
    )
    augment: Augmentation | None = Field(
        None, description="Augmentation of the training images; null: none."
    )


class Salient(Settings):
    """Salient deconvolutional networks (Mahendran & Vedaldi 2016)."""

    classifiers: Annotated[list[Name], Distinct] = Field(
        min_length=1,
        description="Networks with rectifiers to reverse, of `classifiers` or"
        " `companions` (AlexNet, VGG-16; section 3).",
    )
    layers: dict[Name, Annotated[list[str], Distinct]] = Field(
        {},
        description="Layers that are reversed, by classifier: names of modules, the"
        " shallowest first, `logits` last. Default: every max-pooling and `logits`"
        " (pool5, fc8; figures 1, 4, 6).",
    )
    examples: Count = Field(
        3, description="Validation images, and photographs, that the figures show."
    )
    side: Count | None = Field(
        None,
        description="Side of the photographs, pixels; a network is applied at every"
        " position (section 3.5). null: `image_size`, or the network's input if"
        " larger.",
    )
    measured: Several | None = Field(
        1000,
        description="Validation images on which selectivity is measured; null: all.",
    )
    batch: Count = Field(32, description="Images reversed at once.")
    segmentation: Segmentation | None = Field(
        None, description="Segmentation by saliency; null: none (section 3.5)."
    )
    inversion: Inversion | None = Field(
        None, description="Informed inverse networks; null: none (section 3.3)."
    )

    @property
    def inverted(self) -> str:
        """Name of the network for which inverse networks are trained."""
        named = self.inversion.classifier if self.inversion else None
        return named or self.classifiers[0]
