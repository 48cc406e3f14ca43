"""Figure 8: which pairs of images intra and inter nMI compare."""

from collections.abc import Iterator
from typing import NamedTuple

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.gallery import (
    example_autoencoder,
    picture_table,
    strength_position,
)
from s2snets.figures.types import Arrays, DataFrame, MplFigure, ndarray
from s2snets.runtime.errors import UserError

INTRA, INTER = "#0072b2", "#d55e00"
ARCH, BETWEEN = 0.62, 0.6
"""Inches: above and below the pictures, for arrows; between the rows."""

Point = tuple[float, float]


class Layout(NamedTuple):
    """Inches."""

    width: float
    height: float
    cell: float  # side of a picture
    gap: float  # between pictures of a row
    margin: float  # left of them

    def corner(self, row: int, column: int) -> Point:
        """Return the lower left corner of a picture."""
        left = self.margin + column * (self.cell + self.gap)
        return left, self.height - ARCH - (row + 1) * self.cell - row * BETWEEN


def columns(gallery: Arrays, settings: Figures) -> Iterator[tuple[str, str, ndarray]]:
    """Yield (source, label, images) from left to right.

    Raises:
        UserError: the gallery has fewer than two images.
    """
    if len(gallery["index"]) < 2:
        raise UserError("gallery: one image; inter nMI needs two, raise gallery.images")
    clean = strength_position(gallery, 0.0)
    yield "original", "original", gallery["originals"][clean]
    labels = [str(label) for label in gallery["labels"]]
    for source in sorted({labels.index("A_S"), example_autoencoder(gallery, settings)}):
        yield (
            str(gallery["sources"][source]),
            labels[source],
            gallery["reconstructions"][clean, source],
        )


def rows(gallery: Arrays, settings: Figures) -> DataFrame:
    """Return the table of pictures."""
    return picture_table(
        ("image", image, column, image, source, label, 0.0)
        for image in range(2)
        for column, (source, label, _) in enumerate(columns(gallery, settings))
    )


def add_arrow(
    figure: MplFigure, start: Point, end: Point, measure: str, place: Point,
    bend: float = 0.0,
) -> None:  # fmt: skip
    """Draw an arrow between two pictures, and at ``place`` the measure of the pair."""
    from matplotlib.patches import FancyArrowPatch

    intra = measure == "intra"
    colour = INTRA if intra else INTER
    figure.add_artist(
        FancyArrowPatch(
            start,
            end,
            transform=figure.dpi_scale_trans,
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="<->",
            mutation_scale=9,
            color=colour,
            lw=1.3,
            ls="-" if intra else (0, (3, 1.5)),
            shrinkA=2,
            shrinkB=2,
        )
    )
    figure.text(
        *place,
        measure,
        transform=figure.dpi_scale_trans,
        color=colour,
        size=8,
        weight="bold",
        ha="center",
        va="center",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )


def draw_picture(
    figure: MplFigure, layout: Layout, row: int, column: int, label: str,
    pixels: ndarray,
) -> None:  # fmt: skip
    """Show a picture with its name, and the arrow from its original to it."""
    left, bottom = layout.corner(row, column)
    wide, tall, cell = layout.width, layout.height, layout.cell
    box = (left / wide, bottom / tall, cell / wide, cell / tall)
    style.remove_frame(figure.add_axes(box)).imshow(pixels)
    symbol = f"$x_{row + 1}$"
    figure.text(
        left + (cell if column == 2 else 0),
        bottom - 0.05 if row else bottom + cell + 0.05,
        symbol if column == 0 else f"{style.label_text(label)}({symbol})",
        ha="right" if column == 2 else "left",
        transform=figure.dpi_scale_trans,
        size=9.5,
        va="top" if row else "bottom",
    )
    if column == 1:
        y, gap = bottom + cell / 2, layout.gap
        add_arrow(figure, (left - gap, y), (left, y), "intra", (left - gap / 2, y))
    if column == 2:
        first, last = layout.corner(row, 0)[0] + cell / 2, left + 0.2 * cell
        y = bottom if row else bottom + cell
        peak = y + (-1 if row else 1) * 0.42
        add_arrow(
            figure, (first, y), (last, y), "intra", ((first + last) / 2, peak),
            0.14 if row else -0.14,
        )  # fmt: skip


def draw(gallery: Arrays, settings: Figures) -> MplFigure:
    """Draw two images and their reconstructions, and arrows between the pairs."""
    sources = list(columns(gallery, settings))
    wide = min(settings.width, 5.6)
    gap, margin = 0.16 * wide, 0.02 * wide
    cell = (wide - 2 * margin - (len(sources) - 1) * gap) / len(sources)
    layout = Layout(wide, 2 * (cell + ARCH) + BETWEEN, cell, gap, margin)
    figure = style.page(settings, wide, layout.height)
    for column, (_, label, pictures) in enumerate(sources):
        for row in range(2):
            draw_picture(figure, layout, row, column, label, pictures[row])
        left, low = layout.corner(0, column)
        middle = left + cell / 2
        add_arrow(
            figure, (middle, low), (middle, low - BETWEEN), "inter",
            (middle, low - BETWEEN / 2),
        )  # fmt: skip
    return figure


class InformationPairs(Figure):
    """What intra and inter nMI compare (Palacio et al. 2018, Figure 8)."""

    stem = "figure-8"
    section = "information"
    title = "Figure 8. Pairs of images compared"
    alternative_text = (
        "Two images and their reconstructions; arrows marked intra join an image with"
        " its reconstructions, arrows marked inter join the two images."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    gallery: InputFile = table("gallery.npz")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return both kinds of pairs and what their nMI means."""
        return (
            "Pairs of images that the two kinds of normalised mutual information (nMI)"
            " compare, shown for two validation images. Intra (blue, solid): an image"
            " and its own reconstruction, by A_S or by a fine-tuned autoencoder. Inter"
            " (orange, dashed): the reconstructions of two images by the same"
            " autoencoder or, leftmost, the two original images.\n\n"
            "A high intra nMI means that much of the image is preserved. A high inter"
            " nMI means that different images have similar reconstructions. Palacio et"
            " al. 2018, Figure 8."
        )
