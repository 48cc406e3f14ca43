"""Time and memory of the study, by rule."""

from collections.abc import Hashable
from typing import Any

import pandas as pd


def costs_by_rule(
    costs: pd.DataFrame,
) -> tuple[list[dict[Hashable, Any]], dict[Hashable, Any]]:
    """Return a row of costs for each rule, in the table's order, and their totals.

    Args:
        costs: ``costs.csv``: seconds, cpu_seconds, peak_mb by rule and job.
    """
    rules = costs.groupby("rule", sort=False).agg(
        jobs=("job", "size"),
        seconds=("seconds", "sum"),
        cpu_seconds=("cpu_seconds", "sum"),
        peak_mb=("peak_mb", "max"),
    )
    total = rules.sum().to_dict() | {"peak_mb": rules["peak_mb"].max()}
    return rules.reset_index().to_dict("records"), total
