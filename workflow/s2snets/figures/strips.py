"""Strips of pictures below one another, with labels left of them and captions."""

import textwrap
from itertools import pairwise
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_arrays

GAP, AIR, MARGIN, LINE, HEADING = 0.05, 0.09, 0.12, 0.105, 0.26
"""Inches: between pictures; between strips; around labels; a caption's line; a
heading."""

WIDEST = 1.1
"""Inches that a picture takes at most."""

SMALL, ACCENT = 6.2, "#c1272d"
"""Points of a caption, and the colour of those that contradict."""

LETTER = 0.05
"""Inches of a caption's letter, rather more than less."""


MODES = {"pretrained": "pretrained", "scratch": "from\nscratch"}
"""Mode -> its label, in the order of the paper's figures."""


class Strip(NamedTuple):
    """One row of pictures."""

    pictures: list  # positions in the gallery; None: an empty place
    label: str = ""  # left of it
    heading: str = ""  # above it, over the whole width
    above: tuple = ()  # captions, one a picture
    below: tuple = ()  # the same, in the accent's colour
    between: tuple = ()  # signs before the second picture, the third …


def listing(gallery):
    """The keys of a gallery of ``pictures`` as a table, a row a picture."""
    count = len(gallery["pictures"])
    return pd.DataFrame(
        {
            name: values.tolist()
            for name, values in gallery.items()
            if name != "pictures" and len(values) == count
        }
    )


def found(keys, targets):
    """Where the pictures of some targets are; None for those that have none.

    Args:
        keys: some rows of a ``listing``.
    """
    places = dict(zip(keys["target"], keys.index, strict=True))
    return [places.get(target) for target in targets]


def by_mode(keys, targets, heading="", captions=(), between=()):
    """A strip of the same targets for each mode; what is above, above the first.

    Args:
        keys: as for ``found``.
        targets: from left to right; None: an empty place.
        heading, captions, between: see ``Strip``.
    """
    for mode, label in MODES.items():
        own = keys[keys["mode"] == mode]
        if len(own):
            pictures = found(own, targets)
            yield Strip(pictures, label, heading, tuple(captions), (), tuple(between))
            heading, captions = "", ()


def spelt(name, inches, lines=2):
    """A name in the room that there is: broken into lines, cut if it must be."""
    letters = max(3, int(inches / LETTER))
    wrapped = textwrap.wrap(name.replace("_", " "), letters)
    if len(wrapped) > lines:
        wrapped = wrapped[:lines]
        wrapped[-1] = f"{wrapped[-1][: letters - 1].rstrip()}…"
    return "\n".join(wrapped)


def bands(count, across):
    """Ranges of at most ``across`` that are ``count`` together, about equally long."""
    rows = -(-count // across)
    ends = [count * row // rows for row in range(rows + 1)] if rows else []
    return [range(*pair) for pair in pairwise(ends)]


def rows(strips, keys):
    """The table of what is shown: row, column and the keys of every picture."""
    places = [
        (row, column, picture)
        for row, strip in enumerate(strips)
        for column, picture in enumerate(strip.pictures)
        if picture is not None
    ]
    down, right, pictures = zip(*places, strict=True)
    table = keys.iloc[list(pictures)].reset_index(drop=True)
    table.insert(0, "row", down)
    table.insert(1, "column", right)
    return table


def depth(captions):
    """Inches that captions take: those of a strip are aligned at the pictures."""
    lines = [caption.count("\n") + 1 for caption in captions if caption]
    return LINE * max(lines, default=0) + 0.03 * bool(lines)


def draw(strips, pictures, style, across=None):
    """A figure of strips, as wide as the settings say and as tall as it must be.

    Args:
        strips: list of ``Strip``.
        pictures: uint8 (P, H, W, 3), square ones.
        style: a ``config.Figures``.
        across: pictures that would fill the width; None: those of the longest strip.

    Raises:
        UserError: no strips.
    """
    if not strips:
        raise UserError("gallery: has no picture of the kind that this figure shows")
    across = across or max(len(strip.pictures) for strip in strips)
    labels = [line for strip in strips for line in strip.label.split("\n")]
    left = look.LETTER * max(map(len, labels))
    left += MARGIN if left else GAP / 2
    cell = min(WIDEST, (style.width - left - GAP / 2) / across - GAP)
    captions = [
        [
            [spelt(name, cell) if name else "" for name in names]
            for names in (strip.above, strip.below)
        ]
        for strip in strips
    ]
    tops, top = [], 0.02
    for strip, (above, below) in zip(strips, captions, strict=True):
        top += HEADING * bool(strip.heading) + depth(above)
        tops.append(top)
        top += cell + depth(below) + AIR
    tall = top
    figure = Figure(figsize=(style.width, tall), dpi=style.dpi)
    # One picture of them all takes a minute where there are a thousand.
    figure.suppressComposite = True
    axes = look.bare(figure.add_axes((0, 0, 1, 1)))
    axes.set(xlim=(0, style.width), ylim=(tall, 0))
    axes.set_autoscale_on(False)
    for strip, (above, below), top in zip(strips, captions, tops, strict=True):
        if strip.heading:
            over = top - depth(above) - 0.07
            axes.text(left, over, strip.heading, size=8.5, va="bottom")
        axes.text(
            left - 0.06, top + cell / 2, strip.label, size=7.5, ha="right", va="center"
        )
        for column, picture in enumerate(strip.pictures):
            x = left + column * (cell + GAP)
            if picture is not None:
                axes.imshow(
                    pictures[picture],
                    extent=(x, x + cell, top + cell, top),
                    aspect="auto",
                )
            sign = strip.between[column - 1] if column and strip.between else ""
            if sign:
                axes.text(
                    x - GAP / 2, top + cell / 2, sign, size=9,
                    ha="center", va="center", weight="bold", color="white",
                    bbox={"boxstyle": "circle,pad=0.1", "fc": look.INK, "lw": 0},
                )  # fmt: skip
            for names, y, va, colour in (
                (above, top - 0.025, "bottom", look.INK),
                (below, top + cell + 0.02, "top", ACCENT),
            ):
                if column < len(names) and names[column]:
                    axes.text(
                        x + cell / 2, y, names[column], size=SMALL, ha="center", va=va,
                        color=colour, linespacing=1.0,
                    )  # fmt: skip
    return figure


def figure(strips, doc):
    """``rows``, ``draw`` and ``main`` of a figure that is strips of the gallery.

    Args:
        strips: (gallery, style) -> ``Strip`` after ``Strip``.
        doc: what it shows.
    """

    def table(gallery, style):
        return rows(list(strips(gallery, style)), listing(gallery))

    def picture(gallery, style):
        return draw(list(strips(gallery, style)), gallery["pictures"], style)

    def main(argv=None):
        command(picture, table, argv, gallery=read_arrays)

    picture.__doc__ = doc
    return table, picture, main
