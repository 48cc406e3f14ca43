"""Percentile bootstrap over images, with one set of resamples for all columns."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from s2snets.runtime.errors import UserError

LEVEL = 0.95
BLOCK = 64  # resamples that one matrix product takes
EXACT = 2**24  # integers up to here are exact in single precision


def means(values: ArrayLike, resamples: int, seed: int) -> np.ndarray:
    """Return means of every column over images drawn with replacement.

    A resample is drawn once and serves all columns, so differences and ratios of
    columns are paired. The first resamples do not depend on how many follow.

    Args:
        values: (images, columns), bool or numbers.
        resamples: how many.
        seed: of the draws.

    Returns:
        float64 (resamples, columns).
    """
    values = np.asarray(values)
    count = len(values)
    # Sums of hits are small integers: single precision counts them exactly.
    whole = (values == np.rint(values)).all() and np.abs(values).max() * count < EXACT
    values = values.astype(np.float32 if whole else np.float64)
    draw = np.random.default_rng(seed)
    times = np.empty((min(BLOCK, resamples), count), values.dtype)
    drawn = np.empty((resamples, values.shape[1]))
    for start in range(0, resamples, BLOCK):
        block = times[: resamples - start]
        for row in block:
            row[:] = np.bincount(draw.integers(count, size=count), minlength=count)
        drawn[start : start + BLOCK] = block @ values
    return drawn / count


def interval(samples: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the central 95 % of resampled values, leaving out undefined ones.

    Args:
        samples: (resamples, ...); NaN where a resample has no value.

    Returns:
        low, high: each (...).
    """
    samples = np.asarray(samples)
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    quantile = np.nanquantile if np.isnan(samples).any() else np.quantile
    low, high = quantile(samples, tails, axis=0)
    return low, high


def resample(
    rows: pd.DataFrame,
    keys: list[str],
    scores: list[str],
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return bootstrap means of a long table over images, seeds averaged first.

    Columns on the same images share their resamples; so do all columns on equally
    many images, whichever those are.

    Args:
        rows: seed, image, the keys and the scores.
        keys: columns that name a mean.
        scores: columns that are averaged.
        resamples: as ``means`` takes it.
        seed: likewise.

    Returns:
        A row for each resample, a column for each mean: (score, *keys).

    Raises:
        UserError: an image that some seed lacks.
    """
    groups = rows.groupby(keys, observed=True)
    names, cell = groups.size().index, groups.ngroup().to_numpy()
    del groups  # it holds columns as long as the table
    image, images = pd.factorize(rows["image"])
    shape = len(names), len(images)
    cell = cell * len(images)
    cell += image

    def total(weights: pd.Series | None = None) -> np.ndarray:
        """Return sums (or counts) of rows by mean and image."""
        return np.bincount(cell, weights, minlength=np.prod(shape)).reshape(shape)

    seeds = total().astype(np.int32)
    most = seeds.max(axis=1)
    uneven = ((seeds > 0) & (seeds < most[:, None])).any(axis=1)
    if uneven.any():
        name = names[uneven.argmax()]
        raise UserError(
            f"{', '.join(map(str, name))}: a seed lacks images of another's"
        )
    # Hits are counted exactly in single precision.
    sums = [
        total(rows[score]).astype(np.float32 if rows[score].dtype == bool else float)
        for score in scores
    ]
    drawn = np.empty((resamples, len(scores), len(names)))
    for places in _alike(seeds > 0):
        present = seeds[places[0]] > 0
        values = np.concatenate([each[places][:, present] for each in sums]).T
        drawn_means = means(values, resamples, seed).reshape(resamples, len(scores), -1)
        drawn[:, :, places] = drawn_means / most[places]
    return pd.concat(
        [pd.DataFrame(each, columns=names) for each in drawn.swapaxes(0, 1)],
        axis=1,
        keys=scores,
        names=["score"],
    )


def _alike(rows: np.ndarray) -> list[list[int]]:
    """Group the positions of equal rows of a boolean matrix."""
    groups: dict[bytes, list[int]] = {}
    for place, packed in enumerate(np.packbits(rows, axis=1)):
        groups.setdefault(packed.tobytes(), []).append(place)
    return list(groups.values())


def by_seed(rows: pd.DataFrame, keys: list[str], scores: list[str]) -> pd.DataFrame:
    """Return the same means for each seed alone, over all its images.

    Returns:
        A row for each seed, columns as ``resample`` gives them.
    """
    table = rows.groupby(["seed", *keys], observed=True)[scores].mean()
    wide = pd.DataFrame(table.unstack(keys))
    return wide.rename_axis(columns=["score", *keys])
