"""Figure 8: which pairs of images intra and inter nMI compare."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from s2snets.figures import style as look
from s2snets.figures.command import (
    at_strength,
    command,
    example_source,
    picture_table,
)
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_arrays
from s2snets.stages.base import run

INTRA, INTER = "#0072b2", "#d55e00"


def columns(gallery, style):
    """(source, label, images) from left to right.

    Raises:
        UserError: the gallery has fewer than two images.
    """
    if len(gallery["index"]) < 2:
        raise UserError("gallery: one image; inter nMI needs two, raise gallery.images")
    clean = at_strength(gallery, 0.0)
    yield "original", "original", gallery["originals"][clean]
    labels = [str(label) for label in gallery["labels"]]
    for source in sorted({labels.index("A_S"), example_source(gallery, style)}):
        yield (
            str(gallery["sources"][source]),
            labels[source],
            gallery["reconstructions"][clean, source],
        )


def rows(gallery, style):
    """panel, row, column, image, source, label, strength: one row a picture."""
    return picture_table(
        [
            ("image", image, column, image, source, label, 0.0)
            for image in range(2)
            for column, (source, label, _) in enumerate(columns(gallery, style))
        ]
    )


def draw(gallery, style):
    """What intra and inter nMI compare (Palacio et al. 2018, Figure 8)."""
    table = list(columns(gallery, style))
    wide = min(style.width, 5.6)
    gap, margin, arch = 0.16 * wide, 0.02 * wide, 0.62
    cell = (wide - 2 * margin - (len(table) - 1) * gap) / len(table)
    between = 0.6
    tall = 2 * (cell + arch) + between
    figure = Figure(figsize=(wide, tall), dpi=style.dpi)

    def corner(row, column):
        left = margin + column * (cell + gap)
        return left, tall - arch - (row + 1) * cell - row * between

    def arrow(start, end, colour, text, at, bend=0.0):
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
                ls="-" if colour == INTRA else (0, (3, 1.5)),
                shrinkA=2,
                shrinkB=2,
            )
        )
        figure.text(
            *at,
            text,
            transform=figure.dpi_scale_trans,
            color=colour,
            size=8,
            weight="bold",
            ha="center",
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )

    for column, (_, label, pictures) in enumerate(table):
        name = look.mathtext(label)
        for row in range(2):
            left, bottom = corner(row, column)
            axes = look.bare(
                figure.add_axes((left / wide, bottom / tall, cell / wide, cell / tall))
            )
            axes.imshow(pictures[row])
            given = f"$x_{row + 1}$"
            text = given if column == 0 else f"{name}({given})"
            edge = bottom - 0.05 if row else bottom + cell + 0.05
            figure.text(
                left + (cell if column == 2 else 0),
                edge,
                text,
                ha="right" if column == 2 else "left",
                transform=figure.dpi_scale_trans,
                size=9.5,
                va="top" if row else "bottom",
            )
            if column == 1:
                y = bottom + cell / 2
                arrow((left - gap, y), (left, y), INTRA, "intra", (left - gap / 2, y))
            if column == 2:
                first, last = corner(row, 0)[0] + cell / 2, left + 0.2 * cell
                y = bottom if row else bottom + cell
                peak = y + (-1 if row else 1) * 0.42
                arrow(
                    (first, y),
                    (last, y),
                    INTRA,
                    "intra",
                    ((first + last) / 2, peak),
                    0.14 if row else -0.14,
                )
        middle = corner(0, column)[0] + cell / 2
        low = corner(0, column)[1]
        arrow(
            (middle, low),
            (middle, low - between),
            INTER,
            "inter",
            (middle, low - between / 2),
        )
    return figure


def main(argv=None):
    command(draw, rows, argv, gallery=read_arrays)


if __name__ == "__main__":
    run(main)
