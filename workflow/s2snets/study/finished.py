"""One image through a finished study: what each autoencoder keeps of it.

All that is needed lies in the study's folder: weights, records, the classes' names.
"""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from pydantic import ConfigDict, ValidationError

from s2snets.config import Autoencoder, Settings
from s2snets.data.images import decode
from s2snets.data.resize import resized_to_square
from s2snets.evaluation import as_bytes, identity, top_classes
from s2snets.measure.accuracy import PARTS
from s2snets.networks.checkpoints import load_autoencoder, load_classifier
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json

WEIGHTS = "weights.safetensors"
GAINS = (64, 32, 16, 8, 4, 2, 1)


class Made(Settings):
    """What a record of pretraining tells of how images become pixels."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    image_size: int
    resize_mode: Literal["squash", "crop", "pad"]
    autoencoder: Autoencoder


class Networks(NamedTuple):
    """A study's networks, ready to see an image."""

    made: Made
    sources: dict  # label, such as A_L -> autoencoder; the originals first
    classifiers: dict  # name -> frozen classifier
    classes: dict  # classifier -> names
    seed: int


class Seen(NamedTuple):
    """One image as every source gives it, and as every classifier names it."""

    pictures: dict  # label of a source -> uint8 (H, W, 3), the image itself first
    differences: dict  # label -> uint8 (H, W, 3): mid-grey + gain · (picture − image)
    gain: int
    top: dict  # classifier -> label -> [(class, probability), …], the best first


def seed_folder(study, seed=None):
    """The folder of one seed, and the seed.

    Args:
        seed: None for the least that there is.

    Raises:
        UserError: no such study, or none of this seed.
    """
    there = {
        int(path.name.removeprefix("seed-")): path
        for path in study.glob("seed-*")
        if path.name.removeprefix("seed-").isdigit()
    }
    if not there:
        raise UserError(f"{study}: no study; give a folder such as results/demo")
    if seed is None:
        seed = min(there)
    if seed not in there:
        seeds = ", ".join(map(str, sorted(there)))
        raise UserError(f"--seed: {study} has no seed {seed}, only {seeds}")
    return there[seed], seed


def recorded_settings(path):
    """The settings that a pretraining's record holds.

    Raises:
        UserError: no record, or one without them.
    """
    try:
        return Made.model_validate(read_json(path)["settings"])
    except (KeyError, TypeError, ValidationError):
        raise UserError(f"{path}: no record of a pretraining; run it anew") from None


def tuned_folders(autoencoders):
    """Label -> folder of every fine-tuned autoencoder, part by part.

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


def categories(folder):
    """Names of the classes of a classifier that is studied without labels."""
    spec = read_json(folder / "spec.json")
    return spec.get("categories") or [f"class {n}" for n in range(spec["classes"])]


def load_networks(study, seed=None, device="cpu"):
    """Every network of a study's folder.

    Args:
        study: path such as ``results/demo``.
        seed: None for the first.

    Raises:
        UserError: a folder, record or weights that are missing or damaged.
    """
    folder, seed = seed_folder(Path(study), seed)
    pretrained = folder / "autoencoders/pretrained/photos"
    made = recorded_settings(pretrained / "record.json")
    tuned = tuned_folders(folder / "autoencoders")
    classes = read_json(Path(study) / "data/validation/index.json")["classes"]
    classifiers = {
        path.parent.name: load_classifier(path.parent, device, classes)
        for path in sorted(folder.glob(f"classifiers/*/{WEIGHTS}"))
    }
    if not tuned or not classifiers:
        missing = "fine-tuned autoencoder" if classifiers else "classifier"
        raise UserError(f"{folder}: no {missing} yet; finish the study")
    named = {
        name: classes or categories(folder / "classifiers" / name)
        for name in classifiers
    }
    sources = {
        label: load_autoencoder(place / WEIGHTS, made.autoencoder, device)
        for label, place in ({"A_S": pretrained} | tuned).items()
    }
    return Networks(made, {"image": identity} | sources, classifiers, named, seed)


def read_pixels(path, made):
    """An image file as the study sees it: float (1, 3, side, side) in [0, 1].

    Any size; EXIF orientation is applied, transparency laid on black.

    Raises:
        UserError: no such file, or no image.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror.lower()}; give an image file"
        ) from None
    image = decode(data, str(path))
    pixels = resized_to_square(image, made.image_size, made.resize_mode)
    return pixels[None].float() / 255


def amplified(pictures):
    """Differences from the first picture as pictures, and their common factor.

    The factor is the greatest power of two up to 64 that leaves 99 % of all
    differences in range.

    Args:
        pictures: label -> uint8 (H, W, 3).
    """
    (_, image), *others = pictures.items()
    differences = {label: picture - image.astype(int) for label, picture in others}
    size = np.quantile(np.abs(list(differences.values())), 0.99)
    gain = next((gain for gain in GAINS if gain * size <= 127), 1)
    shown = {
        label: (128 + gain * difference).clip(0, 255).astype(np.uint8)
        for label, difference in differences.items()
    }
    return shown, gain


@torch.inference_mode()
def see(pixels, networks):
    """One image through every autoencoder of a study and all of its classifiers.

    Args:
        pixels: float (1, 3, side, side) in [0, 1], see ``read_pixels``.
        networks: see ``load_networks``.
    """
    passed = {label: source(pixels) for label, source in networks.sources.items()}
    pictures = {label: as_bytes(one)[0] for label, one in passed.items()}
    differences, gain = amplified(pictures)

    def best(name, one):
        classifier, names = networks.classifiers[name], networks.classes[name]
        classes, probabilities = (found[0] for found in top_classes(classifier(one)))
        return [
            (names[number], float(probability))
            for number, probability in zip(classes, probabilities, strict=True)
            if number >= 0
        ]

    top = {
        name: {label: best(name, one) for label, one in passed.items()}
        for name in networks.classifiers
    }
    return Seen(pictures, differences, gain, top)
