"""The images that a set is packed from: folders, tar files, IDX files, packed sets."""

import gzip
import lzma
import math
from functools import partial
from itertools import chain, groupby, islice, pairwise
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from s2snets.data import tars
from s2snets.data.imagenet import is_synset, label_of, read_labels, read_names, stem
from s2snets.data.images import SUFFIXES, decode, encode_png
from s2snets.data.shards import read_index
from s2snets.runtime.errors import UserError

UNLABELLED = -1
OPENERS = {".gz": gzip.open, ".xz": lzma.open}


class Item(NamedTuple):
    """One image file to be."""

    name: str  # what to call it in a complaint
    suffix: str  # with the dot
    label: object  # as the source has it: number, name, None; as packed: number
    read: object  # () -> bytes


def is_idx(path):
    """Whether a path names an IDX file rather than a folder."""
    return Path(path).name.split(".")[0].endswith(("ubyte", "idx"))


def read_idx(path):
    """The array in an IDX file of unsigned bytes (the MNIST family's format).

    Raises:
        UserError: not such a file, or shorter or longer than its header says.
    """
    path = Path(path)
    try:
        with OPENERS.get(path.suffix, open)(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UserError(
            f"{path}: cannot be unpacked ({error}); fetch it anew"
        ) from None
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise UserError(f"{path}: not an IDX file of unsigned bytes")
    axes = data[3]
    shape = np.frombuffer(data, ">u4", axes, 4) if len(data) >= 4 + 4 * axes else []
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * axes)
    if len(shape) != axes or values.size != math.prod(map(int, shape)):
        raise UserError(f"{path}: its length does not fit its header; fetch it anew")
    return values.reshape(shape)


def image_files(folder):
    """Image files below a folder, to any depth, in sorted order; hidden ones skipped.

    Raises:
        UserError: there is no such folder, or it holds no image.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder of images")
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
    if not found:
        raise UserError(f"{folder}: holds no images ({', '.join(sorted(SUFFIXES))})")
    return found


def class_folders(folder):
    """Names of a labelled folder's classes, sorted."""
    return sorted(path.name for path in Path(folder).iterdir() if path.is_dir())


def folder_items(source):
    """A folder's images, each with its first-level folder."""
    for path in image_files(source.path):
        first, *deeper = path.relative_to(source.path).parts
        label = first if deeper else None
        yield Item(str(path), path.suffix.lower(), label, path.read_bytes)


def idx_items(source):
    """The images of an IDX file, each as a lossless PNG."""
    images = read_idx(source.path)
    labels = [None] * len(images)
    if source.labels is not None:
        labels = read_idx(source.labels).tolist()
    if len(labels) != len(images):
        raise UserError(f"{source.labels}: {len(labels)} labels, {len(images)} images")
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        name = f"{source.path}[{number}]"
        yield Item(name, ".png", label, lambda pixels=pixels: encode_png(pixels))


def suffix_of(member):
    """A member's last suffix, with the dot; none for what is hidden."""
    path = PurePosixPath(member.name)
    return "" if path.name.startswith(".") else path.suffix.lower()


def tar_item(member, label):
    """One image of a tar."""
    return Item(str(member), suffix_of(member), label, partial(tars.read, member))


def packed_items(source):
    """The images of a packed set, by its index: a shard may hold others, too."""
    columns, paths, classes, *_ = read_index(source.path)
    borders = np.searchsorted(columns["shard"], range(len(paths) + 1)).tolist()
    for path, (first, stop) in zip(paths, pairwise(borders), strict=True):
        members = {member.offset: member for member in tars.members(path)}
        offsets, labels = (columns[name][first:stop] for name in ("offset", "label"))
        for offset, label in zip(offsets.tolist(), labels.tolist(), strict=True):
            label = classes[label] if classes and label >= 0 else None
            yield tar_item(members[offset], label)


def sample_items(members):
    """The images of a shard of samples, ``x.jpg`` beside ``x.cls``."""

    def sample(member):
        folder, slash, name = member.name.rpartition("/")
        return folder + slash + name.partition(".")[0]

    for _, found in groupby(members, sample):
        files = {suffix_of(member): member for member in found}
        label = None
        if ".cls" in files:
            label = label_of(tars.read(files[".cls"]).decode(errors="replace").strip())
        images = (member for suffix, member in files.items() if suffix in SUFFIXES)
        yield from (tar_item(member, label) for member in islice(images, 1))


def listed_items(tar, members, label=None):
    """The images of one tar: of tars in it, of samples, or plain.

    Args:
        tar: what to call it in a complaint.
        members: all of its ``tars.Member``.
        label: of those that lie in no folder.
    """
    suffixes = {suffix_of(member) for member in members}
    if suffixes == {".tar"}:
        for inner in sorted(members):
            inside = tars.members(inner.tar, inner)
            yield from listed_items(inner, list(inside), class_of(inner))
    elif suffixes.isdisjoint(SUFFIXES):
        raise UserError(f"{tar}: holds no images ({', '.join(sorted(SUFFIXES))})")
    elif ".cls" in suffixes:
        yield from sample_items(members)
    else:
        for member in sorted(members):
            if suffix_of(member) in SUFFIXES:
                folder = PurePosixPath(member.name).parent.name
                yield tar_item(member, folder or label)


def class_of(member):
    """The class that a tar inside another is named after."""
    return PurePosixPath(member.name).stem


def tars_at(path):
    """The tar that a path is, or those in a folder without folders and images."""
    path = Path(path)
    if not path.is_dir():
        return [path] * path.is_file()
    found = sorted(path.glob("[!.]*.tar"))
    others = path.iterdir() if found else ()
    if any(one.is_dir() or suffix_of(one) in SUFFIXES for one in others):
        return []
    return found


