"""A look at folders of images before they are studied: classes, sizes, broken files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2snets.data.folders import image_files
from s2snets.data.images import decode
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_input

LOOKED_AT = 200
"""Images of a folder that are opened, evenly spaced."""


@dataclass(frozen=True)
class Survey:
    """What is in a folder of images; see ``survey``."""

    folder: Path
    images: int
    classes: dict[str, int] | None  # name -> images; None: not one folder a class
    looked_at: int
    unreadable: list[str]  # of those that were looked at: what is wrong with each
    short_side: int  # median, pixels
    square: float  # share of the images that are square
    grey: float  # share of the images without colours


def survey(folder: Path) -> Survey:
    """Return what is in a folder of images.

    Every file is listed, and ``LOOKED_AT`` of them are decoded.

    Raises:
        UserError: no such folder, no image in it, or none that can be read.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    files = image_files(folder)
    inside = [path.relative_to(folder).parts for path in files]
    classes = None
    if all(len(parts) > 1 for parts in inside):
        classes = dict(sorted(Counter(parts[0] for parts in inside).items()))
    count = min(LOOKED_AT, len(files))
    chosen = np.linspace(0, len(files) - 1, count).round().astype(int)
    sizes, grey, unreadable = [], [], []
    for path in (files[number] for number in chosen):
        try:
            image = decode(read_input(path), str(path))
        except UserError as error:
            unreadable.append(str(error))
            continue
        sizes.append(image.size)
        pixels = np.asarray(image.convert("RGB").resize((16, 16)), int)
        grey.append(np.ptp(pixels, axis=2).max() <= 2)
    if not sizes:
        raise UserError(
            f"{folder}: none of {count} images is readable: {unreadable[0]}"
        )
    return Survey(
        folder=folder,
        images=len(files),
        classes=classes,
        looked_at=count,
        unreadable=unreadable,
        short_side=int(np.median([min(size) for size in sizes])),
        square=float(np.mean([width == height for width, height in sizes])),
        grey=float(np.mean(grey)),
    )


def describe(found: Survey) -> list[str]:
    """Return what was found in a folder as lines of text."""
    lines = [f"{found.folder}: {found.images:,} images"]
    if found.classes is not None:
        least, most = min(found.classes.values()), max(found.classes.values())
        each = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        plural = "es" if len(found.classes) != 1 else ""
        lines[0] += f" in {len(found.classes)} class{plural} of {each}"
    share = "" if found.looked_at == found.images else f" (of {found.looked_at} opened)"
    lines[0] += f", short side {found.short_side} pixels{share}"
    for reason in found.unreadable[:3]:
        lines.append(f"  unreadable: {reason}")
    if len(found.unreadable) > 3:
        lines.append(f"  … and {len(found.unreadable) - 3} more of those opened")
    return lines


def check_pair(train: Survey, validation: Survey) -> bool:
    """Return whether two folders are labelled: the same classes in both.

    Raises:
        UserError: classes in one that the other lacks, or labels in one alone.
    """
    if train.classes is None or validation.classes is None:
        if train.classes is validation.classes:
            return False
        labelled, other = (
            (train, validation) if validation.classes is None else (validation, train)
        )
        raise UserError(
            f"{other.folder}: has images outside folders of classes, which"
            f" {labelled.folder} has not; sort them, or take both without labels"
            " (--unlabelled)"
        )
    for one, names, two, others in (
        (train, train.classes, validation, validation.classes),
        (validation, validation.classes, train, train.classes),
    ):
        if missing := sorted(names.keys() - others.keys()):
            raise UserError(
                f"{two.folder}: lacks class {shorten(missing)}, which {one.folder} has;"
                " add images of it, or remove the folder"
            )
    if len(train.classes) < 2:
        raise UserError(
            f"{train.folder}: one class alone; there is nothing to tell apart"
        )
    return True


def shorten(names: Sequence[str]) -> str:
    """Return a list of names as text, cut after three."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
