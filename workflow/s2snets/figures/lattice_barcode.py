"""Every lattice over the threshold: its concepts, and where it is a chain."""

from collections.abc import Mapping, Sequence
from typing import Any

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.types import DataFrame, MplAxes, MplFigure

COLOURS = {True: ("#0072b2", "chain: a total order"), False: ("#d55e00", "no chain")}
"""Whether the lattice is a chain -> colour, legend."""

LABELLED = 60
"""Maximal number of bars that are labelled."""

BAR, BARS = 0.125, 6.5
"""Inches of a bar, and of all of them at most."""

UNLISTED: dict[str, list[str]] = {"extent": [], "intent": []}
"""Stands for the concepts of a lattice that is too large to be listed."""


def rows(
    distinct: Sequence[Mapping[str, Any]], chains: DataFrame, settings: Figures
) -> DataFrame:
    """Return a table with one row per segment: a concept in one lattice, (low, high].

    Bars are numbered in the order in which their concepts end, then begin. A lattice
    too large to be listed has one row and no bar.

    Returns:
        Columns concept (the number of its bar), objects, attributes, low, high, chain,
        concepts (their number in the lattice), share.
    """
    import pandas as pd

    segments = [
        {
            "objects": " ".join(concept["extent"]),
            "attributes": " ".join(concept["intent"]),
            "low": lattice["low"],
            "high": lattice["high"],
            "chain": lattice["chain"],
            "concepts": lattice["concepts_count"],
            "share": lattice["share"],
        }
        for lattice in distinct
        for concept in lattice["concepts"] or [UNLISTED]
    ]
    table = pd.DataFrame(segments)
    pair = ["objects", "attributes"]
    listed = table[(table[pair] != "").any(axis=1)]
    life = listed.groupby(pair).agg(low=("low", "min"), high=("high", "max"))
    life = life.sort_values(["high", "low"], kind="stable").assign(concept=1)
    life["concept"] = life["concept"].cumsum().astype("Int64") - 1
    table = table.join(life["concept"], on=pair)
    table.insert(0, "concept", table.pop("concept"))
    return table.sort_values(["concept", "low"], kind="stable", ignore_index=True)


def bar_label(objects: str, attributes: str) -> str:
    """Return ``V L | A_V`` as the paper sets it; an empty side as a dash."""
    sides = (
        [style.classifier_text(name) for name in objects.split()],
        [style.label_text(name) for name in attributes.split()],
    )
    return " | ".join(" ".join(side) or "\N{EN DASH}" for side in sides)


def label_letters(objects: str, attributes: str) -> float:
    """Return the width of a bar's label in letters."""
    return 3 + len(objects) + 0.9 * len(attributes.replace("A_", "A"))


def draw_bars(axes: MplAxes, segments: DataFrame, key: str, thick: float) -> None:
    """Draw a line from each segment's low to its high, at the height of ``key``.

    A mark in its middle keeps the shortest visible.
    """
    for chain, (colour, _) in COLOURS.items():
        drawn = segments[(segments["chain"] == chain) & segments[key].notna()]
        height = drawn[key].astype(float)
        axes.hlines(height, drawn["low"], drawn["high"], color=colour, lw=thick)
        middle = (drawn["low"] + drawn["high"]) / 2
        axes.plot(middle, height, "|", color=colour, ms=0.85 * thick, mew=0.6)


def draw(
    distinct: Sequence[Mapping[str, Any]], chains: DataFrame, settings: Figures
) -> MplFigure:
    """Draw the number of concepts, the share of draws, and the concepts' bars."""
    from matplotlib.patches import Patch
    from matplotlib.ticker import PercentFormatter

    segments = rows(distinct, chains, settings)
    lattices = segments.drop_duplicates("high")
    segments = segments.dropna(subset="concept")
    shares = lattices["share"].notna().any()
    concepts = segments.drop_duplicates("concept")
    names = list(zip(concepts["objects"], concepts["attributes"], strict=True))
    count = len(names)
    width = style.LETTER_WIDTH * max(
        (label_letters(*name) for name in names), default=0
    )
    labelled = count <= LABELLED and width < 0.4 * settings.width
    tall = min(BAR * max(count, 1), BARS)
    heads = [0.8] * (1 + shares)
    figure = style.canvas(settings, sum(heads) + tall + 0.8)
    *above, axes = figure.subplots(
        len(heads) + 1, 1, sharex=True, height_ratios=[*heads, tall]
    )
    draw_bars(above[0], lattices, "concepts", 2)
    above[0].set(ylabel="concepts", ylim=(0, None))
    above[0].locator_params(axis="y", integer=True, nbins=4)
    if shares:
        draw_bars(above[1], lattices, "share", 2)
        above[1].set(ylabel="recurs in", ylim=(-0.05, 1.05))
        above[1].yaxis.set_major_formatter(PercentFormatter(1))
    for panel in above:
        panel.grid(axis="y")
    draw_bars(axes, segments, "concept", min(4, 0.6 * 72 * tall / max(count, 1)))
    for panel in (*above, axes):
        for threshold in chains["threshold"]:
            panel.axvline(threshold, color=style.INK, lw=0.7, ls=(0, (4, 2)), zorder=0)
    axes.set(
        xlabel="threshold $t$ on the RRC",
        ylabel="" if labelled else "concepts alive",
        xlim=(0, 1),
        ylim=(-0.8, count - 0.2),
    )
    if labelled:
        axes.set_yticks(range(count), [bar_label(*name) for name in names], size=6.5)
        axes.tick_params(axis="y", length=0)
    else:
        axes.set_yticks([])
    figure.legend(
        handles=[Patch(color=colour, label=name) for colour, name in COLOURS.values()],
        loc="outside upper center",
        ncols=2,
        handlelength=1,
    )
    return figure


class LatticeBarcode(Figure):
    """Concepts that exist over the threshold t, in every distinct lattice."""

    stem = "lattice-barcode"
    section = "exchange"
    title = "All concept lattices"
    alternative_text = (
        "Chart over the threshold: the number of concepts, how often each lattice"
        " recurs, and for each concept a horizontal bar over the thresholds at which it"
        " exists, in one colour where the order is total and in another where it is"
        " not."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    distinct: InputFile = table("distinct-lattices.json")
    chains: InputFile = table("chains.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the three panels, the colours and what a long bar means."""
        thresholds = ", ".join(f"{t:g}" for t in study.lattice.thresholds)
        return (
            "All distinct concept lattices of the relation RRC(A_i∘j) ≥ t over t in"
            " [0, 1]. Top: the number of concepts. Middle: the share of draws of"
            f" {study.interval_sources} in which exactly this lattice occurs at some"
            " threshold."
            " Bottom: a bar for each concept over the thresholds at which it exists,"
            " labelled with its networks and the signals that all of them use. Dashed:"
            f" the study's thresholds t = {thresholds}.\n\n"
            "Blue: the lattice is a chain, so the order of the networks is total."
            " Orange: it is not. A long bar is a group of networks that persists over"
            " many thresholds. A lattice that occurs in few draws depends on the"
            f" sample of {study.interval_sources}. Palacio et al. 2018, section 3.4,"
            " shows four of them."
        )
