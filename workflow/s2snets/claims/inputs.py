"""Assembly of the tables of a study, and of the paper itself, from their files."""

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from s2snets.claims.design import settled_by_design
from s2snets.claims.evidence import FAMILIES, PRINTED_THRESHOLDS, Tables, missing
from s2snets.config import Classifier
from s2snets.config.base import Reference
from s2snets.config.data import Data
from s2snets.measure.rrc import rrc_matrix, rrc_table
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_csv

TABLE_COLUMNS = {
    "table1": ["classifier", "input", "images", "top1", "top5"],
    "table2": ["autoencoder"],
    "rrc": ["autoencoder", "classifier", "rrc", "chance", "rrc_corrected"],
    "parts": ["part", "classifier", "top1"],
    "noise": ["input", "classifier", "noise", "strength", "top1"],
    "information": ["label", "measure", "bins", "images", "mean"],
    "curves": ["corpus", "seed", "images", "training", "validation_photos"],
    "colors": ["label", "measure", "channel", "value"],
    "accuracy": ["label", "classifier", "strength", "top1"],
}
"""Table -> columns that must be there."""

OPTIONAL_COLUMNS = {
    "depth": ["weights", "classifier", "depth", "measure", "mean", "low", "high"],
}
"""Tables that a study may lack, likewise."""

PRINTED = ASSETS / "palacio2018"

IMAGENET_CLASSES, IMAGENET_IMAGES = 1000, 50_000
"""Of ImageNet's validation set."""

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
"""Ends of the names of tensors that are no parameters."""


def count_parameters(path: Path) -> int:
    """Return the number of a network's parameters, from the head of its safetensors.

    Raises:
        UserError: no such file, or a damaged one.
    """
    try:
        with safe_open(path, "numpy") as file:
            return sum(
                prod(file.get_slice(name).get_shape())
                for name in list(file.keys())
                if not name.endswith(BUFFERS)
            )
    except FileNotFoundError:
        raise UserError(f"{path}: no such weights") from None
    except SafetensorError as error:
        raise UserError(
            f"{path}: damaged weights ({error}); delete and rerun"
        ) from None


def roles(architectures: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Find which of a study's classifiers are the paper's: its letter and its network.

    Args:
        architectures: name -> architecture, as the config has both.

    Returns:
        ``roles`` and ``absent`` of ``Tables``.
    """
    present, absent = {}, {}
    for letter, (network, stand_ins) in FAMILIES.items():
        architecture = architectures.get(letter)
        if architecture is None:
            absent[letter] = missing(letter)
        elif architecture in stand_ins:
            present[letter] = letter
        else:
            absent[letter] = f"our {letter} is {architecture}, not {network}"
    return present, absent


def study_tables(
    tables: Mapping[str, Path],
    weights: Sequence[Path],
    classifiers: Mapping[str, Classifier],
    *,
    data: Data,
    single_pass: bool,
    thresholds: Sequence[float],
    bins: int,
    reference: Reference = "labels",
    samples: np.ndarray | None = None,
) -> Tables:
    """Read a study's tables.

    Args:
        tables: name, of ``TABLE_COLUMNS`` and perhaps ``OPTIONAL_COLUMNS``, -> CSV
            file.
        weights: safetensors of each classifier, in order.
        classifiers: settings by name.
        data: settings of the image sets.
        single_pass: whether the pretraining on photographs sees none of them again.
        thresholds: of the study's lattices; unless they are four, the paper's count.
        bins: of nMI, the first number.
        reference: what accuracies are measured against.
        samples: Table 2 of resampled images (B, N, N), A_i in row i.

    Raises:
        UserError: a file that is missing or damaged, or lacks a column.
    """
    present, absent = roles(
        {name: each.architecture for name, each in classifiers.items()}
    )
    sizes = zip(classifiers, map(count_parameters, weights), strict=True)
    ascending = tuple(sorted(thresholds))
    return Tables(
        roles=present,
        absent=absent,
        sizes=dict(sizes),
        thresholds=ascending if len(ascending) == 4 else PRINTED_THRESHOLDS,
        bins=bins,
        labelled=reference == "labels",
        settled=settled_by_design(data, single_pass, thresholds),
        samples=None if samples is None else rrc_matrix(samples),
        **{
            name: read_csv(tables[name], columns)
            for name, columns in (TABLE_COLUMNS | OPTIONAL_COLUMNS).items()
            if name in tables or name in TABLE_COLUMNS
        },
    )


def printed_tables() -> Tables:
    """Return the paper as a study: what its Tables 1 and 2 hold."""
    scores = ["top1", "top5"]
    table1 = read_csv(PRINTED / "table1.csv", ["classifier", "input", *scores])
    table2 = read_csv(PRINTED / "table2.csv", ["autoencoder"])
    percent = {score: table1[score] / 100 for score in scores}
    return Tables(
        roles={letter: letter for letter in FAMILIES},
        table1=table1.assign(**percent, images=IMAGENET_IMAGES),
        table2=table2,
        rrc=rrc_table(table2, chance=np.full(len(table2), 1 / IMAGENET_CLASSES)),
    )


def is_comparable(
    weights: Mapping[str, str | None], image_size: int, classes: int, images: int
) -> bool:
    """Return whether a study's networks and images are the paper's.

    It is measured on as many images of as many classes as ImageNet's validation set
    has, of its size, and AlexNet, VGG, Inception and ResNet, or those of them that are
    there, come with weights; LeNet-5 is published nowhere.

    Args:
        weights: the paper's letter -> the setting, for those that the study has.
        image_size: side of the study's images, pixels.
        classes: of the validation set; 0: it has no labels.
        images: of the validation set.
    """
    given = [name for letter, name in weights.items() if letter != "L"]
    return (
        image_size >= 224
        and (classes, images) == (IMAGENET_CLASSES, IMAGENET_IMAGES)
        and bool(given)
        and None not in given
    )
