"""Figure 4: one image under growing noise, as given and as reconstructed."""

import numpy as np
from matplotlib.figure import Figure

from s2snets.figures import style as look
from s2snets.figures.command import (
    command,
    example_source,
    picture_table,
)
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_arrays
from s2snets.stages.base import run

IMAGE = 0
"""Position in the gallery of the image shown; the paper shows one."""

GAP, MARGIN, HEAD = 0.04, 0.5, 0.24
"""Inches: between cells, left of them, above them."""


def strips(gallery, style):
    """(source, label, one image a strength) from top to bottom.

    Raises:
        UserError: the gallery lacks A_S or the fine-tuned autoencoder asked for.
    """
    labels = [str(label) for label in gallery["labels"]]
    if "A_S" not in labels:
        raise UserError(f"gallery: no A_S among its sources {', '.join(labels)}")
    yield "original", "input", gallery["originals"][:, IMAGE]
    for source in (labels.index("A_S"), example_source(gallery, style)):
        yield (
            str(gallery["sources"][source]),
            labels[source],
            gallery["reconstructions"][:, source, IMAGE],
        )


def rows(gallery, style):
    """panel, row, column, image, source, label, strength: one row a picture."""
    strengths = np.sort(gallery["strengths"])
    return picture_table(
        [
            ("image", row, column, IMAGE, source, label, strength)
            for row, (source, label, _) in enumerate(strips(gallery, style))
            for column, strength in enumerate(strengths)
        ]
    )


def draw(gallery, style):
    """Noise of growing strength (Palacio et al. 2018, Figure 4)."""
    order = np.argsort(gallery["strengths"])
    cell = min(1.6, (style.width - MARGIN) / len(order) - GAP)
    height, side = gallery["originals"].shape[2:4]
    picture = cell * height / side
    wide = MARGIN + len(order) * (cell + GAP)
    tall = HEAD + 3 * (picture + GAP)
    figure = Figure(figsize=(wide, tall), dpi=style.dpi)
    table = list(strips(gallery, style))
    upright = look.LETTER * max(len(label) for _, label, _ in table) > MARGIN
    for row, (_, label, pictures) in enumerate(table):
        top = HEAD + row * (picture + GAP)
        figure.text(
            (MARGIN - 0.08) / wide,
            1 - (top + picture / 2) / tall,
            look.mathtext(label),
            ha="right",
            va="center",
            size=9,
            rotation=90 * upright,
        )
        for column, position in enumerate(order):
            left = MARGIN + column * (cell + GAP)
            axes = look.bare(
                figure.add_axes(
                    (
                        left / wide,
                        1 - (top + picture) / tall,
                        cell / wide,
                        picture / tall,
                    )
                )
            )
            axes.imshow(pictures[position])
            if row == 0:
                axes.set_title(f"$s$ = {gallery['strengths'][position]:g}", pad=3)
    return figure


def main(argv=None):
    command(draw, rows, argv, gallery=read_arrays)


if __name__ == "__main__":
    run(main)
