"""Sheets of responses: what the figures of reversed networks share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from s2snets.figures import style
from s2snets.figures.base import Axes, Figure, Figures, InputFile, first_seed_path
from s2snets.runtime.errors import UserError

if TYPE_CHECKING:
    from s2snets.figures.types import DataFrame, MplAxes, MplFigure, Series

GAP, BLOCK, TITLE, GROUP, HEAD, SIDE = 0.04, 0.12, 0.2, 0.17, 0.16, 0.2
"""Inches: between pictures; between blocks; a block's title; a line of its groups; its
heads; the labels left of it."""

CELL, LEAST, TALL = 1.05, 0.6, 9.0
"""Inches: a picture at most; and the least to which it shrinks so that a sheet is not
taller than this."""

LETTER_WIDTH = 0.061
"""Upper bound for the mean width of a row label's letters, inches."""

CENTRED: dict[str, Any] = {"va": "center", "ha": "center", "size": 7.5}
"""Properties of a sheet's texts, unless others are given."""

ARCHITECTURES = {
    "deconvnet": "DeConvNet",
    "salinet": "SaliNet",
    "desalinet": "DeSaliNet",
}

STARTS = ("strongest", "random", "mixture")
SETS = ("validation", "photos")
KEYS = ["image", "name", "panel", "architecture", "layer", "start"]


class Image(NamedTuple):
    """An image that networks were reversed on."""

    set: str
    number: int
    name: str


class Block(NamedTuple):
    """Rows of pictures under common headers.

    Attributes:
        title: above all.
        groups: headers and the number of columns that each spans, from the left on.
        heads: one per column.
        rows: label and pictures of each, which are rows of ``read_responses``'s table;
            None: an empty place.
    """

    title: str
    groups: Sequence[tuple[str, int]]
    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Series | None]]]

    @property
    def group_lines(self) -> int:
        """Lines of text in the tallest of its groups."""
        return max((text.count("\n") + 1 for text, _ in self.groups), default=0)

    @property
    def header(self) -> float:
        """Inches above its pictures."""
        return (
            TITLE * bool(self.title) + GROUP * self.group_lines + HEAD * any(self.heads)
        )


def read_responses(paths: Iterable[Path]) -> DataFrame:
    """Return the responses of several networks, a row for each with its ``pixels``.

    Raises:
        UserError: a file that is missing, damaged or of something else.
    """
    import pandas as pd

    from s2snets.runtime.tables import read_arrays

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


def networks(
    responses: DataFrame, settings: Figures
) -> Iterator[tuple[str, DataFrame]]:
    """Yield (name, its responses) in the palette's order."""
    for name in style.palette_order(settings, responses["classifier"]):
        yield name, responses[responses["classifier"] == name]


def images(responses: DataFrame, limit: int | None = None) -> Iterator[Image]:
    """Yield the images of one network's responses; at most ``limit`` of each set."""
    known = responses[responses["panel"] == "original"]
    if limit is not None:
        known = known.groupby("set", sort=False).head(limit)
    yield from map(Image, known["set"], known["image"], known["name"])


def layers(responses: DataFrame) -> list[str]:
    """Return the titles of a network's layers, from the shallowest one."""
    return responses.loc[responses["panel"] == "responses", "layer"].unique().tolist()


def pick(responses: DataFrame, image: Image, **keys: str) -> Series:
    """Return the response of one image that has these keys.

    Raises:
        UserError: the responses lack it.
    """
    matches = (responses["set"] == image.set) & (responses["image"] == image.number)
    for key, value in keys.items():
        matches &= responses[key] == value
    if not matches.any():
        wanted = ", ".join(f"{key} {value}" for key, value in keys.items())
        raise UserError(f"responses: none of image {image.number} with {wanted}")
    return responses[matches].iloc[0]


def pick_start(
    responses: DataFrame, image: Image, start: str, layers: Sequence[str]
) -> list[Series]:
    """Return the responses of one image from some layers in every architecture."""
    return [
        pick(
            responses, image, panel="responses", start=start, architecture=architecture,
            layer=layer,
        )
        for layer in layers
        for architecture in ARCHITECTURES
    ]  # fmt: skip


def layer_headers(layers: Sequence[str]) -> tuple[list[tuple[str, int]], list[str]]:
    """Return groups and heads of an image and its responses from some layers."""
    groups = [("", 1), *((layer, len(ARCHITECTURES)) for layer in layers)]
    return groups, ["image", *(list(ARCHITECTURES.values()) * len(layers))]


def panel_blocks(
    responses: DataFrame,
    settings: Figures,
    panel: str,
    architectures: Iterable[str],
    heads: Sequence[str],
    groups: Sequence[tuple[str, int]] = (),
    original: bool = True,
) -> Iterator[Block]:
    """Yield a block for each network, a row for each image, a column per architecture.

    Args:
        responses: of all networks.
        settings: appearance.
        panel: experiment whose responses are shown.
        architectures: from left to right, after the image if ``original``.
        heads: see ``Block``.
        groups: see ``Block``.
        original: whether the image comes first.
    """
    for name, of_network in networks(responses, settings):
        rows = []
        for image in images(of_network):
            pictures = [
                pick(of_network, image, panel=panel, architecture=architecture)
                for architecture in architectures
            ]
            first = [pick(of_network, image, panel="original")] if original else []
            rows.append((image.name, [*first, *pictures]))
        title = f"{style.classifier_text(name)}, {pictures[0]['layer']}"
        yield Block(title, groups, heads, rows)


