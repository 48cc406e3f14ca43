"""Figure 7: concept lattices of the RRC, one line diagram per threshold."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.types import DataFrame, MplAxes, MplFigure

if TYPE_CHECKING:
    from matplotlib.artist import Artist

SIZE, SMALLEST = 8.5, 5.0
"""Size of names where there is room, and at least, points."""

LINE, EDGE, LAYER, TITLE = 0.17, 0.4, 0.5, 0.3
"""Inches: a label's line; edge and node between two labels; between layers at least; a
panel's title."""

NODE, ROOMY = 0.45, 0.74
"""Inches between the nodes of a layer: at least, and where there is room."""

LABEL = 0.9
"""Width of a label at which its names are broken into lines, inches."""


def rows(lattices: Sequence[Mapping[str, Any]], settings: Figures) -> DataFrame:
    """Return a table with one row per node.

    Objects and attributes are the reduced labels above and below it; covers are the
    nodes to which edges go down.
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "panel": style.panel_letter(panel),
                "threshold": lattice["threshold"],
                "concept": node,
                "x": concept["x"],
                "y": concept["y"],
                "objects": " ".join(concept["objects"]),
                "attributes": " ".join(concept["attributes"]),
                "covers": " ".join(
                    str(low) for up, low in lattice["covers"] if up == node
                ),
            }
            for panel, lattice in enumerate(lattices)
            for node, concept in enumerate(lattice["concepts"])
        ]
    )


def name_width(name: str) -> float:
    """Return an upper bound for a name's width, inches; subscripts are smaller."""
    network = style.tuned_network(name)
    letters = 1.5 + 0.75 * len(network) if network else 0.5 + len(name)
    return style.LETTER_WIDTH * letters


def label_lines(names: Sequence[str]) -> list[Sequence[str]]:
    """Return a label's names line by line."""
    if not names:
        return []
    count = max(1, int(LABEL / max(map(name_width, names))))
    return [names[start : start + count] for start in range(0, len(names), count)]


def diagram_width(lattice: Mapping[str, Any]) -> float:
    """Return the inches at which labels of neighbours do not meet."""
    x = [concept["x"] for concept in lattice["concepts"]]
    labels = [
        sum(map(name_width, line))
        for concept in lattice["concepts"]
        for part in ("objects", "attributes")
        for line in label_lines(concept[part])
    ]
    return (max(x) - min(x)) * max([NODE, *labels]) + max([NODE, *labels])


def layer_heights(
    lattice: Mapping[str, Any],
) -> tuple[dict[float, float], float, float]:
    """Return the height of each layer, with room for the labels in between.

    Returns:
        dict y -> inches above the lowest layer; inches above the highest and below the
        lowest layer.
    """
    above: dict[float, float] = {}
    below: dict[float, float] = {}
    for concept in lattice["concepts"]:
        y = concept["y"]
        above[y] = max(above.get(y, 0), LINE * len(label_lines(concept["objects"])))
        below[y] = max(below.get(y, 0), LINE * len(label_lines(concept["attributes"])))
    levels = sorted(above)
    places = {levels[0]: 0.0}
    for low, high in itertools.pairwise(levels):
        gap = max(LAYER, EDGE + above[low] + below[high])
        places[high] = places[low] + gap
    return places, 0.2 + above[levels[-1]], 0.2 + below[levels[0]]


def add_label(
    axes: MplAxes, place: tuple[float, float], names: Sequence[str], above: bool,
    colours: Mapping[str, Any], size: float,
) -> None:  # fmt: skip
    """Write names in their classifiers' colours, in a box that touches the node."""
    from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea, VPacker

    lines: list[Artist] = [
        HPacker(
            children=[
                TextArea(
                    style.label_text(name)
                    if style.tuned_network(name)
                    else style.classifier_text(name),
                    textprops={
                        "color": colours[style.tuned_network(name) or name],
                        "size": size,
                    },
                )
                for name in line
            ],
            pad=0,
            sep=3,
        )
        for line in label_lines(names)
    ]
    axes.add_artist(
        AnnotationBbox(
            VPacker(children=lines, pad=0, sep=1, align="center"),
            place,
            (0, 5.5 if above else -5.5),
            boxcoords="offset points",
            box_alignment=(0.5, 0 if above else 1),
            pad=0.15,
            bboxprops={
                "facecolor": "white" if above else "#ececec",
                "edgecolor": style.FAINT,
                "linewidth": 0.5,
                "boxstyle": "round,pad=0.1",
            },
        )
    )


