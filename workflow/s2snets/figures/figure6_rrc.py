"""Figure 6: every pair of autoencoder and classifier, sorted by RRC."""

import math

from matplotlib.patches import Patch

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

PER_PANEL = 36
"""Pairs side by side that keep their labels legible; further ones go below."""


def rows(rrc, style):
    """panel and the pairs drawn in it, in ascending order of RRC."""
    table = rrc.sort_values("rrc", kind="stable", ignore_index=True)
    panels = math.ceil(len(table) / PER_PANEL)
    table.insert(0, "panel", table.index * panels // len(table))
    return table


def draw(rrc, style):
    """Relative rate of change, ascending (Palacio et al. 2018, Figure 6)."""
    table = rows(rrc, style)
    names = look.ordered(style, table["classifier"])
    colours = look.colours(style, names)
    across = look.legend_columns(style, names)
    panels = table["panel"].nunique()
    longest = (table["autoencoder"] + table["classifier"]).str.len().max()
    figure = look.canvas(
        style,
        panels * (0.26 * style.width + look.LETTER * longest)
        + 0.2 * (1 - len(names) // -across),
    )
    grid = figure.subplots(panels, sharey=True, squeeze=False)[:, 0]
    for axes, (_, pairs) in zip(grid, table.groupby("panel"), strict=True):
        tuned = [look.tuned_for(label) for label in pairs["autoencoder"]]
        places = range(len(pairs))
        for shift, parts in ((-0.2, tuned), (0.2, pairs["classifier"])):
            axes.bar(
                [place + shift for place in places],
                pairs["rrc"],
                width=0.4,
                color=[colours[part] for part in parts],
            )
        if {"rrc_low", "rrc_high"} <= set(pairs):
            axes.vlines(
                places, pairs["rrc_low"], pairs["rrc_high"], color=look.INK, lw=0.9
            )
        for place, label, own, name in zip(
            places, pairs["autoencoder"], tuned, pairs["classifier"], strict=True
        ):
            upright = {"rotation": 90, "va": "top", "ha": "center", "size": 7.5}
            upper = axes.annotate(
                f"∘{look.variable(name)}",
                (place, 0),
                (0, -3),
                xycoords=axes.get_xaxis_transform(),
                textcoords="offset points",
                color=colours[name],
                **upright,
            )
            axes.annotate(
                look.mathtext(label),
                (0.5, 0),
                xycoords=upper,
                color=colours[own],
                **upright,
            )
        axes.axhline(1, color=look.INK, lw=0.8, ls=(0, (4, 2)))
        axes.set(ylabel="RRC", xlim=(-0.7, len(pairs) - 0.3))
        axes.set_xticks([])
        axes.grid(axis="y")
        axes.locator_params(axis="y", nbins=6)
    grid[0].set_ylim(bottom=0)
    figure.legend(
        handles=[
            Patch(color=colours[name], label=look.variable(name)) for name in names
        ],
        title="left half: autoencoder $A_i$, tuned for …; right half: classifier $j$",
        loc="outside upper center",
        ncols=across,
        handlelength=1,
    )
    return figure


def main(argv=None):
    command(draw, rows, argv, rrc=read_csv)


if __name__ == "__main__":
    run(main)
