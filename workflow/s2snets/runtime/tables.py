"""Tables on disk: CSV for people, Parquet for the rows of images, NPZ for arrays."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from s2snets.runtime.errors import UserError, one_line
from s2snets.runtime.files import replacing, unreadable

SCORED_COLUMNS = ["seed", "replicate", "source", "image", "classifier", "noise"]
SCORED_COLUMNS += ["strength", "label", *(f"class_{rank}" for rank in range(1, 6))]
"""Columns of predictions that accuracies need; probabilities are only looked at."""

NAME_COLUMNS = ("autoencoder", "classifier", "label", "layer", "network", "source")
"""Columns of CSV tables that hold names, which are text also where all are digits."""

STRING_TYPES = (pa.string(), pa.large_string())


def write_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV, without its index."""
    with replacing(path) as draft:
        table.to_csv(draft, index=False)


def read_csv(path: str | Path, columns: Iterable[str] = ()) -> pd.DataFrame:
    """Return a table from CSV, in which only empty cells are missing values.

    Args:
        path: of the file.
        columns: names of those that must be there.

    Raises:
        UserError: no such file, not CSV, or columns that are missing.
    """
    try:
        # A measure is named "null": only empty cells are missing.
        table = pd.read_csv(
            path,
            keep_default_na=False,
            na_values=[""],
            dtype=dict.fromkeys(NAME_COLUMNS, str),
        )
    except FileNotFoundError:
        raise UserError(f"{path}: no such table") from None
    except OSError as error:
        raise unreadable(error, path) from None
    except Exception as error:  # pandas raises errors of a dozen types on damage
        raise UserError(
            f"{path}: no table of comma-separated values ({one_line(error)}); delete it"
            " and rerun"
        ) from None
    missing = [name for name in columns if name not in table]
    if missing:
        raise UserError(f"{path}: lacks column {', '.join(missing)}")
    return table


def read_rows(
    paths: Iterable[str | Path], columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the rows of several Parquet files, one below the other.

    Millions of rows repeat a few strings: these become sorted categories.

    Args:
        paths: of the files.
        columns: names of those to read, beside ``group`` where there is one; None:
            all.

    Raises:
        UserError: no such file, a damaged one, or one without a column.
    """
    tables, paths = [], list(paths)
    for path in paths:
        try:
            schema = pq.read_schema(path)
            group = [name for name in schema.names if name == "group"]
            tables.append(
                pq.read_table(
                    path,
                    columns=columns and [*columns, *group],
                    read_dictionary=[
                        field.name for field in schema if field.type in STRING_TYPES
                    ],
                    page_checksum_verification=True,
                )
            )
        except FileNotFoundError:
            raise UserError(f"{path}: no such rows") from None
        except Exception as error:  # Arrow raises errors of any type on damage
            raise UserError(
                f"{path}: damaged rows ({one_line(error)}); delete and rerun"
            ) from None
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
        del tables
        # Column by column, each freed once it is converted.
        rows = table.to_pandas(split_blocks=True, self_destruct=True)
    except Exception as error:  # as above: what describes them has no checksum
        raise UserError(
            f"{', '.join(map(str, paths))}: damaged rows, or rows that do not belong"
            f" together ({one_line(error)}); delete and rerun"
        ) from None
    for name in rows.select_dtypes("category"):
        categories = rows[name].cat.categories
        rows[name] = rows[name].cat.reorder_categories(sorted(categories))
    return rows


def write_arrays(
    path: str | Path, arrays: Mapping[str, Any], compressed: bool = True
) -> None:
    """Write arrays, or what numpy makes arrays of, by name as an NPZ file."""
    save: Callable[..., None] = np.savez_compressed if compressed else np.savez
    with replacing(path) as draft:
        save(draft, **arrays)


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Return the arrays of an NPZ file by name.

    Raises:
        UserError: no such file, or not one of arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except FileNotFoundError:
        raise UserError(f"{path}: no such arrays") from None
    except Exception as error:  # NumPy and zipfile raise errors of any type on damage
        raise UserError(
            f"{path}: damaged ({one_line(error)}); delete it and rerun"
        ) from None
