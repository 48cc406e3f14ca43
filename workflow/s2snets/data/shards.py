"""Image sets on disk: tar shards of original bytes, and one index over them.

A shard is a plain tar (WebDataset naming: ``000000042.png``) that any tool can read.
``index.npz`` says where every image's bytes lie, so that one ``pread`` fetches any
image, and ``index.json`` what the shards must look like: a tar that was cut at a
member's border reads as a shorter one, in silence, hence the counts and digests.
"""

import hashlib
import io
import struct
import tarfile
import zipfile
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path

import numpy as np

from s2snets.data.images import decode
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, replacing, sha256, write_json
from s2snets.runtime.progress import Progress

COLUMNS = {"shard": np.int32, "offset": np.int64, "size": np.int32, "label": np.int32}


def checked(item):
    """An item's bytes, once they have been seen to decode."""
    data = item.read()
    decode(data, item.name)
    return data


def mapped(pool, function, items, depth):
    """``pool.map`` that runs at most ``depth`` items ahead of its reader."""
    waiting = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > depth:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def write_shard(path, members, first):
    """One tar; returns the members' (offset, size) in it.

    Owner, mode and time are fixed, so that equal images make equal files.
    """
    places = []
    with (
        replacing(path) as draft,
        tarfile.open(draft, "w", tarfile.USTAR_FORMAT) as tar,
    ):
        for number, (item, data) in enumerate(members, first):
            entry = tarfile.TarInfo(f"{number:09d}{item.suffix}")
            entry.size = len(data)
            places.append((tar.offset + tarfile.BLOCKSIZE, len(data)))
            tar.addfile(entry, io.BytesIO(data))
    return places


def pack(items, folder, index, *, classes, shard_images, threads=1):
    """Write items as tar shards and the index over them.

    Every image is decoded once, so that an unreadable one stops the packing and not,
    days later, a training.

    Args:
        items: iterable of ``sources.Item``.
        folder: where the shards go.
        index: path of ``index.npz``; ``index.json`` goes beside it.
        classes: class names, None for an unlabelled set.

    Raises:
        UserError: an unreadable image, no image at all, a full disk.
    """
    folder, index = Path(folder), Path(index)
    rows, shards, done, report = [], [], 0, Progress()
    with ThreadPoolExecutor(threads) as pool:
        items = iter(items)
        for number in count():
            if not (members := tuple(islice(items, shard_images))):
                break
            path = folder / f"{number:06d}.tar"
            data = mapped(pool, checked, members, 4 * threads)
            places = write_shard(path, zip(members, data, strict=True), done)
            rows += [
                (number, *place, item.label)
                for place, item in zip(places, members, strict=True)
            ]
            shards.append({
                "file": str(path.relative_to(index.parent)),
                "images": len(members),
                "bytes": path.stat().st_size,
                "sha256": sha256(path),
            })  # fmt: skip
            done += len(members)
            report(done)
    if not rows:
        raise UserError(f"{index}: no images to pack; see the sources under data")
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    write_index(index, columns, shards, classes=classes)


def write_index(index, columns, shards, *, classes=None, shuffled=False):
    """Write ``index.npz``, and ``index.json`` beside it.

    Columns of the right type are not copied: mapped ones of any length cost no memory.

    Args:
        index: path of ``index.npz``.
        columns: by the names of ``COLUMNS``, one number an image, shard by shard.
        shards: dicts of ``file`` (absolute, or from the index's folder), ``images`` (as
            many as the columns have of it), ``bytes`` and ``sha256``.
        classes: class names, None for an unlabelled set.
        shuffled: the images are stored in a random order, see ``order.places``.
    """
    columns = {
        name: np.ascontiguousarray(columns[name], dtype)
        for name, dtype in COLUMNS.items()
    }
    with replacing(index) as draft:
        np.savez(draft, **columns)
    write_json(
        Path(index).with_suffix(".json"),
        {
            "images": len(columns["shard"]),
            "classes": classes,
            "shuffled": shuffled,
            "fingerprint": fingerprint(columns, shards, shuffled),
            "shards": shards,
        },
    )


def fingerprint(columns, shards, shuffled):
    """A hash of the index and the shards: which images, in which order."""
    digest = hashlib.sha256()
    for column in columns.values():
        digest.update(column)
    for shard in shards:
        digest.update(shard["sha256"].encode())
    if shuffled:
        digest.update(b"shuffled")
    return digest.hexdigest()[:16]


def mapped_arrays(path):
    """The arrays of an uncompressed NPZ by name, mapped and read-only.

    NumPy maps an NPY file, but not one inside of a zip. Mapped, an index of 92 million
    images opens at once, and all processes of a machine share its memory.
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


def read_index(index):
    """An index's columns, shard paths, class names (or None), fingerprint and runs.

    The columns are mapped, not read: opening takes no time and no memory, whatever the
    number of images. For ``runs`` see ``order.places``.

    Raises:
        UserError: a missing or damaged index, or a shard that is gone or was cut.
    """
    index = Path(index)
    about = read_json(index.with_suffix(".json"))
    try:
        arrays = mapped_arrays(index)
        columns = {name: arrays[name] for name in COLUMNS}
        runs = np.array([shard["images"] for shard in about["shards"]], np.int64)
        for name, column in columns.items():
            if column.dtype != COLUMNS[name] or column.shape != (runs.sum(),):
                raise ValueError(
                    f"{name}: {column.dtype} {column.shape}, {runs.sum()} images"
                )
    except Exception as error:  # damaged headers fail in a dozen ways
        raise UserError(
            f"{index}: damaged index ({error}); delete and repack it"
        ) from None
    paths = [index.parent / shard["file"] for shard in about["shards"]]
    for path, shard in zip(paths, about["shards"], strict=True):
        size = path.stat().st_size if path.is_file() else "no"
        if size != shard["bytes"]:
            raise UserError(
                f"{path}: {size} bytes, not {shard['bytes']}; repack the set"
            )
    # Sets packed before there were shuffled ones do not say.
    runs = runs if about.get("shuffled") else len(columns["shard"])
    return columns, paths, about["classes"], about["fingerprint"], runs
