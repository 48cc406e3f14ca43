"""All of a study's settings, and what must agree among them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from s2snets.config.base import Name, Reference, Settings
from s2snets.config.cleaning import Clean
from s2snets.config.data import Data
from s2snets.config.measuring import (
    Bootstrap,
    Denoise,
    Figures,
    Gallery,
    Information,
    Lattice,
    Predict,
)
from s2snets.config.networks import Autoencoder, Classifier
from s2snets.config.salient import Salient
from s2snets.config.synthesis import Synthesis
from s2snets.config.training import Finetune, Pretrain, Training
from s2snets.runtime.errors import UserError


class Study(Settings):
    """One study: its data, its networks, its measurements."""

    study: Name = Field(description="Name; results go to `results/NAME`.")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        [0],
        min_length=1,
        description="One full repetition of the study per seed (not in print: one).",
    )
    image_size: Annotated[int, Field(ge=8)] = Field(
        256, description="Side of the autoencoder's square input, pixels (section 3.2)."
    )
    resize_mode: Literal["squash", "crop", "pad"] = Field(
        "squash",
        description="How an image becomes square: squash, as the published code does;"
        " crop the centre; pad: never enlarge, black border.",
    )
    reference: Reference = Field(
        "labels",
        description="What a prediction is held against: the images' labels, or, where"
        " there are none, what the same classifier says of the original. Fine-tuning"
        " then aims at that too, every accuracy is an agreement, and `data.train` and"
        " `data.validation` are read as unlabelled, however they are laid out.",
    )
    data: Data = Field(description="The image sets.")
    clean: Clean | None = Field(
        None,
        description="Photographs that must be cleaned first; null: `data` has them.",
    )
    classifiers: dict[Name, Classifier] = Field(
        min_length=2,
        description="The set C by name, in the order of the tables: L, A, V, I, R"
        " (section 3.3).",
    )
    train: Training = Field(
        Training(), description="Training of classifiers without weights."
    )
    autoencoder: Autoencoder = Field(Autoencoder(), description="SegNet.")
    lighter: list[Autoencoder] = Field(
        [],
        description="SegNets of other sizes, pretrained as A_S is and compared with it"
        " in error, accuracy and multiply-adds (the future work of section 4).",
    )
    pretrain: Pretrain = Field(Pretrain(), description="Pretraining.")
    finetune: Finetune = Field(Finetune(), description="Fine-tuning.")
    predict: Predict = Field(Predict(), description="Predictions.")
    denoise: Denoise = Field(Denoise(), description="Denoisers for comparison.")
    information: Information = Field(Information(), description="Mutual information.")
    lattice: Lattice = Field(Lattice(), description="Concept lattices.")
    bootstrap: Bootstrap = Field(Bootstrap(), description="Intervals.")
    gallery: Gallery = Field(Gallery(), description="Example images.")
    companions: dict[Name, Classifier] = Field(
        {}, description="Further networks, which only the two sections below look at."
    )
    salient: Salient | None = Field(
        None, description="Salient deconvolutional networks; null: none."
    )
    synthesis: Synthesis | None = Field(
        None, description="Deep generator networks; null: none."
    )
    figures: Figures = Field(Figures(), description="Looks.")

    @property
    def denoised_images(self):
        """Images that denoisers are measured on: at most those that get noise."""
        limits = (self.denoise.images, self.predict.noisy_images)
        return min((one for one in limits if one is not None), default=None)

    @model_validator(mode="after")
    def consistent(self):
        example = self.figures.noise_example
        if example is not None and example not in self.classifiers:
            raise ValueError(
                f"figures.noise_example: {example!r} is none of the classifiers"
                f" {', '.join(self.classifiers)}"
            )
        if self.image_size < 2**self.autoencoder.stages:
            raise ValueError(
                f"autoencoder.stages: {self.autoencoder.stages} stages halve"
                f" {self.image_size} pixels to nothing; use fewer, or a greater"
                " image_size"
            )
        sizes = [(one.width, one.stages) for one in (self.autoencoder, *self.lighter)]
        if len(set(sizes)) < len(sizes):
            raise ValueError("lighter: each size once, and not the autoencoder's own")
        if any(self.image_size < 2**stages for _, stages in sizes):
            raise ValueError(
                f"lighter: too many stages for {self.image_size} pixels; use fewer"
            )
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: each seed once")
        for name in ("photos", "photos_validation"):
            if (getattr(self.data, name) is None) is (self.clean is None):
                raise ValueError(
                    f"data.{name}: give it, or the section clean, and not both"
                )
        if self.reference == "predictions":
            self.without_labels()
        if "S" in self.classifiers:
            raise ValueError("classifiers.S: A_S is the pretrained autoencoder; rename")
        self.with_companions()
        return self

    @property
    def networks(self):
        """Every classifier by name, the study's and the companions'."""
        return self.classifiers | self.companions

    def with_companions(self):
        """What the companion studies name must be there."""
        twice = self.classifiers.keys() & self.companions.keys()
        if twice:
            raise ValueError(f"companions.{min(twice)}: is one of classifiers; rename")
        if "baseline" in self.networks:
            raise ValueError(
                "classifiers.baseline: is what segments without a network; rename"
            )
        salient, synthesis = self.salient, self.synthesis
        named = []
        if salient is not None:
            named += [("salient.classifiers", one) for one in salient.classifiers]
            named += [("salient.layers", one) for one in salient.layers]
            if salient.inversion is not None and salient.inversion.classifier:
                named.append(
                    ("salient.inversion.classifier", salient.inversion.classifier)
                )
        if synthesis is not None:
            named += [("synthesis.classifiers", one) for one in synthesis.classifiers]
            named += [("synthesis.filters", one) for one in synthesis.filters]
            if synthesis.judge is not None:
                named.append(("synthesis.judge", synthesis.judge))
        for key, one in named:
            if one not in self.networks:
                raise ValueError(
                    f"{key}: {one!r} is none of the networks {', '.join(self.networks)}"
                )

    def without_labels(self):
        """What a study whose images have no labels cannot have."""
        learning = [name for name, one in self.networks.items() if one.trained]
        if learning:
            own = learning[0] in self.classifiers
            place = "classifiers" if own else "companions"
            raise ValueError(
                f"{place}.{learning[0]}: training it needs labels, which reference:"
                " predictions does without; give it weights, or set reference: labels"
            )
        if self.data.classes is not None:
            raise ValueError(
                "data.classes: of no use with reference: predictions; leave them out"
            )
        if self.finetune.augment is not None:
            raise ValueError(
                "finetune.augment: must be null with reference: predictions, which are"
                " made on the images as they are"
            )


def missing_sources(study):
    """Complain of image sources that are not there, before anything runs.

    Raises:
        UserError: every missing path with its key, and where to read how to get it.
    """
    named = [
        (f"data.{name}[{number}].{key}", getattr(source, key))
        for name in ("train", "validation", "photos", "photos_validation")
        for number, source in enumerate(getattr(study.data, name) or ())
        for key in ("path", "labels")
    ]
    if study.clean is not None:
        named += [
            (f"clean.{key}", getattr(study.clean, key))
            for key in ("hashes", "tree", "exclude", "placeholders")
        ]
        named += [
            (f"clean.metadata[{number}]", path)
            for number, path in enumerate(study.clean.metadata)
        ]
        if study.clean.zips is not None:
            named.append(("clean.zips.path", study.clean.zips.path))
    if study.salient is not None and study.salient.segmentation is not None:
        named.append(("salient.segmentation.path", study.salient.segmentation.path))
    missing = [
        f"{key}: there is no {path}"
        for key, path in named
        if path and not Path(path).exists()
    ]
    if missing:
        raise UserError(
            f"{'; '.join(missing)}; put the images there or set the path"
            " (config/README.md, section Data, says how to get them)"
        )
