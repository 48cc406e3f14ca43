"""Normalised mutual information: ours against scikit-learn, on one core.

    PYTHONPATH=workflow python benchmarks/nmi.py

Both measure the same images in turn, so that whatever else the machine does
falls on both; the ratio is the median of the turns'. Ours runs CALLS times a
turn, since one call is too short to time.
"""

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


def users(first, second, bins):
    """What one would write with scikit-learn: channel by channel, averaged.

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


def seconds(function, calls, first, second, bins):
    start = perf_counter()
    for _ in range(calls):
        function(first, second, bins)
    return (perf_counter() - start) / (calls * len(first))


def ours(first, second, bins):
    return nmi(first, second, bins=bins)


WAYS = {"scikit-learn": (users, 1), "s2snets": (ours, CALLS)}
"""Name -> function, calls a turn."""


def rows():
    """Median seconds an image of both, and the median ratio of their turns."""
    big = astronaut().reshape(1, 256, 2, 256, 2, 3).mean(axis=(2, 4))
    noise = np.random.default_rng(0).normal(0, 8, big.shape)
    pair = [np.clip(x, 0, 255).round().astype(np.uint8) for x in (big, big + noise)]
    tiles = [
        x.reshape(8, 32, 8, 32, 3).swapaxes(1, 2).reshape(64, 32, 32, 3) for x in pair
    ]
    for what, images, bins in (
        ("256 x 256 RGB, 256 bins", pair, 256),
        ("256 x 256 RGB, 32 bins", pair, 32),
        ("64 of 32 x 32 RGB, 256 bins", tiles, 256),
        ("64 of 32 x 32 RGB, 32 bins", tiles, 32),
    ):
        error = np.abs(np.subtract(ours(*images, bins), users(*images, bins)))
        assert error.max() < 1e-12, f"results differ by {error.max()}"
        ways = {
            name: partial(seconds, function, calls, *images, bins)
            for name, (function, calls) in WAYS.items()
        }
        found = in_turn(ways, TURNS)
        for name, taken in found.items():
            times = ratio(found["scikit-learn"], taken)
            yield f"{name}, {what}", f"{median(taken):.3g}", f"{times:.1f}"


def main():
    with threadpool_limits(1):
        record("nmi", ["what", "seconds_median", "ratio"], rows())


if __name__ == "__main__":
    main()
