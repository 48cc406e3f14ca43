"""Figure 4: one image under increasing noise, as the input and as reconstructed."""

from collections.abc import Iterator

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.gallery import example_autoencoder, picture_table
from s2snets.figures.types import Arrays, DataFrame, MplFigure, ndarray
from s2snets.runtime.errors import UserError

IMAGE = 0
"""Position of the image in the gallery; the paper, too, shows one image."""

GAP, MARGIN, HEAD = 0.04, 0.5, 0.24
"""Inches: between cells, left of them, above them."""


def strips(gallery: Arrays, settings: Figures) -> Iterator[tuple[str, str, ndarray]]:
    """Yield (source, label, one image per strength) from top to bottom.

    Raises:
        UserError: the gallery lacks A_S or the autoencoder of the example.
    """
    labels = [str(label) for label in gallery["labels"]]
    if "A_S" not in labels:
        raise UserError(f"gallery: no A_S among its sources {', '.join(labels)}")
    yield "original", "input", gallery["originals"][:, IMAGE]
    for source in (labels.index("A_S"), example_autoencoder(gallery, settings)):
        yield (
            str(gallery["sources"][source]),
            labels[source],
            gallery["reconstructions"][:, source, IMAGE],
        )


def rows(gallery: Arrays, settings: Figures) -> DataFrame:
    """Return the table of pictures, in ascending order of strength."""
    return picture_table(
        ("image", row, column, IMAGE, source, label, strength)
        for row, (source, label, _) in enumerate(strips(gallery, settings))
        for column, strength in enumerate(sorted(gallery["strengths"]))
    )


def draw(gallery: Arrays, settings: Figures) -> MplFigure:
    """Draw a row for each source and a column for each strength."""
    order = gallery["strengths"].argsort()
    cell = min(1.6, (settings.width - MARGIN) / len(order) - GAP)
    height, width = gallery["originals"].shape[2:4]
    picture = cell * height / width
    figure = style.page(
        settings, MARGIN + len(order) * (cell + GAP), HEAD + 3 * (picture + GAP)
    )
    drawn = list(strips(gallery, settings))
    longest = style.LETTER_WIDTH * max(len(label) for _, label, _ in drawn)
    for row, (_, label, pictures) in enumerate(drawn):
        top = HEAD + row * (picture + GAP)
        style.add_text(
            figure, MARGIN - 0.08, top + picture / 2, style.label_text(label),
            ha="right", va="center", size=9, rotation=90 * (longest > MARGIN),
        )  # fmt: skip
        for column, position in enumerate(order):
            left = MARGIN + column * (cell + GAP)
            axes = style.add_axes(figure, left, top, cell, picture)
            style.remove_frame(axes).imshow(pictures[position])
            if row == 0:
                axes.set_title(f"$s$ = {gallery['strengths'][position]:g}", pad=3)
    return figure


class NoiseExamples(Figure):
    """One image under increasing noise (Palacio et al. 2018, Figure 4)."""

    stem = "figure-4"
    section = "noise"
    title = "Figure 4. Reconstructions of noisy images"
    alternative_text = (
        "Grid of images: one image under increasing noise, as the input and as two"
        " autoencoders reconstruct it."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    gallery: InputFile = table("gallery.npz")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the rows and what reproduced and attenuated noise mean."""
        return (
            "One validation image under additive noise, uniform in [−s, s] on pixels in"
            " [0, 1]. Top: the input. Middle: its reconstruction by A_S. Bottom: its"
            " reconstruction by an autoencoder that was fine-tuned for one network.\n\n"
            "An autoencoder that reproduces the noise has learned to copy its input."
            " One that attenuates the noise has learned what the network needs. Palacio"
            " et al. 2018, Figure 4."
        )
