"""Stores of cleaned shards, written by other code than the stage's."""

import csv
import gzip
import hashlib
import io
import json
import tarfile
from collections import Counter

import numpy as np
import pandas as pd

IDX = np.dtype([("offset", "i8"), ("size", "i4"), ("sha", "u8"), ("dhash", "u8")])
MANIFEST = [
    "photoid",
    "uid",
    "licence",
    "line",
    "outcome",
    "detail",
    "bytes",
    "sha256",
    "width",
    "height",
    "format",
    "p95",
    "dhash",
    "status",
    "tries",
]


def row(photoid, outcome="kept", data=None, uid="1@N00", licence="by", dhash=0xF0F0):
    """Return one row; ``data`` is the file's bytes, None where none was obtained."""
    if data is None and outcome == "kept":
        data = f"photograph {photoid}".encode()
    return {
        "photoid": photoid,
        "uid": uid,
        "licence": licence,
        "outcome": outcome,
        "data": data,
        "bytes": "" if data is None else len(data),
        "sha256": "" if data is None else hashlib.sha256(data).hexdigest(),
        "dhash": f"{dhash:016x}" if outcome == "kept" else "",
    }


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def write_shard(store, shard, shards, rows, settings="s"):
    """Write the four files of one shard; returns its marker."""
    places, buffer = [], io.BytesIO()
    kept = [one for one in rows if one["outcome"] == "kept"]
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for one in kept:
            member = tarfile.TarInfo(f"{one['photoid']}.jpg")
            member.size = len(one["data"])
            sha = int(one["sha256"][:16], 16)
            place = (tar.offset + 512, member.size, sha, int(one["dhash"], 16))
            places.append(place)
            tar.addfile(member, io.BytesIO(one["data"]))
    idx = io.BytesIO()
    np.save(idx, np.array(places, IDX))
    manifest = pd.DataFrame(rows, columns=MANIFEST).to_csv(
        sep="\t", index=False, quoting=csv.QUOTE_NONE, na_rep=""
    )
    stem = store / f"{shard // 1000:03d}" / f"{shard:06d}"
    marker = {
        "shard": shard,
        "shards": shards,
        "rows": len(rows),
        "kept": len(kept),
        "outcomes": dict(Counter(one["outcome"] for one in rows)),
        "files": {
            "tar": put(stem.with_suffix(".tar"), buffer.getvalue()),
            "idx": put(stem.with_suffix(".idx.npy"), idx.getvalue()),
            "manifest": put(
                stem.with_suffix(".manifest.tsv.gz"),
                gzip.compress(manifest.encode(), mtime=0),
            ),
        },
        "settings": settings,
        "versions": {},
    }
    put(stem.with_suffix(".json"), json.dumps(marker).encode())
    return marker


def write_store(store, shards, batches=2):
    """Write a store of these shards' rows; returns the paths of the batches' reports."""
    markers = [
        write_shard(store, number, len(shards), rows)
        for number, rows in enumerate(shards)
    ]
    reports = []
    for batch in range(batches):
        path = store / "batches" / f"{batch}.json"
        own = [one for one in markers if one["shard"] * batches // len(shards) == batch]
        put(path, json.dumps({"batch": batch, "shards": own}).encode())
        reports.append(path)
    return reports
