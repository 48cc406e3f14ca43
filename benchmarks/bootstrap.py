"""Bootstrap of a study's accuracies: ours against NumPy and SciPy, on one core.

    PYTHONPATH=workflow python benchmarks/bootstrap.py

Five classifiers on five autoencoders and 50,000 images. All measure the same hits
in turn, so that whatever else the machine does falls on all; the ratio is the
median of the turns'. Last, the whole 10,000 resamples of ours, measured at once.
"""

from functools import partial
from statistics import median
from time import perf_counter

import numpy as np
from common import in_turn, ratio, record
from scipy.stats import bootstrap
from threadpoolctl import threadpool_limits

from s2snets.measure.bootstrap import interval, means

IMAGES, COLUMNS, RESAMPLES = 50_000, 25, 10_000
TURNS = 7


def ours(hits, resamples):
    return interval(means(hits, resamples, 0))


def numpy_loop(hits, resamples):
    """What one would write first."""
    draw = np.random.default_rng(0)
    drawn = [
        hits[draw.integers(len(hits), size=len(hits))].mean(axis=0)
        for _ in range(resamples)
    ]
    return np.quantile(drawn, [0.025, 0.975], axis=0)


def scipy_bootstrap(hits, resamples):
    """SciPy's, which draws once for all columns too; one resample fits its caches."""
    found = bootstrap(
        (hits.T,),
        np.mean,
        axis=-1,
        n_resamples=resamples,
        batch=1,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return found.confidence_interval


WAYS = {
    "SciPy, stats.bootstrap": (scipy_bootstrap, 40),
    "NumPy, a loop": (numpy_loop, 40),
    "s2snets": (ours, 320),
}
"""Name -> function, resamples a turn."""


def seconds(function, hits, resamples):
    """Seconds a resample."""
    start = perf_counter()
    function(hits, resamples)
    return (perf_counter() - start) / resamples


def rows():
    draw = np.random.default_rng(0)
    ability = draw.uniform(0.2, 0.9, COLUMNS)
    hits = draw.random((IMAGES, 1)) * 0.5 + draw.random((IMAGES, COLUMNS)) * 0.5
    hits = hits < ability
    # The first draws are the same as in the loop, and so must the intervals be.
    assert np.allclose(ours(hits, 40), numpy_loop(hits, 40), atol=1e-12)
    with threadpool_limits(1):
        ways = {
            name: partial(seconds, function, hits, number)
            for name, (function, number) in WAYS.items()
        }
        found = in_turn(ways, TURNS)
        once = seconds(ours, hits, RESAMPLES)
    first = next(iter(found.values()))
    for name, taken in found.items():
        yield name, f"{1000 * median(taken):.3g}", f"{ratio(first, taken):.1f}"
    yield f"s2snets, {RESAMPLES:,} resamples at once", f"{1000 * once:.3g}", ""


def main():
    record("bootstrap", ["what", "seconds_a_1000_resamples_median", "ratio"], rows())


if __name__ == "__main__":
    main()
