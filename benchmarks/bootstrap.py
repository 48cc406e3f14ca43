"""Bootstrap of a study's accuracies: ours against NumPy and SciPy, on one core.

    PYTHONPATH=workflow python benchmarks/bootstrap.py

Five classifiers on five autoencoders and 50,000 images. All resample the same hits
in turn, so that other load on the machine slows all; the ratio is the median over the
turns. Last, all 10,000 resamples of ours, measured at once.
"""

from collections.abc import Callable, Iterator
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


def ours(hits: np.ndarray, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return intervals as the library computes them."""
    return interval(means(hits, resamples, 0))


def numpy_loop(hits: np.ndarray, resamples: int) -> np.ndarray:
    """Return intervals by a loop, as one would write it first."""
    draw = np.random.default_rng(0)
    drawn = [
        hits[draw.integers(len(hits), size=len(hits))].mean(axis=0)
        for _ in range(resamples)
    ]
    return np.quantile(drawn, [0.025, 0.975], axis=0)


def scipy_bootstrap(hits: np.ndarray, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return SciPy's intervals.

    It draws once for all columns too; one resample at a time fits the caches.
    """
    result = bootstrap(
        (hits.T,),
        np.mean,
        axis=-1,
        n_resamples=resamples,
        batch=1,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return result.confidence_interval


WAYS = {
    "SciPy, stats.bootstrap": (scipy_bootstrap, 40),
    "NumPy, a loop": (numpy_loop, 40),
    "s2snets": (ours, 320),
}
"""Name -> function, resamples in each turn."""


def seconds(
    function: Callable[[np.ndarray, int], object], hits: np.ndarray, resamples: int
) -> float:
    """Return the seconds that a function takes for one resample."""
    start = perf_counter()
    function(hits, resamples)
    return (perf_counter() - start) / resamples


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield what is measured, median seconds a 1000 resamples, median ratio."""
    draw = np.random.default_rng(0)
    ability = draw.uniform(0.2, 0.9, COLUMNS)
    difficulty = draw.random((IMAGES, 1)) * 0.5 + draw.random((IMAGES, COLUMNS)) * 0.5
    hits = difficulty < ability
    # The first draws are the same as in the loop, and so must the intervals be.
    assert np.allclose(ours(hits, 40), numpy_loop(hits, 40), atol=1e-12)
    with threadpool_limits(1):
        ways = {
            name: partial(seconds, function, hits, number)
            for name, (function, number) in WAYS.items()
        }
        measured = in_turn(ways, TURNS)
        once = seconds(ours, hits, RESAMPLES)
    first = next(iter(measured.values()))
    for name, taken in measured.items():
        yield name, f"{1000 * median(taken):.3g}", f"{ratio(first, taken):.1f}"
    yield f"s2snets, {RESAMPLES:,} resamples at once", f"{1000 * once:.3g}", ""


def main() -> None:
    """Measure and write the table."""
    record("bootstrap", ["what", "seconds_a_1000_resamples_median", "ratio"], rows())


if __name__ == "__main__":
    main()
