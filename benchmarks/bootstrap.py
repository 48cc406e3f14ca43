"""Bootstrap of a study's accuracies: ours against NumPy and SciPy, on one core.

    PYTHONPATH=workflow python benchmarks/bootstrap.py

Five classifiers on five autoencoders and 50,000 images. All measure the same hits
in turn, so that whatever else the machine does falls on all; the ratio is the
median of the turns'. Last, the whole 10,000 resamples of ours, measured at once.
"""

import csv
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from scipy.stats import bootstrap
from threadpoolctl import threadpool_limits

from s2snets.measure.bootstrap import interval, means

IMAGES, COLUMNS, RESAMPLES = 50_000, 25, 10_000
TURNS = 7
RESULTS = Path(__file__).parent / "results/bootstrap.csv"


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


def main():
    draw = np.random.default_rng(0)
    ability = draw.uniform(0.2, 0.9, COLUMNS)
    hits = draw.random((IMAGES, 1)) * 0.5 + draw.random((IMAGES, COLUMNS)) * 0.5
    hits = hits < ability
    # The first draws are the same as in the loop, and so must the intervals be.
    assert np.allclose(ours(hits, 40), numpy_loop(hits, 40), atol=1e-12)
    with threadpool_limits(1):
        turns = [
            [seconds(function, hits, number) for function, number in WAYS.values()]
            for _ in range(TURNS)
        ]
        whole = RESAMPLES * seconds(ours, hits, RESAMPLES)
    first = [turn[0] for turn in turns]
    with RESULTS.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["what", "seconds_a_1000_resamples_median", "ratio"])
        for name, times in zip(WAYS, zip(*turns, strict=True), strict=True):
            ratio = median(slow / own for slow, own in zip(first, times, strict=True))
            table.writerow([name, f"{1000 * median(times):.3g}", f"{ratio:.1f}"])
            print(f"{name}: {1000 * median(times):.3g} s a 1,000, {ratio:.1f} x")
        once = f"s2snets, {RESAMPLES:,} resamples at once"
        table.writerow([once, f"{1000 * whole / RESAMPLES:.3g}", ""])
        print(f"{once}: {whole:.1f} s")


if __name__ == "__main__":
    main()
