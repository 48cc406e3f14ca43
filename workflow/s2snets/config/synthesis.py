"""Settings of the second companion study (Despraz et al. 2017)."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from s2snets.config.base import (
    Count,
    Distinct,
    Fraction,
    Mode,
    Name,
    NonNegative,
    Positive,
    Settings,
)
from s2snets.config.training import Augmentation, Optimisation

Channel = Annotated[int, Field(ge=0)]


class Ascent(Settings):
    """Search for a preferred image from scratch (Despraz et al. 2017, table 1)."""

    optimiser: Literal["adamax", "nesterov"] = Field(
        "adamax", description="AdaMax or Nesterov SGD (AdaMax; table 1)."
    )
    learning_rate: Positive = Field(
        0.002,
        description="Learning rate (0.002; table 1).",
    )
    momentum: Fraction = Field(
        0.9, description="AdaMax's first beta or Nesterov's momentum (0.9; table 1)."
    )
    steps: Count = Field(500, description="Steps (published notebooks: 10 × 50).")
    deviation: NonNegative = Field(
        2.0,
        description="Standard deviation of the Gaussian noise on the feature vector,"
        " which is 1, so that additive and multiplicative noise agree (2, additive;"
        " table 1).",
    )
    penalty: NonNegative = Field(
        0.01,
        description="λ of the rivals' activations (0.01; published notebooks; eq. 2).",
    )
    regulariser: NonNegative = Field(
        0.01, description="Weight of R(ξ), on the output's gains (0.01; eq. 3)."
    )


class PretrainedAscent(Ascent):
    """Search through a pretrained decoder (Despraz et al. 2017, table 1)."""

    optimiser: Literal["adamax", "nesterov"] = Field(
        "nesterov", description="AdaMax or Nesterov SGD (SGD; table 1)."
    )
    learning_rate: Positive = Field(0.01, description="Learning rate (0.01; table 1).")
    momentum: Fraction = Field(
        0.1, description="Nesterov's momentum or AdaMax's first beta (0.1; table 1)."
    )
    steps: Count = Field(1200, description="Steps (published notebooks: 30 × 40).")
    deviation: NonNegative = Field(
        0.05,
        description="Standard deviation of the Gaussian noise on the feature vector"
        " (0.05, multiplicative; table 1; the published notebooks' argument of 0.05"
        " amounts to 0.229).",
    )
    regulariser: NonNegative = Field(
        0.1, description="Weight of R(ξ), on α (0.1; eq. 4)."
    )


class Decoding(Optimisation):
    """The denoising autoencoder whose decoder becomes G (Despraz et al. 2017, 4.2)."""

    images: Count = Field(
        9_600_000, description="Images seen in all (400 epochs; published notebooks)."
    )
    batch: Count = Field(24, description="Images in a step (published notebooks).")
    # Adadelta beside the optimisers of other trainings.
    optimiser: Literal["sgd", "adam", "adadelta"] = Field(  # type: ignore[assignment]
        "adadelta", description="As in the published notebooks."
    )
    learning_rate: Positive = Field(1.0, description="Learning rate (Keras's default).")
    momentum: Fraction = Field(
        0.95,
        description="Adadelta's ρ (Keras's default), SGD's momentum, Adam's first"
        " beta.",
    )
    schedule: Literal["plateau", "one_cycle", "constant"] = Field(
        "constant", description="As for pretraining."
    )
    corpus: Literal["photos", "train"] = Field(
        "train",
        description="Image set it is trained on (ImageNet's dogs; section 4.2).",
    )
    classes: Annotated[list[str], Distinct] | None = Field(
        None, description="Classes of that set; null: all (dogs; section 4.2)."
    )
    noise: NonNegative = Field(
        0.1,
        description="Standard deviation of the Gaussian noise on pixels, not clipped"
        " (Gaussian, section 4.2, no number in print; the published notebooks add"
        " none: 0).",
    )
    augment: Augmentation | None = Field(
        None, description="Augmentation of the clean images; null: none."
    )

    @model_validator(mode="after")
    def check_classes(self) -> Self:
        """Forbid classes of photographs, which have none."""
        if self.classes is not None and self.corpus == "photos":
            raise ValueError("classes: photos have none; leave out, or set corpus")
        return self


class Filters(Settings):
    """Filters of one layer to maximise (Despraz et al. 2017, figure 8)."""

    layer: str = Field(description="Name of a module with channels.")
    channels: Annotated[list[Channel], Field(min_length=1), Distinct] | Count = Field(
        12, description="Channels by number, or how many, evenly spaced."
    )
    together: bool = Field(
        False, description="Maximise all in one image, as a group (section 5.3)."
    )


class Synthesis(Settings):
    """Preferred images of a network's neurons (Despraz et al. 2017)."""

    classifiers: Annotated[list[Name], Distinct] = Field(
        min_length=1,
        description="Networks studied, of `classifiers` or `companions` (VGG-16;"
        " section 4).",
    )
    judge: Name | None = Field(
        None,
        description="Another network, which classifies their images; null: the first"
        " of the study that is not listed here, else the first.",
    )
    size: Annotated[int, Field(ge=8)] | None = Field(
        None,
        description="Side of the images that G makes, pixels; null: `image_size`"
        " (224; table 2).",
    )
    modes: Annotated[list[Mode], Distinct] = Field(
        ["scratch", "pretrained"],
        min_length=1,
        description="G with new weights, all of which are optimised (section 4.1), or"
        " the decoder of an autoencoder, where only α is (section 4.2).",
    )
    scratch: Ascent = Field(Ascent(), description="Search with new weights (table 1).")
    pretrained: PretrainedAscent = Field(
        PretrainedAscent(), description="Search with a pretrained decoder (table 1)."
    )
    decoder: Decoding = Field(
        Decoding(), description="Training of the pretrained decoder (section 4.2)."
    )
    classes: Annotated[list[str], Distinct] | None = Field(
        None, description="Classes maximised; null: all (all 1,000; section 4)."
    )
    filters: dict[Name, Annotated[list[Filters], Distinct]] = Field(
        {}, description="Filters maximised, by classifier (layers 9, 26; figure 8)."
    )
    compounds: Annotated[
        list[Annotated[list[str], Field(min_length=2), Distinct]], Distinct
    ] = Field(
        [], description="Groups of classes maximised together in one image (figure 9)."
    )
    batch: Count = Field(16, description="Targets optimised at once.")
    ranked: Count | None = Field(
        None, description="Training images that each network ranks; null: all."
    )
    beside: Count = Field(
        3,
        description="Number of the highest-ranked training images shown beside each"
        " (figures 6, 7).",
    )

    def judge_of(self, classifier: str, networks: Iterable[str]) -> str:
        """Return the network of ``networks`` that judges the images of another."""
        others = [name for name in networks if name not in self.classifiers]
        candidates = (self.judge, *others, *networks)
        return next(name for name in candidates if name and name != classifier)
