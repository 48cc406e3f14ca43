"""Which image comes at which position of a training: a function of two integers.

A training's place in its data is one number, the images seen. Position p of n images
lies in epoch p // n, whose order follows from it and the seed; nothing else need be
saved to go on from there, with any number of processes.
"""

from functools import lru_cache

import numpy as np

from s2snets.runtime.errors import UserError


def generator(*key):
    """A random generator that depends on its key of integers alone."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


@lru_cache(maxsize=2)
def permutation(count, seed, epoch):
    """The order of ``count`` things in one epoch."""
    return generator(seed, epoch).permutation(count)


def numbers(within, runs, seed, epoch):
    """The images at the places ``within`` an epoch; ``runs`` as in ``places``."""
    if np.ndim(runs) == 0:
        return permutation(runs, seed, epoch)[within]
    drawn = permutation(len(runs), seed, epoch)
    ends = runs[drawn].cumsum()
    run = ends.searchsorted(within, "right")
    return runs.cumsum()[drawn[run]] - (ends[run] - within)


def places(start, stop, runs, seed):
    """(position, image) for the positions from ``start`` to ``stop``.

    Args:
        runs: how many images there are, of which each goes where chance puts it; or
            int64 (R,), how many there are in each of the runs that are permuted whole.
            Where images are stored in a random order, this order is as random, reads
            the disk shard after shard, and permutes 10,000 numbers in place of 92
            million.
    """
    count, found = int(np.sum(runs)), []
    for epoch in range(start // count, -(-stop // count)):
        first = epoch * count
        within = np.arange(max(start - first, 0), min(stop - first, count))
        found += numbers(within, runs, seed, epoch).tolist()
    return list(zip(range(start, stop), found, strict=True))


class Batches:
    """A batch sampler that starts anywhere: batch t is positions t·batch onwards.

    Only whole batches are shown, at least one. Each of ``world`` processes shows its
    own part of every batch, the next positions after those of the rank before it;
    the parts differ by an image at most.

    Args:
        runs: of the set, see ``places``.
        images: positions in all.
        start: the first position, a multiple of ``batch``.

    Raises:
        UserError: fewer images in a batch than processes.
    """

    def __init__(self, runs, images, batch, seed, start=0, rank=0, world=1):
        if batch < world:
            raise UserError(
                f"batch: {batch} is less than the {world} processes that share it"
            )
        self.runs, self.batch, self.seed = runs, batch, seed
        self.part = [batch * end // world for end in (rank, rank + 1)]
        self.steps = range(start // batch, max(1, images // batch))

    def __len__(self):
        return len(self.steps)

    def __iter__(self):
        for step in self.steps:
            first, last = (step * self.batch + end for end in self.part)
            yield places(first, last, self.runs, self.seed)


def sample(count, images, seed):
    """``images`` of ``count`` numbers (None: all), drawn and ordered by the seed.

    A smaller sample is the beginning of a greater one.
    """
    return permutation(count, seed, 0)[:images]