def draw_diagram(
    axes: MplAxes, lattice: Mapping[str, Any], width: float, height: float,
    colours: Mapping[str, Any], size: float,
) -> None:  # fmt: skip
    """Draw one line diagram in axes of a width and height in inches."""
    up, head, _ = layer_heights(lattice)
    x = [concept["x"] for concept in lattice["concepts"]]
    middle, nodes = (min(x) + max(x)) / 2, max(x) - min(x) + 1
    unit = min(width, max(diagram_width(lattice), ROOMY * nodes)) / nodes
    places = [
        ((concept["x"] - middle) * unit, up[concept["y"]])
        for concept in lattice["concepts"]
    ]
    for ends in lattice["covers"]:
        axes.plot(
            *zip(*(places[end] for end in ends), strict=True),
            color=style.MUTED,
            lw=1,
            zorder=1,
        )
    for concept, place in zip(lattice["concepts"], places, strict=True):
        labelled = concept["objects"] or concept["attributes"]
        fill = style.INK if labelled else "white"
        axes.plot(*place, "o", ms=6, mec=style.INK, mfc=fill, zorder=2)
        for part, above in (("objects", True), ("attributes", False)):
            if concept[part]:
                add_label(axes, place, concept[part], above, colours, size)
    axes.set_xlim(-width / 2, width / 2)
    axes.set_ylim(max(up.values()) + head - height, max(up.values()) + head)


def draw(lattices: Sequence[Mapping[str, Any]], settings: Figures) -> MplFigure:
    """Draw a panel for each lattice: objects above nodes, attributes below."""
    names = {name for lattice in lattices for name in lattice["objects"]}
    colours = style.colours(settings, names)
    widest = max(map(diagram_width, lattices))
    across = max(1, min(4, len(lattices), int(settings.width / widest)))
    size = max(SMALLEST, SIZE * min(1, settings.width / widest))
    bands = [lattices[i : i + across] for i in range(0, len(lattices), across)]
    talls = [
        max(
            max(up.values()) + head + foot
            for up, head, foot in map(layer_heights, band)
        )
        for band in bands
    ]
    figure = style.canvas(settings, sum(talls) + TITLE * len(bands))
    grid = figure.subplots(
        len(bands),
        across,
        squeeze=False,
        height_ratios=[tall + TITLE for tall in talls],
    )
    for axes in grid.flat:
        axes.set_axis_off()
    for panel, lattice in enumerate(lattices):
        axes, tall = grid.flat[panel], talls[panel // across]
        draw_diagram(axes, lattice, settings.width / across, tall, colours, size)
        axes.set_title(f"{style.panel_letter(panel)} $t$ = {lattice['threshold']:g}")
    return figure


class ConceptLattices(Figure):
    """Concept lattices at the study's thresholds (Palacio et al. 2018, Figure 7)."""

    stem = "figure-7"
    section = "exchange"
    title = "Figure 7. Concept lattices"
    alternative_text = (
        "Line diagrams of concept lattices, one for each threshold: nodes in layers,"
        " joined by edges, with networks above and signals below them."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    lattices: InputFile = table("lattices.json")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the thresholds, the labels and how to read a diagram."""
        thresholds = ", ".join(f"{t:g}" for t in study.lattice.thresholds)
        return (
            f"Concept lattices of the relation RRC(A_i∘j) ≥ t at t = {thresholds}. Each"
            " node is a formal concept. A network is written above its node, an"
            " autoencoder's signal below its node, in the colour of its network. Hollow"
            " nodes have no label.\n\n"
            "Read upwards: j uses the signal of A_i if both share a node or a path"
            " leads up from j to A_i. A single line of nodes is a total order: of any"
            " two networks, one can use the other's signal. Palacio et al. 2018, Figure"
            " 7."
        )
