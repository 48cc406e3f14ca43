"""Rows split by batch and shard: written by one job a source, read by one job a batch.

A row goes to a batch by its photo's id, so that repeated ids meet, and so that a batch
is one small file of every part: no job ever holds more than a block of rows.
"""

import csv
import gzip
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, starmap
from pathlib import Path
from typing import Any
from zlib import error as ZlibError

import numpy as np
import pandas as pd

from s2snets.cleaning.metadata import (
    HEAD,
    OTHER_KEY,
    UNNAMED,
    PublishedKey,
    Row,
    source_rows,
)
from s2snets.config import Clean
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, replacing_folder, write_json
from s2snets.runtime.progress import Progress

BLOCK = 1 << 17  # rows in a block; about 150 MB


def photo_digest(photoid: str) -> bytes:
    """Return the MD5 of a photo id, which decides its shard and its place there."""
    return hashlib.md5(photoid.encode(), usedforsecurity=False).digest()


def assign_shards(
    photoids: Iterable[str], shards: int, batches: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shard and the batch of each photograph, by the digest of its id.

    Returns:
        int64 (N,) each, in [0, shards) and [0, batches).
    """
    heads = b"".join(photo_digest(photoid)[:4] for photoid in photoids)
    shard = np.frombuffer(heads, ">u4").astype(np.int64) * shards >> 32
    return shard, shard * batches // shards


def compress_rows(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as compressed lines of a table, to be appended to its file."""
    text = "".join("\t".join(row) + "\n" for row in rows)
    # The fields are nearly random: a higher level takes twice as long for 5 %.
    return gzip.compress(text.encode(), 1, mtime=0)


def write_rows(
    source: Path, kind: str, folder: Path, *, shards: int, batches: int, part: int = 0
) -> None:
    """Write a metadata file, the hash file or a folder of images, split by batch.

    ``folder`` gets ``{batch:04d}.tsv.gz`` of every batch, and ``about.json``; ``part``
    is the source's number among all.

    Raises:
        UserError: a source that is missing, cut, damaged or of another kind; one most
            of whose rows cannot be used; a full disk.
    """
    tally, progress, head = Counter[str](), Progress(unit="rows"), hashlib.sha256()
    form, row_type, iterable = source_rows(source, kind, part, tally)
    rows: Iterator[Row | PublishedKey] = iter(iterable)
    count = 0
    with replacing_folder(folder) as draft:
        for batch in range(batches):
            (draft / f"{batch:04d}.tsv.gz").write_bytes(
                compress_rows([row_type._fields])
            )
        while block := list(islice(rows, BLOCK)):
            for row in block[: max(0, HEAD - count)]:
                if not row.photoid.startswith(UNNAMED):
                    head.update(f"{row.photoid}\n".encode())
            _, of_row = assign_shards((row.photoid for row in block), shards, batches)
            for batch in np.unique(of_row):
                chosen = (block[number] for number in np.flatnonzero(of_row == batch))
                with (draft / f"{batch:04d}.tsv.gz").open("ab") as file:
                    file.write(compress_rows(chosen))
            count += len(block)
            progress(count)
        mismatched = tally.pop(OTHER_KEY, 0)
        if 2 * tally.total() > count:
            raise UserError(
                f"{source}: {tally.total():,} of {count:,} rows are of no use"
                f" ({tally.most_common(1)[0][0]}); fetch it anew"
            )
        write_json(
            draft / "about.json",
            {
                "source": str(source),
                "form": form,
                "rows": count,
                "flaws": dict(sorted(tally.items())),
                "mismatched": mismatched,
                "head": head.hexdigest()[:16],
            },
        )


def read_abouts(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Return ``about.json`` of each folder that ``write_rows`` has written."""
    return [read_json(folder / "about.json") for folder in folders]


def check_parts(abouts: Iterable[Mapping[str, Any]], *, by_line: bool = False) -> None:
    """Check that metadata files belong together, by their ``about.json``.

    ``by_line``: photographs are named by their lines, which only the one file of 25
    columns numbers.

    Raises:
        UserError: two forms of the metadata, a file given twice, or lines that name no
            photographs.
    """
    forms: dict[str, str] = {}
    heads: dict[str, str] = {}
    for about in abouts:
        source = about["source"]
        first = heads.setdefault(about["head"], source)
        if first is not source:
            raise UserError(f"{source}: the same rows as {first}; give them once")
        forms.setdefault(about["form"], source)
    if len(forms) > 1:
        listed = ", ".join(f"{form} ({source})" for form, source in forms.items())
        raise UserError(f"metadata: two forms of the same rows, {listed}; give one")
    if by_line and "v2" not in forms:
        raise UserError(
            f"clean.zips.names: {next(iter(forms.values()))} does not number its lines;"
            " give the metadata of 25 columns"
        )


def read_part(folder: Path, batch: int) -> pd.DataFrame:
    """Return the rows of one batch of one part, as text.

    Raises:
        UserError: they are missing or damaged.
    """
    path = folder / f"{batch:04d}.tsv.gz"
    try:
        return pd.read_csv(
            path,
            sep="\t",
            lineterminator="\n",
            quoting=csv.QUOTE_NONE,
            na_filter=False,
            dtype=str,
        )
    except FileNotFoundError:
        raise UserError(f"{path}: no such rows; rerun read_metadata") from None
    except (ValueError, EOFError, gzip.BadGzipFile, ZlibError) as error:
        raise UserError(
            f"{path}: damaged rows ({error}); delete {folder} and rerun"
        ) from None


def read_batch(
    folders: Iterable[Path], hashes: Path | None, batch: int
) -> pd.DataFrame:
    """Return the rows of one batch, part by part, each part's in its own order.

    ``folders`` are the metadata files' as ``write_rows`` left them; the keys in
    ``hashes``, the hash file's folder, replace the computed ones.

    Returns:
        A table with the columns of ``Row``.

    Raises:
        UserError: rows are missing or damaged.
    """
    parts = [read_part(folder, batch) for folder in folders]
    rows = pd.concat(parts, ignore_index=True)
    if hashes is not None:
        published = read_part(hashes, batch).drop_duplicates("photoid")
        keys = rows["photoid"].map(published.set_index("photoid")["key"])
        rows["key"] = keys.fillna(rows["key"])
    return rows


def split_batch(
    rows: pd.DataFrame, clean: Clean, batch: int
) -> Iterator[tuple[int, list[Row]]]:
    """Yield the number and the rows of each shard of a batch, also of empty ones.

    Rows are ordered by the digest that assigns the shard; rows of one photograph keep
    their order.
    """
    digests = [photo_digest(photoid).hex() for photoid in rows["photoid"]]
    rows = rows.iloc[np.array(digests, "S32").argsort(kind="stable")]
    shard, _ = assign_shards(rows["photoid"], clean.shards, clean.batches)
    first, stop = (
        -(-number * clean.shards // clean.batches) for number in (batch, batch + 1)
    )
    borders = np.searchsorted(shard, np.arange(first, stop + 1))
    for number in range(first, stop):
        start, end = borders[number - first : number - first + 2]
        part = rows.iloc[start:end].itertuples(index=False, name=None)
        yield number, list(starmap(Row, part))
