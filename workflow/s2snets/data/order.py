"""Which image comes at which position of a training: a function of two integers.

A training's place in its data is one number, the images seen. Position p of n images
lies in epoch p // n, whose order follows from that epoch and the seed; nothing else
has to be saved to resume there, with any number of processes.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from s2snets.runtime.errors import UserError
from s2snets.runtime.progress import log

Runs = int | np.ndarray
"""What an epoch permutes: so many single images, or runs of so many images each.

Int64 (R,) holds the lengths of runs that are moved whole. Where images are stored in a
random order, permuting the shards is as random as permuting the images, reads the disk
shard after shard, and permutes 10,000 numbers in place of 92 million.
"""


def seeded_generator(*key: int) -> np.random.Generator:
    """Return a random generator that depends on its key of integers alone."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


@lru_cache(maxsize=2)
def permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order of ``count`` things in one epoch."""
    return seeded_generator(seed, epoch).permutation(count)


def epoch_images(within: np.ndarray, runs: Runs, seed: int, epoch: int) -> np.ndarray:
    """Return the numbers of the images at the positions ``within`` one epoch."""
    if not isinstance(runs, np.ndarray):
        return permutation(runs, seed, epoch)[within]
    drawn = permutation(len(runs), seed, epoch)
    ends = runs[drawn].cumsum()
    run = ends.searchsorted(within, "right")
    return runs.cumsum()[drawn[run]] - (ends[run] - within)


def image_order(start: int, stop: int, runs: Runs, seed: int) -> list[tuple[int, int]]:
    """Return (position, image number) for the positions from ``start`` to ``stop``."""
    count = int(np.sum(runs))
    images: list[int] = []
    for epoch in range(start // count, -(-stop // count)):
        first = epoch * count
        within = np.arange(max(start - first, 0), min(stop - first, count))
        images += epoch_images(within, runs, seed, epoch).tolist()
    return list(zip(range(start, stop), images, strict=True))


def describe_visits(images: int, runs: Runs) -> str:
    """Return a line on how often ``images`` positions visit each image of a set."""
    count = int(np.sum(runs))
    times, more = divmod(images, count)
    if not times:
        return f"{images:,} of {count:,} images are seen, each once"
    if not more:
        return f"each of {count:,} images is seen {times:,}×"
    return (
        f"{images:,} images asked for, {count:,} there: {more:,} are seen"
        f" {times + 1:,}×, the others {times:,}×"
    )


def check_single_pass(images: int, runs: Runs) -> None:
    """Raise if ``images`` positions visit some image of a set twice.

    Raises:
        UserError: the set has fewer images.
    """
    if images > (count := int(np.sum(runs))):
        raise UserError(
            f"single_pass: {images:,} images asked for, {count:,} there, so that"
            f" {images - count:,} would be seen again; set images to {count:,} or less,"
            " or single_pass to false"
        )


class ResumableBatchSampler:
    """A batch sampler that starts anywhere: batch t is positions t·batch onwards.

    Yields only whole batches, at least one, as lists of ``image_order``. Each of
    ``world`` processes gets its own part of every batch, the next positions after those
    of the rank before it; the parts differ by one image at most.

    Args:
        images: number of positions in all.
        batch: number of images in the batch of all processes together.
        start: the first position, a multiple of ``batch``.
        rank: number of this process, from 0.

    Raises:
        UserError: fewer images in a batch than processes.
    """

    def __init__(
        self,
        runs: Runs,
        images: int,
        batch: int,
        seed: int,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if batch < world:
            raise UserError(
                f"batch: {batch} is less than the {world} processes that share it"
            )
        self.runs, self.batch, self.seed = runs, batch, seed
        self.part = [batch * end // world for end in (rank, rank + 1)]
        self.steps = range(start // batch, max(1, images // batch))

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in self.steps:
            first, last = (step * self.batch + end for end in self.part)
            yield image_order(first, last, self.runs, self.seed)


def sample(count: int, images: int | None, seed: int) -> np.ndarray:
    """Return ``images`` (None: all) of the numbers below ``count``, in random order.

    A smaller sample is the beginning of a greater one. Where more images are asked for
    than there are, all are taken, and a line says so.
    """
    if images is not None and images > count:
        log(f"{images:,} images asked for, {count:,} there: all of them are taken")
    return permutation(count, seed, 0)[:images]
