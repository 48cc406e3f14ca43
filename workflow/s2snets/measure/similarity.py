"""How alike two responses of a reversed network are."""

import numpy as np

from s2snets.measure.bootstrap import by_seed, interval, resample

MEASURES = ("cosine", "pearson", "magnitude")
KEYS = ["classifier", "depth", "layer", "architecture", "pair"]


def cosine(first, second):
    """Cosines of (N, ...) with (N, ...): float64 (N,), 0 where either is all zero.

    It ignores scale and keeps 0 apart from other values, as the pictures do
    (``contrast.remap``): 1 is the same picture, -1 the same in reversed polarity.
    """
    first, second = (
        np.asarray(one, np.float64).reshape(len(one), -1) for one in (first, second)
    )
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    product = np.einsum("nd,nd->n", first, second)
    return np.divide(product, lengths, np.zeros_like(product), where=lengths > 0)


def pearson(first, second):
    """Correlations of (N, ...) with (N, ...), 0 where either is constant."""
    return cosine(*map(centred, (first, second)))


def centred(responses):
    values = np.asarray(responses, np.float64).reshape(len(responses), -1)
    middle = values - values.mean(1, keepdims=True)
    # Of a constant rounding leaves something that would pass for a signal.
    return np.where(np.ptp(values, axis=1, keepdims=True) > 0, middle, 0)


def magnitude(first, second):
    """Correlations of the magnitudes: where the responses are, not what."""
    return pearson(np.abs(first), np.abs(second))


def similarities(first, second):
    """Every measure of (N, ...) with (N, ...): name -> float64 (N,).

    The cosine is the headline: pictures of responses have no scale but a zero. A
    correlation would forgive what a picture shows, a tint of all of it; that of
    magnitudes is high wherever two neurons see the same part of the image.
    """
    return {
        "cosine": cosine(first, second),
        "pearson": pearson(first, second),
        "magnitude": magnitude(first, second),
    }


def summarise(rows, resamples, seed):
    """Mean similarities with 95 % intervals, resampled over images.

    Args:
        rows: seed, image, the columns of ``KEYS`` and ``MEASURES``.
        resamples, seed: as ``bootstrap.means`` takes them.

    Returns:
        DataFrame: ``KEYS``, images, and for every measure its mean, ``_low``,
        ``_high`` and ``_sd``, the spread over seeds; in the order of classifiers as
        they come, depth, architecture and pair.
    """
    measures = list(MEASURES)
    groups = rows.groupby(KEYS, sort=False, observed=True)
    table = groups["image"].nunique().rename("images").to_frame()
    spread = by_seed(rows, KEYS, measures)
    drawn = resample(rows, KEYS, measures, resamples=resamples, seed=seed)
    for measure in measures:
        low, high = interval(drawn[measure][table.index])
        table[measure] = spread[measure][table.index].mean().to_numpy()
        table[f"{measure}_low"], table[f"{measure}_high"] = low, high
        table[f"{measure}_sd"] = spread[measure][table.index].std().to_numpy()
    return table.reset_index()
