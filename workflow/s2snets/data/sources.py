"""The images that a set is packed from: folders, and IDX files."""

import gzip
import lzma
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s2snets.data.images import SUFFIXES, decode, encode_png
from s2snets.errors import Mistake

UNLABELLED = -1
OPENERS = {".gz": gzip.open, ".xz": lzma.open}


class Item(NamedTuple):
    """One image file to be."""

    name: str  # what to call it in a complaint
    suffix: str  # with the dot
    label: int  # UNLABELLED where there is none
    read: object  # () -> bytes


def is_idx(path):
    """Whether a path names an IDX file rather than a folder."""
    return Path(path).name.split(".")[0].endswith(("ubyte", "idx"))


def read_idx(path):
    """The array in an IDX file of unsigned bytes (the MNIST family's format).

    Raises:
        Mistake: not such a file, or shorter or longer than its header says.
    """
    path = Path(path)
    try:
        with OPENERS.get(path.suffix, open)(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise Mistake(f"{path}: no such file") from None
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise Mistake(f"{path}: cannot be unpacked ({error}); fetch it anew") from None
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise Mistake(f"{path}: not an IDX file of unsigned bytes")
    axes = data[3]
    shape = np.frombuffer(data, ">u4", axes, 4) if len(data) >= 4 + 4 * axes else []
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * axes)
    if len(shape) != axes or values.size != math.prod(map(int, shape)):
        raise Mistake(f"{path}: its length does not fit its header; fetch it anew")
    return values.reshape(shape)


def image_files(folder):
    """Image files below a folder, to any depth, in sorted order; hidden ones skipped.

    Raises:
        Mistake: there is no such folder, or it holds no image.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise Mistake(f"{folder}: no such folder of images")
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
    if not found:
        raise Mistake(f"{folder}: holds no images ({', '.join(sorted(SUFFIXES))})")
    return found


def class_folders(folder):
    """Names of a labelled folder's classes, sorted."""
    return sorted(path.name for path in Path(folder).iterdir() if path.is_dir())


def folder_items(source, classes):
    """A folder's images; labelled by first-level folder where there are classes."""
    root = Path(source.path)
    labels = {name: label for label, name in enumerate(classes or ())}
    for path in image_files(root):
        label = UNLABELLED
        if classes is not None:
            folder = path.relative_to(root).parts[0]
            if folder not in labels:
                raise Mistake(
                    f"{path}: folder {folder!r} is no class; the classes are"
                    f" {', '.join(classes)}"
                )
            label = labels[folder]
        yield Item(str(path), path.suffix.lower(), label, path.read_bytes)


def idx_items(source, classes):
    """The images of an IDX file, each as a lossless PNG."""
    images = read_idx(source.path)
    labels = np.full(len(images), UNLABELLED)
    if classes is not None:
        if source.labels is None:
            raise Mistake(f"{source.path}: a labelled set needs `labels` beside it")
        labels = read_idx(source.labels).astype(int)
        if len(labels) != len(images):
            raise Mistake(
                f"{source.labels}: {len(labels)} labels, {len(images)} images"
            )
        if labels.max(initial=0) >= len(classes):
            raise Mistake(
                f"{source.labels}: label {labels.max()} but {len(classes)} classes"
            )
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        name = f"{source.path}[{number}]"
        yield Item(name, ".png", int(label), lambda pixels=pixels: encode_png(pixels))


def crop_items(item, crops, seed):
    """Random square crops of one image, each as a lossless PNG."""
    image = decode(item.read(), item.name)
    draw = np.random.default_rng(seed)
    short, low, high = min(image.size), *np.log(crops.side)
    for number in range(crops.count):
        side = max(8, round(short * math.exp(draw.uniform(low, high))))
        left = int(draw.integers(image.width - side + 1))
        top = int(draw.integers(image.height - side + 1))
        pixels = np.asarray(image.crop((left, top, left + side, top + side)))
        name = f"{item.name}#{number}"
        yield Item(name, ".png", item.label, lambda pixels=pixels: encode_png(pixels))


def classes_of(source, named):
    """Class names of a labelled source: as named, or its folders.

    Raises:
        Mistake: an IDX file without names, or a folder without folders.
    """
    if named is not None:
        return list(named)
    if is_idx(source.path):
        return [str(label) for label in range(int(read_idx(source.labels).max()) + 1)]
    image_files(source.path)
    classes = class_folders(source.path)
    if not classes:
        raise Mistake(
            f"{source.path}: a labelled set needs one folder a class, and here is none"
        )
    return classes


def items(source, classes, seed):
    """All images of one source, in a fixed order.

    Args:
        source: a ``config.Source``.
        classes: class names; None for an unlabelled set.
        seed: tuple of integers: of the subset and of the crops.

    Raises:
        Mistake: a missing, empty or malformed source.
    """
    found = list((idx_items if is_idx(source.path) else folder_items)(source, classes))
    if source.images is not None:
        if source.images > len(found):
            raise Mistake(
                f"{source.path}: images: {source.images} asked for, {len(found)} there"
            )
        keep = np.random.default_rng(seed).permutation(len(found))[: source.images]
        found = [found[number] for number in sorted(keep)]
    for number, item in enumerate(found):
        if source.crops is None:
            yield from [item] * source.repeat
        else:
            yield from crop_items(item, source.crops, (*seed, number))
