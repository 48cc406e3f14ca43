"""The comparison with the paper, grouped for the page."""

from collections.abc import Hashable
from typing import Any

import pandas as pd

from s2snets.runtime.errors import UserError

VERDICT_MARKS = {
    "holds": "\N{CHECK MARK}",
    "fails": "\N{BALLOT X}",
    "undecided": "\N{ALMOST EQUAL TO}",
    "says nothing": "\N{EMPTY SET}",
    "untestable": "?",
}


def group_comparison(
    table: pd.DataFrame,
) -> dict[str, tuple[dict[str, list[dict[Hashable, Any]]], dict[str, int]]]:
    """Return, for claims and for numbers, the rows by section and the verdicts' counts.

    A row of several sections belongs to the first.

    Args:
        table: ``comparison.csv``.

    Raises:
        UserError: a verdict is none of ``VERDICT_MARKS``.
    """
    if unknown := sorted(set(table["verdict"]) - set(VERDICT_MARKS)):
        raise UserError(
            f"--comparison: verdict {unknown[0]!r} is none of"
            f" {', '.join(VERDICT_MARKS)}"
        )
    table = table.assign(section=table["section"].astype(str).str.split(",").str[0])
    groups = {}
    for kind in ("claim", "number"):
        rows = table[table["kind"] == kind]
        counts = rows["verdict"].value_counts()
        groups[kind] = (
            {
                str(section): group.to_dict("records")
                for section, group in rows.groupby("section")
            },
            {verdict: int(counts.get(verdict, 0)) for verdict in VERDICT_MARKS},
        )
    return groups
