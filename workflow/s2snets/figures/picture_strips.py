"""Strips of preferred images below one another, with labels and captions."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, NamedTuple

from s2snets.config import Figures
from s2snets.figures import style
from s2snets.figures.base import Figure, table
from s2snets.figures.types import Arrays, DataFrame, MplAxes, MplFigure, ndarray
from s2snets.runtime.errors import UserError
from s2snets.study.stage import InputFile

GAP, BETWEEN, MARGIN, LINE, HEADING = 0.05, 0.09, 0.12, 0.105, 0.26
"""Inches: between pictures; between strips; around labels; a caption's line; a
heading."""

WIDEST = 1.1
"""Maximal side of a picture, inches."""

SMALL, ACCENT = 6.2, "#c1272d"
"""Points of a caption, and the colour of those that contradict."""

LETTER_WIDTH = 0.05
"""Upper bound for the mean width of a caption's letters, inches."""

MODES = {"pretrained": "pretrained", "scratch": "from\nscratch"}
"""Mode -> its label, in the order of the paper's figures."""


class Strip(NamedTuple):
    """One row of pictures.

    Attributes:
        pictures: positions in the gallery; None: an empty place.
        label: left of it.
        heading: above it, over the whole width.
        above: captions, one per picture.
        below: the same, in the accent's colour.
        between: signs before the second picture, the third and so on.
    """

    pictures: Sequence[int | None]
    label: str = ""
    heading: str = ""
    above: Sequence[str] = ()
    below: Sequence[str] = ()
    between: Sequence[str] = ()


def key_table(gallery: Arrays) -> DataFrame:
    """Return the keys of a gallery's ``pictures``, a row for each."""
    import pandas as pd

    count = len(gallery["pictures"])
    return pd.DataFrame(
        {
            name: values.tolist()
            for name, values in gallery.items()
            if name != "pictures" and len(values) == count
        }
    )


def positions(keys: DataFrame, targets: Iterable[str | None]) -> list[int | None]:
    """Return where, by a ``key_table``, targets' pictures are; None where nowhere."""
    places = dict(zip(keys["target"], keys.index, strict=True))
    return [places.get(target) for target in targets]


def mode_strips(
    keys: DataFrame,
    targets: Sequence[str | None],
    heading: str = "",
    captions: Iterable[str] = (),
    between: Sequence[str] = (),
) -> Iterator[Strip]:
    """Yield a strip of the same targets for each mode; texts stand above the first."""
    for mode, label in MODES.items():
        of_mode = keys[keys["mode"] == mode]
        if len(of_mode):
            pictures = positions(of_mode, targets)
            yield Strip(pictures, label, heading, tuple(captions), (), between)
            heading, captions = "", ()


def class_strips(
    gallery: Arrays, settings: Figures, across: int
) -> Iterator[tuple[DataFrame, list[str], list[Strip]]]:
    """Yield, network by network, bands of classes.

    Yields:
        Keys of all pictures of the network, classes of the band, a strip by mode.
    """
    keys = key_table(gallery)
    of_classes = keys[keys["kind"] == "class"]
    for name in style.palette_order(settings, of_classes["classifier"]):
        own = of_classes[of_classes["classifier"] == name]
        classes = list(dict.fromkeys(own["target"]))
        heading = style.classifier_text(name)
        for band in bands(len(classes), across):
            shown = classes[band.start : band.stop]
            strips = list(mode_strips(own, shown, heading, shown))
            yield keys[keys["classifier"] == name], shown, strips
            heading = ""


def break_text(text: str, width: float, lines: int = 2) -> str:
    """Return a text broken into lines of so many inches, and cut after the last one."""
    letters = max(3, int(width / LETTER_WIDTH))
    wrapped = textwrap.wrap(text.replace("_", " "), letters)
    if len(wrapped) > lines:
        wrapped = wrapped[:lines]
        wrapped[-1] = f"{wrapped[-1][: letters - 1].rstrip()}…"
    return style.literal("\n".join(wrapped))


