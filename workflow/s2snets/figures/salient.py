"""Sheets of responses: what the figures of reversed networks share."""

import re
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_arrays

GAP, BLOCK, TITLE, GROUP, HEAD, SIDE = 0.04, 0.12, 0.2, 0.17, 0.16, 0.2
"""Inches: between pictures and between blocks; a block's title, its headers' two lines,
the labels left of it."""

CELL, LEAST, TALL = 1.05, 0.6, 9.0
"""Inches: of a picture at most; and the least to which it shrinks so that a sheet is
not taller than this."""

LETTER = 0.061
"""Inches that a letter of a row's label takes, rather more than less."""

ARCHITECTURES = {
    "deconvnet": "DeConvNet",
    "salinet": "SaliNet",
    "desalinet": "DeSaliNet",
}

STARTS = ("strongest", "random", "mixture")
SETS = ("validation", "photos")
KEYS = ["image", "name", "panel", "architecture", "layer", "start"]


class Block(NamedTuple):
    """Rows of pictures under common headers."""

    title: str
    groups: tuple  # (header, columns that it spans), from the left on
    heads: tuple  # one a column
    rows: list  # (label, pictures): rows of ``read``'s table; None: an empty place


def read(paths):
    """The responses of several networks: a row a picture, which is in ``pixels``.

    Raises:
        UserError: a file that is missing, damaged or of something else.
    """
    parts = []
    for path in paths:
        arrays = read_arrays(path)
        for kind in SETS:
            try:
                part = pd.DataFrame({key: arrays[f"{key}_{kind}"] for key in KEYS})
                pixels, classifier = arrays[f"pictures_{kind}"], arrays["classifier"]
            except KeyError as missing:
                raise UserError(
                    f"{path}: lacks {missing}; delete it and rerun"
                ) from None
            part = part.assign(classifier=str(classifier), set=kind)
            parts.append(part.assign(pixels=list(pixels)))
    return pd.concat(parts, ignore_index=True)


def networks(responses, style):
    """(name, its pictures), in the palette's order."""
    for name in look.ordered(style, responses["classifier"].unique()):
        yield name, responses[responses["classifier"] == name]


def images(own, most=None):
    """(set, image, name) of one network's images; ``most`` of each set."""
    known = own.loc[own["panel"] == "original", ["set", "image", "name"]]
    if most is not None:
        known = known.groupby("set", sort=False).head(most)
    return known.itertuples(index=False)


def layers(own):
    """Titles of a network's layers, from the shallowest on."""
    return own.loc[own["panel"] == "responses", "layer"].unique().tolist()


def pick(own, image, **keys):
    """The picture of one image (set, number, …) that has these keys.

    Raises:
        UserError: the responses lack it.
    """
    found = (own["set"] == image[0]) & (own["image"] == image[1])
    for key, value in keys.items():
        found &= own[key] == value
    if not found.any():
        wanted = ", ".join(f"{key} {value}" for key, value in keys.items())
        raise UserError(f"responses: none of image {image[1]} with {wanted}")
    return own.loc[found.idxmax()]


def by_layer(shown):
    """Columns (architecture, layer) of some layers, and the headers above them."""
    columns = [(one, layer) for layer in shown for one in ARCHITECTURES]
    groups = (("", 1), *((layer, len(ARCHITECTURES)) for layer in shown))
    return columns, groups, ("image", *(ARCHITECTURES[one] for one, _ in columns))


def panels(responses, style, panel, architectures, heads, groups=(), original=True):
    """A block a network, a row an image: one panel's architectures side by side.

    Args:
        heads, groups: see ``Block``.
        original: whether the image comes first.
    """
    for name, own in networks(responses, style):
        rows = []
        for image in images(own):
            pictures = [
                pick(own, image, panel=panel, architecture=one) for one in architectures
            ]
            first = [pick(own, image, panel="original")] if original else []
            rows.append((image.name, first + pictures))
        title = f"{look.variable(name)}, {pictures[0]['layer']}"
        yield Block(title, groups, heads, rows)


