"""Normalised mutual information: ours against scikit-learn, on one core.

    PYTHONPATH=workflow python benchmarks/nmi.py

Both measure the same images in turn, so that other load on the machine slows both;
the ratio is the median over the turns. Ours runs CALLS times in each turn, since one
call is too short to time.
"""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np
from common import in_turn, ratio, record
from skimage.data import astronaut
from sklearn.metrics import normalized_mutual_info_score
from threadpoolctl import threadpool_limits

from s2snets.measure.information import nmi

TURNS = 31
CALLS = 16


def with_scikit_learn(
    first: np.ndarray, second: np.ndarray, bins: int
) -> list[np.floating]:
    """Return nMI as one would write it with scikit-learn: channels averaged.

    Its labels stay bytes, which it sorts fastest.
    """
    step = np.uint8(256 // bins)
    return [
        np.mean(
            [
                normalized_mutual_info_score(
                    (a[..., c] // step).ravel(),
                    (b[..., c] // step).ravel(),
                    average_method="geometric",
                )
                for c in range(a.shape[-1])
            ]
        )
        for a, b in zip(first, second, strict=True)
    ]


def seconds(
    function: Callable[[np.ndarray, np.ndarray, int], object],
    calls: int,
    first: np.ndarray,
    second: np.ndarray,
    bins: int,
) -> float:
    """Return the seconds that a function takes for one image."""
    start = perf_counter()
    for _ in range(calls):
        function(first, second, bins)
    return (perf_counter() - start) / (calls * len(first))


def ours(first: np.ndarray, second: np.ndarray, bins: int) -> np.ndarray:
    """Return nMI as the library computes it."""
    return nmi(first, second, bins=bins)


WAYS = {"scikit-learn": (with_scikit_learn, 1), "s2snets": (ours, CALLS)}
"""Name -> function, calls in each turn."""


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield what is measured, median seconds an image, median ratio of the turns."""
    big = astronaut().reshape(1, 256, 2, 256, 2, 3).mean(axis=(2, 4))
    noise = np.random.default_rng(0).normal(0, 8, big.shape)
    pair = [np.clip(x, 0, 255).round().astype(np.uint8) for x in (big, big + noise)]
    tiles = [
        x.reshape(8, 32, 8, 32, 3).swapaxes(1, 2).reshape(64, 32, 32, 3) for x in pair
    ]
    for what, (first, second), bins in (
        ("256 x 256 RGB, 256 bins", pair, 256),
        ("256 x 256 RGB, 32 bins", pair, 32),
        ("64 of 32 x 32 RGB, 256 bins", tiles, 256),
        ("64 of 32 x 32 RGB, 32 bins", tiles, 32),
    ):
        expected = with_scikit_learn(first, second, bins)
        error = np.abs(ours(first, second, bins) - expected)
        assert error.max() < 1e-12, f"results differ by {error.max()}"
        ways = {
            name: partial(seconds, function, calls, first, second, bins)
            for name, (function, calls) in WAYS.items()
        }
        measured = in_turn(ways, TURNS)
        for name, taken in measured.items():
            times = ratio(measured["scikit-learn"], taken)
            yield f"{name}, {what}", f"{median(taken):.3g}", f"{times:.1f}"


def main() -> None:
    """Measure and write the table."""
    with threadpool_limits(1):
        record("nmi", ["what", "seconds_median", "ratio"], rows())


if __name__ == "__main__":
    main()