def tar_items(source):
    """The images of tars: ImageNet's own, one a class, or numbered shards."""
    for tar in tars_at(source.path):
        label = tar.stem if is_synset(tar.stem) else None
        yield from listed_items(tar, list(tars.members(tar)), label)


KINDS = (
    (is_idx, idx_items),
    (lambda path: Path(path).suffix == ".npz", packed_items),
    (tars_at, tar_items),
    (lambda path: True, folder_items),
)


def found_items(source):
    """All images of a source, in a fixed order, each with the label it has there."""
    kind = next(kind for fits, kind in KINDS if fits(source.path))
    found = kind(source)
    if source.labels is None or kind is idx_items:
        return found
    first = next(found)
    found = chain([first], found)
    if isinstance(first.label, int):
        return renamed(found, source.labels)
    return told(list(found), source)


def renamed(found, labels):
    """Numbered images under the names that a text gives their classes."""
    names = read_names(labels)
    for item in found:
        if not 0 <= item.label < len(names):
            raise UserError(
                f"{labels}: {len(names)} names, but {item.name} has number {item.label}"
            )
        yield item._replace(label=names[item.label])


def told(found, source):
    """Images with the labels that a devkit or a list beside them tells."""
    labels = read_labels(source.labels)
    if isinstance(labels, list):
        keys = range(len(found))
        labels = dict(enumerate(labels))
    else:
        keys = [stem(item.name.replace(":", "/")) for item in found]
    if len(labels) != len(found):
        raise UserError(
            f"{source.labels}: {len(labels)} labels, but {source.path} has {len(found)}"
            " images; give both in full"
        )
    for key, item in zip(keys, found, strict=True):
        if key not in labels:
            raise UserError(f"{source.labels}: no label for {item.name}; add it")
    for key, item in zip(keys, found, strict=True):
        yield item._replace(label=labels[key])


def few(names):
    """The first of some names, and how many there are."""
    shown = ", ".join(names[:5])
    return f"{shown} … ({len(names)})" if len(names) > 12 else ", ".join(names)


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


def labels_in(source):
    """The labels that a source has; no image is read.

    Raises:
        UserError: an image without a label.
    """
    path = Path(source.path)
    if source.labels is None and path.is_file() and path.suffix == ".tar":
        members = list(tars.members(path))
        if {suffix_of(member) for member in members} == {".tar"}:
            return {class_of(member) for member in members}  # a second, not minutes
    labels = set()
    for item in found_items(source):
        if item.label is None:
            raise UserError(
                f"{item.name}: has no label; use one folder a class, or give `labels`:"
                " the devkit, or a list of files and classes"
            )
        labels.add(item.label)
    return labels


def classes_of(sources):
    """Class names of labelled sources, in the order of the labels.

    Names are sorted; where a source numbers its classes, the numbers are the names.

    Raises:
        UserError: an image without a label; fewer than two classes; numbers and names.
    """
    labels = set().union(*map(labels_in, sources))
    path = sources[0].path
    if len({type(label) for label in labels}) > 1:
        raise UserError(
            f"{path}: some of these images have numbers as labels, some names; list the"
            " names in data.classes"
        )
    if len(labels) < 2:
        raise UserError(
            f"{path}: a labelled set needs two classes and one folder a class, or"
            f" `labels`; here is {few(sorted(map(str, labels)))}"
        )
    if isinstance(next(iter(labels)), int):
        return [str(number) for number in range(max(labels) + 1)]
    return sorted(labels)


def place_of(label, classes, name):
    """A label's number among the classes.

    Args:
        classes: dict of class name -> number.
        name: what to call the image or source in a complaint.

    Raises:
        UserError: it is none of them.
    """
    if label is None:
        raise UserError(f"{name}: has no label")
    place = label if isinstance(label, int) else classes.get(label, -1)
    if not 0 <= place < len(classes):
        raise UserError(
            f"{name}: {label!r} is no class; the classes are {few(list(classes))}"
        )
    return place


def check_classes(sources, classes, complete):
    """Compare the classes that sources have with those that they should have.

    Args:
        classes: names in the order of the labels.
        complete: whether each must have an image.

    Raises:
        UserError: a class too many, or one without images.
    """
    numbers, seen = {name: number for number, name in enumerate(classes)}, set()
    for source in sources:
        seen |= {place_of(one, numbers, source.path) for one in labels_in(source)}
    if complete and (empty := [name for name, n in numbers.items() if n not in seen]):
        raise UserError(
            f"{sources[0].path}: no image of {few(empty)}, which data.train has; give"
            " both sets the same classes, or list them in data.classes"
        )


def items(source, classes, seed):
    """All images of one source, in a fixed order.

    Args:
        source: a ``config.Source``.
        classes: class names; None for an unlabelled set.
        seed: tuple of integers: of the subset and of the crops.

    Raises:
        UserError: a missing, empty or malformed source.
    """
    if classes is None and not is_idx(source.path):
        source = source.model_copy(update={"labels": None})
    found = found_items(source)
    if source.images is not None:
        found = list(found)
        if source.images > len(found):
            raise UserError(
                f"{source.path}: images: {source.images} asked for, {len(found)} there"
            )
        keep = np.random.default_rng(seed).permutation(len(found))[: source.images]
        found = [found[number] for number in sorted(keep)]
    numbers = {name: number for number, name in enumerate(classes or ())}
    for number, item in enumerate(found):
        label = UNLABELLED
        if classes is not None:
            label = place_of(item.label, numbers, item.name)
        item = item._replace(label=label)
        if source.crops is None:
            yield from [item] * source.repeat
        else:
            yield from crop_items(item, source.crops, (*seed, number))