def bands(count: int, across: int) -> list[range]:
    """Split ``count`` places into about equal ranges of at most ``across``."""
    rows = -(-count // across)
    ends = [count * row // rows for row in range(rows + 1)] if rows else []
    return [range(*pair) for pair in pairwise(ends)]


def strip_table(strips: Iterable[Strip], keys: DataFrame) -> DataFrame:
    """Return row, column and the keys of every picture that strips show."""
    places = [
        (row, column, picture)
        for row, strip in enumerate(strips)
        for column, picture in enumerate(strip.pictures)
        if picture is not None
    ]
    down, right, pictures = zip(*places, strict=True)
    shown = keys.iloc[list(pictures)].reset_index(drop=True)
    shown.insert(0, "row", down)
    shown.insert(1, "column", right)
    return shown


def caption_height(captions: Iterable[str]) -> float:
    """Return the inches that captions take; those of a strip share a base line."""
    lines = [caption.count("\n") + 1 for caption in captions if caption]
    return LINE * max(lines, default=0) + 0.03 * bool(lines)


def draw_strip(
    axes: MplAxes, strip: Strip, pictures: ndarray, left: float, top: float, cell: float
) -> None:
    """Draw one strip; ``left`` and ``top`` are the corner of its first picture."""
    if strip.heading:
        base = top - caption_height(strip.above) - 0.07
        axes.text(left, base, strip.heading, size=8.5, va="bottom")
    axes.text(
        left - 0.06, top + cell / 2, strip.label, size=7.5, ha="right", va="center"
    )
    for column, picture in enumerate(strip.pictures):
        x = left + column * (cell + GAP)
        if picture is not None:
            extent = (x, x + cell, top + cell, top)
            axes.imshow(pictures[picture], extent=extent, aspect="auto")
        sign = strip.between[column - 1] if column and strip.between else ""
        if sign:
            axes.text(
                x - GAP / 2, top + cell / 2, sign, size=9,
                ha="center", va="center", weight="bold", color="white",
                bbox={"boxstyle": "circle,pad=0.1", "fc": style.INK, "lw": 0},
            )  # fmt: skip
        for captions, y, va, colour in (
            (strip.above, top - 0.025, "bottom", style.INK),
            (strip.below, top + cell + 0.02, "top", ACCENT),
        ):
            if column < len(captions) and captions[column]:
                axes.text(
                    x + cell / 2, y, captions[column], size=SMALL, ha="center", va=va,
                    color=colour, linespacing=1.0,
                )  # fmt: skip


def draw_strips(
    strips: Sequence[Strip],
    pictures: ndarray,
    settings: Figures,
    across: int | None = None,
) -> MplFigure:
    """Draw strips, as wide as the settings say and as tall as they must be.

    Args:
        strips: from top to bottom.
        pictures: uint8 (P, side, side, 3).
        settings: appearance.
        across: pictures that would fill the width; None: those of the longest strip.

    Raises:
        UserError: no strips.
    """
    if not strips:
        raise UserError("gallery: has no picture of the kind that this figure shows")
    across = across or max(len(strip.pictures) for strip in strips)
    labels = [line for strip in strips for line in strip.label.split("\n")]
    left = style.LETTER_WIDTH * max(map(len, labels))
    left += MARGIN if left else GAP / 2
    cell = min(WIDEST, (settings.width - left - GAP / 2) / across - GAP)
    tops, top = [], 0.02
    broken = [
        strip._replace(
            above=[break_text(text, cell) if text else "" for text in strip.above],
            below=[break_text(text, cell) if text else "" for text in strip.below],
        )
        for strip in strips
    ]
    for strip in broken:
        top += HEADING * bool(strip.heading) + caption_height(strip.above)
        tops.append(top)
        top += cell + caption_height(strip.below) + BETWEEN
    figure = style.page(settings, settings.width, top)
    # One picture of them all takes a minute where there are a thousand.
    figure.suppressComposite = True
    axes = style.remove_frame(figure.add_axes((0, 0, 1, 1)))
    axes.set(xlim=(0, settings.width), ylim=(top, 0))
    axes.set_autoscale_on(False)
    for strip, upper in zip(broken, tops, strict=True):
        draw_strip(axes, strip, pictures, left, upper, cell)
    return figure


class GalleryStrips(Figure):
    """Strips of the gallery of preferred images.

    Attributes:
        strips: (gallery, settings) -> what is shown, from top to bottom.
    """

    section = "synthesis"
    needs = "preferring"
    strips: ClassVar[Callable[..., Iterable[Strip]]]

    gallery: InputFile = table("synthesis.npz")

    @classmethod
    def draw(cls, gallery: Arrays, settings: Figures) -> MplFigure:
        """Draw the strips below one another."""
        strips = list(cls.strips(gallery, settings))
        return draw_strips(strips, gallery["pictures"], settings)

    @classmethod
    def rows(cls, gallery: Arrays, settings: Figures) -> DataFrame:
        """Return row, column and the keys of every picture."""
        return strip_table(cls.strips(gallery, settings), key_table(gallery))
