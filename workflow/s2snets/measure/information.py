"""Normalised mutual information of an image and its reconstruction."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from s2snets.config import Information
from s2snets.measure.bootstrap import by_training, independent, interval, resample
from s2snets.runtime.errors import UserError

KEYS = ["source", "label", "measure", "bins"]
Mean = Callable[[np.ndarray, np.ndarray], np.ndarray]

MEANS: dict[str, Mean] = {
    "geometric": lambda h, g: np.sqrt(h * g),
    "arithmetic": lambda h, g: (h + g) / 2,
    "min": np.minimum,
    "max": np.maximum,
}
CHANNELS = ("separate", "together")

CELLS = 2**18  # counters at once: more than this leaves the processor's cache


def nmi(
    first: np.ndarray,
    second: np.ndarray,
    *,
    bins: int = 256,
    channels: str = "separate",
    average_method: str = "geometric",
) -> np.ndarray:
    """Return normalised mutual information: 0 unrelated, 1 where each gives the other.

    I(X; Y) / mean(H(X), H(Y)) over the joint histogram of grey levels. Two
    constant planes give 1, a constant and a varying one 0. Finite samples bias
    it upwards: compare with ``shuffle_pixels``.

    Palacio et al. 2018, section 3.5, which leaves the definition open; these
    are the names of ``sklearn.metrics.normalized_mutual_info_score``, and its
    values.

    Args:
        first: uint8, (N, H, W, C) or one image (H, W, C).
        second: likewise, of the same shape.
        bins: 2 to 256 levels; a value v falls in level v * bins // 256.
        channels: "separate" averages the channels' nMI, "together" pools their
            samples into one histogram.
        average_method: mean of both entropies: geometric, arithmetic, min or max.

    Returns:
        float64 (N,), in [0, 1].

    Raises:
        UserError: a setting outside its range.
        ValueError: images that are not uint8 or differ in shape.
    """
    if not 2 <= bins <= 256:
        raise UserError(f"bins: {bins} lies outside 2 to 256, the levels of a byte")
    for key, value, known in (
        ("channels", channels, CHANNELS),
        ("average_method", average_method, tuple(MEANS)),
    ):
        if value not in known:
            raise UserError(f"{key}: {value!r} is none of {', '.join(known)}")
    first, second = _batch(first), _batch(second)
    if first.shape != second.shape:
        raise ValueError(f"shapes differ: {first.shape} and {second.shape}")

    count, height, width, depth = first.shape
    planes = depth if channels == "separate" else 1
    samples = height * width * depth // planes
    cells = bins * bins
    # One image row's channels in memory order: no plane is ever copied out.
    plane = np.arange(planes, dtype=np.uint32) * np.uint32(cells)
    plane = np.tile(plane, width * depth // planes)
    step = max(1, CELLS // (planes * max(cells, samples)))
    scores = np.empty((count, planes))
    for start in range(0, count, step):
        stop = min(start + step, count)
        size = stop - start
        code = _levels(first[start:stop], bins)
        code *= np.uint16(bins)
        code += _levels(second[start:stop], bins)
        image = np.arange(size, dtype=np.uint32) * np.uint32(planes * cells)
        code = code.reshape(size, height, -1) + (image[:, None, None] + plane)
        joint = np.bincount(code.ravel(), minlength=size * planes * cells)
        joint = joint.reshape(size, planes, bins, bins)
        scores[start:stop] = _score(joint, samples, MEANS[average_method])
    return scores.mean(axis=1)


def shuffle_pixels(images: np.ndarray, seeds: Iterable[Any]) -> np.ndarray:
    """Permute each image's pixels, channels moving together: the null of nMI.

    What nMI remains with it is the histogram's finite-sample bias alone.

    Args:
        images: (N, H, W, C).
        seeds: N seeds, each an integer or a sequence of integers.
    """
    images = np.asarray(images)
    count, height, width, depth = images.shape
    pixels = images.reshape(count, height * width, depth)
    drawn = np.empty_like(pixels)
    for image, target, seed in zip(pixels, drawn, seeds, strict=True):
        order = np.random.default_rng(seed).permutation(height * width)
        np.take(image, order, axis=0, out=target)
    return drawn.reshape(images.shape)


def summarise(rows: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Return mean and spread of nMI for each source: ``information.csv`` (Figure 9).

    Args:
        rows: a row for each image, or pair named by its first image: seed, image,
            source, label, measure, bins, nmi.
        resamples: as ``bootstrap.means`` takes it.
        seed: likewise.

    Returns:
        source, label, measure, bins, images (rows averaged), mean, low, high (its
        95 % interval), mean_sd (its deviation over trainings, missing for one), sd
        (of the images, ddof 1), rank (1 = most information, by measure and bins), in
        the order in which the groups first appear.
    """
    groups = rows.groupby(KEYS, sort=False)["nmi"]
    table = groups.agg(images="size", mean="mean", sd="std")
    samples = resample(rows, KEYS, ["nmi"], resamples=resamples, seed=seed)["nmi"]
    low, high = interval(samples[table.index])
    seeds = pd.DataFrame(independent(by_training(rows, KEYS, ["nmi"]))["nmi"])
    spread = seeds.std()[table.index].to_numpy()
    for place, (name, values) in enumerate(
        (("low", low), ("high", high), ("mean_sd", spread)), start=2
    ):
        table.insert(place, name, values)
    summary = table.reset_index()
    means = summary.groupby(["measure", "bins"])["mean"]
    rank = means.rank(ascending=False, method="min").astype(int)
    return summary.assign(rank=rank)


