"""Signal against depth: how much each layer of a network leaves of its input."""

from __future__ import annotations

import textwrap
from copy import copy
from typing import Any, NamedTuple

from s2snets.config.depth import RANDOM, TRAINED
from s2snets.figures import style
from s2snets.figures.base import Figures, InputFile, Study, table
from s2snets.figures.depth import DepthFigure, intervals, layers_of, names_of, pick
from s2snets.figures.types import Arrays, DataFrame, MplAxes, MplFigure

MARGIN, TITLE, GAP, NAMES, SIGNAL, RESPONSE, LEGEND = (
    0.62,
    0.42,
    0.1,
    0.62,
    1.35,
    1.0,
    0.34,
)
"""Inches: left of a block; its title; between its panels; names of layers; heights of
both charts; the legend."""


class Block(NamedTuple):
    """What is drawn of one network."""

    name: str
    measures: Any  # rows of depth.csv
    losses: Any  # rows of depth-losses.csv
    layers: list[str]  # with the input
    cell: float  # width of a layer, inches
    pictures: Any  # (images, columns, H, W, 3), the original first


def rows(
    depth: DataFrame, losses: DataFrame, gallery: Arrays, settings: Figures
) -> DataFrame:
    """Return the values that are drawn: nMI and its null by depth, and responses."""
    profile = depth["measure"].isin(["nmi", "null"]) & depth["depth"].notna()
    seen = (depth["measure"] == "response") & depth["source"].isin(["A_S", "A_C"])
    return depth[profile | seen].reset_index(drop=True)


def greatest_loss(losses: DataFrame) -> Any:
    """Return the row of the step that loses most with the network's own weights."""
    return losses[losses["greatest"] & (losses["weights"] == TRAINED)].iloc[0]


def describe_loss(losses: DataFrame) -> str:
    """Return where most signal is lost, as a block's title says it."""
    most = greatest_loss(losses)
    where = f"from {most['before']} to {most['layer']}"
    return {
        "certain": f"loses most {where}",
        "likely": f"most is lost {where}, in {100 * most['share']:.0f} % of draws",
        "open": "where it loses most is not established",
    }[most["verdict"]]


def draw_pictures(figure: MplFigure, block: Block, left: float, top: float) -> None:
    """Draw the reconstructions above their layers."""
    side = block.cell - 0.04
    for row, images in enumerate(block.pictures):
        for column, image in enumerate(images):
            place = left + column * block.cell + 0.02, top + row * block.cell
            axes = style.remove_frame(style.add_axes(figure, *place, side, side))
            axes.imshow(image, interpolation="nearest")


def draw_signal(axes: MplAxes, block: Block, colour: str) -> None:
    """Draw nMI by depth, with own and random weights, and the null."""
    styles = {
        TRAINED: (colour, "o-", "own weights"),
        RANDOM: (style.MUTED, "s--", "random weights"),
    }
    for weights, (shade, form, label) in styles.items():
        points = pick(block.measures, weights, "nmi")
        axes.fill_between(
            points["depth"],
            points["low"],
            points["high"],
            color=shade,
            alpha=0.15,
            lw=0,
        )
        axes.plot(points["depth"], points["mean"], form, color=shade, label=label)
        failed = block.losses[
            (block.losses["weights"] == weights) & ~block.losses["reached"]
        ]
        missed = points[points["source"].isin(failed["layer"])]
        axes.plot(missed["depth"], missed["mean"], form[0], color=shade, mfc="white")
    null = pick(block.measures, TRAINED, "null")
    axes.plot(
        null["depth"],
        null["mean"],
        ":",
        color=style.MUTED,
        label="null: pixels shuffled",
    )
    own = block.measures[block.measures["weights"] == TRAINED]
    others = own[(own["measure"] == "nmi") & own["depth"].isna()]
    marks = {
        "A_S": (-1, "*", "$A_S$"),
        "A_C": (len(block.layers) - 0.75, "D", "$A_C$: tuned by its predictions"),
    }
    for source, (place, mark, label) in marks.items():
        found = others[others["source"] == source]
        axes.plot(
            [place] * len(found),
            found["mean"],
            mark,
            color=style.INK,
            ms=5,
            label=label,
            ls="none",
        )
    most = greatest_loss(block.losses)
    if most["verdict"] != "open":
        end = block.layers.index(most["layer"])
        axes.axvspan(end - 1, end, color=colour, alpha=0.12, lw=0)
    axes.set_ylim(bottom=0)


def draw_response(axes: MplAxes, block: Block) -> None:
    """Draw what each layer notices of A_S and A_C, for which nothing was trained."""
    own = block.measures[block.measures["weights"] == TRAINED]
    chosen = own[own["measure"] == "response"]
    for source, mark in (("A_S", "*-"), ("A_C", "D-")):
        points = (
            chosen[chosen["source"] == source].set_index("at").reindex(block.layers)
        )
        places = range(len(block.layers))
        axes.plot(places, points["mean"], mark, color=style.INK, lw=0.9, ms=4.5)
        axes.fill_between(
            places, points["low"], points["high"], color=style.INK, alpha=0.12, lw=0
        )
    axes.set_ylim(bottom=0)


