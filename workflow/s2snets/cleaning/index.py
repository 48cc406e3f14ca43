"""From the store to the two sets that trainings read (section 3.2)."""

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from s2snets.cleaning.shard import files_of
from s2snets.cleaning.shard_store import markers, read_idx, read_manifest
from s2snets.data.shards import COLUMNS, write_index
from s2snets.data.sources import UNLABELLED
from s2snets.runtime.errors import UserError
from s2snets.runtime.progress import Progress


def left(store, marker, gone):
    """A shard's kept photographs whose id and user are not among ``gone``."""
    idx = read_idx(store, marker)
    if not gone:
        return idx
    manifest = read_manifest(store, marker, ["photoid", "uid", "outcome"])
    kept = manifest[manifest["outcome"] == "kept"]
    return idx[~(kept["photoid"].isin(gone) | kept["uid"].isin(gone)).to_numpy()]


def collect(store, marked, files, gone=frozenset()):
    """Append the places of all photographs to the columns' files.

    Args:
        marked: the shards' markers, in order.
        files: name of a column -> open binary file.
        gone: photo ids and users' ids to leave out.

    Returns:
        list of (marker, photographs) of the shards that have any; column ``shard``
        counts along this list.
    """
    found, done, report = [], 0, Progress()
    for marker in marked:
        if not len(idx := left(store, marker, gone)):
            continue
        values = {name: idx[name] for name in ("offset", "size")}
        values |= {"shard": len(found), "label": UNLABELLED}
        for name, dtype in COLUMNS.items():
            column = np.broadcast_to(values[name], len(idx)).astype(dtype)
            files[name].write(column.tobytes())
        found.append((marker, len(idx)))
        done += len(idx)
        report(done)
    return found


def write_part(index, store, found, columns, start, stop):
    """The index of the photographs from one place of the whole order to another."""
    folder = Path(index).parent.resolve()
    ends = np.cumsum([count for _, count in found])
    shards = []
    for end, (marker, count) in zip(ends.tolist(), found, strict=True):
        images = min(stop, end) - max(start, end - count)
        if images > 0:
            tar = files_of(store, marker["shard"]).tar.resolve()
            shards.append({
                "file": os.path.relpath(tar, folder),
                "images": images,
                **marker["files"]["tar"],
            })  # fmt: skip
    part = {name: column[start:stop] for name, column in columns.items()}
    part["shard"] -= part["shard"][0]  # in its file, like all of it
    write_index(index, part, shards, shuffled=True)


def write_sets(
    store, reports, shards, *, held_out, photos, validation, gone=frozenset()
):
    """Index the photographs to learn from, and those held out, in the same tars.

    The order of shards, and in a shard, is that of a hash: the last ``held_out`` are a
    random sample. Memory does not grow with the photographs.

    Args:
        reports: paths of the batches' reports.
        shards: how many there are.
        photos, validation: paths of the two ``index.npz``.
        gone: photo ids and users' ids to leave out, whose bytes may still be in tars.

    Returns:
        (photographs to learn from, photographs held out).

    Raises:
        UserError: a shard that does not fit its marker, or too few photographs.
    """
    photos = Path(photos)
    photos.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(TemporaryFile(dir=photos.parent))
            for name in COLUMNS
        }
        found = collect(store, markers(store, reports, shards), files, gone)
        total = sum(count for _, count in found)
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
        write_part(photos, store, found, columns, 0, border)
        write_part(validation, store, found, columns, border, total)
    return border, held_out
