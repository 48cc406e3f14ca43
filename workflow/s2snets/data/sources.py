"""The images that a set is packed from: folders, tar files, IDX files, packed sets."""

from __future__ import annotations

import gzip
import lzma
import math
import os
import re
import zlib
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, groupby, islice, pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from s2snets.data.folders import (
    image_files,
    is_folder,
    is_image,
    list_folder,
)
from s2snets.data.imagenet import (
    image_stem,
    is_synset,
    parse_label,
    read_class_names,
    read_labels,
)
from s2snets.data.images import SUFFIXES, encode_png
from s2snets.data.shards import read_index
from s2snets.data.tars import Member, iterate_members, read_member
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_input, reading

if TYPE_CHECKING:
    from s2snets.config import Source

Label = int | str | None
"""A class as a source has it: its number, its name, or none."""
IDX_NAME = re.compile(r"(ubyte|idx)(\.(?!tar|npz)\w+)*$")
"""The end of an IDX file's name."""
MAX_BYTES = 1_000_000_000
"""A larger file is no photograph, and is not read into memory."""


class Item(NamedTuple):
    """One image file before it is packed."""

    name: str  # what to call it in an error message
    suffix: str  # with the dot
    label: Label  # in a set, always the class's number
    read: Callable[[], bytes]
    group: str | None = None  # the same for images that depend on each other


def is_idx(path: str | Path) -> bool:
    """Return whether a path names an IDX file; a folder is none, whatever its name."""
    return bool(IDX_NAME.search(Path(path).name)) and not Path(path).is_dir()


def read_idx(path: str | Path, axes: Container[int] = range(1, 5)) -> np.ndarray:
    """Read the array in an IDX file of unsigned bytes (the MNIST family's format).

    Args:
        path: of the file, plain, ``.gz`` or ``.xz``.
        axes: how many axes the array may have.

    Raises:
        UserError: not such a file, shorter or longer than its header states, or of
            other axes.
    """
    path = Path(path)
    unpack = {".gz": gzip.decompress, ".xz": lzma.decompress}.get(path.suffix, bytes)
    try:
        data = unpack(read_input(path))
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise UserError(
            f"{path}: cannot be unpacked ({error}); fetch it anew"
        ) from None
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise UserError(f"{path}: not an IDX file of unsigned bytes")
    if data[3] not in axes:
        raise UserError(
            f"{path}: an IDX file of {data[3]} axes; images have three or, in RGB,"
            " four (`path`), labels have one (`labels`)"
        )
    shape = [
        int.from_bytes(data[start : start + 4], "big")
        for start in range(4, 4 + 4 * data[3], 4)
    ]
    values = np.frombuffer(data, np.uint8)[4 + 4 * data[3] :]
    if values.size != math.prod(shape):
        raise UserError(f"{path}: its length does not fit its header; fetch it anew")
    return values.reshape(shape)


def read_image(path: str | Path) -> bytes:
    """Return the bytes of an image file.

    Raises:
        UserError: it cannot be read, or has more than ``MAX_BYTES``.
    """
    with reading(path) as file:
        check_size(os.fstat(file.fileno()).st_size, path)
        return file.readall()


def check_size(size: int, name: object) -> None:
    """Raise ``UserError`` where an image file has more than ``MAX_BYTES``."""
    if size > MAX_BYTES:
        raise UserError(f"{name}: over {MAX_BYTES:,} bytes; reduce or remove it")


def folder_items(source: Source) -> Iterator[Item]:
    """Yield a folder's images, each labelled by its first-level folder."""
    for path in image_files(source.path):
        first, *deeper = path.relative_to(source.path).parts
        label = first if deeper else None
        yield Item(str(path), path.suffix.lower(), label, partial(read_image, path))


def idx_items(source: Source) -> Iterator[Item]:
    """Yield the images of an IDX file, each as a lossless PNG."""
    images = read_idx(source.path, {3, 4})
    if 0 in images.shape or images.shape[3:] not in ((), (3,)):
        shape = "×".join(map(str, images.shape))
        raise UserError(f"{source.path}: {shape} bytes are no images in grey or RGB")
    labels: list[Label] = [None] * len(images)
    if source.labels is not None:
        labels = read_idx(source.labels, {1}).tolist()
    if len(labels) != len(images):
        raise UserError(f"{source.labels}: {len(labels)} labels, {len(images)} images")
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        name = f"{source.path}[{number}]"
        yield Item(name, ".png", label, partial(encode_png, pixels))


def suffix_of(member: Member | os.DirEntry[str]) -> str:
    """Return a file's last suffix, with the dot."""
    return PurePosixPath(member.name).suffix.lower()


def tar_item(member: Member, label: Label) -> Item:
    """Return one image of a tar."""

    def read() -> bytes:
        check_size(member.size, member)
        return read_member(member)

    return Item(str(member), suffix_of(member), label, read)


def packed_items(source: Source) -> Iterator[Item]:
    """Yield the images of a packed set by its index: a shard may hold others, too."""
    columns, paths, classes, *_ = read_index(source.path)
    borders = np.searchsorted(columns["shard"], range(len(paths) + 1)).tolist()
    for path, (first, stop) in zip(paths, pairwise(borders), strict=True):
        members = {member.offset: member for member in iterate_members(path)}
        offsets, labels = (columns[name][first:stop] for name in ("offset", "label"))
        groups = (
            columns["group"][first:stop] if "group" in columns else [None] * len(labels)
        )
        for offset, label, group in zip(
            offsets.tolist(), labels.tolist(), groups, strict=True
        ):
            if offset not in members:
                raise UserError(f"{source.path}: does not fit {path}; repack the set")
            name = classes[label] if classes and label >= 0 else None
            item = tar_item(members[offset], name)
            yield (
                item if group is None else item._replace(group=f"{source.path} {group}")
            )


