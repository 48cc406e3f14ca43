"""Long tables on disk, made part by part: a killed job goes on with what is missing.

Parquet's footer comes last, so a table that grows is no file until it is whole. Each
part is a file of its own therefore, in a hidden folder beside the table, and becomes
one of its row groups when none is missing.
"""

import json
import shutil
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from s2snets.runtime.files import replacing

IDENTITY = b"s2snets"


def folder(path):
    """Where a table's parts lie until it is whole."""
    return Path(path).with_name(f".{Path(path).name}.parts")


def forget(path):
    """Remove a table's parts."""
    shutil.rmtree(folder(path), ignore_errors=True)


def flaw(path, identity):
    """Why a part is of no use; None: it is whole and of this table; "": not there."""
    try:
        part = pq.read_table(path, page_checksum_verification=True)
        found = json.loads(part.schema.metadata[IDENTITY])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError):
        return "damaged"
    differing = [
        key
        for key in sorted(found.keys() | identity)
        if found.get(key) != identity.get(key)
    ]
    return f"other {', '.join(differing)}" if differing else None


def write_parts(path, count, identity, make):
    """A table as Parquet, one row group a part; only parts that are missing are made.

    Its bytes do not depend on how often the job was killed, and memory holds one part.
    The parts stay until ``forget``, for when all that belongs to the table is written.

    Args:
        count: of the parts.
        identity: dict of plain values: everything that makes this table this one.
            Parts of another table, and damaged ones, are made anew.
        make: takes the numbers of the missing parts, yields a DataFrame for each.
    """
    files = [folder(path) / f"{place:06d}.parquet" for place in range(count)]
    identity = json.loads(json.dumps(identity))  # as it is read back
    flaws = [flaw(file, identity) for file in files]
    for found, times in Counter(filter(None, flaws)).items():
        tell(f"{folder(path)}: {times} of {count} parts made anew: {found}")
    missing = [place for place, found in enumerate(flaws) if found is not None]
    if len(missing) < count:
        tell(f"{path}: goes on, with {count - len(missing)} of {count} parts done")
    for place, rows in zip(missing, make(missing), strict=True):
        table = pa.Table.from_pandas(rows, preserve_index=False)
        metadata = {**table.schema.metadata, IDENTITY: json.dumps(identity)}
        with replacing(files[place]) as draft:
            pq.write_table(
                table.replace_schema_metadata(metadata), draft, write_page_checksum=True
            )
    schema = pq.read_schema(files[0])
    metadata = {k: v for k, v in schema.metadata.items() if k != IDENTITY}
    schema = schema.with_metadata(metadata)
    with (
        replacing(path) as draft,
        pq.ParquetWriter(draft, schema, write_page_checksum=True) as writer,
    ):
        for file in files:
            rows = pq.read_table(file, page_checksum_verification=True)
            writer.write_table(rows.replace_schema_metadata(metadata))


def tell(line):
    print(line, file=sys.stderr, flush=True)
