"""How much of a response the neuron decides, and how much the image."""

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.figures.salient import ARCHITECTURES
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

MEASURE = "cosine"
NEEDED = ("classifier", "depth", "layer", "architecture", "pair", MEASURE)
LINES = {
    "strongest-random": ("strongest and random neuron", "#0072b2", "o", "-"),
    "strongest-mixture": ("strongest and mixture", "#d55e00", "s", "-"),
    "random-mixture": ("random neuron and mixture", "#009e73", "^", "-"),
    "image": ("same neuron, another image", look.MUTED, "D", (0, (3, 1.5))),
}
"""Pair -> label, colour, marker, line style; the null is dashed."""


def read(path):
    return read_csv(path, NEEDED)


def rows(selectivity, style):
    """What the table has of the pairs that are drawn."""
    return selectivity[selectivity["pair"].isin(LINES)]


def draw(selectivity, style):
    """Similarity of responses over depth (Mahendran & Vedaldi 2016, section 3.3)."""
    shown = rows(selectivity, style)
    names = look.ordered(style, shown["classifier"].unique())
    figure = look.canvas(style, 0.55 + 1.75 * len(names))
    grid = figure.subplots(
        len(names), len(ARCHITECTURES), sharex="row", sharey=True, squeeze=False
    )
    for name, panels in zip(names, grid, strict=True):
        own = shown[shown["classifier"] == name]
        ticks = own.drop_duplicates("depth").sort_values("depth")
        for axes, (architecture, title) in zip(
            panels, ARCHITECTURES.items(), strict=True
        ):
            found = own[own["architecture"] == architecture].sort_values("depth")
            for place, (pair, how) in enumerate(LINES.items()):
                label, colour, marker, dashes = how
                line = found[found["pair"] == pair]
                spread = line[[f"{MEASURE}_low", f"{MEASURE}_high"]]
                axes.errorbar(
                    line["depth"] + 0.05 * (place - 1.5), line[MEASURE],
                    abs(spread.sub(line[MEASURE], axis=0).T.to_numpy()),
                    label=label, color=colour, marker=marker, ls=dashes, ms=3.5,
                    lw=1.2, elinewidth=0.9, capsize=1.5, clip_on=False,
                )  # fmt: skip
            axes.axhline(0, color=look.FAINT, lw=0.8, zorder=0)
            axes.set_xticks(ticks["depth"], ticks["layer"])
            axes.margins(x=0.08)
            axes.grid(axis="y")
            if name == names[0]:
                axes.set_title(title)
            crowded = sum(map(len, ticks["layer"])) * look.LETTER > style.width / 4
            axes.tick_params(axis="x", rotation=30 * crowded)
        panels[0].set_ylabel(f"{look.variable(name)}: {MEASURE}")
    grid[0, 0].set_ylim(min(0, shown[f"{MEASURE}_low"].min() - 0.05), 1.02)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=look.legend_columns(style, labels),
    )
    return figure


def main(argv=None):
    command(draw, rows, argv, selectivity=read)


if __name__ == "__main__":
    run(main)
