"""Figure 3: reconstructions side by side, enlarged, and their LAB histograms."""

import textwrap

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from s2snets.figures import style as look
from s2snets.figures.command import (
    at_strength,
    command,
    picture_table,
)
from s2snets.runtime.tables import read_arrays, read_csv
from s2snets.stages.base import run

IMAGES, TALLEST = 3, 8.7
"""Images shown at most, and the height of a page that they must not exceed, inches."""

CHANNELS = {
    "L": ("#111111", "#e8e8e8"),
    "a": ("#0a8f4d", "#b8b8b8", "#d0189a"),
    "b": ("#2456d6", "#b8b8b8", "#e3b100"),
}
"""Channel -> colours that its axis stands for, from low to high."""

GAP, MARGIN, LINE, HISTOGRAM, BLOCK = 0.04, 0.52, 0.13, 0.3, 0.2
"""Inches: between cells, left of them; a line of text; a histogram; between blocks."""


def window(side):
    """Where the zoomed square starts, and its side: a quarter, at least 16 pixels."""
    zoom = min(side, max(16, side // 4))
    return (side - zoom) // 2, zoom


def columns(gallery):
    """(source, label, images) from left to right, without noise."""
    clean = at_strength(gallery, 0.0)
    yield "original", "original", gallery["originals"][clean]
    yield from zip(
        map(str, gallery["sources"]),
        map(str, gallery["labels"]),
        gallery["reconstructions"][clean],
        strict=True,
    )


def layout(gallery, style):
    """Images shown, width of a cell, heights of a picture and of an image's block."""
    cell = (style.width - MARGIN) / (len(gallery["sources"]) + 1) - GAP
    height, width = gallery["originals"].shape[2:4]
    picture = cell * height / width
    block = picture + cell + 3 * HISTOGRAM + 5 * GAP + BLOCK
    shown = min(IMAGES, len(gallery["index"]), max(1, int(TALLEST / block)))
    return shown, cell, picture, block


def rows(gallery, lab, style):
    """panel, row, column, image, source, label, strength: one row a picture."""
    shown = layout(gallery, style)[0]
    return picture_table(
        [
            (panel, 3 * image + row, column, image, source, label, 0.0)
            for image in range(shown)
            for row, panel in enumerate(("image", "zoom", "histograms"))
            for column, (source, label, _) in enumerate(columns(gallery))
        ]
    )


def histogram(axes, bins, original, channel, limits):
    """One channel: filled with the colours it means, the original as an outline."""
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
    axes.stairs(original["fraction"], edges, color=look.INK, lw=0.5, baseline=None)


def limits_of(bins):
    """Axis limits (low, high, top) that keep every visible bin of a channel."""
    seen = bins[bins["fraction"] > 0.002]
    return seen["low"].min(), seen["high"].max(), 1.08 * seen["fraction"].max()


def draw(gallery, lab, style):
    """Reconstructions and their histograms (Palacio et al. 2018, Figure 3)."""
    shown, cell, picture, block = layout(gallery, style)
    table = list(columns(gallery))
    titles = [look.mathtext(label).replace(" (", "\n(") for _, label, _ in table]
    longest = look.LETTER * max(len(label) for _, label, _ in table)
    upright = longest > cell and not any("\n" in title for title in titles)
    head = 0.85 * longest if upright else LINE * (1.4 + any("\n" in t for t in titles))
    tall = head + shown * block - BLOCK + GAP
    figure = Figure(figsize=(style.width, tall), dpi=style.dpi)

    def place(column, top, high):
        left = MARGIN + column * (cell + GAP)
        box = (left / style.width, 1 - (top + high) / tall, cell / style.width)
        return figure.add_axes((*box, high / tall))

    def say(top, text, **how):
        figure.text((MARGIN - 0.06) / style.width, 1 - top / tall, text, **how)

    (y, zoom), (x, _) = map(window, gallery["originals"].shape[2:4])
    lab = lab.sort_values("low")
    for image in range(shown):
        start = head + image * block
        say(
            start + picture / 2,
            textwrap.fill(
                str(gallery["truth"][image]).replace("_", " "),
                max(1, int(picture / look.LETTER)),
                break_long_words=False,
            ),
            rotation=90,
            ha="right",
            va="center",
            multialignment="center",
            size=7.5,
        )
        say(
            start + picture + GAP + cell / 2,
            f"{zoom} \N{MULTIPLICATION SIGN} {zoom}\npixels",
            ha="right",
            va="center",
            size=6.5,
            color=look.MUTED,
        )
        own = lab[lab["image"] == image]
        for column, (source, _, pictures) in enumerate(table):
            axes = look.bare(place(column, start, picture))
            axes.imshow(pictures[image])
            for colour, line in (("black", 1.4), ("white", 0.6)):
                axes.add_patch(
                    Rectangle(
                        (x - 0.5, y - 0.5), zoom, zoom, fill=False, ec=colour, lw=line
                    )
                )
            if image == 0:
                axes.set_title(titles[column], size=8, pad=3, rotation=90 * upright)
            axes = look.bare(place(column, start + picture + GAP, cell))
            axes.imshow(
                pictures[image][y : y + zoom, x : x + zoom], interpolation="nearest"
            )
            for row, channel in enumerate(CHANNELS):
                top = start + picture + cell + 3 * GAP + row * (HISTOGRAM + GAP / 2)
                bins = own[own["channel"] == channel]
                limits = limits_of(bins)
                histogram(
                    place(column, top, HISTOGRAM),
                    bins[bins["source"] == source],
                    bins[bins["source"] == "original"],
                    channel,
                    limits,
                )
                if column == 0:
                    span = f"{limits[0]:.0f} … {limits[1]:.0f}"
                    say(
                        top + HISTOGRAM,
                        f"{channel}*\n{span}".replace("-", "\N{MINUS SIGN}"),
                        ha="right",
                        va="bottom",
                        size=6,
                        linespacing=1.1,
                    )
    return figure


def main(argv=None):
    command(draw, rows, argv, gallery=read_arrays, lab=read_csv)


if __name__ == "__main__":
    run(main)
