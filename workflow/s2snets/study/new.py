"""A study of somebody's own folders: what to choose, what it costs, the settings."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from s2snets.config import Autoencoder, Classifier, Study, load
from s2snets.runtime.assets import render_text
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing
from s2snets.runtime.records import device_name
from s2snets.study.rates import Rates, measure_rates, total
from s2snets.study.survey import Survey

OWN = {
    "L": "lenet5",
    "A": "small_alexnet",
    "V": "small_vgg",
    "I": "small_inception",
    "R": "small_resnet",
}
"""Networks that the workflow trains on labelled images, if none are named."""

PUBLISHED = {
    "Q": "torchvision/squeezenet1_1",
    "M": "torchvision/mobilenet_v3_large",
    "R": "torchvision/resnet18",
    "E": "torchvision/efficientnet_b0",
}
"""Networks with ImageNet's weights, for images without labels, if none are named."""

SIDES = (32, 48, 64, 96, 128, 224)
GREATEST_SIDE = {"cpu": 128, "cuda": 224}
"""Of what is chosen; a greater one may be set."""

SHARES = {"pretrain": 0.3, "labelled": 0.05, "train": 0.2, "finetune": 0.45}
"""Of the hours that are asked for, by training."""

PASSES = {"pretrain": 40, "labelled": 5, "train": 40, "finetune": 40}
"""Over the images at most."""

BATCH, SMALL_BATCH = 32, 8
ENOUGH_PHOTOS = 20_000  # with fewer, several crops of each are cut
IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class Machine:
    """Where the study will run."""

    device: torch.device
    cores: int  # jobs at once, on a CPU

    @property
    def workers(self) -> int:
        """Trainings at once."""
        return self.cores if self.device.type == "cpu" else 1

    @property
    def name(self) -> str:
        """The machine in words."""
        if self.device.type == "cpu":
            cores = f"{self.cores} core{'s' if self.cores > 1 else ''}"
            return f"{cores} of {device_name()}"
        return f"one {device_name()}"


@dataclass(frozen=True)
class Folders:
    """What the study's folders hold."""

    train: Survey
    validation: Survey
    photos: Survey  # that of ``train`` where there are no others
    labelled: bool


@dataclass(frozen=True)
class Choices:
    """What is chosen for a study, before its amounts."""

    size: int
    resize: str
    autoencoder: Autoencoder
    classifiers: dict[str, Classifier]
    crops: dict[str, int]  # of each image, by set; 1: images as they are
    reasons: dict[str, str]


def choose_size(short_side: int, device: str) -> tuple[int, str]:
    """Return the side of a study's images, and why."""
    limit = GREATEST_SIDE[device]
    fitting = [one for one in SIDES if one <= min(short_side, limit)] or [SIDES[0]]
    why = f"The images' short side is {short_side} pixels"
    if short_side > limit:
        why += f"; more than {limit} take long on this machine"
    return fitting[-1], f"{why}."


def choose_classifiers(
    named: Sequence[str], labelled: bool, pretrained: bool
) -> tuple[dict[str, Classifier], str]:
    """Return the classifiers by name, and why these.

    Raises:
        UserError: fewer than two are named, or one twice.
    """
    weights = "DEFAULT" if pretrained or not labelled else None
    if not named:
        chosen = PUBLISHED if weights else OWN
        why = (
            "With ImageNet's weights, which are fetched once."
            if weights
            else "Five small families, which the workflow trains on `data.train`."
        )
    elif len(set(named)) < 2 or len(set(named)) < len(named):
        raise UserError("--classifier: name two different ones or more")
    else:
        chosen = {f"N{number}": name for number, name in enumerate(named, 1)}
        why = (
            "As named, with their published weights."
            if weights
            else "As named; the workflow trains them on `data.train`."
        )
    own = {name for name in chosen.values() if "/" not in name and weights}
    if own:
        raise UserError(
            f"--classifier: {', '.join(sorted(own))} has no published weights; name"
            " torchvision/NAME or timm/NAME"
        )
    classifiers = {
        name: Classifier(architecture=architecture, weights=weights)
        for name, architecture in chosen.items()
    }
    return classifiers, why


