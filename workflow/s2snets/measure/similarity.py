"""Similarity of two responses of a reversed network."""

import numpy as np
import pandas as pd

from s2snets.measure.bootstrap import by_training, interval, resample

KEYS = ["classifier", "depth", "layer", "architecture", "pair"]


def cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return cosines of (N, ...) with (N, ...): float64 (N,), 0 if either is all zero.

    It ignores scale and keeps 0 apart from other values, as the pictures do
    (``contrast.remap``): 1 is the same picture, -1 the same in reversed polarity.
    """
    a, b = (
        np.asarray(each, np.float64).reshape(len(each), -1) for each in (first, second)
    )
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    product = np.einsum("nd,nd->n", a, b)
    return np.divide(product, lengths, np.zeros_like(product), where=lengths > 0)


def pearson(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return correlations of (N, ...) with (N, ...), 0 where either is constant."""
    return cosine(centred(first), centred(second))


def centred(responses: np.ndarray) -> np.ndarray:
    """Subtract each response's mean: (N, ...) -> (N, D), zeros where it is constant."""
    values = np.asarray(responses, np.float64).reshape(len(responses), -1)
    middle = values - values.mean(1, keepdims=True)
    # Rounding leaves a remainder of a constant that would pass for a signal.
    return np.where(np.ptp(values, axis=1, keepdims=True) > 0, middle, 0)


def magnitude(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return correlations of the magnitudes: where the responses are, not what."""
    return pearson(np.abs(first), np.abs(second))


MEASURES = {"cosine": cosine, "pearson": pearson, "magnitude": magnitude}
"""Measure by name. The cosine is the headline: pictures of responses have no scale but
a zero. A correlation would forgive what a picture shows, a tint of all of it; that of
magnitudes is high wherever two neurons see the same part of the image."""


def similarities(first: np.ndarray, second: np.ndarray) -> dict[str, np.ndarray]:
    """Return every measure of (N, ...) with (N, ...): name -> float64 (N,)."""
    return {name: measure(first, second) for name, measure in MEASURES.items()}


def summarise(rows: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Return mean similarities with 95 % intervals, resampled over images.

    Args:
        rows: seed, image, the columns of ``KEYS`` and ``MEASURES``.
        resamples: as ``bootstrap.means`` takes it.
        seed: likewise.

    Returns:
        ``KEYS``, images, and for every measure its mean, ``_low``, ``_high`` and
        ``_sd``, the spread over seeds; in the order of classifiers as they come,
        depth, architecture and pair.
    """
    measures = list(MEASURES)
    groups = rows.groupby(KEYS, sort=False, observed=True)
    table = groups["image"].nunique().rename("images").to_frame()
    spread = by_training(rows, KEYS, measures)
    drawn = resample(rows, KEYS, measures, resamples=resamples, seed=seed)
    for measure in measures:
        low, high = interval(drawn[measure][table.index])
        seeds = pd.DataFrame(spread[measure])[table.index]
        table[measure] = seeds.mean().to_numpy()
        table[f"{measure}_low"], table[f"{measure}_high"] = low, high
        table[f"{measure}_sd"] = seeds.std().to_numpy()
    return table.reset_index()
