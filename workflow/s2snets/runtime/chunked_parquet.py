"""Resumable Parquet tables: a killed job computes only the chunks that are missing.

Parquet's footer comes last, so a growing table cannot be read until it is complete.
Each chunk is therefore a file in a hidden folder beside the table, and becomes one of
its row groups once no chunk is missing.
"""

import enum
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from s2snets.runtime.files import chunk_folder, replacing
from s2snets.runtime.progress import log

CACHE_KEY = b"s2snets"  # name of the cache key in a chunk's metadata


class ChunkState(enum.Enum):
    """State of one chunk's file."""

    COMPLETE = enum.auto()
    MISSING = enum.auto()
    DAMAGED = enum.auto()
    OUTDATED = enum.auto()  # written under another cache key


class ChunkedParquet:
    """A table of a known number of chunks, of which some may be on disk already.

    Its bytes do not depend on how often the job was killed, and memory holds one chunk.

        table = ChunkedParquet(path, 3, {"seed": 0})
        table.write(compute(number) for number in table.missing)
        ...  # write what belongs to the table
        files.remove_chunks(path)

    Args:
        path: of the finished table.
        count: number of chunks.
        cache_key: plain values, everything that the rows depend on. Chunks with another
            key, and damaged ones, are computed again.

    Attributes:
        missing: numbers of the chunks to compute, ascending.
    """

    def __init__(self, path: Path, count: int, cache_key: Mapping[str, object]) -> None:
        self.path, folder = path, chunk_folder(path)
        self.files = [folder / f"{number:06d}.parquet" for number in range(count)]
        self.cache_key = json.loads(json.dumps(cache_key))  # as it is read back
        found = [inspect_chunk(file, self.cache_key) for file in self.files]
        self.missing = [
            number
            for number, (state, _) in enumerate(found)
            if state is not ChunkState.COMPLETE
        ]
        for reason, times in Counter(reason for _, reason in found if reason).items():
            log(f"{folder}: {times} of {count} chunks computed again: {reason}")
        if len(self.missing) < count:
            done = count - len(self.missing)
            log(f"{path}: resumed, with {done} of {count} chunks done")

    def write(self, tables: Iterable[pd.DataFrame]) -> None:
        """Write the missing chunks, each as soon as it is computed, then the table.

        Args:
            tables: the rows of each chunk in ``missing``, in that order.
        """
        for number, rows in zip(self.missing, tables, strict=True):
            write_chunk(self.files[number], rows, self.cache_key)
        schema = pq.read_schema(self.files[0])
        metadata = {k: v for k, v in schema.metadata.items() if k != CACHE_KEY}
        schema = schema.with_metadata(metadata)
        with (
            replacing(self.path) as draft,
            pq.ParquetWriter(draft, schema, write_page_checksum=True) as writer,
        ):
            for file in self.files:
                chunk = pq.read_table(file, page_checksum_verification=True)
                writer.write_table(chunk.replace_schema_metadata(metadata))


def write_chunk(path: Path, rows: pd.DataFrame, cache_key: object) -> None:
    """Write the rows of one chunk, and what they depend on."""
    chunk = pa.Table.from_pandas(rows, preserve_index=False)
    metadata = {**chunk.schema.metadata, CACHE_KEY: json.dumps(cache_key)}
    with replacing(path) as draft:
        pq.write_table(
            chunk.replace_schema_metadata(metadata), draft, write_page_checksum=True
        )


def inspect_chunk(
    path: Path, cache_key: Mapping[str, object]
) -> tuple[ChunkState, str]:
    """Return a chunk's state, and why a chunk that exists cannot be used."""
    try:
        chunk = pq.read_table(path, page_checksum_verification=True)
        found = json.loads(chunk.schema.metadata[CACHE_KEY])
    except FileNotFoundError:
        return ChunkState.MISSING, ""
    except (OSError, ValueError, KeyError, TypeError):
        return ChunkState.DAMAGED, "damaged"
    differing = [
        key
        for key in sorted(found.keys() | cache_key)
        if found.get(key) != cache_key.get(key)
    ]
    if differing:
        return ChunkState.OUTDATED, f"other {', '.join(differing)}"
    return ChunkState.COMPLETE, ""
