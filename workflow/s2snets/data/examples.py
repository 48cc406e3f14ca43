"""The choice of a few images of a set: as examples, or to know its statistics."""

import numpy as np
from torch import Tensor

from s2snets.data.images import decode
from s2snets.data.imageset import ImageSet
from s2snets.data.order import sample

SEED = 0  # the seed of the measurements' samples: the same for every network and seed
CANDIDATES = 64  # photographs among which large ones are chosen


def choose_examples(labels: np.ndarray, count: int) -> list[int]:
    """Return the numbers of ``count`` images, spread evenly over the classes (N,)."""
    order = sample(len(labels), None, SEED)
    present = np.unique(labels)
    wanted = present[(np.arange(count) * len(present) // count) % len(present)]
    examples: list[int] = []
    for label in wanted:
        taken = set(examples)
        free = (n for n in order if labels[n] == label and n not in taken)
        number = next(free, None)
        if number is not None:
            examples.append(int(number))
    return examples


def sample_batches(images: ImageSet, count: int, batch: int) -> list[Tensor]:
    """Return the pixels (N, 3, side, side) of a random sample, in batches.

    Args:
        images: the set.
        count: images in all, or all that there are.
        batch: images of a batch at most.
    """
    numbers = sample(len(images), min(count, len(images)), SEED)
    starts = range(0, len(numbers), batch)
    return [images.batch(numbers[start : start + batch])[0] for start in starts]


def choose_large(photos: ImageSet, count: int) -> list[int]:
    """Return the numbers of ``count`` photographs, the largest quarter first.

    An enlarged photograph has no detail to show.
    """
    order = sample(len(photos), CANDIDATES, SEED)
    sides = np.array([
        min(decode(photos.read_bytes(number), f"{photos.path} (image {number})").size)
        for number in order
    ])  # fmt: skip
    small = sides < np.quantile(sides, 0.75)
    return order[np.argsort(small, kind="stable")[:count]].tolist()


def class_names(images: ImageSet, numbers: list[int]) -> list[str]:
    """Return the names of the images' classes; ``image 7`` in a set without classes."""
    if images.classes is None:
        return [f"image {number}" for number in numbers]
    return [images.classes[label] for label in images.labels[numbers]]
