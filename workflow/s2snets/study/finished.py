"""A finished study or its bundle, loaded: networks, classes, settings and tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import pandas as pd
import torch
from pydantic import ConfigDict, ValidationError

from s2snets.config import Autoencoder, Classifier, Count, Settings
from s2snets.measure.sources import PARTS
from s2snets.networks import checkpoints
from s2snets.networks.checkpoints import load_autoencoder, read_spec
from s2snets.networks.export import export_classifier
from s2snets.networks.fetch import fetch
from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.published import published_weights
from s2snets.networks.segnet import SegNet
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json
from s2snets.runtime.tables import read_csv

WEIGHTS, SPEC, RECORD = "weights.safetensors", "spec.json", "record.json"

OWN_FUNCTIONS = "s2snets.networks.packaged:"
"""How the names of this library's functions that are classifiers begin."""


class Document(Settings):
    """Base class of what is read of a study's JSON files, which hold more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PretrainingRecord(Document):
    """The settings that a pretraining's record holds, as far as networks need them."""

    image_size: Count
    resize_mode: Literal["squash", "crop", "pad"]
    autoencoder: Autoencoder


class Record(Document):
    """The record of a pretraining."""

    settings: PretrainingRecord


class ClassifierSettings(Document):
    """The settings that a classifier's record holds."""

    image_size: Count
    classifier: Classifier


class ClassifierRecord(Document):
    """The record of a classifier."""

    settings: ClassifierSettings


class SetDescription(Document):
    """The description of a packed image set."""

    classes: list[str] | None


Read = TypeVar("Read", bound=Document)


