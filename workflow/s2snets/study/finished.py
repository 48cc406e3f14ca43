"""A finished study, loaded from its folder: networks, classes, settings and tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
import torch
from pydantic import ConfigDict, ValidationError

from s2snets.config import Autoencoder, Settings
from s2snets.measure.sources import PARTS
from s2snets.networks.checkpoints import load_autoencoder, load_classifier
from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.segnet import SegNet
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json
from s2snets.runtime.tables import read_csv

WEIGHTS = "weights.safetensors"


class PretrainingRecord(Settings):
    """The settings that a pretraining's record holds, as far as networks need them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    image_size: int
    resize_mode: Literal["squash", "crop", "pad"]
    autoencoder: Autoencoder


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
    """

    folder: Path
    seed: int
    settings: PretrainingRecord
    autoencoders: dict[str, SegNet]
    classifiers: dict[str, PixelClassifier]
    classes: dict[str, list[str]]

    @property
    def tables(self) -> list[str]:
        """Names of the study's tables."""
        return sorted(path.stem for path in self.folder.glob("tables/*.csv"))

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by its name, such as ``table2``."""
        return read_csv(self.folder / f"tables/{name}.csv")


def load_study(
    folder: str | Path, seed: int | None = None, device: str | torch.device = "cpu"
) -> FinishedStudy:
    """Return a finished study with every network of one seed.

    Args:
        folder: such as ``results/demo``.
        seed: None for the smallest.
        device: where the networks go.

    Raises:
        UserError: a folder, record or weights that are missing or damaged.
    """
    folder = Path(folder)
    seed_folder, seed = find_seed(folder, seed)
    pretrained = seed_folder / "autoencoders/pretrained/photos"
    settings = read_pretraining(pretrained / "record.json")
    tuned = tuned_folders(seed_folder / "autoencoders")
    shared_classes = read_json(folder / "data/validation/index.json")["classes"]
    classifier_folders = {
        path.parent.name: path.parent
        for path in sorted(seed_folder.glob(f"classifiers/*/{WEIGHTS}"))
    }
    classifiers = {
        name: load_classifier(place, device, shared_classes)
        for name, place in classifier_folders.items()
    }
    if not tuned or not classifiers:
        missing = "fine-tuned autoencoder" if classifiers else "classifier"
        raise UserError(f"{seed_folder}: no {missing} yet; finish the study")
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


def read_pretraining(path: Path) -> PretrainingRecord:
    """Return the settings in a pretraining's record.

    Raises:
        UserError: no record, or one without them.
    """
    try:
        return PretrainingRecord.model_validate(read_json(path)["settings"])
    except (KeyError, TypeError, ValidationError):
        raise UserError(f"{path}: no record of a pretraining; run it anew") from None


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
    spec = read_json(folder / "spec.json")
    return spec.get("categories") or [f"class {n}" for n in range(spec["classes"])]
