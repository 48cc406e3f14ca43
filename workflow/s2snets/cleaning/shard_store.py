"""Reading the store of cleaned shards; whatever does not fit its marker is an error."""

import gzip
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from s2snets.cleaning.shard import shard_files
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json

Marker = Mapping[str, Any]
"""Shard, shards, rows, kept, outcomes, files, settings and versions of one shard."""


def shard_error(path: Path, reason: str) -> UserError:
    """Return the error about a shard that is no longer what its marker says."""
    return UserError(
        f"{path}: {reason}; delete the .json of this shard and run"
        " `snakemake --forcerun clean_photos`: it does such shards alone"
    )


def reported_rows(store: Path, reports: Iterable[Path], shards: int) -> dict[int, int]:
    """Return each shard's number of rows, as the batches have reported it.

    Raises:
        UserError: a shard that no batch or several have reported.
    """
    rows: dict[int, int] = {}
    for path in reports:
        for entry in read_json(path)["shards"]:
            if entry["shard"] in rows:
                raise UserError(
                    f"{path}: reports shard {entry['shard']}, which another batch has"
                    " reported; delete the reports and rerun"
                )
            rows[entry["shard"]] = entry["rows"]
    if odd := rows.keys() ^ set(range(shards)):
        shard = min(odd)
        raise UserError(
            f"{store}: shard {shard} is"
            f" {'one too many' if shard in rows else 'missing'} in the reports on"
            f" {shards} shards; delete the reports and rerun"
        )
    return rows


def read_markers(store: Path, reports: Iterable[Path], shards: int) -> Iterator[Marker]:
    """Yield every shard's marker in the order of the shards, once its files fit it.

    Raises:
        UserError: a shard that no batch or several have reported, that has other rows
            since, was cleaned under other settings than the first, or whose files are
            missing or of another size.
    """
    rows = reported_rows(store, reports, shards)
    settings = None
    for shard in range(shards):
        files = shard_files(store, shard)
        path = files.json
        marker = read_json(path)
        # Rows alone: outcomes change where a shard is scrubbed.
        if marker.get("rows") != rows[shard]:
            raise shard_error(
                path, f"{marker.get('rows')} rows, its batch reported {rows[shard]}"
            )
        if (marker["shard"], marker["shards"]) != (shard, shards):
            raise shard_error(
                path, f"is of shard {marker['shard']} of {marker['shards']}, not this"
            )
        settings = settings or marker["settings"]
        if marker["settings"] != settings:
            raise shard_error(path, "was cleaned under other settings than shard 0")
        for name, expected in marker["files"].items():
            path = getattr(files, name)
            size = path.stat().st_size if path.is_file() else "no"
            if size != expected["bytes"]:
                raise shard_error(path, f"{size} bytes, not {expected['bytes']}")
        yield marker


def read_verified(store: Path, marker: Marker, name: str) -> bytes:
    """Return the bytes of a shard's index or manifest, of the marker's digest."""
    path = getattr(shard_files(store, marker["shard"]), name)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != marker["files"][name]["sha256"]:
        raise shard_error(path, "its content has changed")
    return data


def read_idx(store: Path, marker: Marker) -> np.ndarray:
    """Return a shard's kept photographs: ``shard.IDX`` (N,).

    Raises:
        UserError: the file has changed.
    """
    data = read_verified(store, marker, "idx")
    return np.load(io.BytesIO(data), allow_pickle=False)


def read_manifest(store: Path, marker: Marker, columns: list[str]) -> pd.DataFrame:
    """Return some columns of a shard's manifest, all as text.

    Raises:
        UserError: the file has changed.
    """
    data = gzip.decompress(read_verified(store, marker, "manifest"))
    return pd.read_csv(
        io.BytesIO(data),
        sep="\t",
        usecols=columns,
        dtype=str,
        quoting=3,
        na_filter=False,
    )
