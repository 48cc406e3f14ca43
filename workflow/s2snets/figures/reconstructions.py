"""Figure 3: reconstructions side by side, enlarged, and their LAB histograms."""

import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.gallery import picture_table, strength_position
from s2snets.figures.types import Arrays, DataFrame, MplAxes, MplFigure, ndarray

IMAGES, TALLEST = 3, 8.7
"""Maximal number of images, and height of a page that they must not exceed, inches."""

CHANNELS = {
    "L": ("#111111", "#e8e8e8"),
    "a": ("#0a8f4d", "#b8b8b8", "#d0189a"),
    "b": ("#2456d6", "#b8b8b8", "#e3b100"),
}
"""Channel -> colours that its axis stands for, from low to high."""

GAP, MARGIN, LINE, HISTOGRAM, BLOCK = 0.04, 0.52, 0.13, 0.3, 0.2
"""Inches: between cells, left of them; a line of text; a histogram; between blocks."""


class Layout(NamedTuple):
    """Number of images, and inches."""

    images: int
    cell: float  # width of a column
    picture: float  # height of an image
    block: float  # height of all that belongs to an image


def zoom_window(side: int) -> tuple[int, int]:
    """Return start and side of the enlarged part: a quarter, at least 16 pixels."""
    zoom = min(side, max(16, side // 4))
    return (side - zoom) // 2, zoom


def columns(gallery: Arrays) -> Iterator[tuple[str, str, ndarray]]:
    """Yield (source, label, images) from left to right, without noise."""
    clean = strength_position(gallery, 0.0)
    yield "original", "original", gallery["originals"][clean]
    yield from zip(
        map(str, gallery["sources"]),
        map(str, gallery["labels"]),
        gallery["reconstructions"][clean],
        strict=True,
    )


def layout(gallery: Arrays, settings: Figures) -> Layout:
    """Return the layout in which as many images as allowed fit on a page."""
    cell = (settings.width - MARGIN) / (len(gallery["sources"]) + 1) - GAP
    height, width = gallery["originals"].shape[2:4]
    picture = cell * height / width
    block = picture + cell + 3 * HISTOGRAM + 5 * GAP + BLOCK
    images = min(IMAGES, len(gallery["index"]), max(1, int(TALLEST / block)))
    return Layout(images, cell, picture, block)


def rows(gallery: Arrays, lab: DataFrame, settings: Figures) -> DataFrame:
    """Return the table of pictures, enlargements and histograms."""
    return picture_table(
        (panel, 3 * image + row, column, image, source, label, 0.0)
        for image in range(layout(gallery, settings).images)
        for row, panel in enumerate(("image", "zoom", "histograms"))
        for column, (source, label, _) in enumerate(columns(gallery))
    )


def draw_histogram(
    axes: MplAxes,
    bins: DataFrame,
    original: DataFrame,
    channel: str,
    limits: tuple[float, float, float],
) -> None:
    """Draw a channel filled with the colours it means, the original as an outline."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    low, high, top = limits
    axes.set(xlim=(low, high), ylim=(0, top), xticks=[], yticks=[])
    axes.spines["left"].set_visible(False)
    if bins.empty:
        return
    edges = [*bins["low"], bins["high"].iloc[-1]]
    area = axes.stairs(bins["fraction"], edges, fill=True, facecolor="none")
    ramp = axes.imshow(
        np.linspace(0, 1, 256)[None],
        extent=(low, high, 0, top),
        cmap=LinearSegmentedColormap.from_list(channel, CHANNELS[channel]),
        aspect="auto",
    )
    ramp.set_clip_path(area)
    axes.stairs(original["fraction"], edges, color=style.INK, lw=0.5, baseline=None)


def axis_limits(bins: DataFrame) -> tuple[float, float, float]:
    """Return limits (low, high, top) that keep every visible bin of a channel."""
    visible = bins[bins["fraction"] > 0.002]
    return visible["low"].min(), visible["high"].max(), 1.08 * visible["fraction"].max()


def draw_picture(axes: MplAxes, pixels: ndarray, x: int, y: int, zoom: int) -> MplAxes:
    """Show an image (H, W, 3) with a frame around the part that is enlarged."""
    from matplotlib.patches import Rectangle

    style.remove_frame(axes).imshow(pixels)
    for colour, line in (("black", 1.4), ("white", 0.6)):
        axes.add_patch(
            Rectangle((x - 0.5, y - 0.5), zoom, zoom, fill=False, ec=colour, lw=line)
        )
    return axes


def draw_side_text(
    figure: MplFigure, truth: str, start: float, sizes: Layout, zoom: int
) -> None:
    """Write an image's class, and the size of the enlarged part, left of them."""
    text = textwrap.fill(
        style.literal(truth.replace("_", " ")),
        max(1, int(sizes.picture / style.LETTER_WIDTH)),
        break_long_words=False,
    )
    style.add_text(
        figure, MARGIN - 0.06, start + sizes.picture / 2, text, rotation=90,
        ha="right", va="center", multialignment="center", size=7.5,
    )  # fmt: skip
    style.add_text(
        figure, MARGIN - 0.06, start + sizes.picture + GAP + sizes.cell / 2,
        f"{zoom} \N{MULTIPLICATION SIGN} {zoom}\npixels", ha="right", va="center",
        size=6.5, color=style.MUTED,
    )  # fmt: skip


def draw_histograms(
    figure: MplFigure, bins: DataFrame, source: str, column: int, start: float,
    sizes: Layout,
) -> None:  # fmt: skip
    """Draw a source's histograms of one image, whose block starts at ``start``.

    Left of the first column stand the axes' limits, which all sources share.
    """
    left = MARGIN + column * (sizes.cell + GAP)
    for row, channel in enumerate(CHANNELS):
        top = start + sizes.picture + sizes.cell + 3 * GAP
        top += row * (HISTOGRAM + GAP / 2)
        of_channel = bins[bins["channel"] == channel]
        limits = axis_limits(of_channel)
        draw_histogram(
            style.add_axes(figure, left, top, sizes.cell, HISTOGRAM),
            of_channel[of_channel["source"] == source],
            of_channel[of_channel["source"] == "original"],
            channel,
            limits,
        )
        if column == 0:
            text = f"{channel}*\n{limits[0]:.0f} … {limits[1]:.0f}"
            style.add_text(
                figure, MARGIN - 0.06, top + HISTOGRAM,
                text.replace("-", "\N{MINUS SIGN}"), ha="right", va="bottom", size=6,
                linespacing=1.1,
            )  # fmt: skip


def draw(gallery: Arrays, lab: DataFrame, settings: Figures) -> MplFigure:
    """Draw of every image a block, and in it of every source a column."""
    sizes = layout(gallery, settings)
    sources = list(columns(gallery))
    titles = [style.label_text(label).replace(" (", "\n(") for _, label, _ in sources]
    longest = style.LETTER_WIDTH * max(len(label) for _, label, _ in sources)
    broken = any("\n" in title for title in titles)
    upright = longest > sizes.cell and not broken
    head = 0.85 * longest if upright else LINE * (1.4 + broken)
    tall = head + sizes.images * sizes.block - BLOCK + GAP
    figure = style.page(settings, settings.width, tall)
    (y, zoom), (x, _) = map(zoom_window, gallery["originals"].shape[2:4])
    lab = lab.sort_values("low")
    for image in range(sizes.images):
        start = head + image * sizes.block
        draw_side_text(figure, str(gallery["truth"][image]), start, sizes, zoom)
        bins = lab[lab["image"] == image]
        for column, (source, _, pictures) in enumerate(sources):
            left, pixels = MARGIN + column * (sizes.cell + GAP), pictures[image]
            axes = style.add_axes(figure, left, start, sizes.cell, sizes.picture)
            draw_picture(axes, pixels, x, y, zoom)
            if image == 0:
                axes.set_title(titles[column], size=8, pad=3, rotation=90 * upright)
            top = start + sizes.picture + GAP
            axes = style.add_axes(figure, left, top, sizes.cell, sizes.cell)
            style.remove_frame(axes).imshow(
                pixels[y : y + zoom, x : x + zoom], interpolation="nearest"
            )
            draw_histograms(figure, bins, source, column, start, sizes)
    return figure


class Reconstructions(Figure):
    """Reconstructions and their histograms (Palacio et al. 2018, Figure 3)."""

    stem = "figure-3"
    section = "signals"
    title = "Figure 3. Reconstructions"
    alternative_text = (
        "Grid of images: the original and every autoencoder's reconstruction, each"
        " with an enlarged centre and three colour histograms."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    gallery: InputFile = table("gallery.npz")
    lab: InputFile = table("lab.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the networks, the histograms' axes and what changes to look for."""
        return (
            "Validation images, their reconstructions by A_S, and those by the"
            " autoencoders that were fine-tuned for the networks"
            f" {', '.join(study.classifiers)} on ``{study.finetune.images:,}`` images"
            " each. Below each picture: its framed centre, enlarged pixel by pixel, and"
            " histograms of L* (dark to light), a* (green to magenta) and b* (blue to"
            " yellow); the numbers beside them are the ends of the axes. The black"
            " outline repeats the histogram of the original.\n\n"
            "Look for what a network's autoencoder changes. A change of hue shifts a"
            " histogram against its outline, a compressed range makes it narrower, and"
            " a checkerboard shows in the enlargement. What an autoencoder changes"
            " freely, its network does not use. Palacio et al. 2018, Figure 3."
        )
