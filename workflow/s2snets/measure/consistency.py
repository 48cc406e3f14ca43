"""Do networks err on the same images? Error consistency, and how RRC goes with it.

Error consistency is Cohen's kappa of right and wrong (Geirhos, Meding & Wichmann 2020,
*Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by measuring
error consistency*): 0 where two networks agree on being right or wrong as often as
networks of their accuracies do by chance, 1 where they always do.
"""

from itertools import combinations, permutations
from math import factorial

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from s2snets.measure.bootstrap import interval, resample
from s2snets.measure.sources import ORIGINAL

PERMUTATIONS = 9999
"""Of the networks' names at most; all of them where there are no more."""

OF_PREDICTIONS = ("kappa", "agreement")
SIMILARITIES = (*OF_PREDICTIONS, "cka")


def kappa(same: np.ndarray, right: np.ndarray, other_right: np.ndarray) -> np.ndarray:
    """Return error consistency from shares of images.

    Args:
        same: where both networks are right or both are wrong.
        right: where one network is right.
        other_right: where the other is.

    Returns:
        Kappa in [-1, 1]; NaN where both are always right, or both always wrong.
    """
    expected = right * other_right + (1 - right) * (1 - other_right)
    left = 1 - expected
    return np.divide(
        same - expected, left, out=np.full_like(left, np.nan), where=left > 1e-12
    )


def pair_rows(rows: pd.DataFrame, classifiers: list[str]) -> pd.DataFrame:
    """Return a row for each image and pair of networks, on the originals.

    Args:
        rows: predictions, as ``accuracy.apply_reference`` returns them.
        classifiers: names in the config's order.

    Returns:
        seed, image, group if there is one, network, other, and whether: same (both
        right or both wrong), right, other_right, agreement (the same first class).
    """
    clean = rows[(rows["source"] == ORIGINAL.source) & (rows["strength"] == 0)]
    keys = ["seed", "image", *clean.columns.intersection(["group"])]
    wide = clean.astype({"classifier": str}).pivot(
        index=keys, columns="classifier", values=["class_1", "label"]
    )
    tables = []
    for network, other in combinations(classifiers, 2):
        first, second = wide["class_1"][network], wide["class_1"][other]
        # Where agreement is measured, each network has a label of its own.
        right = first == wide["label"][network]
        other_right = second == wide["label"][other]
        pair = pd.DataFrame(
            {
                "network": network,
                "other": other,
                "same": right == other_right,
                "right": right,
                "other_right": other_right,
                "agreement": first == second,
            }
        )
        tables.append(pair.reset_index())
    return pd.concat(tables, ignore_index=True)


def tabulate(
    rows: pd.DataFrame, classifiers: list[str], resamples: int, seed: int
) -> pd.DataFrame:
    """Return error consistency and agreement of every pair: ``consistency.csv``.

    Args:
        rows: predictions, as ``accuracy.apply_reference`` returns them.
        classifiers: names in the config's order.
        resamples: see ``bootstrap.resample``.
        seed: of the draws.

    Returns:
        network, other, images, kappa and agreement (the share of the images with the
        same first class), each with its 95 % interval, _low and _high; means over
        seeds. Kappa is missing where it is undefined.
    """
    pairs, keys = pair_rows(rows, classifiers), ["network", "other"]
    scores = ["same", "right", "other_right", "agreement"]
    drawn = resample(pairs, keys, scores, resamples=resamples, seed=seed)
    found = pairs.groupby(keys, sort=False)[scores].mean()
    images = pairs.groupby(keys, sort=False)["image"].nunique()
    shares = {name: drawn[name][found.index].to_numpy().clip(0, 1) for name in scores}
    samples = {
        "kappa": kappa(*(shares[name] for name in scores[:3])),
        "agreement": shares["agreement"],
    }
    values = {
        "kappa": kappa(*(found[name].to_numpy() for name in scores[:3])),
        "agreement": found["agreement"].to_numpy(),
    }
    table = images.rename("images").reset_index()
    for name in OF_PREDICTIONS:
        undefined = np.isnan(values[name])
        low, high = interval(np.where(undefined, 0, samples[name]))
        table[name] = values[name]
        table[f"{name}_low"] = np.where(undefined, np.nan, low)
        table[f"{name}_high"] = np.where(undefined, np.nan, high)
    return table