def choose(
    folders: Folders, named: Sequence[str], pretrained: bool, machine: Machine
) -> Choices:
    """Return what suits the images and the machine."""
    kind = machine.device.type
    size, why_size = choose_size(folders.train.short_side, kind)
    classifiers, why_classifiers = choose_classifiers(
        named, folders.labelled, pretrained
    )
    if folders.train.square > 0.5:
        resize, why_resize = "squash", "The images are square."
    else:
        resize, why_resize = "crop", "The images are not square: their centre is used."
    if kind == "cuda":
        autoencoder = Autoencoder(width=64, stages=5 if size >= 128 else 3)
        why_autoencoder = "The paper's width; stages as the size of the images allows."
    elif size >= 96:
        autoencoder = Autoencoder(width=32, stages=1)
        why_autoencoder = (
            "One stage: at this size, hours of a CPU do not train more stages well"
            " (docs/packaged.md)."
        )
    else:
        autoencoder = Autoencoder(width=16, stages=2)
        why_autoencoder = "The demo's size, which a CPU trains in minutes."
    photos = folders.photos
    needed = math.ceil(ENOUGH_PHOTOS / photos.images)
    cut = photos.short_side >= size  # a crop of half the side is not yet blurred
    crops = {
        "photos": min(needed, 150) if cut else 1,
        # Without labels, a part of an image is as good as the whole.
        "train": 1 if folders.labelled or not cut else min(needed, 50),
    }
    why_photos = "Pretraining never reads labels, so the same folder serves."
    if photos is not folders.train:
        why_photos = f"{photos.images} photographs."
    if crops["photos"] > 1:
        why_photos += f" Each is cut into {crops['photos']} crops."
    return Choices(
        size, resize, autoencoder, classifiers, crops,
        {
            "size": why_size,
            "resize": why_resize,
            "autoencoder": why_autoencoder,
            "classifiers": why_classifiers,
            "photos": why_photos,
        },
    )  # fmt: skip


def corpus_sizes(folders: Folders, crops: dict[str, int]) -> dict[str, int]:
    """Return the images of the sets that are trained on, crops counted."""
    return {
        "train": folders.train.images * crops["train"],
        "photos": folders.photos.images * crops["photos"],
    }


