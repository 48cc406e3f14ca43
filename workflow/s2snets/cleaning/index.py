"""Indexing the store as the two sets that trainings read (section 3.2)."""

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np

from s2snets.cleaning.shard import shard_files
from s2snets.cleaning.shard_store import Marker, read_idx, read_manifest, read_markers
from s2snets.data.shards import COLUMNS, UNLABELLED, write_index
from s2snets.runtime.errors import UserError
from s2snets.runtime.progress import Progress


def indexed_photographs(
    store: Path, marker: Marker, excluded: frozenset[str]
) -> np.ndarray:
    """Return a shard's kept photographs, IDX (N,), without those excluded since."""
    idx = read_idx(store, marker)
    if not excluded:
        return idx
    manifest = read_manifest(store, marker, ["photoid", "uid", "outcome"])
    kept = manifest[manifest["outcome"] == "kept"]
    return idx[
        ~(kept["photoid"].isin(excluded) | kept["uid"].isin(excluded)).to_numpy()
    ]


def write_columns(
    store: Path,
    markers: Iterable[Marker],
    files: Mapping[str, IO[bytes]],
    excluded: frozenset[str],
) -> list[tuple[Marker, int]]:
    """Append the index's columns of all photographs to a temporary file each.

    Returns:
        Marker and number of photographs of the shards that have any; column ``shard``
        counts along this list.
    """
    shards: list[tuple[Marker, int]] = []
    done, progress = 0, Progress()
    for marker in markers:
        if not len(idx := indexed_photographs(store, marker, excluded)):
            continue
        values: dict[str, np.ndarray | int]
        values = {"shard": len(shards), "label": UNLABELLED}
        values |= {name: idx[name] for name in ("offset", "size")}
        for name, dtype in COLUMNS.items():
            column = np.broadcast_to(values[name], len(idx)).astype(dtype)
            files[name].write(column.tobytes())
        shards.append((marker, len(idx)))
        done += len(idx)
        progress(done)
    return shards


def write_set(
    index: Path,
    store: Path,
    shards: list[tuple[Marker, int]],
    columns: Mapping[str, np.ndarray],
    start: int,
    stop: int,
) -> None:
    """Write the index of the photographs from one position of the order to another.

    ``shards`` are as ``write_columns`` returns them, ``columns`` those of all
    photographs; their numbers of shards are changed.
    """
    folder = index.parent.resolve()
    ends = np.cumsum([count for _, count in shards])
    entries = []
    for end, (marker, count) in zip(ends.tolist(), shards, strict=True):
        images = min(stop, end) - max(start, end - count)
        if images > 0:
            tar = shard_files(store, marker["shard"]).tar.resolve()
            file = os.path.relpath(tar, folder)
            entries.append({"file": file, "images": images, **marker["files"]["tar"]})
    part = {name: column[start:stop] for name, column in columns.items()}
    part["shard"] -= part["shard"][0]  # counted in this set, like the rest of it
    write_index(index, part, entries, shuffled=True)


def write_sets(
    store: Path,
    reports: Iterable[Path],
    shards: int,
    *,
    held_out: int,
    photos: Path,
    validation: Path,
    excluded: frozenset[str] = frozenset(),
) -> tuple[int, int]:
    """Index the photographs for training, and those held out, in the same tars.

    The order of shards, and in a shard, is that of a hash: the last ``held_out`` are a
    random sample. Photographs and users whose ids are ``excluded`` are left out,
    though their bytes may still be in tars. Memory does not grow with the number of
    photographs.

    Returns:
        The number of photographs for training, and of those held out.

    Raises:
        UserError: a shard that does not fit its marker, or too few photographs.
    """
    photos.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(TemporaryFile(dir=photos.parent))
            for name in COLUMNS
        }
        markers = read_markers(store, reports, shards)
        indexed = write_columns(store, markers, files, excluded)
        total = sum(count for _, count in indexed)
        if total < 2 * held_out:
            raise UserError(
                f"clean.held_out: {held_out:,} of the {total:,} photographs kept is"
                " more than half; hold out fewer"
            )
        columns = {}
        for name, dtype in COLUMNS.items():
            files[name].flush()
            columns[name] = np.memmap(files[name], dtype, "r+")
        border = total - held_out
        write_set(photos, store, indexed, columns, 0, border)
        write_set(validation, store, indexed, columns, border, total)
    return border, held_out
