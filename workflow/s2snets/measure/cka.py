"""Linear centred kernel alignment of networks' features, batch by batch.

CKA (Kornblith et al. 2019) compares two representations of the same images, whatever
their rotation and scale: 1, the same; 0, unrelated. Estimated from a sample without
correction it is biased upwards, the more so the more features there are (Murphy et al.
2024). Here each of its three terms is the unbiased estimate of the Hilbert-Schmidt
independence criterion (Song et al. 2012), averaged over batches, as Nguyen et al. 2021
do for features that do not fit into memory at once; averages of estimates without bias
have none, whatever the batches' size.
"""

from collections.abc import Mapping
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd

from s2snets.measure.bootstrap import interval, resample

LEAST = 4
"""Images of a batch at least, without which the estimate is not defined."""


def gram(features: np.ndarray) -> np.ndarray:
    """Return inner products of the features (B, units) of images, 0 on the diagonal.

    They are of features less their mean, which changes nothing but rounding.
    """
    centred = np.asarray(features, float)
    centred = centred - centred.mean(axis=0)
    products = centred @ centred.T
    np.fill_diagonal(products, 0)
    return products


def unbiased_hsic(first: np.ndarray, second: np.ndarray) -> float:
    """Return the unbiased estimate of HSIC of two kernels (Song et al. 2012, eq. 5).

    Args:
        first: kernel of B images (B, B), 0 on the diagonal.
        second: likewise, of the same images.

    Returns:
        NaN for fewer than ``LEAST`` images.
    """
    count = len(first)
    if count < LEAST:
        return np.nan
    sums = first.sum(), second.sum()
    total = (first * second).sum()
    total += sums[0] * sums[1] / ((count - 1) * (count - 2))
    total -= 2 * (first.sum(axis=0) @ second.sum(axis=0)) / (count - 2)
    return float(total / (count * (count - 3)))


def hsic_rows(batch: int, features: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return HSIC of every two networks' features of one batch, each with itself too.

    Args:
        batch: its number.
        features: (B, units) of the same images, by network.

    Returns:
        image (the batch's number: what is drawn), network, other, hsic.
    """
    kernels = {name: gram(values) for name, values in features.items()}
    rows = [
        (batch, one, other, unbiased_hsic(kernels[one], kernels[other]))
        for one, other in combinations_with_replacement(kernels, 2)
    ]
    return pd.DataFrame(rows, columns=["image", "network", "other", "hsic"])


def alignment(means: pd.DataFrame, pairs: pd.DataFrame) -> np.ndarray:
    """Return CKA of pairs of networks from means of HSIC.

    Args:
        means: a row for each draw, a column for each (network, other), one order.
        pairs: network, other.

    Returns:
        (draws, pairs); NaN where a network's features do not vary.
    """
    names = pairs[["network", "other"]].to_numpy()
    known = set(means.columns)
    joint = [
        means[(one, other) if (one, other) in known else (other, one)]
        for one, other in names
    ]
    own = [means[one, one] * means[other, other] for one, other in names]
    scale = np.sqrt(np.clip(np.array(own), 0, None))
    return np.divide(
        np.array(joint), scale, out=np.full(scale.shape, np.nan), where=scale > 0
    ).T


def add_cka(
    pairs: pd.DataFrame, rows: pd.DataFrame, resamples: int, seed: int
) -> pd.DataFrame:
    """Return a table of pairs of networks with ``cka``, cka_low and cka_high.

    The interval draws batches. Images that depend on each other lie in several of them,
    so that it is too narrow where there are such.

    Args:
        pairs: network, other.
        rows: of ``hsic_rows``, with seed; without any of enough images, CKA is missing.
        resamples: see ``bootstrap.resample``.
        seed: of the draws.
    """
    keys = ["network", "other"]
    rows = rows.dropna(subset="hsic").astype(dict.fromkeys(keys, str))
    if rows.empty:
        return pairs.assign(cka=np.nan, cka_low=np.nan, cka_high=np.nan)
    means = pd.DataFrame(rows.groupby(keys)["hsic"].mean()).T
    drawn = resample(rows, keys, ["hsic"], resamples=resamples, seed=seed)["hsic"]
    (values,) = alignment(means, pairs)
    undefined = np.isnan(values)
    samples = np.where(undefined, 0, alignment(pd.DataFrame(drawn), pairs))
    low, high = (np.where(undefined, np.nan, end) for end in interval(samples))
    return pairs.assign(cka=values, cka_low=low, cka_high=high)
