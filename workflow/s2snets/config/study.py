"""Settings of a study as a whole, and the checks across its sections."""

import contextlib
import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from s2snets.config.base import Distinct, Name, Reference, Seed, Settings
from s2snets.config.cleaning import Clean
from s2snets.config.data import Data, Source
from s2snets.config.depth import Depth
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
from s2snets.runtime.files import is_hidden

CAFFE_SIDE = 67  # pixels that the pools of caffe_alexnet need
RESERVED = {
    "S": "A_S is the pretrained autoencoder",
    "baseline": "means segmentation without a network",
    "autoencoder": "is a column of Table 2",
    "accuracy": "is a column of a figure's table",
}
"""Names that no classifier may have, and why."""


def reads_as_number(name: str) -> bool:
    """Return whether a CSV file's reader takes a name for a number or truth value."""
    with contextlib.suppress(ValueError):
        float(name)
        return True
    return name.lower() in ("true", "false")


def check_known(
    named: Mapping[str, Iterable[str | None]], known: Iterable[str], kind: str
) -> None:
    """Raise where a setting names what there is not.

    Args:
        named: names by setting; None stands for none.
        known: names that there are.
        kind: what they are, in the plural.
    """
    for key, names in named.items():
        for name in names:
            if name is not None and name not in known:
                raise ValueError(
                    f"{key}: {name!r} is none of the {kind} {', '.join(known)}"
                )


