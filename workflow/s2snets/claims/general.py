"""Claims of sections 1 and 4: signal, accuracy and size in general."""

from itertools import pairwise, permutations
from math import erfc, factorial, sqrt

import numpy as np
import pandas as pd

from s2snets.claims.claim import DIGITS, Margins, Test, signal_below
from s2snets.claims.evidence import Estimate, Tables, Untestable

SIGNIFICANT = 0.05


def neighbour_differences(tables: Tables) -> Margins:
    """Return differences of intra nMI between neighbours in its order."""
    signal = {name: tables.nmi(f"A_{name}") for name in tables.classifiers}
    ranked = sorted(signal, key=lambda name: -signal[name].value)
    return {
        f"A_{more} and A_{less}": signal[more] - signal[less]
        for more, less in pairwise(ranked)
    }


def uncorrelated(tables: Tables, values: list[float]) -> Margins:
    """Return by how much a rank correlation with intra nMI misses significance.

    Args:
        tables: of the study.
        values: what is correlated, in the order of the classifiers.
    """
    names = tables.classifiers
    count = len(names)
    if 2 / factorial(count) > SIGNIFICANT:
        raise Untestable(
            f"with {count} classifiers no rank correlation could be significant"
        )
    signal = pd.Series([tables.nmi(f"A_{name}").value for name in names])
    rho = signal.rank().corr(pd.Series(values).rank())
    if count <= 7:
        ranks, fixed = signal.rank().to_numpy(), pd.Series(values).rank().to_numpy()
        orders = np.array(list(permutations(ranks)))
        sums = np.abs((orders - ranks.mean()) @ (fixed - fixed.mean()))
        observed = abs((ranks - ranks.mean()) @ (fixed - fixed.mean()))
        p = (sums >= observed - DIGITS).mean()
    else:
        p = erfc(abs(rho) * sqrt((count - 1) / 2))
    label = f"ρ = {rho:.2f}, p = {p:.2g} over {count} classifiers"
    return {label: Estimate(float(p) - SIGNIFICANT)}


TESTS: dict[str, Test] = {
    "different-amounts": neighbour_differences,
    "entirely-different": signal_below(0.1),
    "no-correlation-with-accuracy": lambda tables: uncorrelated(
        tables, [tables.clean(name, "original").value for name in tables.classifiers]
    ),
    "no-correlation-with-size": lambda tables: uncorrelated(
        tables, [tables.size(name) for name in tables.classifiers]
    ),
}
