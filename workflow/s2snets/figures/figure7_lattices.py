"""Figure 7: concept lattices of the RRC, one Hasse diagram a threshold."""

import itertools

import pandas
from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea, VPacker

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.files import read_json
from s2snets.stages.base import run

SIZE, SMALLEST = 8.5, 5.0
"""Points: names as they should be, and where very many must share a line."""

LINE, EDGE, LAYER, TITLE = 0.17, 0.4, 0.5, 0.3
"""Inches: a line of a label, edge and node between two labels, the least distance of
layers, a panel's title."""

NODE, ROOMY = 0.45, 0.74
"""Inches between the nodes of a layer: at least, and where there is room."""

LABEL = 0.9
"""Inches that a label of several names may fill before it goes on below."""


def rows(lattices, style):
    """panel, threshold, concept, x, y, objects, attributes, covers: one row a node.

    ``objects`` and ``attributes`` are the reduced labels drawn above and below;
    ``covers`` lists the nodes to which edges go down.
    """
    return pandas.DataFrame(
        [
            {
                "panel": look.letter(panel),
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


def width(name):
    """Inches of a name, rather more than less; subscripts are smaller."""
    own = look.tuned_for(name)
    return look.LETTER * (1.5 + 0.75 * len(own) if own else 0.5 + len(name))


def lines(names):
    """A label's names, line by line."""
    if not names:
        return []
    count = max(1, int(LABEL / max(map(width, names))))
    return [names[start : start + count] for start in range(0, len(names), count)]


def breadth(lattice):
    """Inches that the diagram needs so that neighbours' labels do not meet."""
    x = [concept["x"] for concept in lattice["concepts"]]
    labels = [
        sum(map(width, line))
        for concept in lattice["concepts"]
        for part in ("objects", "attributes")
        for line in lines(concept[part])
    ]
    return (max(x) - min(x)) * max([NODE, *labels]) + max([NODE, *labels])


def heights(lattice):
    """Inches above the lowest layer for each y, with room for what stands between.

    Returns:
        dict y -> inches, and the room above the highest and below the lowest layer.
    """
    above, below = {}, {}
    for concept in lattice["concepts"]:
        y = concept["y"]
        above[y] = max(above.get(y, 0), LINE * len(lines(concept["objects"])))
        below[y] = max(below.get(y, 0), LINE * len(lines(concept["attributes"])))
    levels = sorted(above)
    places = {levels[0]: 0.0}
    for low, high in itertools.pairwise(levels):
        gap = max(LAYER, EDGE + above[low] + below[high])
        places[high] = places[low] + gap
    return places, 0.2 + above[levels[-1]], 0.2 + below[levels[0]]


def label(axes, place, names, above, colours, size):
    """Names in their classifiers' colours, in a box that touches the node."""
    words = [
        HPacker(
            children=[
                TextArea(
                    look.mathtext(name)
                    if look.tuned_for(name)
                    else look.variable(name),
                    textprops={
                        "color": colours[look.tuned_for(name) or name],
                        "size": size,
                    },
                )
                for name in line
            ],
            pad=0,
            sep=3,
        )
        for line in lines(names)
    ]
    axes.add_artist(
        AnnotationBbox(
            VPacker(children=words, pad=0, sep=1, align="center"),
            place,
            (0, 5.5 if above else -5.5),
            boxcoords="offset points",
            box_alignment=(0.5, 0 if above else 1),
            pad=0.15,
            bboxprops={
                "facecolor": "white" if above else "#ececec",
                "edgecolor": look.FAINT,
                "linewidth": 0.5,
                "boxstyle": "round,pad=0.1",
            },
        )
    )


def diagram(axes, lattice, inches, tall, colours, size):
    """One Hasse diagram in axes of so many inches."""
    up, head, _ = heights(lattice)
    x = [concept["x"] for concept in lattice["concepts"]]
    middle, nodes = (min(x) + max(x)) / 2, max(x) - min(x) + 1
    unit = min(inches, max(breadth(lattice), ROOMY * nodes)) / nodes
    places = [
        ((concept["x"] - middle) * unit, up[concept["y"]])
        for concept in lattice["concepts"]
    ]
    for ends in lattice["covers"]:
        axes.plot(
            *zip(*(places[end] for end in ends), strict=True),
            color=look.MUTED,
            lw=1,
            zorder=1,
        )
    for concept, place in zip(lattice["concepts"], places, strict=True):
        labelled = concept["objects"] or concept["attributes"]
        fill = look.INK if labelled else "white"
        axes.plot(*place, "o", ms=6, mec=look.INK, mfc=fill, zorder=2)
        for part, above in (("objects", True), ("attributes", False)):
            if concept[part]:
                label(axes, place, concept[part], above, colours, size)
    axes.set_xlim(-inches / 2, inches / 2)
    axes.set_ylim(max(up.values()) + head - tall, max(up.values()) + head)


def draw(lattices, style):
    """Lattices: objects above nodes, attributes below (Palacio et al. 2018, Fig. 7)."""
    names = {name for lattice in lattices for name in lattice["objects"]}
    colours = look.colours(style, names)
    widest = max(map(breadth, lattices))
    across = max(1, min(4, len(lattices), int(style.width / widest)))
    size = max(SMALLEST, SIZE * min(1, style.width / widest))
    bands = [lattices[i : i + across] for i in range(0, len(lattices), across)]
    talls = [
        max(max(up.values()) + head + foot for up, head, foot in map(heights, band))
        for band in bands
    ]
    figure = look.canvas(style, sum(talls) + TITLE * len(bands))
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
        diagram(axes, lattice, style.width / across, tall, colours, size)
        axes.set_title(f"{look.letter(panel)} $t$ = {lattice['threshold']:g}")
    return figure


def main(argv=None):
    command(draw, rows, argv, lattices=read_json)


if __name__ == "__main__":
    run(main)