def sample_items(members: Iterable[Member]) -> Iterator[Item]:
    """Yield the images of a shard of samples, ``x.jpg`` beside ``x.cls``."""

    def sample(member: Member) -> str:
        folder, slash, name = member.name.rpartition("/")
        return folder + slash + name.partition(".")[0]

    for _, group in groupby(members, sample):
        files = {suffix_of(member): member for member in group}
        label: Label = None
        if ".cls" in files:
            text = read_member(files[".cls"]).decode(errors="replace").strip()
            label = parse_label(text) if text else None
        images = (member for suffix, member in files.items() if suffix in SUFFIXES)
        yield from (tar_item(member, label) for member in islice(images, 1))


def member_items(
    tar: str | Path | Member, members: list[Member], label: str | None = None
) -> Iterator[Item]:
    """Yield the images of one tar: of the tars in it, of samples, or plain files.

    Args:
        tar: what to call it in an error message.
        members: all of its members.
        label: of those images that lie in no folder.
    """
    suffixes = {suffix_of(member) for member in members}
    if suffixes == {".tar"}:
        for inner in sorted(members):
            listed = list(iterate_members(inner.tar, inner))
            yield from member_items(inner, listed, tar_class(inner))
    elif suffixes.isdisjoint(SUFFIXES):
        raise UserError(f"{tar}: holds no images ({', '.join(sorted(SUFFIXES))})")
    elif ".cls" in suffixes:
        yield from sample_items(members)
    else:
        images = sorted(member for member in members if suffix_of(member) in SUFFIXES)
        folders = [PurePosixPath(member.name).parts[:-1] for member in images]
        level = class_level(folders)
        for member, parts in zip(images, folders, strict=True):
            yield tar_item(member, parts[level] if parts else label)


def class_level(folders: Iterable[Sequence[str]]) -> int:
    """Return which of the folders that lead to an image is its class: 0, the first.

    Folders that hold all images, and none directly, are passed over, such as ``train``
    in a tar that was made of ``train/CLASS``.
    """
    level, folders = 0, set(map(tuple, folders))
    while len({parts[: level + 1] for parts in folders}) == 1:
        if any(len(parts) < level + 2 for parts in folders):
            break
        level += 1
    return level


def tar_class(member: Member) -> str:
    """Return the class that a tar inside another is named after."""
    return PurePosixPath(member.name).stem


def tars_at(path: str | Path) -> list[Path]:
    """Return a file itself, or the tars of a folder without subfolders and images."""
    if not Path(path).is_dir():
        return [Path(path)] * Path(path).exists()
    entries = list_folder(path)
    if any(is_folder(entry) or is_image(entry.name) for entry in entries):
        return []
    return [Path(entry.path) for entry in entries if entry.name.endswith(".tar")]


def tar_items(source: Source) -> Iterator[Item]:
    """Yield the images of tars: ImageNet's own, one for each class, or shards."""
    for tar in tars_at(source.path):
        label = tar.stem if is_synset(tar.stem) else None
        yield from member_items(tar, list(iterate_members(tar)), label)


READERS: tuple[
    tuple[Callable[[str], object], Callable[[Source], Iterator[Item]]], ...
] = (
    (is_idx, idx_items),
    (lambda path: Path(path).suffix == ".npz", packed_items),
    (tars_at, tar_items),
    (lambda path: True, folder_items),
)
"""Tests of a source's path, and the reader for each; the first that fits is used."""


def read_items(source: Source) -> Iterator[Item]:
    """Yield a source's images in a fixed order, each with the label it has there.

    Raises:
        UserError: a missing, empty or malformed source, or labels that do not fit it.
    """
    reader = next(reader for fits, reader in READERS if fits(source.path))
    items = reader(source)
    if source.labels is None or reader is idx_items:
        return items
    first = next(items)
    items = chain([first], items)
    if isinstance(first.label, int):
        return with_class_names(items, source.labels)
    return with_labels(list(items), source.path, source.labels)


def with_class_names(items: Iterable[Item], path: str) -> Iterator[Item]:
    """Yield images with numeric labels under the class names that a text lists."""
    names = read_class_names(path)
    for item in items:
        if not isinstance(item.label, int) or not 0 <= item.label < len(names):
            raise UserError(
                f"{path}: {len(names)} names, but {item.name} has number {item.label}"
            )
        yield item._replace(label=names[item.label])


def with_labels(items: list[Item], source: str, path: str) -> Iterator[Item]:
    """Yield the images of a source with the labels of a devkit or list beside them."""
    labels = read_labels(path)
    if len(labels) != len(items):
        raise UserError(
            f"{path}: {len(labels)} labels, but {source} has {len(items)} images; give"
            " both in full"
        )
    if isinstance(labels, dict):
        stems = [image_stem(item.name.replace(":", "/")) for item in items]
        for stem, item in zip(stems, items, strict=True):
            if stem not in labels:
                raise UserError(f"{path}: no label for {item.name}; add it")
        labels = [labels[stem] for stem in stems]
    for label, item in zip(labels, items, strict=True):
        yield item._replace(label=label)
