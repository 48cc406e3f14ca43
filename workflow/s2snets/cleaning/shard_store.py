"""The store of cleaned shards, read: nothing that does not fit its marker passes."""

import gzip
import hashlib
import io

import numpy as np
import pandas as pd

from s2snets.cleaning.shard import files_of
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json


def changed(path, why):
    """The complaint about a shard that is no longer what its marker says."""
    return UserError(
        f"{path}: {why}; delete the .json of this shard and run"
        " `snakemake --forcerun clean_photos`: it does such shards alone"
    )


def markers(store, reports, shards):
    """Every shard's commit marker in the order of the shards, once its files fit it.

    Args:
        reports: paths of the batches' reports.
        shards: how many there must be.

    Yields:
        dicts of shard, shards, rows, kept, outcomes, files, settings and versions.

    Raises:
        UserError: a shard that no batch or several have reported, that has other rows
            since, was cleaned under other settings than the rest, or whose files are
            missing or of another size.
    """
    told = {}
    for path in reports:
        for entry in read_json(path)["shards"]:
            if told.setdefault(entry["shard"], entry) is not entry:
                raise UserError(
                    f"{path}: reports shard {entry['shard']}, which another batch has"
                    " reported; delete the reports and rerun"
                )
    if told.keys() != set(range(shards)):
        odd = min(told.keys() ^ set(range(shards)))
        raise UserError(
            f"{store}: shard {odd} is {'one too many' if odd in told else 'missing'} in"
            f" the reports on {shards} shards; delete the reports and rerun"
        )
    first = None
    for shard in range(shards):
        files = files_of(store, shard)
        path, entry = files.json, told[shard]
        marker = read_json(path)
        first = first or marker
        # Rows alone: outcomes change where a shard is scrubbed.
        if marker.get("rows") != entry["rows"]:
            raise changed(
                path, f"{marker.get('rows')} rows, its batch reported {entry['rows']}"
            )
        if (marker["shard"], marker["shards"]) != (shard, shards):
            raise changed(
                path, f"is of shard {marker['shard']} of {marker['shards']}, not this"
            )
        if marker["settings"] != first["settings"]:
            raise changed(path, "was cleaned under other settings than shard 0")
        for name, told_of in marker["files"].items():
            path = getattr(files, name)
            size = path.stat().st_size if path.is_file() else "no"
            if size != told_of["bytes"]:
                raise changed(path, f"{size} bytes, not {told_of['bytes']}")
        yield marker


def read_file(store, marker, name):
    """The bytes of a shard's index or manifest, of the marker's digest."""
    path = getattr(files_of(store, marker["shard"]), name)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != marker["files"][name]["sha256"]:
        raise changed(path, "its content has changed")
    return data


def read_idx(store, marker):
    """A shard's kept photographs: structured (N,), see ``cleaning.shard``.

    Raises:
        UserError: the file has changed.
    """
    data = read_file(store, marker, "idx")
    return np.load(io.BytesIO(data), allow_pickle=False)


def read_manifest(store, marker, columns):
    """Some columns of a shard's manifest, all as text.

    Raises:
        UserError: the file has changed.
    """
    data = gzip.decompress(read_file(store, marker, "manifest"))
    return pd.read_csv(
        io.BytesIO(data),
        sep="\t",
        usecols=columns,
        dtype=str,
        quoting=3,
        na_filter=False,
    )
