"""Which image comes at which position of a training: a function of two integers.

A training's place in its data is one number, the images seen. Position p shows image
``permutation(seed, p // n)[p % n]``; nothing else need be saved to go on from there.
"""

from functools import lru_cache

import numpy as np


def generator(*key):
    """A random generator that depends on its key of integers alone."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


@lru_cache(maxsize=2)
def permutation(count, seed, epoch):
    """The order of ``count`` images in one epoch."""
    return generator(seed, epoch).permutation(count)


def places(start, stop, count, seed):
    """(position, image) for the positions from ``start`` to ``stop``."""
    return [
        (position, int(permutation(count, seed, position // count)[position % count]))
        for position in range(start, stop)
    ]


class Batches:
    """A batch sampler that starts anywhere: batch t is positions t·batch onwards.

    Only whole batches are shown, at least one.

    Args:
        count: images in the set.
        images: positions in all.
        start: the first position, a multiple of ``batch``.
    """

    def __init__(self, count, images, batch, seed, start=0):
        self.count, self.batch, self.seed = count, batch, seed
        self.steps = range(start // batch, max(1, images // batch))

    def __len__(self):
        return len(self.steps)

    def __iter__(self):
        for step in self.steps:
            first = step * self.batch
            yield places(first, first + self.batch, self.count, self.seed)


def sample(count, images, seed):
    """``images`` of ``count`` numbers (None: all), drawn and ordered by the seed.

    A smaller sample is the beginning of a greater one.
    """
    return permutation(count, seed, 0)[:images]