def symmetric_rrc(rrc: pd.DataFrame, classifiers: list[str]) -> np.ndarray:
    """Return the mean of RRC(A_i ∘ j) and RRC(A_j ∘ i), (N, N).

    Args:
        rrc: ``rrc.csv``.
        classifiers: names, the order of rows and columns.
    """
    table = rrc.pivot(index="autoencoder", columns="classifier", values="rrc")
    rates = table.loc[[f"A_{name}" for name in classifiers], classifiers].to_numpy()
    return (rates + rates.T) / 2


def square(pairs: pd.DataFrame, name: str, classifiers: list[str]) -> np.ndarray:
    """Return a column of a table of pairs as a symmetric matrix (N, N); 1 inside."""
    place = {one: number for number, one in enumerate(classifiers)}
    matrix = np.eye(len(classifiers))
    rows, columns = pairs["network"].map(place), pairs["other"].map(place)
    matrix[rows, columns] = matrix[columns, rows] = pairs[name]
    return matrix


def mantel(one: np.ndarray, other: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the rank correlation of two similarities over pairs, and its p-value.

    Pairs that share a network depend on each other, so that a test of correlation
    would promise too much; Mantel's test (1967) permutes networks instead, rows and
    columns of one matrix together.

    Args:
        one: similarities (N, N), symmetric; the diagonal is not read.
        other: likewise.
        seed: of the permutations, where they are too many to try all.

    Returns:
        Spearman's rho; the share of permutations with as great an absolute rho, the
        identity among them. NaN, 1 where a matrix is constant, lacks a value, or has
        fewer than three networks.
    """
    size = len(one)
    upper = np.triu_indices(size, 1)
    if size < 3 or np.isnan([one[upper], other[upper]]).any():
        return np.nan, 1.0
    ranks = np.zeros((2, size, size))
    for rank, values in zip(ranks, (one, other), strict=True):
        rank[upper] = rankdata(values[upper])
        rank += rank.T
    fixed = ranks[1][upper] - ranks[1][upper].mean()
    moved = ranks[0][upper]
    scale = moved.std() * fixed.std() * len(fixed)
    if not scale:
        return np.nan, 1.0
    if factorial(size) <= PERMUTATIONS + 1:
        orders = np.array(list(permutations(range(size))))
    else:
        draw = np.random.default_rng(seed)
        drawn = [draw.permutation(size) for _ in range(PERMUTATIONS)]
        orders = np.array([np.arange(size), *drawn])
    permuted = ranks[0][orders[:, upper[0]], orders[:, upper[1]]]
    rho = permuted @ fixed / scale
    # Sums of ranks are exact; their order is not.
    greater = np.abs(rho) >= abs(rho[0]) * (1 - 1e-9)
    return float(rho[0]), float(greater.mean())


def add_rrc(
    pairs: pd.DataFrame, rrc: pd.DataFrame, classifiers: list[str]
) -> pd.DataFrame:
    """Return the table of pairs with ``rrc``, the mean of both ways.

    Args:
        pairs: as ``tabulate`` returns them.
        rrc: ``rrc.csv``.
        classifiers: names in the config's order.
    """
    symmetric = symmetric_rrc(rrc, classifiers)
    places = [pairs[key].map(classifiers.index) for key in ("network", "other")]
    return pairs.assign(rrc=symmetric[*places])


def correlations(pairs: pd.DataFrame, classifiers: list[str]) -> pd.DataFrame:
    """Return how RRC goes with other similarities of pairs: Mantel's test.

    Args:
        pairs: as ``add_rrc`` returns them, with some of ``SIMILARITIES``.
        classifiers: names in the config's order.

    Returns:
        similarity (kappa, agreement, cka), networks, pairs, rho (Spearman's), p; rho is
        missing where it is undefined.
    """
    rates, rows = square(pairs, "rrc", classifiers), []
    for name in (one for one in SIMILARITIES if one in pairs):
        rho, p = mantel(rates, square(pairs, name, classifiers))
        rows.append(
            {
                "similarity": name,
                "networks": len(classifiers),
                "pairs": len(pairs),
                "rho": rho,
                "p": p,
            }
        )
    return pd.DataFrame(rows)
