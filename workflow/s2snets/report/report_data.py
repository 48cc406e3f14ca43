"""What the report's script redraws, as plain values for JSON."""

import io
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from PIL import Image

from s2snets.config import Figures
from s2snets.figures.gallery import strength_position
from s2snets.figures.style import colours
from s2snets.report.figures import data_url

PIXELATED_BELOW = 128
"""Images with a shorter side are enlarged without smoothing."""

LARGEST_SIDE = 256
"""Side to which larger images shrink, pixels."""


def nan_to_none(number: float | None) -> float | None:
    """Return a number as JSON can hold it: None for NaN."""
    return None if number is None or math.isnan(number) else float(number)


def lattice_slider(
    distinct: Sequence[Mapping[str, Any]], style: Figures, threshold: float
) -> dict[str, Any]:
    """Return the lattices of a slider over the threshold.

    Args:
        distinct: ``distinct-lattices.json``.
        style: the figures' settings, for their colours.
        threshold: the slider's start.

    Returns:
        dict: threshold; colours by network; lattices, ascending, each with low, high,
        chain, share, covers, and concepts (objects, attributes, x, y).
    """
    names = {name for lattice in distinct for name in lattice["objects"]}
    kept = ("objects", "attributes", "x", "y")
    return {
        "threshold": threshold,
        "colours": {
            name: to_hex(colour)
            for name, colour in colours(style, names).items()
            if name in names
        },
        "lattices": [
            {
                "low": lattice["low"],
                "high": lattice["high"],
                "chain": lattice["chain"],
                "share": nan_to_none(lattice["share"]),
                "covers": lattice["covers"],
                "concepts": [
                    {key: concept[key] for key in kept}
                    for concept in lattice["concepts"]
                ],
            }
            for lattice in sorted(distinct, key=lambda one: one["high"])
        ],
    }


def table2_cells(
    rrc: pd.DataFrame, accuracy: pd.DataFrame
) -> dict[Hashable, dict[Hashable, Any]]:
    """Return what each cell of Table 2 says in words.

    Args:
        rrc: ``rrc.csv``.
        accuracy: ``accuracy.csv``.

    Returns:
        dict (autoencoder, classifier) -> dict: accuracy, low, high (its 95 %
        interval), rrc, rrc_low, rrc_high, difference (from the accuracy with the
        network's own autoencoder).
    """
    clean = accuracy[accuracy["strength"] == 0]
    bounds = clean.set_index(["label", "classifier"])[["top1_low", "top1_high"]]
    table = rrc.set_index(["autoencoder", "classifier"])
    table = table.join(bounds.rename_axis(table.index.names))
    table["difference"] = table["accuracy"] - table["own_classifier"]
    names = {"top1_low": "low", "top1_high": "high"}
    return table.rename(columns=names).to_dict("index")


def thumbnail(pixels: np.ndarray) -> str:
    """Return uint8 pixels (H, W, 3) as a PNG's data URL, shrunk to ``LARGEST_SIDE``."""
    image = Image.fromarray(pixels)
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "png", optimize=True)
    return data_url(data.getvalue())


def reconstruction_viewer(
    gallery: Mapping[str, np.ndarray], characters: int
) -> dict[str, Any]:
    """Return the gallery's clean images and their reconstructions, as many as fit.

    Args:
        gallery: the arrays of ``gallery.npz``.
        characters: room for the pictures; one image is always included.

    Returns:
        dict: sources (``original``, then the labels); side (of the images, pixels);
        small (whether to enlarge without smoothing); images, each with a name and its
        pictures, one for each source.
    """
    clean = strength_position(gallery, 0)
    originals = gallery["originals"][clean]
    images: list[dict[str, Any]] = []
    for number, truth in enumerate(gallery["truth"]):
        reconstructions = gallery["reconstructions"][clean][:, number]
        pictures = [thumbnail(one) for one in (originals[number], *reconstructions)]
        characters -= sum(map(len, pictures))
        if images and characters < 0:
            break
        images.append({"name": str(truth), "pictures": pictures})
    side = originals.shape[2]
    return {
        "sources": ["original", *map(str, gallery["labels"])],
        "side": side,
        "small": side < PIXELATED_BELOW,
        "images": images,
    }
