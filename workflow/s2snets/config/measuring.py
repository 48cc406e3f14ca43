"""Settings of the measurements, their intervals and the figures."""

import re
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from s2snets.config.base import (
    Count,
    Distinct,
    Fraction,
    Name,
    Positive,
    Seed,
    Settings,
    Several,
)
from s2snets.config.training import Denoising

Method = Literal["median", "bilateral", "nlm", "autoencoder"]
NoiseKind = Literal["none", "clipped", "unclipped"]


class Noise(NamedTuple):
    """Noise that images get before they are predicted."""

    kind: NoiseKind
    strength: float


def check_color(text: str) -> str:
    """Raise if matplotlib has no such colour; return it."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        from matplotlib.colors import is_color_like

        if not is_color_like(text):
            raise ValueError("no colour of matplotlib's; write one such as '#0072b2'")
    return text


class Predict(Settings):
    """Top-5 of every classifier on every source (sections 3.3, 3.3.1, 3.4)."""

    strengths: Annotated[list[Fraction], Distinct] = Field(
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        min_length=1,
        description="Noise strengths s: noise uniform in [-s, s] on pixels (figure 5).",
    )
    noisy_images: Count | None = Field(
        None,
        description="Images measured at s > 0, those of each A_i with its classifier"
        " alone; null: all (figure 5: all).",
    )
    clip: Annotated[list[bool], Distinct] = Field(
        [True, False],
        min_length=1,
        description="Kinds of noise: clip noisy images to [0, 1], or do not; the first"
        " is that of denoisers and pictures (not in print; the authors' loader and"
        " ImageNet-C clip).",
    )
    batch: Count = Field(64, description="Images in a forward pass.")

    @model_validator(mode="after")
    def check_strengths(self) -> Self:
        """Require 0 among the strengths."""
        if 0.0 not in self.strengths:
            raise ValueError("strengths: 0 must be among them (tables 1 and 2)")
        return self

    @property
    def noises(self) -> list[Noise]:
        """What images are predicted under: no noise, then each kind by strength."""
        kinds: list[NoiseKind] = [
            "clipped" if clip else "unclipped" for clip in self.clip
        ]
        strengths = [strength for strength in self.strengths if strength]
        noisy = [Noise(kind, strength) for kind in kinds for strength in strengths]
        return [Noise("none", 0.0), *noisy]


class Denoise(Settings):
    """Denoisers in place of the autoencoder, under the same noise (not in print)."""

    methods: Annotated[list[Method], Distinct] = Field(
        ["median", "bilateral", "nlm", "autoencoder"],
        min_length=1,
        description="Denoisers compared with A_S and A_i: median, bilateral filter,"
        " non-local means, a SegNet trained to denoise.",
    )
    images: Count | None = Field(
        1000,
        description="Validation images measured, the first of those with noise; null:"
        " all of these.",
    )
    training: Denoising = Field(
        Denoising(), description="Training of the SegNet, on photographs (as A_S's)."
    )


class Information(Settings):
    """Normalised mutual information (section 3.5)."""

    bins: Annotated[list[Annotated[int, Field(ge=2, le=256)]], Distinct] = Field(
        [256, 32],
        min_length=1,
        description="Histogram bins over the 256 levels; the first is the figure's"
        " (not in print; 256 fits figure 9's axis best).",
    )
    channels: Literal["separate", "together"] = Field(
        "separate",
        description="Mean over the channels, or one histogram (not in print).",
    )
    average_method: Literal["geometric", "arithmetic", "min", "max"] = Field(
        "geometric",
        description="Mean of the entropies in the denominator, named as in scikit-learn"
        " (reference 24: Strehl & Ghosh's is geometric).",
    )
    images: Count | None = Field(
        None, description="Validation images measured; null: all (section 3.5: all)."
    )


class Lattice(Settings):
    """Formal concept analysis of the RRC (section 3.4)."""

    thresholds: Annotated[list[Fraction], Distinct] = Field(
        [0.1, 0.2, 0.8, 0.9], min_length=1, description="t of figure 7."
    )


class Bootstrap(Settings):
    """95 % intervals over images, and over trainings where there are several.

    The paper prints none.
    """

    resamples: Count = Field(
        10_000,
        description="Number of draws: of the validation images, with replacement, and"
        " of the mean over trainings; Table 2 of the first 2,000 is kept for RRC and"
        " lattices.",
    )
    seed: Seed = Field(0, description="Seed of the draws.")


class Gallery(Settings):
    """The images shown by figures 3, 4 and 8."""

    images: Several = Field(
        6, description="Validation images shown, evenly spaced over the classes."
    )
    strengths: Annotated[list[Fraction], Distinct] = Field(
        [0.0, 0.5, 1.0], min_length=1, description="Noise strengths shown (figure 4)."
    )
    histogram_bins: Count = Field(
        51,
        description="Bins of the LAB histograms: an odd number, so that grey is in the"
        " middle of one.",
    )

    @model_validator(mode="after")
    def check_strengths(self) -> Self:
        """Require 0 among the strengths."""
        if 0.0 not in self.strengths:
            raise ValueError("strengths: 0 must be among them (figure 3)")
        return self

    @field_validator("histogram_bins")
    @classmethod
    def check_bins(cls, bins: int) -> int:
        """Require an odd number."""
        if bins % 2 == 0:
            raise ValueError(f"must be odd, such as {bins + 1}")
        return bins


class Figures(Settings):
    """Appearance of the figures."""

    palette: dict[Name, Annotated[str, AfterValidator(check_color)]] = Field(
        {
            "L": "#c1272d",
            "A": "#0072b2",
            "V": "#009e73",
            "I": "#7b4ea3",
            "R": "#e68a00",
        },
        description="Colours of classifiers, as matplotlib names them; others get the"
        " next of a palette (red, blue, green, purple, orange; figure 6).",
    )
    width: Positive = Field(7.0, description="Width of a figure, inches.")
    dpi: Count = Field(200, description="Resolution of the PNGs.")
    noise_example: str | None = Field(
        None,
        description="Classifier whose autoencoder is in figure 4; null: the first (V;"
        " figure 4).",
    )