def sheet_table(blocks: Iterable[Block]) -> DataFrame:
    """Return block, row, column and the keys of every picture, in drawing order."""
    import pandas as pd

    keys = ["classifier", "set", *KEYS]
    pictures = [
        {"block": place, "row": row, "column": column} | picture[keys].to_dict()
        for place, block in enumerate(blocks)
        for row, (_, pictures) in enumerate(block.rows)
        for column, picture in enumerate(pictures)
        if picture is not None
    ]
    return pd.DataFrame(pictures, columns=["block", "row", "column", *keys])


def write(axes: MplAxes, x: float, y: float, text: str, **properties: Any) -> None:
    """Write text on a sheet, by default centred."""
    axes.text(x, y, text, **(CENTRED | properties))


def left_edge(column: int, cell: float) -> float:
    """Return the inches left of a column."""
    return SIDE + column * (cell + GAP)


def draw_headers(axes: MplAxes, block: Block, top: float, cell: float) -> float:
    """Write a block's headers below ``top``; return their lower edge."""
    if block.title:
        write(axes, SIDE, top + TITLE / 2, block.title, ha="left", size=9)
        top += TITLE
    column = 0
    for text, span in block.groups:
        start, end = left_edge(column, cell), left_edge(column + span, cell) - GAP
        if text:
            line = top + GROUP * block.group_lines - 0.02
            middle = (start + end) / 2
            write(axes, middle, line - 0.04, text, size=8, va="bottom")
            axes.plot([start, end], [line, line], color=style.FAINT, lw=0.7)
        column += span
    top += GROUP * block.group_lines
    size = fit_text(block.heads, cell)
    for column, text in enumerate(block.heads):
        x = left_edge(column, cell) + cell / 2
        write(axes, x, top + HEAD / 2, text, size=size)
    return top + HEAD * any(block.heads)


def draw_row(
    axes: MplAxes, label: str, pictures: Sequence[Series | None], top: float,
    cell: float,
) -> None:  # fmt: skip
    """Show a row's pictures below ``top``, and its label left of them."""
    letters = max(4, int(cell / LETTER_WIDTH))
    text = label if len(label) <= letters else f"{label[: letters - 1]}…"
    write(axes, SIDE / 2, top + cell / 2, style.literal(text), rotation=90, size=7)
    for column, picture in enumerate(pictures):
        if picture is not None:
            x = left_edge(column, cell)
            extent = (x, x + cell, top + cell, top)
            axes.imshow(picture["pixels"], extent=extent, aspect="auto")


def draw_sheet(blocks: Iterable[Block], settings: Figures) -> MplFigure:
    """Draw blocks below one another, with pictures as large as they can be."""
    blocks = list(blocks)
    across = max(len(block.heads) for block in blocks)
    down = sum(len(block.rows) for block in blocks)
    widest = (settings.width - SIDE) / across - GAP
    cell = min(CELL, widest, max(LEAST, TALL / down - GAP))
    headers = sum(block.header + BLOCK for block in blocks)
    wide, tall = SIDE + across * (cell + GAP), headers + down * (cell + GAP)
    figure = style.page(settings, wide, tall)
    axes = style.remove_frame(figure.add_axes((0, 0, 1, 1)))
    axes.set(xlim=(0, wide), ylim=(tall, 0))
    axes.set_autoscale_on(False)
    top = 0.0
    for block in blocks:
        top = draw_headers(axes, block, top, cell)
        for label, pictures in block.rows:
            draw_row(axes, label, pictures, top, cell)
            top += cell + GAP
        top += BLOCK
    return figure


def fit_text(texts: Iterable[str], width: float, size: float = 7.5) -> float:
    """Return the points at which all texts, such as heads, fit into a width."""
    letters = max(len(re.sub(r"\\[a-z]+|[{}$^]", "", text)) for text in texts)
    return min(size, size * width / (LETTER_WIDTH * max(letters, 1)))


class ResponseSheet(Figure):
    """A sheet of responses of reversed networks.

    Attributes:
        blocks: (*inputs, settings) -> what the sheet consists of.
    """

    section = "salient"
    needs = "reversed"
    blocks: ClassVar[Callable[..., Iterable[Block]]]

    responses: list[InputFile]

    @classmethod
    def inputs(cls, axes: Axes) -> dict[str, str | list[str]]:
        """Return the responses of every network, and the tables."""
        paths = [
            first_seed_path(axes, f"reversed/{name}.npz") for name in axes.reversed
        ]
        return {"responses": paths} | super().inputs(axes)

    @classmethod
    def draw(cls, *inputs: Any) -> MplFigure:
        """Draw the blocks below one another; arguments are those of ``blocks``."""
        return draw_sheet(cls.blocks(*inputs), inputs[-1])

    @classmethod
    def rows(cls, *inputs: Any) -> DataFrame:
        """Return block, row, column and the keys of every picture."""
        return sheet_table(cls.blocks(*inputs))

    def read(self, name: str) -> Any:
        """Return the responses as one table, other inputs as usual."""
        if name == "responses":
            return read_responses(self.responses)
        return super().read(name)