def blocks_of(
    depth: DataFrame, losses: DataFrame, gallery: Arrays, width: float
) -> list[Block]:
    """Return the networks' blocks for a width in inches."""
    found = []
    for name in names_of(depth):
        measures = depth[depth["classifier"] == name]
        layers = layers_of(depth, name)
        sources = list(map(str, gallery[f"{name}.sources"]))
        wanted = [sources.index(one) for one in ("original", *layers)]
        found.append(
            Block(
                name=name,
                measures=measures,
                losses=losses[losses["classifier"] == name],
                layers=layers,
                cell=(width - MARGIN) / (len(layers) + 1.5),
                pictures=gallery[f"{name}.pictures"][wanted].swapaxes(0, 1),
            )
        )
    return found


def block_title(place: int, block: Block, width: float) -> str:
    """Return a block's title, in as many lines as its width asks for."""
    name = f"{style.panel_letter(place)} {style.classifier_text(block.name)}:"
    letters = int((width - GAP) / style.LETTER_WIDTH)
    return textwrap.fill(f"{name} {describe_loss(block.losses)}", letters)


def draw_block(
    figure: MplFigure, block: Block, left: float, top: float, pictures: float
) -> tuple[MplAxes, MplAxes]:
    """Draw one network's pictures, and empty axes of its layers below; return them.

    Args:
        figure: to draw on.
        block: what is drawn.
        left: of the pictures, inches.
        top: likewise.
        pictures: height of the highest block's pictures, inches.
    """
    middle = left + block.cell / 2
    small: Any = {"size": 7, "ha": "center", "color": style.MUTED}
    style.add_text(figure, middle, top - 0.05, "original", **small)
    draw_pictures(figure, block, left, top)
    columns = len(block.layers) + 1.5
    top += pictures + GAP
    heights = ((top, SIGNAL), (top + SIGNAL + GAP, RESPONSE))
    signal, response = (
        style.add_axes(figure, left, place, columns * block.cell, height)
        for place, height in heights
    )
    for axes in (signal, response):
        axes.set_xlim(-1.5, columns - 1.5)
        axes.set_xticks(range(len(block.layers)), [])
        axes.grid(axis="y")
    return signal, response


def draw(
    depth: DataFrame, losses: DataFrame, gallery: Arrays, settings: Figures
) -> MplFigure:
    """Draw a block for each network, two beside each other."""
    names = names_of(depth)
    across = min(2, len(names))
    width = settings.width / across
    blocks = blocks_of(depth, losses, gallery, width)
    titles = [block_title(place, block, width) for place, block in enumerate(blocks)]
    longest = max(len(layer) for block in blocks for layer in block.layers)
    upright = longest * style.LETTER_WIDTH > min(block.cell for block in blocks)
    below = NAMES + upright * longest * style.LETTER_WIDTH
    pictures = max(len(block.pictures) * block.cell for block in blocks)
    title = TITLE + 0.15 * max(text.count("\n") for text in titles)
    height = title + pictures + 2 * GAP + SIGNAL + RESPONSE + below
    rows_of_blocks = -(-len(blocks) // across)
    figure = style.page(settings, settings.width, LEGEND + height * rows_of_blocks)
    colours = style.colours(settings, names)
    for place, block in enumerate(blocks):
        row, column = divmod(place, across)
        left, top = column * width + MARGIN, LEGEND + row * height
        written: Any = {"size": 8.5, "va": "top"}
        style.add_text(figure, left - MARGIN + GAP, top, titles[place], **written)
        signal, response = draw_block(figure, block, left, top + title, pictures)
        draw_signal(signal, block, colours[block.name])
        draw_response(response, block)
        ticks = range(len(block.layers)), map(style.literal, block.layers)
        response.set_xticks(*ticks, rotation=90 * upright)
        response.set_xlabel("layer that the autoencoder keeps")
        if column == 0:
            signal.set_ylabel("signal (nMI)")
            response.set_ylabel("noticed of\n$A_S$, $A_C$")
    handles, labels = signal.get_legend_handles_labels()
    own: Any = copy(handles[0])  # each network's own weights have its colour
    own.set_color(style.INK)
    handles = [own, *handles[1:]]
    figure.legend(handles, labels, loc="upper center", ncols=5, columnspacing=1.2)
    return figure


class DepthProfile(DepthFigure):
    """Signal against depth, with reconstructions (the question of section 4)."""

    stem = "depth-profile"
    title = "Where in the networks the signal is lost"
    alternative_text = (
        "For each network: an image as its layers leave it, the mutual information that"
        " is left by layer, with own and with random weights, and what each layer"
        " notices of A_S and A_C."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    losses: InputFile = table(
        "depth-losses.csv", ["weights", "classifier", "layer", "share", "verdict"]
    )
    depth_gallery: InputFile = table("depth.npz")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return what was tuned for what, and how to read both charts."""
        return (
            "For each layer of a network an autoencoder was tuned, from A_S, so"
            " that the layer notices no difference: it may change whatever that"
            " layer does not use. Pictures: what it makes of two images; ``input``"
            " is tuned for the images themselves. Upper chart: nMI of image and"
            " reconstruction, the signal that the layer leaves; shaded, the step"
            " that loses most, unless its interval contains 0; hollow where tuning"
            " did not lower the layer's error below that with A_S. Random weights:"
            " the same for the architecture before it has learnt anything. Lower"
            " chart, for which nothing was trained: the error that a layer has with"
            " A_S and with A_C, over the variance of its activations; 1 is what the"
            " mean activations would give.\n\n"
            "Where the upper curve falls, the network discards what the layers below"
            " still used; where it falls with random weights too, the architecture does"
            " so by itself. Where the lower curves fall, layers no longer notice what"
            f" the autoencoder changed. Bands: 95 % over {intervals(study)}. This"
            " figure extends Palacio et al. 2018, section 4."
        )