def table(blocks):
    """block, row, column and the keys of every picture, in the order of drawing."""
    keys = ["classifier", "set", *KEYS]
    found = [
        {"block": place, "row": row, "column": column} | picture[keys].to_dict()
        for place, block in enumerate(blocks)
        for row, (_, pictures) in enumerate(block.rows)
        for column, picture in enumerate(pictures)
        if picture is not None
    ]
    return pd.DataFrame(found, columns=["block", "row", "column", *keys])


def lines(block):
    """Lines of text that a block's groups take."""
    return max((text.count("\n") + 1 for text, _ in block.groups), default=0)


def header(block):
    """Inches above a block's pictures."""
    return TITLE * bool(block.title) + GROUP * lines(block) + HEAD * any(block.heads)


def sheet(blocks, style, under=0.0):
    """A figure of blocks below one another; pictures are as large as they can be.

    Args:
        under: inches left free at the bottom.
    """
    blocks = list(blocks)
    across = max(len(block.heads) for block in blocks)
    down = sum(len(block.rows) for block in blocks)
    cell = min(CELL, (style.width - SIDE) / across - GAP, max(LEAST, TALL / down - GAP))
    headers = sum(header(block) + BLOCK for block in blocks)
    wide, tall = SIDE + across * (cell + GAP), headers + down * (cell + GAP) + under
    figure = Figure(figsize=(wide, tall), dpi=style.dpi)
    axes = look.bare(figure.add_axes((0, 0, 1, 1)))
    axes.set(xlim=(0, wide), ylim=(tall, 0))
    axes.set_autoscale_on(False)
    top = 0.0

    def write(x, y, text, **how):
        axes.text(x, y, text, **{"va": "center", "ha": "center", "size": 7.5} | how)

    def left(column):
        return SIDE + column * (cell + GAP)

    for block in blocks:
        if block.title:
            write(left(0), top + TITLE / 2, block.title, ha="left", size=9)
            top += TITLE
        column = 0
        for text, span in block.groups:
            start, end = left(column), left(column + span) - GAP
            if text:
                line = top + GROUP * lines(block) - 0.02
                write((start + end) / 2, line - 0.04, text, size=8, va="bottom")
                axes.plot([start, end], [line, line], color=look.FAINT, lw=0.7)
            column += span
        top += GROUP * lines(block)
        size = fit(block.heads, cell)
        for column, text in enumerate(block.heads):
            write(left(column) + cell / 2, top + HEAD / 2, text, size=size)
        top += HEAD * any(block.heads)
        for label, pictures in block.rows:
            room = max(4, int(cell / LETTER))
            text = label if len(label) <= room else f"{label[: room - 1]}…"
            write(SIDE / 2, top + cell / 2, text, rotation=90, size=7)
            for column, picture in enumerate(pictures):
                if picture is not None:
                    x = left(column)
                    extent = (x, x + cell, top + cell, top)
                    axes.imshow(picture["pixels"], extent=extent, aspect="auto")
            top += cell + GAP
        top += BLOCK
    return figure


def figure(blocks, doc):
    """``rows``, ``draw`` and ``main`` of a figure that is a sheet of its blocks.

    Args:
        blocks: (responses, style) -> ``Block`` after ``Block``.
        doc: what it shows.
    """

    def rows(responses, style):
        return table(blocks(responses, style))

    def draw(responses, style):
        return sheet(blocks(responses, style), style)

    def main(argv=None):
        command(draw, rows, argv, several=("responses",), responses=read)

    draw.__doc__ = doc
    return rows, draw, main


def fit(texts, cell, size=7.5):
    """Points at which all headers fit above their pictures."""
    letters = max(len(re.sub(r"\\[a-z]+|[{}$^]", "", text)) for text in texts)
    return min(size, size * cell / (LETTER * max(letters, 1)))


def message(style, text):
    """A figure that only says something."""
    figure = Figure(figsize=(style.width, 0.5), dpi=style.dpi)
    figure.text(0.5, 0.5, text, ha="center", va="center", size=8.5)
    return figure
