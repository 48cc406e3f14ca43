"""Settings of the signal by depth: where in a network it is lost."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from s2snets.config.base import Count, Distinct, Fraction, Name, Positive, Several
from s2snets.config.training import Augmentation, Optimisation

Weights = Literal["trained", "random"]
"""Weights of a network that is looked into: its own, or such as no training made."""

TRAINED, RANDOM = get_args(Weights)

INPUT = "input"
"""The depth before the first layer: the images as the network receives them."""


class Depth(Optimisation):
    """Autoencoders tuned for the layers of a network (asked for in section 4)."""

    classifiers: Annotated[list[Name], Distinct] = Field(
        min_length=1, description="Networks that are looked into, of `classifiers`."
    )
    number: Several = Field(
        5,
        description="Layers of each network, the logits among them: the last of each"
        " resolution, or where there are too few, layers spread over all that the"
        " whole signal goes through.",
    )
    layers: dict[Name, Annotated[list[str], Distinct]] = Field(
        {},
        description="Layers by classifier, in place of `number`: names of modules, the"
        " shallowest first; `logits` is the network's output.",
    )
    replicates: Count = Field(
        1,
        description="Times that each autoencoder is tuned, with the images in another"
        " order each time, and that weights are drawn. From 2 on, intervals contain the"
        " variance of this training.",
    )
    images: Count = Field(128_000, description="Images seen in all, for each layer.")
    batch: Count = Field(32, description="Images in a step.")
    optimiser: Literal["sgd", "adam"] = Field(
        "adam", description="Adam: its steps do not depend on a layer's scale."
    )
    learning_rate: Positive = Field(
        0.003,
        description="Learning rate. The higher, the further drifts what a layer does"
        " not use.",
    )
    schedule: Literal["plateau", "one_cycle", "constant"] = Field(
        "one_cycle", description="As for pretraining."
    )
    freeze_norm: Fraction = Field(
        0.0,
        description="As for pretraining. 0: A_S's own averages throughout; with a"
        " batch's, tuning starts from a disturbed A_S, and costs signal by itself.",
    )
    check_every: Count = Field(
        10_000, description="Images between rows of the learning curve."
    )
    augment: Augmentation | None = Field(
        None, description="Augmentation of the training images; null: none."
    )
    measured: Several | None = Field(
        1000, description="Validation images that are measured; null: all."
    )
    bands: Several = Field(
        5, description="Bands of spatial frequency, an octave each but the lowest."
    )

    @model_validator(mode="after")
    def check_layers(self) -> Self:
        """Check that layers are named for networks that are looked into."""
        for name, layers in self.layers.items():
            if name not in self.classifiers:
                raise ValueError(
                    f"layers.{name}: is none of depth.classifiers"
                    f" {', '.join(self.classifiers)}"
                )
            if not layers:
                raise ValueError(
                    f"layers.{name}: names no layer; leave it out for the default"
                )
            if INPUT in layers:
                raise ValueError(
                    f"layers.{name}: the input is measured in any case; take it out"
                )
        return self

    def count(self, classifier: str) -> int:
        """Return the number of a network's layers."""
        return len(self.layers.get(classifier, ())) or self.number
