"""What became of the photographs: outcomes, and the rejected part of every shard."""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator, NullLocator

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

GROUPS = {
    "unwanted": ("not wanted", look.MUTED, "s"),
    "missing": ("never obtained", "#0072b2", "D"),
    "filtered": ("rejected", "#d55e00", "v"),
    "kept": ("kept", "#009e73", "o"),
}
"""Group of outcomes -> label, colour, marker."""


def rows(outcomes, shards, style):
    """Both tables, one below the other."""
    return pd.concat(
        [outcomes.assign(panel="a"), shards.assign(panel="b")], ignore_index=True
    )


def draw(outcomes, shards, style):
    """Photographs by outcome, and every shard's rejected part in its band."""
    figure = look.canvas(style, 0.48 * style.width)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    photographs(left, outcomes)
    rates(right, shards)
    left.set_title(f"{look.letter(0)} what became of every row", loc="left")
    right.set_title(f"{look.letter(1)} rejected, shard by shard", loc="left")
    figure.legend(
        handles=left.get_legend_handles_labels()[0],
        loc="outside lower center",
        ncols=len(GROUPS),
    )
    return figure


def photographs(axes, outcomes):
    """A dot an outcome: on a logarithmic axis, bars would have no foot to stand on."""
    most = max(outcomes["photos"].max(), 10)
    for group, (label, colour, marker) in GROUPS.items():
        own = outcomes[(outcomes["group"] == group) & (outcomes["photos"] > 0)]
        axes.plot(own["photos"], own.index, marker, color=colour, label=label)
    for place, one in outcomes.iterrows():
        count = f"{one['photos']:,.0f}"
        if one["photos"] == 0:
            axes.text(1, place, count, va="center", color=look.MUTED, fontsize=7)
        else:
            axes.annotate(
                count,
                (one["photos"], place),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
    # Room to the right for the digits of the greatest number.
    axes.set(xscale="log", xlim=(0.7, most**1.5), xlabel="rows")
    axes.set_xticks(10.0 ** np.arange(0, np.log10(most) + 0.5, 1 if most < 1e5 else 2))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks(outcomes.index, outcomes["outcome"].str.replace("_", " "))
    axes.set_ylim(len(outcomes) - 0.4, -0.6)
    axes.grid()


def rates(axes, shards):
    """Rates as points over the shards' numbers, within the band of chance."""
    colour, few = GROUPS["filtered"][1], len(shards) < 200
    axes.stairs(
        shards["high"],
        np.arange(len(shards) + 1) - 0.5,
        baseline=shards["low"],
        fill=True,
        color=look.FAINT,
        alpha=0.6,
        label="what chance allows",
        rasterized=True,  # vectors of so many shards would make the PDF slow
    )
    usual, odd = shards[~shards["outside"]], shards[shards["outside"]]
    axes.plot(
        usual["shard"], usual["rate"], ".", color=colour, ms=6 if few else 1.2,
        alpha=1 if few else 0.6, rasterized=True,
    )  # fmt: skip
    if len(odd):
        axes.plot(odd["shard"], odd["rate"], "x", ms=5, color=look.INK, label="outside")
    axes.set(xlabel="shard", ylabel="rejected, of those obtained", ylim=(0, None))
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for the legend
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter(lambda rate, _: f"{100 * rate:g} %")
    axes.grid()
    axes.legend(loc="upper right")


def main(argv=None):
    command(draw, rows, argv, outcomes=read_csv, shards=read_csv)


if __name__ == "__main__":
    run(main)
