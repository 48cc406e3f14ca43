"""Colour histograms in CIE LAB."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from skimage.color import rgb2lab

RANGES = {"L": (0.0, 100.0), "a": (-100.0, 100.0), "b": (-100.0, 100.0)}


def lab_histogram(images: np.ndarray, bins: int) -> pd.DataFrame:
    """Return the share of each image's pixels in equal steps of L, a and b.

    Lightness, green to magenta, blue to yellow; D65 white. Palacio et al.
    2018, Figure 3 and section 3.3.1.

    Args:
        images: uint8 RGB (N, H, W, 3).
        bins: steps per channel; values outside its range fall in the end steps.

    Returns:
        image (position), channel (L, a, b), low, high, fraction;
        fractions of an image and channel sum to 1.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(
            f"images must be uint8 (N, H, W, 3), not {images.dtype} {images.shape}"
        )
    low, high = np.array(list(RANGES.values())).T
    offsets = np.arange(3) * bins
    counts = np.empty((len(images), 3, bins))
    for count, image in zip(counts, images, strict=True):
        step = np.floor((rgb2lab(image) - low) / (high - low) * bins).astype(int)
        step = np.clip(step, 0, bins - 1) + offsets
        count[:] = np.bincount(step.ravel(), minlength=3 * bins).reshape(3, bins)
    edges = np.linspace(low, high, bins + 1).T
    return pd.DataFrame(
        {
            "image": np.repeat(np.arange(len(images)), 3 * bins),
            "channel": np.tile(np.repeat(list(RANGES), bins), len(images)),
            "low": np.tile(edges[:, :-1].ravel(), len(images)),
            "high": np.tile(edges[:, 1:].ravel(), len(images)),
            "fraction": (counts / (images.shape[1] * images.shape[2])).ravel(),
        }
    )


def lab_histograms(
    pictures: Iterable[tuple[str, str, np.ndarray]], bins: int
) -> pd.DataFrame:
    """Return the histograms of several sources' images in one table.

    Args:
        pictures: source, label and uint8 images (N, H, W, 3) of each.
        bins: steps per channel.
    """
    tables = [
        lab_histogram(images, bins).assign(source=source, label=label)
        for source, label, images in pictures
    ]
    columns = ["image", "source", "label", "channel", "low", "high", "fraction"]
    return pd.concat(tables, ignore_index=True)[columns]
