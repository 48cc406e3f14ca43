"""Image sets on disk: tar shards of original bytes, and one index over them.

A shard is a plain tar (WebDataset naming: ``000000042.png``) that any tool can read.
``index.npz`` states where every image's bytes lie, so that one ``pread`` fetches any
image, and ``index.json`` the size and digest of every shard: a tar that was truncated
between two members reads as a shorter one without any error.
"""

import hashlib
import io
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from s2snets.data.order import Runs
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, replacing, sha256, write_json

COLUMNS = {"shard": np.int32, "offset": np.int64, "size": np.int32, "label": np.int32}
OPTIONAL = {"group": np.int32}
"""Column of a set of which some images depend on each other: the same for these."""
UNLABELLED = -1


class ImageIndex(NamedTuple):
    """Where the bytes of a set's images lie, and what the set is."""

    # Those of ``COLUMNS``, and of ``OPTIONAL`` if they are there; a value an image.
    columns: dict[str, np.ndarray]
    files: list[Path]  # the shards, by the numbers in column ``shard``
    classes: list[str] | None  # names by label; None for an unlabelled set
    fingerprint: str
    runs: Runs


def write_shard(
    path: Path, members: Iterable[tuple[str, bytes]], first: int
) -> list[tuple[int, int]]:
    """Write one tar; return each member's (offset, size) in it.

    Owner, mode and time are fixed, so that equal images make equal files.

    Args:
        members: suffix, with the dot, and content of each file.
        first: number of the first member, which its name states.
    """
    extents = []
    with (
        replacing(path) as draft,
        tarfile.open(draft, "w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for number, (suffix, data) in enumerate(members, first):
            entry = tarfile.TarInfo(f"{number:09d}{suffix}")
            entry.size = len(data)
            extents.append((tar.offset + tarfile.BLOCKSIZE, len(data)))
            tar.addfile(entry, io.BytesIO(data))
    return extents


def shard_entry(path: Path, images: int, folder: Path) -> dict[str, Any]:
    """Return what the index in a folder states of a shard of so many images."""
    return {
        "file": str(path.relative_to(folder)),
        "images": images,
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
    }


def write_index(
    index: str | Path,
    columns: Mapping[str, ArrayLike],
    shards: Sequence[Mapping[str, Any]],
    *,
    classes: list[str] | None = None,
    shuffled: bool = False,
) -> None:
    """Write ``index.npz``, and ``index.json`` beside it.

    Columns of the right type are not copied: memory-mapped ones of any length cost no
    memory.

    Args:
        columns: those of ``COLUMNS``, one number for each image, shard by shard;
            perhaps those of ``OPTIONAL``.
        shards: a ``shard_entry`` each, its ``file`` absolute or relative to the index's
            folder, its ``images`` the number of its rows in the columns.
        classes: class names, None for an unlabelled set.
        shuffled: whether the images are stored in a random order, see ``order.Runs``.
    """
    arrays = {
        name: np.ascontiguousarray(columns[name], dtype)
        for name, dtype in (COLUMNS | OPTIONAL).items()
        if name in COLUMNS or name in columns
    }
    with replacing(index) as draft:
        np.savez(draft, **arrays)  # type: ignore[arg-type]  # allow_pickle is no column
    write_json(
        Path(index).with_suffix(".json"),
        {
            "images": len(arrays["shard"]),
            "classes": classes,
            "shuffled": shuffled,
            "fingerprint": fingerprint(arrays, shards, shuffled),
            "shards": shards,
        },
    )


def fingerprint(
    columns: Mapping[str, np.ndarray],
    shards: Iterable[Mapping[str, Any]],
    shuffled: bool,
) -> str:
    """Return a digest of which images a set has, in which order."""
    digest = hashlib.sha256()
    for column in columns.values():
        digest.update(column.data)
    for shard in shards:
        digest.update(shard["sha256"].encode())
    if shuffled:
        digest.update(b"shuffled")
    return digest.hexdigest()[:16]


def memory_map_npz(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an uncompressed NPZ by name, memory-mapped and read-only.

    NumPy maps an NPY file, but not one inside a zip. Mapped, an index of 92 million
    images opens at once, and all processes of a machine share its memory.

    Raises:
        Exception: of any type, where the file is damaged or compressed.
    """
    arrays = {}
    with zipfile.ZipFile(path) as members, path.open("rb") as file:
        for member in members.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{member.filename} is compressed")
            # The name and the extra field here may differ from the directory's.
            file.seek(member.header_offset)
            lengths = struct.unpack("<26x2H", file.read(30))
            file.seek(sum(lengths), 1)
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            array = np.memmap(file, dtype, "r", file.tell(), shape)
            arrays[member.filename.removesuffix(".npy")] = np.asarray(array)
    return arrays


def read_index(index: str | Path) -> ImageIndex:
    """Read ``index.npz`` and the ``index.json`` beside it.

    The columns are memory-mapped: opening takes no time and no memory, whatever the
    number of images.

    Raises:
        UserError: a missing or damaged index, or a missing or truncated shard.
    """
    index = Path(index)
    about = read_json(index.with_suffix(".json"))
    try:
        arrays = memory_map_npz(index)
        types = COLUMNS | {name: OPTIONAL[name] for name in OPTIONAL if name in arrays}
        columns = {name: arrays[name] for name in types}
        runs = np.array([shard["images"] for shard in about["shards"]], np.int64)
        for name, column in columns.items():
            if column.dtype != types[name] or column.shape != (runs.sum(),):
                raise ValueError(
                    f"{name}: {column.dtype} {column.shape}, {runs.sum()} images"
                )
        classes, fingerprint = about["classes"], about["fingerprint"]
        if classes is not None and columns["label"].max(initial=0) >= len(classes):
            raise ValueError(f"labels above those of {len(classes)} classes")
        files = [index.parent / shard["file"] for shard in about["shards"]]
        sizes = [shard["bytes"] for shard in about["shards"]]
    except Exception as error:  # damaged headers raise errors of a dozen types
        raise UserError(
            f"{index}: damaged index ({error}); delete and repack it"
        ) from None
    for path, expected in zip(files, sizes, strict=True):
        size = path.stat().st_size if path.is_file() else "no"
        if size != expected:
            raise UserError(f"{path}: {size} bytes, not {expected}; repack the set")
    # An index that does not state it is from before there were shuffled sets.
    permuted = runs if about.get("shuffled") else len(columns["shard"])
    return ImageIndex(columns, files, classes, fingerprint, permuted)
