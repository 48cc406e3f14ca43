"""Image sets on disk: tar shards of original bytes, and one index over them.

A shard is a plain tar (WebDataset naming: ``000000042.png``) that any tool can read.
``index.npz`` says where every image's bytes lie, so that one ``pread`` fetches any
image, and ``index.json`` what the shards must look like: a tar that was cut at a
member's border reads as a shorter one, in silence, hence the counts and digests.
"""

import hashlib
import io
import tarfile
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path

import numpy as np

from s2snets.data.images import decode
from s2snets.errors import Mistake
from s2snets.files import read_json, replacing, sha256, write_json
from s2snets.progress import Progress

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
        Mistake: an unreadable image, no image at all, a full disk.
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
        raise Mistake(f"{index}: no images to pack; see the sources under data")
    columns = {
        name: np.array(values, dtype)
        for (name, dtype), values in zip(
            COLUMNS.items(), zip(*rows, strict=True), strict=True
        )
    }
    write_index(index, columns, shards, classes=classes)


def write_index(index, columns, shards, *, classes=None, shuffled=False):
    """Write ``index.npz`` and, beside it, ``index.json``.

    Args:
        columns: arrays by name, see ``COLUMNS``; they may be mapped from a disk.
        shards: dicts with file (relative to the index), images, bytes and sha256.
        classes: class names, None for an unlabelled set.
        shuffled: whether the order of the images is already a random one.
    """
    index = Path(index)
    with replacing(index) as draft:
        np.savez(draft, **columns)
    write_json(
        index.with_suffix(".json"),
        {
            "images": len(columns["shard"]),
            "classes": classes,
            "shuffled": shuffled,
            "fingerprint": fingerprint(columns, shards),
            "shards": shards,
        },
    )


def fingerprint(columns, shards):
    """A hash of the index and the shards: which images, in which order."""
    digest = hashlib.sha256()
    for name in COLUMNS:
        digest.update(columns[name].data)
    for shard in shards:
        digest.update(shard["sha256"].encode())
    return digest.hexdigest()[:16]


def read_index(index):
    """An index's columns, shard paths, class names (or None) and fingerprint.

    Raises:
        Mistake: a missing or damaged index, or a shard that is gone or was cut.
    """
    index = Path(index)
    about = read_json(index.with_suffix(".json"))
    try:
        with np.load(index, allow_pickle=False) as file:
            columns = {name: file[name] for name in COLUMNS}
    except (OSError, KeyError, ValueError) as error:
        raise Mistake(
            f"{index}: damaged index ({error}); delete and repack it"
        ) from None
    paths = [index.parent / shard["file"] for shard in about["shards"]]
    for path, shard in zip(paths, about["shards"], strict=True):
        size = path.stat().st_size if path.is_file() else "no"
        if size != shard["bytes"]:
            raise Mistake(f"{path}: {size} bytes, not {shard['bytes']}; repack the set")
    return columns, paths, about["classes"], about["fingerprint"]
