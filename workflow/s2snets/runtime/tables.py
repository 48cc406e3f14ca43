"""Tables on disk: CSV for people, parquet for the per-image rows, arrays."""

import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing

# Of predictions, what is scored: the probabilities are for people to look at.
SCORED = ["seed", "source", "image", "classifier", "strength", "label"]
SCORED += [f"class_{rank}" for rank in range(1, 6)]
TEXT = (pa.string(), pa.large_string())


def write_csv(table, path):
    """A table as CSV, without the row numbers."""
    with replacing(path) as draft:
        table.to_csv(draft, index=False)


def read_csv(path, columns=()):
    """A table from CSV; empty cells stay empty texts in columns of text.

    Raises:
        UserError: no such file, not CSV, or columns that are missing.
    """
    try:
        # A measure is named "null": only empty cells are missing.
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise UserError(f"{path}: no such table") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: no table of comma-separated values ({error})"
        ) from None
    missing = [name for name in columns if name not in table]
    if missing:
        raise UserError(f"{path}: lacks column {', '.join(missing)}")
    return table


def read_rows(paths, columns=None):
    """Per-image rows of several parquet files, one below the other.

    Millions of rows repeat a few texts: they come as categories, sorted.

    Args:
        columns: names of those to read; None: all.

    Raises:
        UserError: no such file, a damaged one, or one without a column.
    """
    parts = []
    for path in paths:
        try:
            schema = pq.read_schema(path)
            parts.append(
                pq.read_table(
                    path,
                    columns=columns,
                    read_dictionary=[one.name for one in schema if one.type in TEXT],
                    page_checksum_verification=True,
                )
            )
        except FileNotFoundError:
            raise UserError(f"{path}: no such rows") from None
        except (ValueError, OSError) as error:
            raise UserError(
                f"{path}: damaged rows ({error}); delete and rerun"
            ) from None
    table = pa.concat_tables(parts, promote_options="permissive")
    del parts
    # Column by column, each freed once it is converted.
    rows = table.to_pandas(split_blocks=True, self_destruct=True)
    for name in rows.select_dtypes("category"):
        texts = rows[name].cat.categories
        rows[name] = rows[name].cat.reorder_categories(sorted(texts))
    return rows


def read_arrays(path):
    """The arrays of an NPZ file by name.

    Raises:
        UserError: no such file, or not one of arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except FileNotFoundError:
        raise UserError(f"{path}: no such arrays") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: damaged ({error}); delete it and rerun") from None