class Study(Settings):
    """A study: its data, networks and measurements."""

    study: Name = Field(description="Name; results go to `results/NAME`.")
    seeds: Annotated[list[Seed], Distinct] = Field(
        [0],
        min_length=1,
        description="One full repetition of the study per seed (not in print: one).",
    )
    image_size: Annotated[int, Field(ge=8)] = Field(
        256, description="Side of the autoencoder's square input, pixels (section 3.2)."
    )
    resize_mode: Literal["squash", "crop", "pad"] = Field(
        "squash",
        description="How images are made square: squash, as in the published code; crop"
        " the centre; pad with black, without enlarging.",
    )
    reference: Reference = Field(
        "labels",
        description="What predictions are compared with: the images' labels, or the"
        " same classifier's predictions on the originals. The latter are then the"
        " target of fine-tuning too, accuracy is agreement, and `data.train` and"
        " `data.validation` are read as unlabelled, whatever their folders.",
    )
    data: Data = Field(description="The image sets.")
    clean: Clean | None = Field(
        None,
        description="Cleaning of photographs; null: `data` names them.",
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
    depth: Depth | None = Field(
        None, description="Where in the networks the signal is lost; null: left out."
    )
    bootstrap: Bootstrap = Field(Bootstrap(), description="Intervals.")
    gallery: Gallery = Field(Gallery(), description="Example images.")
    companions: dict[Name, Classifier] = Field(
        {}, description="Further networks, used only by the two sections below."
    )
    salient: Salient | None = Field(
        None, description="Salient deconvolutional networks; null: none."
    )
    synthesis: Synthesis | None = Field(
        None, description="Deep generator networks; null: none."
    )
    figures: Figures = Field(Figures(), description="Appearance of the figures.")

    @property
    def main(self) -> "Study":
        """The study without its companions."""
        return self.model_copy(
            update={"companions": {}, "salient": None, "synthesis": None}
        )

    @property
    def labelled_sets(self) -> list[str]:
        """Image sets whose labels are used."""
        return ["train", "validation"] if self.reference == "labels" else []

    @property
    def trainings(self) -> int:
        """Times that each autoencoder is tuned in all."""
        return len(self.seeds) * self.finetune.replicates

    @property
    def interval_sources(self) -> str:
        """What the study's intervals contain the variance of, in words."""
        return "images and trainings" if self.trainings > 1 else "images"

    @property
    def denoised_images(self) -> int | None:
        """Number of images that denoisers are measured on: of those that get noise."""
        limits = (self.denoise.images, self.predict.noisy_images)
        return min((limit for limit in limits if limit is not None), default=None)

    @property
    def networks(self) -> dict[str, Classifier]:
        """Every classifier by name, the study's and the companions'."""
        return self.classifiers | self.companions

    @property
    def named_classes(self) -> dict[str, list[str]]:
        """The classes that settings name, by the setting."""
        if (synthesis := self.synthesis) is None:
            return {}
        return {
            "synthesis.classes": synthesis.classes or [],
            "synthesis.compounds": [
                one for each in synthesis.compounds for one in each
            ],
            "synthesis.decoder.classes": synthesis.decoder.classes or [],
        }

    @model_validator(mode="after")
    def check_sections(self) -> Self:
        """Check what several sections must agree on."""
        chosen: dict[str, Iterable[str | None]] = {
            "figures.noise_example": [self.figures.noise_example],
            "depth.classifiers": self.depth.classifiers if self.depth else [],
        }
        check_known(chosen, self.classifiers, "classifiers")
        classes = self.data.classes if self.reference == "labels" else None
        if classes and (text := missing_class(self.named_classes, classes)):
            raise ValueError(text)
        self.check_sizes()
        for name in ("photos", "photos_validation"):
            if (getattr(self.data, name) is None) is (self.clean is None):
                raise ValueError(
                    f"data.{name}: give it, or the section clean, and not both"
                )
        if self.reference == "predictions":
            self.check_unlabelled()
        self.check_names()
        self.check_sides()
        return self

    def check_sizes(self) -> None:
        """Check that every network fits the images, and each autoencoder differs."""
        if self.image_size < 2**self.autoencoder.stages:
            raise ValueError(
                f"autoencoder.stages: {self.autoencoder.stages} stages halve"
                f" {self.image_size} pixels to nothing; use fewer, or a greater"
                " image_size"
            )
        autoencoders = (self.autoencoder, *self.lighter)
        if len({each.size for each in autoencoders}) < len(autoencoders):
            raise ValueError("lighter: each size once, and not the autoencoder's own")
        if any(self.image_size < 2**each.stages for each in self.lighter):
            raise ValueError(
                f"lighter: too many stages for {self.image_size} pixels; use fewer"
            )
        for name, network in self.networks.items():
            side = network.resize or self.image_size
            if network.crop is not None and network.crop > side:
                raise ValueError(
                    f"classifiers.{name}.crop: {network.crop} is more than the"
                    f" {side} pixels of its images; lower it, or set resize"
                )
            side = network.input_side(self.image_size) or self.image_size
            if network.architecture == "caffe_alexnet" and side < CAFFE_SIDE:
                raise ValueError(
                    f"classifiers.{name}.resize: caffe_alexnet needs {CAFFE_SIDE}"
                    f" pixels, not {side}"
                )

    def check_sides(self) -> None:
        """Check that reversed networks get images of their own size at least."""
        if (salient := self.salient) is None:
            return
        sides = {"salient.side": salient.side}
        if salient.segmentation is not None:
            sides["salient.segmentation.side"] = salient.segmentation.side
        for key, side in sides.items():
            for name in salient.classifiers:
                native = self.networks[name].input_side(self.image_size)
                if side is not None and native is not None and side < native:
                    raise ValueError(
                        f"{key}: {side} pixels are too few for {name}, which sees"
                        f" {native}; set {native} or more"
                    )

    def check_names(self) -> None:
        """Check the networks' names, and those that the companion studies use."""
        twice = self.classifiers.keys() & self.companions.keys()
        if twice:
            raise ValueError(f"companions.{min(twice)}: is one of classifiers; rename")
        for network in self.networks:
            if network in RESERVED:
                raise ValueError(f"classifiers.{network}: {RESERVED[network]}; rename")
            if reads_as_number(network):
                raise ValueError(
                    f"classifiers.{network}: tables would take it for a number; rename,"
                    f" for instance to N{network}"
                )
        used: dict[str, Iterable[str | None]] = {}
        if (salient := self.salient) is not None:
            used["salient.classifiers"] = salient.classifiers
            used["salient.layers"] = salient.layers
            if salient.inversion is not None:
                used["salient.inversion.classifier"] = [salient.inversion.classifier]
        if (synthesis := self.synthesis) is not None:
            used["synthesis.classifiers"] = synthesis.classifiers
            used["synthesis.filters"] = synthesis.filters
            used["synthesis.judge"] = [synthesis.judge]
        check_known(used, self.networks, "networks")

    def check_unlabelled(self) -> None:
        """Check that nothing needs labels in a study without them."""
        for section in ("classifiers", "companions"):
            for name, classifier in getattr(self, section).items():
                if classifier.is_trained:
                    raise ValueError(
                        f"{section}.{name}: its training needs labels, which"
                        " reference: predictions does without; give it weights, or"
                        " set reference: labels"
                    )
        if self.data.classes is not None:
            raise ValueError(
                "data.classes: not used with reference: predictions; leave them out"
            )
        if self.finetune.augment is not None:
            raise ValueError(
                "finetune.augment: must be null with reference: predictions, which are"
                " made on the images as they are"
            )
        for key, names in self.named_classes.items():
            for name in names:
                if not name.isdecimal() or key == "synthesis.decoder.classes":
                    raise ValueError(
                        f"{key}: there is no class {name!r} with reference:"
                        " predictions, only numbers of logits; take it out"
                    )


def missing_class(
    named: Mapping[str, Iterable[str]], classes: Sequence[str]
) -> str | None:
    """Return what is wrong where a setting names a class that the data lacks.

    Args:
        named: names by setting, such as ``Study.named_classes``.
        classes: the data's.

    Returns:
        The setting, the name, and the nearest that there are; None if all are there.
    """
    for key, names in named.items():
        for name in names:
            if name not in classes:
                near = difflib.get_close_matches(name, classes, 3, 0.3) or classes[:3]
                return (
                    f"{key}: no class {name!r}; there are {len(classes)}, such as"
                    f" {', '.join(near)}"
                )
    return None


def class_folders(sources: Iterable[Source]) -> list[str] | None:
    """Return the classes of sources that are folders of class folders.

    None where another kind of source is among them, or a folder that cannot be read:
    packing finds its classes, or says what is wrong.
    """
    names: set[str] = set()
    for source in sources:
        path = Path(source.path)
        try:
            if source.labels is not None or not path.is_dir():
                return None
            folders = [entry.name for entry in path.iterdir() if entry.is_dir()]
        except OSError:
            return None
        found = {name for name in folders if not is_hidden(name)}
        if not found:
            return None
        names |= found
    return sorted(names)


def check_paths(study: Study) -> None:
    """Raise if an image source or a class in it is missing, before anything runs.

    Raises:
        UserError: every missing path with its key, and where to read how to get it; a
            setting that names a class without a folder.
    """
    paths: dict[str, str | None] = {
        f"data.{name}[{number}].{key}": path
        for name in ("train", "validation", "photos", "photos_validation")
        for number, source in enumerate(getattr(study.data, name) or ())
        for key, path in source.files.items()
    }
    if (clean := study.clean) is not None:
        for key in ("hashes", "tree", "exclude", "placeholders"):
            paths[f"clean.{key}"] = getattr(clean, key)
        for number, path in enumerate(clean.metadata):
            paths[f"clean.metadata[{number}]"] = path
        if clean.zips is not None:
            paths["clean.zips.path"] = clean.zips.path
    for section in ("classifiers", "companions"):
        for name, network in getattr(study, section).items():
            if not network.is_published:
                paths[f"{section}.{name}.weights"] = network.weights
    if study.salient is not None and study.salient.segmentation is not None:
        paths["salient.segmentation.path"] = study.salient.segmentation.path
    missing = [
        f"{key}: there is no {path}"
        for key, path in paths.items()
        if path is not None and not os.path.exists(path)
    ]
    if missing:
        raise UserError(
            f"{'; '.join(missing)}; put the images there or set the path"
            " (config/README.md, section Data, says how to get them)"
        )
    if study.data.classes is None and study.reference == "labels":
        classes = class_folders(study.data.train)
        if classes and (text := missing_class(study.named_classes, classes)):
            raise UserError(text)
