"""Colours in CIE LAB: histograms of a few images, statistics of many."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from skimage.color import rgb2lab

from s2snets.measure.bootstrap import interval, resample

RANGES = {"L": (0.0, 100.0), "a": (-100.0, 100.0), "b": (-100.0, 100.0)}
MEASURES = ["mean", "deviation", "dark", "bright", "distance", "peaks"]
TENTH = 0.1  # share of an image's pixels that are its dark ones, and its bright ones
PEAK = 0.01  # least share of an image's pixels in a bin that counts as a peak
KEYS = ["source", "channel"]


def lab_values(images: np.ndarray) -> np.ndarray:
    """Return the colours of images' pixels: L, a and b.

    Lightness, green to magenta, blue to yellow; D65 white. Of a grey pixel a and b are
    below 0.01, since the white point is given in five digits.

    Args:
        images: uint8 RGB (N, H, W, 3).

    Returns:
        float64 (N, H * W, 3).
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(
            f"images must be uint8 (N, H, W, 3), not {images.dtype} {images.shape}"
        )
    return rgb2lab(images).reshape(len(images), -1, 3)


def lab_shares(values: np.ndarray, bins: int) -> np.ndarray:
    """Return the share of each image's pixels in equal steps of L, a and b.

    Args:
        values: as ``lab_values`` returns them.
        bins: an odd number of steps per channel, so that grey is in the middle of one;
            values outside a channel's range fall in the end steps.

    Returns:
        float64 (N, 3, bins); of an image and channel they sum to 1.
    """
    if bins % 2 == 0:
        raise ValueError(f"{bins} bins have an edge at grey; use an odd number")
    low, high = np.array(list(RANGES.values())).T
    step = np.floor((values - low) / (high - low) * bins).astype(int)
    step = np.clip(step, 0, bins - 1)
    step += np.arange(len(values) * 3).reshape(-1, 1, 3) * bins
    counts = np.bincount(step.ravel(), minlength=len(values) * 3 * bins)
    return counts.reshape(-1, 3, bins) / values.shape[1]


def lab_histogram(images: np.ndarray, bins: int) -> pd.DataFrame:
    """Return ``lab_shares`` of images as a table (Palacio et al. 2018, Figure 3).

    Args:
        images: uint8 RGB (N, H, W, 3).
        bins: steps per channel, an odd number.

    Returns:
        image (position), channel (L, a, b), low, high, fraction.
    """
    fractions = lab_shares(lab_values(images), bins)
    low, high = np.array(list(RANGES.values())).T
    edges = np.linspace(low, high, bins + 1).T
    return pd.DataFrame(
        {
            "image": np.repeat(np.arange(len(images)), 3 * bins),
            "channel": np.tile(np.repeat(list(RANGES), bins), len(images)),
            "low": np.tile(edges[:, :-1].ravel(), len(images)),
            "high": np.tile(edges[:, 1:].ravel(), len(images)),
            "fraction": fractions.ravel(),
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
    table = pd.concat(tables, ignore_index=True)
    return table[["image", "source", "label", "channel", "low", "high", "fraction"]]


def count_peaks(shares: np.ndarray) -> np.ndarray:
    """Count histograms' bins of at least 1 % that are higher than both neighbours.

    Args:
        shares: (..., bins).
    """
    padded = np.pad(shares, [(0, 0)] * (shares.ndim - 1) + [(1, 1)])
    higher = (shares > padded[..., :-2]) & (shares > padded[..., 2:])
    return (higher & (shares >= PEAK)).sum(-1)


def color_rows(
    numbers: np.ndarray,
    originals: np.ndarray,
    reconstructions: np.ndarray,
    bins: int,
    origin: Mapping[str, object],
) -> pd.DataFrame:
    """Return the colours of reconstructions, and how far they are from the originals'.

    Palacio et al. 2018, section 3.3.1, which shows a few images and gives no numbers.

    Args:
        numbers: of the images (N,).
        originals: uint8 (N, H, W, 3).
        reconstructions: likewise.
        bins: of the histograms whose peaks are counted.
        origin: values of the first columns.

    Returns:
        The columns of ``origin``, image, channel (L, a, b), mean, deviation (both over
        the image's pixels), dark and bright (exceeded by all but a tenth of them, and
        by a tenth), distance (the earth mover's between the pixels' values in
        the original and in the reconstruction), peaks (see ``count_peaks``).
    """
    before, after = lab_values(originals), lab_values(reconstructions)
    ordered = np.sort(after, axis=1)
    distance = np.abs(ordered - np.sort(before, axis=1)).mean(axis=1)
    tenth = int(TENTH * ordered.shape[1])
    return pd.DataFrame(
        {
            **origin,
            "image": np.repeat(numbers, 3),
            "channel": np.tile(list(RANGES), len(numbers)),
            "mean": after.mean(axis=1).ravel(),
            "deviation": after.std(axis=1).ravel(),
            "dark": ordered[:, tenth].ravel(),
            "bright": ordered[:, -1 - tenth].ravel(),
            "distance": distance.ravel(),
            "peaks": count_peaks(lab_shares(after, bins)).ravel(),
        }
    )


def summarise(rows: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Return the means of all images' colours: ``colors.csv``.

    Args:
        rows: as ``color_rows`` makes them, with seed and source; label.
        resamples: of the bootstrap.
        seed: of its draws.

    Returns:
        source, label, measure (of ``MEASURES``), channel (L, a, b; for distances also
        Lab, their sum), images, seeds, value, low, high (95 % interval).
    """
    rows = rows.astype(dict.fromkeys([*KEYS, "label"], str))
    means = pd.Series(rows.groupby(KEYS)[MEASURES].mean().unstack(KEYS))
    values = _add_sum(pd.DataFrame([means]))
    drawn = resample(rows, KEYS, MEASURES, resamples=resamples, seed=seed)
    low, high = interval(_add_sum(drawn)[values.columns])
    names = pd.DataFrame(values.columns.to_list(), columns=["measure", *KEYS])
    table = names.assign(value=values.to_numpy()[0], low=low, high=high)
    counts = rows.groupby(["source", "label"]).agg(
        images=("image", "nunique"), seeds=("seed", "nunique")
    )
    table = counts.reset_index().merge(table, on="source")
    columns = ["source", "label", "measure", "channel", "images", "seeds"]
    return table[[*columns, "value", "low", "high"]]


def _add_sum(means: pd.DataFrame) -> pd.DataFrame:
    """Add the channels' sum to the distances; columns (measure, source, channel)."""
    distances = pd.DataFrame(means["distance"])
    total = distances.T.groupby(level="source").sum().T
    total.columns = pd.MultiIndex.from_tuples(
        [("distance", source, "Lab") for source in total.columns]
    )
    return pd.concat([means, total], axis=1)
