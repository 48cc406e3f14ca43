"""Whether trainings agree: on the order of the networks, and on the lattice."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from s2snets.measure.bootstrap import interval
from s2snets.measure.lattice import matrix


def served(rrc: np.ndarray, threshold: float) -> np.ndarray:
    """Return how many other networks each autoencoder serves: RRC(A_i ∘ j) >= t.

    Args:
        rrc: (..., N, N), autoencoders in rows.
        threshold: t.

    Returns:
        int (..., N).
    """
    others = ~np.eye(rrc.shape[-1], dtype=bool)
    return ((rrc >= threshold) & others).sum(axis=-1)


def kendall_w(values: np.ndarray) -> float:
    """Return Kendall's coefficient of concordance, corrected for ties.

    Kendall & Babington Smith 1939: 1 where all judges give the same order, about
    1 / judges where they have nothing in common.

    Args:
        values: (judges, items), by which each judge orders the items.

    Returns:
        W in [0, 1]; NaN for one judge, or where every judge sees only ties.
    """
    judges, items = values.shape
    ranks = rankdata(values, axis=1)
    spread = ranks.sum(axis=0).var() * items
    # Each judge's own sum of squares, which ties make less than (n³ - n) / 12.
    greatest = judges * (ranks.var(axis=1) * items).sum()
    return spread / greatest if judges > 1 and greatest > 0 else np.nan


def tabulate(
    rrc: pd.DataFrame, thresholds: Sequence[float], trainings: np.ndarray
) -> pd.DataFrame:
    """Return how far trainings agree at each threshold: ``agreement.csv``.

    Args:
        rrc: as ``rrc_table`` returns it.
        thresholds: t.
        trainings: RRC of each training (M, N, N), autoencoders in rows, in Table 2's
            order.

    Returns:
        threshold, trainings (M), kendall_w (of the orders by the number of networks
        that are served), lattice_share (of the trainings with this very lattice);
        the latter two are missing for one training.
    """
    table = matrix(rrc).to_numpy().T
    several = len(trainings) > 1
    return pd.DataFrame(
        [
            {
                "threshold": threshold,
                "trainings": len(trainings),
                "kendall_w": kendall_w(served(trainings, threshold)),
                "lattice_share": np.mean(
                    ((trainings >= threshold) == (table >= threshold)).all(axis=(1, 2))
                )
                if several
                else np.nan,
            }
            for threshold in thresholds
        ]
    )


def compare_pairs(
    rrc: pd.DataFrame,
    thresholds: Sequence[float],
    samples: np.ndarray,
    trainings: np.ndarray,
) -> pd.DataFrame:
    """Return which networks' signals serve more others than which: ``orders.csv``.

    Args:
        rrc: as ``tabulate`` takes it.
        thresholds: t.
        samples: draws of RRC (B, N, N), as ``trainings``.
        trainings: as ``tabulate`` takes them.

    Returns:
        threshold, network, other: every pair, the one that serves more first;
        difference of the numbers served, low, high: its 95 % interval; share of the
        trainings in which it is above 0; established: in all of them, and in the whole
        interval.
    """
    table = matrix(rrc)
    names, rows = list(table.index), []
    for threshold in thresholds:
        counts = served(table.to_numpy().T, threshold)
        drawn, found = served(samples, threshold), served(trainings, threshold)
        for pair in combinations(range(len(names)), 2):
            more, less = sorted(pair, key=lambda place: -counts[place])
            low, high = interval(drawn[:, more] - drawn[:, less])
            share = (found[:, more] > found[:, less]).mean()
            rows.append(
                {
                    "threshold": threshold,
                    "network": names[more],
                    "other": names[less],
                    "difference": counts[more] - counts[less],
                    "low": low,
                    "high": high,
                    "share": share,
                    "established": bool(share == 1 and low > 0),
                }
            )
    return pd.DataFrame(rows)
