"""Measures of preferred images by mode: means over targets, and differences."""

from collections.abc import Iterator

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
"""Measure -> display name; those that a kind of target lacks are left out."""

KEYS = ["classifier", "kind", "mode"]

Row = tuple[str, int, float, float | None, float | None]
"""Measure, number of targets, mean, low, high."""


def per_target(scores: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds: a row for each classifier, kind, mode and target.

    Of targets without a start nothing but that is measured.
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


def summarise(scores: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Return means over targets with 95 % bootstrap intervals, and their differences.

    Targets are resampled. A difference, of one mode from another, is over the targets
    that both started from, each with itself.

    Args:
        scores: a row for each classifier, mode, target and seed: ``classifier``,
            ``mode``, ``target``, ``kind``, ``layer``, ``seed``, ``activation``,
            ``rank``, ``confidence``, ``agrees``, ``total_variation``,
            ``high_frequency``, ``started``; empty where a kind of target has no such
            number.
        resamples: how many.
        seed: of the draws.

    Returns:
        ``classifier``, ``kind``, ``mode``, ``against`` (the mode that is subtracted;
        empty for means), ``measure``, ``targets``, ``mean``, ``low``, ``high``; in the
        order of the rows. One target has no interval.

    Raises:
        UserError: no scores at all.
    """
    if scores.empty:
        raise UserError("scores: no targets; run the sweeps again")
    table = per_target(scores)
    classifiers, kinds, modes = (list(dict.fromkeys(scores[key])) for key in KEYS)
    present = set(table.reset_index()[KEYS].itertuples(index=False, name=None))
    rows = []
    for classifier in classifiers:
        for kind in kinds:
            by_mode = {
                mode: pd.DataFrame(table.xs((classifier, kind, mode), level=KEYS))
                for mode in modes
                if (classifier, kind, mode) in present
            }
            for mode, against, values in means_and_differences(by_mode):
                for row in averaged(values, resamples, seed):
                    rows.append((classifier, kind, mode, against, *row))
    columns = ["classifier", "kind", "mode", "against", "measure", "targets"]
    return pd.DataFrame(rows, columns=[*columns, "mean", "low", "high"])


def means_and_differences(
    by_mode: dict[str, pd.DataFrame],
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield mode, the mode that is subtracted (or empty) and values by target."""
    for mode, values in by_mode.items():
        yield mode, "", values
    for place, (mode, values) in enumerate(by_mode.items()):
        for against in list(by_mode)[:place]:
            yield mode, against, (values - by_mode[against]).reindex(values.index)


def averaged(values: pd.DataFrame, resamples: int, seed: int) -> list[Row]:
    """Return the mean of each column over targets, with its interval.

    Columns with numbers for the same targets share their resamples.
    """
    together: dict[tuple[bool, ...], list[str]] = {}
    for name in MEASURES:
        known = values[name].notna()
        if known.any():
            together.setdefault(tuple(known), []).append(name)
    rows: dict[str, Row] = {}
    for known_targets, names in together.items():
        block = values.loc[list(known_targets), names].to_numpy()
        low, high = interval(means(block, resamples, seed))
        bounds = zip(low, high, strict=True)
        for name, mean, ends in zip(names, block.mean(0), bounds, strict=True):
            rows[name] = (
                name, len(block), mean, *(ends if len(block) > 1 else (None, None))
            )  # fmt: skip
    return [rows[name] for name in MEASURES if name in rows]