def _batch(images: np.ndarray) -> np.ndarray:
    """Return images as a batch (N, H, W, C), refusing others than bytes."""
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise ValueError(
            "images must be uint8 (N, H, W, C) or (H, W, C), not"
            f" {images.dtype} {images.shape}"
        )
    return images if images.ndim == 4 else images[None]


def _levels(values: np.ndarray, bins: int) -> np.ndarray:
    """Return the level of each byte: uint16 in [0, bins)."""
    levels = np.multiply(values, np.uint16(bins), dtype=np.uint16, order="C")
    levels >>= 8
    return levels


@lru_cache(maxsize=4)
def _entropy_terms(samples: int) -> np.ndarray:
    """Return -p log p, in nats, of every share p = count / samples."""
    share = np.arange(1, samples + 1) / samples
    return np.concatenate([[0.0], -share * np.log(share)])


def _score(joint: np.ndarray, samples: int, mean: Mean) -> np.ndarray:
    """Return nMI of histograms (..., bins, bins) of ``samples`` counts each."""
    table = _entropy_terms(samples)
    first = table.take(joint.sum(axis=-1)).sum(axis=-1)
    second = table.take(joint.sum(axis=-2)).sum(axis=-1)
    both = table.take(joint).sum(axis=(-2, -1))
    # Rounding may leave these bounds by an ulp; mathematics does not.
    shared = np.clip(first + second - both, 0, np.minimum(first, second))
    score = np.array((first == 0) & (second == 0), dtype=np.float64)
    return np.divide(shared, mean(first, second), out=score, where=shared > 0)


def information_rows(
    numbers: np.ndarray,
    originals: np.ndarray,
    reconstructions: np.ndarray,
    settings: Information,
    origin: Mapping[str, object],
) -> Iterator[pd.DataFrame]:
    """Yield the nMI of one batch: of images, of pairs of neighbours, and the null.

    Args:
        numbers: of the images (N,).
        originals: uint8 (N, H, W, 3).
        reconstructions: likewise.
        settings: of the measure.
        origin: values of the first columns.

    Yields:
        image, other (-1 without), measure (intra, inter, null), bins, nmi.
    """
    count = len(numbers) // 2 * 2
    null = shuffle_pixels(reconstructions, [(0, int(number)) for number in numbers])
    none = np.full(len(numbers), -1)
    first, second = slice(0, count, 2), slice(1, count, 2)
    compared = {
        "intra": (originals, reconstructions, numbers, none),
        "inter": (
            reconstructions[first],
            reconstructions[second],
            numbers[first],
            numbers[second],
        ),
        "null": (originals, null, numbers, none),
    }
    for bins in settings.bins:
        for measure, (x, y, image, other) in compared.items():
            if len(image):
                value = nmi(
                    x,
                    y,
                    bins=bins,
                    channels=settings.channels,
                    average_method=settings.average_method,
                )
                keys = {"image": image, "other": other, "measure": measure}
                yield pd.DataFrame({**origin, **keys, "bins": bins, "nmi": value})
