"""Figure 7: concept lattices of the RRC, one Hasse diagram a threshold."""

import pandas
from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea, VPacker

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.files import read_json
from s2snets.stage import run

UNIT, NARROWEST = 0.74, 0.45
"""Inches between neighbouring heights, and between neighbours where it gets tight."""


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


def label(axes, concept, names, above, colours, size):
    """Names in their classifiers' colours, in a box that touches the node."""
    words = [
        TextArea(
            look.mathtext(name),
            textprops={"color": colours[look.tuned_for(name) or name], "size": size},
        )
        for name in names
    ]
    line = 1 if max(map(len, names)) > len("A_V") else 3
    lines = [
        HPacker(children=words[start : start + line], pad=0, sep=3)
        for start in range(0, len(words), line)
    ]
    axes.add_artist(
        AnnotationBbox(
            VPacker(children=lines, pad=0, sep=1, align="center"),
            (concept["x"], concept["y"]),
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


def extent(lattice, axis):
    """Least and greatest coordinate of a lattice's nodes."""
    values = [concept[axis] for concept in lattice["concepts"]]
    return min(values), max(values)


def diagram(axes, lattice, half, rise, colours, size):
    """One Hasse diagram; ``half`` its least half width, ``rise`` its height, units."""
    for ends in lattice["covers"]:
        axes.plot(
            [lattice["concepts"][end]["x"] for end in ends],
            [lattice["concepts"][end]["y"] for end in ends],
            color=look.MUTED,
            lw=1,
            zorder=1,
        )
    for concept in lattice["concepts"]:
        labelled = concept["objects"] or concept["attributes"]
        axes.plot(
            concept["x"],
            concept["y"],
            "o",
            ms=6,
            mec=look.INK,
            mfc=look.INK if labelled else "white",
            zorder=2,
        )
        for part, above in (("objects", True), ("attributes", False)):
            if concept[part]:
                label(axes, concept, concept[part], above, colours, size)
    left, right = extent(lattice, "x")
    half = max(half, (right - left) / 2 + 0.5)
    axes.set_xlim((left + right) / 2 - half, (left + right) / 2 + half)
    top = extent(lattice, "y")[1] + 0.5
    axes.set_ylim(top - rise, top)


def draw(lattices, style):
    """Lattices: objects above nodes, attributes below (Palacio et al. 2018, Fig. 7)."""
    names = {name for lattice in lattices for name in lattice["objects"]}
    colours = look.colours(style, names)
    spread = max(high - low for low, high in (extent(one, "x") for one in lattices))
    fitting = int(style.width / (NARROWEST * (spread + 1)))
    across = max(1, min(4, len(lattices), fitting))
    bands = [lattices[i : i + across] for i in range(0, len(lattices), across)]
    rises = [
        1 + max(high - low for low, high in (extent(one, "y") for one in band))
        for band in bands
    ]
    figure = look.canvas(style, UNIT * sum(rises) + 0.3 * len(bands))
    grid = figure.subplots(
        len(bands), across, squeeze=False, height_ratios=[r + 0.3 / UNIT for r in rises]
    )
    for axes in grid.flat:
        axes.set_axis_off()
    half = style.width / across / UNIT / 2
    size = 8.5 if spread * NARROWEST * across < style.width / 2 else 7
    for panel, lattice in enumerate(lattices):
        axes = grid.flat[panel]
        diagram(axes, lattice, half, rises[panel // across], colours, size)
        axes.set_title(f"{look.letter(panel)} $t$ = {lattice['threshold']:g}")
    return figure


def main(argv=None):
    command(draw, rows, argv, lattices=read_json)


if __name__ == "__main__":
    run(main)
