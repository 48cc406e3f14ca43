"""Numbers of preferred images: means over targets, and what pretraining changes."""

import pandas as pd

from s2snets.measure.bootstrap import interval, means
from s2snets.runtime.errors import UserError

MEASURES = {
    "activation": "activation of the target",
    "first": "target activated most",
    "confidence": "softmax confidence",
    "agrees": "second network agrees",
    "total_variation": "total variation",
    "high_frequency": "high-frequency energy",
    "started": "targets with a start",
}
"""Measure -> what it is called; those that a kind of target lacks are left out."""

KEYS = ["classifier", "kind", "mode"]


def per_target(scores):
    """Seeds averaged, a row a classifier, kind, mode and target.

    Of targets without a start there is nothing to measure but that.
    """
    rows = scores.assign(
        layer=scores["layer"].astype(object).fillna(""),
        first=(scores["rank"] == 1).where(scores["rank"].notna()),
    )
    started = rows["started"].astype(bool)
    measured = [name for name in MEASURES if name != "started"]
    rows[measured] = rows[measured].astype(float).where(started)
    rows["started"] = started.astype(float)
    each = rows.groupby([*KEYS, "layer", "target"], observed=True, dropna=False)
    return each[list(MEASURES)].mean()


def summarise(scores, resamples, seed):
    """Means over targets with 95 % bootstrap intervals, and differences of modes.

    Targets are resampled. A difference, mode against mode, is over the targets that
    both started from, each with itself.

    Args:
        scores: a row a classifier, mode, target and seed: ``classifier``, ``mode``,
            ``target``, ``kind``, ``layer``, ``seed``, ``activation``, ``rank``,
            ``confidence``, ``agrees``, ``total_variation``, ``high_frequency``,
            ``started``; empty where a kind of target has no such number.
        resamples: how many.
        seed: of the draws.

    Returns:
        DataFrame: ``classifier``, ``kind``, ``mode``, ``against`` (the mode that is
        taken off; empty for means), ``measure``, ``targets``, ``mean``, ``low``,
        ``high``; in the order of the rows. One target has no interval.

    Raises:
        UserError: no scores at all.
    """
    if scores.empty:
        raise UserError("scores: no targets; run the sweeps again")
    table = per_target(scores)
    orders = [list(dict.fromkeys(scores[key])) for key in KEYS]
    found = []
    for classifier in orders[0]:
        for kind in orders[1]:
            own = {
                mode: table.xs((classifier, kind, mode), level=KEYS)
                for mode in orders[2]
                if (classifier, kind, mode) in table.index.droplevel([3, 4])
            }
            shown = {(mode, ""): one for mode, one in own.items()}
            shown |= {
                (mode, against): (one - own[against]).reindex(one.index)
                for place, (mode, one) in enumerate(own.items())
                for against in list(own)[:place]
            }
            for (mode, against), values in shown.items():
                for row in averaged(values, resamples, seed):
                    found.append((classifier, kind, mode, against, *row))
    columns = ["classifier", "kind", "mode", "against", "measure", "targets"]
    return pd.DataFrame(found, columns=[*columns, "mean", "low", "high"])


def averaged(values, resamples, seed):
    """Rows (measure, targets, mean, low, high) of columns of targets.

    Columns with numbers for the same targets share their resamples.
    """
    together = {}
    for name, column in values.items():
        if column.notna().any():
            together.setdefault(tuple(column.notna()), []).append(name)
    rows = {}
    for there, names in together.items():
        block = values.loc[list(there), names].to_numpy()
        low, high = interval(means(block, resamples, seed))
        if len(block) == 1:
            low = high = [None] * len(names)
        for name, *numbers in zip(names, block.mean(0), low, high, strict=True):
            rows[name] = (name, len(block), *numbers)
    return [rows[name] for name in MEASURES if name in rows]