def choose_amounts(
    rates: Rates, corpora: dict[str, int], hours: float, workers: int
) -> dict[str, int]:
    """Return the images of each training, within the hours that are asked for."""
    cost = {
        "pretrain": rates.pretrain,
        "labelled": rates.pretrain,
        "train": sum(rates.train.values()),
        "finetune": sum(rates.finetune.values()),
    }
    seconds = hours * 3600 * workers / sum(SHARES[name] for name in cost if cost[name])
    amounts = {}
    for name, each in cost.items():
        corpus = corpora["photos" if name == "pretrain" else "train"]
        wanted = seconds * SHARES[name] / each if each else 0
        wanted = min(wanted, PASSES[name] * corpus)
        step = 10 ** max(0, int(math.log10(max(wanted, 1))) - 1)
        amounts[name] = max(BATCH, int(wanted // step) * step)
    return amounts


def estimate(
    rates: Rates, amounts: dict[str, int], validation: int, workers: int
) -> dict[str, tuple[int, float]]:
    """Return images and hours of each part of a study."""
    networks = len(rates.finetune)
    each = rates.reconstruct + sum(rates.predict.values())
    seconds = {
        "pretrain": (amounts["pretrain"], total(amounts["pretrain"], [rates.pretrain])),
        "labelled": (amounts["labelled"], total(amounts["labelled"], [rates.pretrain])),
        "train": (amounts["train"], total(amounts["train"], rates.train.values())),
        "finetune": (
            amounts["finetune"],
            total(amounts["finetune"], rates.finetune.values()),
        ),
        "predict": (validation, validation * (networks + 2) * each),
    }
    return {
        name: (images, spent / 3600 / workers)
        for name, (images, spent) in seconds.items()
        if spent
    }


def flow(value: object) -> str:
    """Return a value as YAML on one line."""
    return json.dumps(value, ensure_ascii=False)


def settings_text(
    name: str,
    path: Path,
    folders: Folders,
    choices: Choices,
    amounts: dict[str, int],
    hours: float,
    machine: Machine,
    command: str,
) -> str:
    """Return the study's settings as YAML, with a comment for each choice."""
    corpora = corpus_sizes(folders, choices.crops)

    def crops_of(images: str, side: str) -> str:
        count = choices.crops[images]
        return f", crops: {{count: {count}, side: {side}}}" if count > 1 else ""

    def passes(images: int, corpus: int) -> str:
        return f"each of {corpus:,} is seen {images / corpus:.2g} times"

    def described(one: Classifier) -> str:
        fields = one.model_dump(mode="json", exclude_defaults=True)
        return "{" + ", ".join(f"{k}: {flow(v)}" for k, v in fields.items()) + "}"

    return render_text(
        "new/study.yaml.j2",
        name=name,
        path=path,
        command=command,
        machine=machine.name,
        cores=machine.cores,
        hours=hours,
        size=choices.size,
        resize=choices.resize,
        labelled=folders.labelled,
        train=folders.train,
        validation=folders.validation,
        photos=folders.photos,
        corpora=corpora,
        crops_of_train=crops_of("train", "[0.5, 1.0]"),
        crops_of_photos=crops_of("photos", "[0.3, 1.0]"),
        classifiers={key: described(one) for key, one in choices.classifiers.items()},
        trained=any(one.is_trained for one in choices.classifiers.values()),
        autoencoder=choices.autoencoder,
        amounts=amounts,
        reasons=choices.reasons,
        batch=BATCH,
        small_batch=SMALL_BATCH,
        quoted=lambda folder: flow(str(folder)),
        passes=passes,
        often=lambda images: max(1, images // 10),
    )


def write_study(
    name: str,
    folders: Folders,
    named: Sequence[str],
    pretrained: bool,
    hours: float,
    machine: Machine,
    path: Path,
    command: str,
) -> dict[str, tuple[int, float]]:
    """Write the settings of a new study, and return what it will cost.

    Args:
        name: of the study.
        folders: what it is of.
        named: classifiers as ``torchvision/NAME`` and the like; none: the default.
        pretrained: whether they come with published weights.
        hours: that it may take.
        machine: where it will run.
        path: of the settings.
        command: that wrote it, for the file's head.

    Returns:
        Images and hours by part of the study.

    Raises:
        UserError: a choice that cannot be.
    """
    choices = choose(folders, named, pretrained, machine)
    classes = len(folders.train.classes or ()) or IMAGENET_CLASSES
    rates = measure_rates(
        choices.autoencoder,
        choices.classifiers,
        choices.size,
        classes if not pretrained and folders.labelled else IMAGENET_CLASSES,
        machine.device,
    )
    corpora = corpus_sizes(folders, choices.crops)
    amounts = choose_amounts(rates, corpora, hours, machine.workers)
    costs = estimate(rates, amounts, folders.validation.images, machine.workers)
    spent = sum(one for _, one in costs.values())
    text = settings_text(name, path, folders, choices, amounts, spent, machine, command)
    check(text, path)
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")
    return costs


def check(text: str, path: Path) -> Study:
    """Return the study of a text of settings.

    Raises:
        UserError: a value that no study may have, such as its name.
    """
    values: Any = yaml.safe_load(text)
    return load(values, str(path))
