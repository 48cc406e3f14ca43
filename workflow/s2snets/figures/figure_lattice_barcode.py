"""Every lattice over the threshold: its concepts, and where it is a chain."""

import pandas
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.files import read_json
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

COLOURS = {True: ("#0072b2", "chain: a total order"), False: ("#d55e00", "no chain")}
"""Whether the lattice is a chain -> colour, legend."""

LABELLED = 60
"""Bars that still get their concept's names."""

BAR, BARS = 0.125, 6.5
"""Inches of a bar, and of all of them at most."""

UNLISTED = {"extent": [], "intent": []}


def rows(distinct, chains, style):
    """concept (its bar), objects, attributes, low, high, chain, …: a row a segment.

    A segment is a concept in one lattice, (low, high]; bars stand in the order in
    which their concepts end, then begin. A lattice too large to be listed has one
    row and no bar.
    """
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
    table = pandas.DataFrame(segments)
    pair = ["objects", "attributes"]
    listed = table[(table[pair] != "").any(axis=1)]
    life = listed.groupby(pair).agg(low=("low", "min"), high=("high", "max"))
    life = life.sort_values(["high", "low"], kind="stable").assign(concept=1)
    life["concept"] = life["concept"].cumsum().astype("Int64") - 1
    table = table.join(life["concept"], on=pair)
    table.insert(0, "concept", table.pop("concept"))
    return table.sort_values(["concept", "low"], kind="stable", ignore_index=True)


def label(objects, attributes):
    """``V L | A_V`` as the paper sets it; an empty side as a dash."""
    sides = (
        [look.variable(name) for name in objects.split()],
        [look.mathtext(name) for name in attributes.split()],
    )
    return " | ".join(" ".join(side) or "\N{EN DASH}" for side in sides)


def letters(objects, attributes):
    """Room a label takes, in letters."""
    return 3 + len(objects) + 0.9 * len(attributes.replace("A_", "A"))


def bars(axes, table, key, thick):
    """A line from each row's low to its high, seen however short, at its ``key``."""
    for chain, (colour, _) in COLOURS.items():
        drawn = table[(table["chain"] == chain) & table[key].notna()]
        height = drawn[key].astype(float)
        axes.hlines(height, drawn["low"], drawn["high"], color=colour, lw=thick)
        middle = (drawn["low"] + drawn["high"]) / 2
        axes.plot(middle, height, "|", color=colour, ms=0.85 * thick, mew=0.6)


def draw(distinct, chains, style):
    """Concepts alive over the threshold t, in every distinct lattice."""
    table = rows(distinct, chains, style)
    lattices = table.drop_duplicates("high")
    table = table.dropna(subset="concept")
    shares = lattices["share"].notna().any()
    concepts = table.drop_duplicates("concept")
    names = list(zip(concepts["objects"], concepts["attributes"], strict=True))
    count = len(names)
    room = look.LETTER * max((letters(*name) for name in names), default=0)
    labelled = count <= LABELLED and room < 0.4 * style.width
    tall = min(BAR * max(count, 1), BARS)
    heads = [0.8] * (1 + shares)
    figure = look.canvas(style, sum(heads) + tall + 0.8)
    *above, axes = figure.subplots(
        len(heads) + 1, 1, sharex=True, height_ratios=[*heads, tall]
    )
    bars(above[0], lattices, "concepts", 2)
    above[0].set(ylabel="concepts", ylim=(0, None))
    above[0].locator_params(axis="y", integer=True, nbins=4)
    if shares:
        bars(above[1], lattices, "share", 2)
        above[1].set(ylabel="recurs in", ylim=(-0.05, 1.05))
        above[1].yaxis.set_major_formatter(PercentFormatter(1))
    for one in above:
        one.grid(axis="y")
    bars(axes, table, "concept", min(4, 0.6 * 72 * tall / max(count, 1)))
    for one in (*above, axes):
        for threshold in chains["threshold"]:
            one.axvline(threshold, color=look.INK, lw=0.7, ls=(0, (4, 2)), zorder=0)
    axes.set(
        xlabel="threshold $t$ on the RRC",
        ylabel="" if labelled else "concepts alive",
        xlim=(0, 1),
        ylim=(-0.8, count - 0.2),
    )
    if labelled:
        axes.set_yticks(range(count), [label(*name) for name in names], size=6.5)
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


def main(argv=None):
    command(draw, rows, argv, distinct=read_json, chains=read_csv)


if __name__ == "__main__":
    run(main)
