"""Intervals that contain both sources of variance: images, and training.

Images are resampled (a percentile bootstrap). Trainings are too few for that: resampled
means of three values spread by a factor (2/3)^½ too little, and have no tails. The mean
over trainings is drawn from Student's t distribution around the mean that was found,
with K - 1 degrees of freedom and the trainings' own deviations, which is exact where
they are normal. One set of draws serves all columns, so differences and ratios are
paired over images and over trainings.

Images that depend on each other, such as crops of one photograph, are drawn together:
resampled one by one they would look like more evidence than they are.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from s2snets.runtime.errors import UserError

LEVEL = 0.95
BLOCK = 64  # resamples that one matrix product takes
EXACT = 2**24  # integers up to here are exact in single precision
KEPT = 2**21  # numbers of a table's draws that are kept for others of its length


def draws(count: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each image is drawn, uint16 (``BLOCK`` at most, count)."""
    draw = np.random.default_rng(seed)
    for start in range(0, resamples, BLOCK):
        block = np.empty((min(BLOCK, resamples - start), count), np.uint16)
        for row in block:
            row[:] = np.bincount(draw.integers(count, size=count), minlength=count)
        yield block


@lru_cache(maxsize=8)
def kept_draws(count: int, resamples: int, seed: int) -> list[np.ndarray]:
    """Return ``draws``, which short tables of one length share."""
    return list(draws(count, resamples, seed))


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
    few = count * resamples <= KEPT
    times: Iterable[np.ndarray] = (kept_draws if few else draws)(count, resamples, seed)
    sums = [block.astype(values.dtype) @ values for block in times]
    return np.concatenate(sums).astype(np.float64) / count


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
    """Return draws of the means of a long table: other images, and other trainings.

    Columns on the same images share their resamples; so do all columns on equally
    many images, whichever those are. With one seed and one replicate only images
    vary. Where rows have a group, whole groups are drawn, and a mean is that over all
    images of the groups drawn.

    Args:
        rows: seed, image, the keys and the scores; replicate, where there are any;
            group, where images depend on each other: the same for those that do.
        keys: columns that name a mean.
        scores: columns that are averaged.
        resamples: as ``means`` takes it.
        seed: likewise.

    Returns:
        A row for each resample, a column for each mean: (score, *keys).

    Raises:
        UserError: an image that some training lacks.
    """
    groups = rows.groupby(keys, observed=True)
    names, cell = groups.size().index, groups.ngroup().to_numpy()
    del groups  # it holds columns as long as the table

    def total(unit: str, weights: pd.Series | None = None) -> np.ndarray:
        """Return sums (or counts) of rows by mean and by image or group."""
        number, units = pd.factorize(rows[unit])
        shape = len(names), len(units)
        place = cell * len(units)
        place += number
        return np.bincount(place, weights, minlength=np.prod(shape)).reshape(shape)

    counts = total("image").astype(np.int32)
    uneven = ((counts > 0) & (counts < counts.max(axis=1)[:, None])).any(axis=1)
    if uneven.any():
        name = names[uneven.argmax()]
        raise UserError(
            f"{', '.join(map(str, name))}: a seed or replicate lacks images of"
            " another's"
        )
    unit = "group" if "group" in rows else "image"
    if unit == "group":
        counts = total(unit).astype(np.int32)
    # Hits are counted exactly in single precision.
    sums = [
        total(unit, rows[score]).astype(
            np.float32 if rows[score].dtype == bool else float
        )
        for score in scores
    ]
    drawn = np.empty((resamples, len(scores), len(names)))
    for places in _alike(counts > 0):
        present = counts[places[0]] > 0
        values = np.concatenate([each[places][:, present] for each in sums]).T
        drawn_means = means(values, resamples, seed).reshape(resamples, len(scores), -1)
        sizes = counts[places][:, present]
        if (sizes == sizes[:, :1]).all():
            drawn[:, :, places] = drawn_means / sizes[:, 0]
        else:  # over as many images as the groups that are drawn have
            drawn[:, :, places] = drawn_means / means(sizes.T, resamples, seed)[:, None]
    table = pd.concat(
        [pd.DataFrame(each, columns=names) for each in drawn.swapaxes(0, 1)],
        axis=1,
        keys=scores,
        names=["score"],
    )
    trainings = independent(by_training(rows, keys, scores))[table.columns]
    if len(trainings) > 1:
        # What is the same in every replicate, such as the originals, has just one row.
        deviations = (trainings - trainings.mean()).fillna(0.0)
        table += training_weights(len(trainings), resamples, seed) @ deviations.values
    return table


def _alike(rows: np.ndarray) -> list[list[int]]:
    """Group the positions of equal rows of a boolean matrix."""
    groups: dict[bytes, list[int]] = {}
    for place, packed in enumerate(np.packbits(rows, axis=1)):
        groups.setdefault(packed.tobytes(), []).append(place)
    return list(groups.values())


def training_weights(count: int, resamples: int, seed: int) -> np.ndarray:
    """Return weights of trainings that draw their mean from Student's t distribution.

    For values y of K trainings, of mean m and standard deviation s, m + weights @ (y -
    m) is distributed as m + t · s / √K, t of K - 1 degrees of freedom. This holds for
    each linear combination of columns too. The first draws do not depend on how many
    follow.

    Args:
        count: K, at least 2.
        resamples: how many.
        seed: of the draws.

    Returns:
        float64 (resamples, K); each row's sum is 0.
    """
    draw = np.random.default_rng((seed, 1))
    normal = draw.standard_normal((resamples, 2 * count - 1))
    towards, spread = normal[:, :count], normal[:, count:]
    scale = np.sqrt(count * (spread**2).sum(axis=1, keepdims=True))
    return (towards - towards.mean(axis=1, keepdims=True)) / scale


def by_training(rows: pd.DataFrame, keys: list[str], scores: list[str]) -> pd.DataFrame:
    """Return the means of each training alone, over all its images.

    Returns:
        A row for each seed, and replicate where ``rows`` has such a column; columns as
        ``resample`` gives them, missing where a training lacks the rows.
    """
    trainings = [name for name in ("seed", "replicate") if name in rows]
    table = rows.groupby([*trainings, *keys], observed=True)[scores].mean()
    wide = pd.DataFrame(table.unstack(keys))
    return wide.rename_axis(columns=["score", *keys])


def independent(trainings: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are independent of each other.

    Several seeds are, each by the mean of its replicates, which share networks and A_S.
    The replicates of a single seed are, given these.

    Args:
        trainings: as ``by_training`` returns them.
    """
    seeds = trainings.groupby(level="seed").mean()
    return seeds if len(seeds) > 1 else trainings
