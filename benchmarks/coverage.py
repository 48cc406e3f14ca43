"""Coverage of the intervals: how many contain the numbers that studies are drawn from.

    PYTHONPATH=workflow python benchmarks/coverage.py

Studies of five networks, 4,000 images and K replicates, each with accuracies of its own
(own ones .75 to .85, others .2 to .8). Trainings move own accuracies by half a point,
others by ``MOVED``. A share of the variance over images differs from training to
training. Means over images are drawn as normal, which those of thousands are.
"""

from collections.abc import Iterator

import numpy as np
from common import record

from s2snets.measure.bootstrap import interval, training_weights
from s2snets.measure.rrc import rrc_matrix

NETWORKS, IMAGES, DRAWS, STUDIES = 5, 4000, 1000, 200
REPLICATES = (2, 3, 4, 5)
MOVED = {"0 to 2": (0.0, 0.02), "0.5 to 7": (0.005, 0.07)}
"""Points by which trainings move others' accuracies -> greatest and least deviation."""
OWN_MOVED = 0.005
SHARE = 0.2  # of the variance over images that is not the same in all trainings

Rng = np.random.Generator


def covered(rng: Rng, replicates: int, moved: tuple[float, float]) -> list[float]:
    """Return the shares of one study's intervals that contain what it is drawn from.

    Returns:
        Of accuracies and RRC of two different networks, of images and trainings; and
        of the accuracies' intervals over images alone.
    """
    shape = NETWORKS, NETWORKS
    truth, spread = rng.uniform(0.2, 0.8, shape), rng.uniform(*moved, shape)
    np.fill_diagonal(truth, rng.uniform(0.75, 0.85, NETWORKS))
    np.fill_diagonal(spread, OWN_MOVED)
    of_images = truth * (1 - truth) / IMAGES

    def normal(variance: np.ndarray, *count: int) -> np.ndarray:
        """Return normal draws of mean 0."""
        return np.sqrt(variance) * rng.normal(size=(*count, *shape))

    found = truth + normal((1 - SHARE) * of_images)
    found = found + normal(spread**2 + SHARE * of_images, replicates)
    mean = found.mean(axis=0)
    images = mean + normal(of_images * (1 - SHARE + SHARE / replicates), DRAWS)
    weights = training_weights(replicates, DRAWS, int(rng.integers(2**31)))
    both = images + np.tensordot(weights, found - mean, axes=1)
    others = ~np.eye(NETWORKS, dtype=bool)

    def share(drawn: np.ndarray, value: np.ndarray) -> float:
        """Return the share of pairs whose interval contains the value."""
        low, high = interval(drawn.clip(0, None))
        return ((low <= value) & (value <= high))[others].mean()

    rrc = share(rrc_matrix(both.clip(0, 1)), rrc_matrix(truth))
    return [share(both, truth), rrc, share(images, truth)]


def rows() -> Iterator[tuple[str, ...]]:
    """Yield the shares for each number of replicates."""
    rng = np.random.default_rng(0)
    for name, moved in MOVED.items():
        for replicates in REPLICATES:
            studies = [covered(rng, replicates, moved) for _ in range(STUDIES)]
            shares = np.mean(studies, axis=0)
            yield name, str(replicates), *(f"{100 * share:.1f}" for share in shares)


def main() -> None:
    """Simulate and write the table."""
    columns = ["points_moved", "replicates", "accuracy", "rrc", "accuracy_images_alone"]
    record("coverage", columns, rows())


if __name__ == "__main__":
    main()
