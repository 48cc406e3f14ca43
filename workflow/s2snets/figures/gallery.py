"""The study's gallery of example images, as figures 3, 4 and 8 read it."""

from collections.abc import Iterable

from s2snets.config import Figures
from s2snets.figures.types import Arrays, DataFrame
from s2snets.runtime.errors import UserError


def strength_position(gallery: Arrays, strength: float) -> int:
    """Return the position of a noise strength in a gallery.

    Raises:
        UserError: the gallery was made without it.
    """
    import numpy as np

    matches = np.isclose(gallery["strengths"], strength)
    if not matches.any():
        raise UserError(
            f"gallery: no images at strength {strength:g}, only at"
            f" {', '.join(f'{s:g}' for s in gallery['strengths'])};"
            " add it to gallery.strengths"
        )
    return int(matches.argmax())


def example_autoencoder(gallery: Arrays, settings: Figures) -> int:
    """Return the position of the fine-tuned autoencoder that serves as the example.

    ``noise_example`` names its network; null: the first fine-tuned one.

    Raises:
        UserError: the gallery has no such autoencoder.
    """
    labels = [str(label) for label in gallery["labels"]]
    tuned = [label for label in labels if label not in ("original", "A_S")]
    wanted = f"A_{settings.noise_example}" if settings.noise_example else tuned[0]
    if wanted not in labels:
        raise UserError(
            f"figures.noise_example: the gallery has no {wanted}, only"
            f" {', '.join(tuned)}"
        )
    return labels.index(wanted)


def picture_table(pictures: Iterable[tuple[object, ...]]) -> DataFrame:
    """Return the table of an image figure, with one row per picture."""
    import pandas as pd

    names = ["panel", "row", "column", "image", "source", "label", "strength"]
    return pd.DataFrame(pictures, columns=names)
