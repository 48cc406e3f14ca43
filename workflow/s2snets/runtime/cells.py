"""Tables made of cells that outlive them: what a study has computed before it grew."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from s2snets.runtime.chunked_parquet import ChunkState, inspect_chunk, write_chunk
from s2snets.runtime.files import replacing
from s2snets.runtime.progress import log

CacheKey = Mapping[str, object]


class CellTable:
    """A Parquet table in parts, of which each is merged from cells that stay on disk.

    A table with more cells, with fewer, or in another order is made of those that are
    there; only the others are computed. The cells lie in a hidden folder beside the
    table. Deleting it costs time and no result.

    Args:
        path: of the finished table.
        parts: for each part its cells by name, with plain values: everything that the
            rows of the cell depend on.

    Attributes:
        missing: number of each part that lacks cells -> their names, in order.
    """

    def __init__(self, path: Path, parts: Sequence[Mapping[str, CacheKey]]) -> None:
        self.path, folder = path, cell_folder(path)
        self.files = [
            {name: folder / f"{number:06d}-{name}.parquet" for name in cells}
            for number, cells in enumerate(parts)
        ]
        self.keys = json.loads(json.dumps([dict(cells) for cells in parts]))
        self.missing: dict[int, list[str]] = {}
        reasons = Counter[str]()
        for number, files in enumerate(self.files):
            for name, file in files.items():
                state, reason = inspect_chunk(file, self.keys[number][name])
                if state is not ChunkState.COMPLETE:
                    self.missing.setdefault(number, []).append(name)
                    reasons[reason] += 1
        for reason in filter(None, reasons):
            log(f"{folder}: {reasons[reason]} cells computed again: {reason}")
        log(f"{path}: {reasons.total()} of {sum(map(len, parts))} cells to compute")

    def write(
        self,
        tables: Iterable[Mapping[str, pd.DataFrame]],
        merge: Callable[[dict[str, pd.DataFrame]], pd.DataFrame],
    ) -> None:
        """Write the missing cells, each part's as soon as they are computed; the table.

        Args:
            tables: the rows of the cells in ``missing`` by name, part by part.
            merge: gives the rows of a part from those of all its cells by name.
        """
        for number, cells in zip(self.missing, tables, strict=True):
            for name in self.missing[number]:
                key = self.keys[number][name]
                write_chunk(self.files[number][name], cells[name], key)
        writer = None
        with replacing(self.path) as draft:
            for files in self.files:
                rows = {
                    name: pq.read_table(
                        file, page_checksum_verification=True
                    ).to_pandas()
                    for name, file in files.items()
                }
                part = pa.Table.from_pandas(merge(rows), preserve_index=False)
                if writer is None:
                    writer = pq.ParquetWriter(
                        draft, part.schema, write_page_checksum=True
                    )
                writer.write_table(part)
            if writer is not None:
                writer.close()


def cell_folder(path: Path) -> Path:
    """Return the hidden folder of a table's cells."""
    return path.with_name(f".{path.name}.cells")