@dataclass(frozen=True)
class FinishedStudy:
    """One repetition of a study; see ``load_study``.

    Attributes:
        folder: of the study, such as ``results/demo``.
        seed: of the repetition.
        settings: what the pretraining's record holds.
        autoencoders: by label: ``A_S`` first, then such as ``A_L``, or
            ``A_L (encoder)`` where several parts were fine-tuned. They map pixels
            (N, 3, side, side) in [0, 1] to reconstructions.
        classifiers: by name; frozen, they map pixels to logits (N, classes).
        classes: each classifier's class names, in the order of its logits.
        absent: name of a classifier that is not on this machine -> why. Only a bundle
            lacks some, whose weights come from elsewhere.
    """

    folder: Path
    seed: int
    settings: PretrainingRecord
    autoencoders: dict[str, SegNet]
    classifiers: dict[str, PixelClassifier]
    classes: dict[str, list[str]]
    absent: dict[str, str]

    @property
    def tables(self) -> list[str]:
        """Names of the study's tables."""
        return sorted(path.stem for path in self.folder.glob("tables/*.csv"))

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by its name, such as ``table2``."""
        return read_csv(self.folder / f"tables/{name}.csv")


def load_study(
    folder: str | Path,
    seed: int | None = None,
    device: str | torch.device = "cpu",
    trust: bool = False,
) -> FinishedStudy:
    """Return a finished study with every network of one seed.

    Args:
        folder: such as ``results/demo``.
        seed: None for the smallest.
        device: where the networks go.
        trust: whether Python functions that the study names as its classifiers may run.

    Raises:
        UserError: a folder, record or weights that are missing or damaged; a function
            that would run without ``trust``.
    """
    folder = Path(folder)
    seed_folder, seed = find_seed(folder, seed)
    pretrained = seed_folder / "autoencoders/pretrained/photos"
    record = read_document(pretrained / "record.json", Record, "of a pretraining")
    settings = record.settings
    tuned = tuned_folders(seed_folder / "autoencoders")
    shared_classes = read_document(
        folder / "data/validation/index.json", SetDescription, "of an image set"
    ).classes
    classifier_folders = {
        path.parent.name: path.parent
        for path in sorted(seed_folder.glob(f"classifiers/*/{SPEC}"))
    }
    if not trust:
        refuse_functions(classifier_folders.values())
    if not tuned or not classifier_folders:
        missing = "fine-tuned autoencoder" if classifier_folders else "classifier"
        raise UserError(f"{seed_folder}: no {missing} yet; finish the study")
    classifiers, absent = {}, {}
    for name, place in classifier_folders.items():
        if (place / WEIGHTS).exists():
            classifiers[name] = checkpoints.load_classifier(
                place, device, shared_classes
            )
            continue
        try:
            classifiers[name] = rebuild_classifier(place, device, shared_classes)
        except UserError as error:
            absent[name] = str(error)
    return FinishedStudy(
        folder=folder,
        seed=seed,
        settings=settings,
        autoencoders={
            label: load_autoencoder(place / WEIGHTS, settings.autoencoder, device)
            for label, place in ({"A_S": pretrained} | tuned).items()
        },
        classifiers=classifiers,
        classes={
            name: shared_classes or class_names(place)
            for name, place in classifier_folders.items()
        },
        absent=absent,
    )


def find_seed(study: Path, seed: int | None = None) -> tuple[Path, int]:
    """Return the folder of one seed, and the seed; None for the smallest.

    Raises:
        UserError: no such study, or none of this seed.
    """
    folders = {
        int(path.name.removeprefix("seed-")): path
        for path in study.glob("seed-*")
        if path.name.removeprefix("seed-").isdigit()
    }
    if not folders:
        raise UserError(f"{study}: no study; give a folder such as results/demo")
    if seed is None:
        seed = min(folders)
    if seed not in folders:
        seeds = ", ".join(map(str, sorted(folders)))
        raise UserError(f"--seed: {study} has no seed {seed}, only {seeds}")
    return folders[seed], seed


def load_classifier(
    folder: str | Path,
    device: str | torch.device = "cpu",
    classes: Sequence[str] | None = None,
    trust: bool = False,
) -> PixelClassifier:
    """Return the frozen classifier of ``weights.safetensors`` and ``spec.json``.

    Args:
        folder: of both files.
        device: where the network goes.
        classes: to which the logits are restricted, in this order; None: all.
        trust: whether a Python function that the spec names may run.

    Raises:
        UserError: missing or damaged files, a class that the classifier lacks, or a
            function that would run without ``trust``.
    """
    if not trust:
        refuse_functions([Path(folder)])
    return checkpoints.load_classifier(Path(folder), device, classes)


def rebuild_classifier(
    folder: Path, device: str | torch.device, classes: Sequence[str] | None
) -> PixelClassifier:
    """Return the frozen classifier of a bundle, with weights from where they come from.

    Args:
        folder: of its ``spec.json`` and ``record.json``.
        device: where the network goes.
        classes: to which the logits are restricted, in this order; None: all.

    Raises:
        UserError: its package or weights are not here and cannot be fetched, or are
            others than the study's.
    """
    record = read_document(folder / RECORD, ClassifierRecord, "of a classifier")
    settings, spec = record.settings.classifier, read_spec(folder / SPEC)
    if settings.is_trained or not (settings.is_published or settings.is_function):
        raise UserError(
            f"{folder / WEIGHTS}: no such weights, and nobody publishes them"
        )
    fetched = None
    if settings.is_published:
        entry = published_weights(settings.architecture, str(settings.weights))
        fetched = Path(fetch(entry)["file"])
    model, found = export_classifier(settings, record.settings.image_size, fetched)
    if found.get("weights") != spec.get("weights"):
        raise UserError(f"{settings.architecture}: its weights are not the study's")
    checkpoints.restrict(model, spec, folder.name, classes)
    return checkpoints.to_channels_last(model, device)


def refuse_functions(folders: Iterable[Path]) -> None:
    """Raise if loading these classifiers would run Python functions of the user's.

    Raises:
        UserError: which functions, and how to let them run.
    """
    specs = {folder / SPEC: read_spec(folder / SPEC) for folder in folders}
    functions = [
        f"{one['architecture']} ({path})"
        for path, one in specs.items()
        if ":" in one["architecture"]
        and not one["architecture"].startswith(OWN_FUNCTIONS)
    ]
    if functions:
        raise UserError(
            f"these Python functions would run: {', '.join(functions)}; if you trust"
            " them, add --trust (in Python, trust=True)"
        )


def read_document(path: Path, model: type[Read], whose: str) -> Read:
    """Return what is read of a JSON file.

    Raises:
        UserError: no such file, or another content.
    """
    try:
        return model.model_validate(read_json(path))
    except ValidationError:
        raise UserError(f"{path}: no record {whose}; run it anew") from None


def tuned_folders(autoencoders: Path) -> dict[str, Path]:
    """Return the folder of every fine-tuned autoencoder by label, part by part.

    Where a study tuned several parts, each label names its own.
    """
    parts = {
        part: sorted(path.parent for path in (autoencoders / part).glob(f"*/{WEIGHTS}"))
        for part in PARTS
    }
    several = sum(map(bool, parts.values())) > 1
    return {
        f"A_{folder.name}" + (f" ({part})" if several else ""): folder
        for part, folders in parts.items()
        for folder in folders
    }


def class_names(folder: Path) -> list[str]:
    """Return the class names of a classifier that is studied without labels."""
    spec = read_spec(folder / SPEC)
    return spec.get("categories") or [f"class {n}" for n in range(spec["classes"])]
