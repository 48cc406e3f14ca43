"""Informed inverse networks: what masks and switches tell about an image."""

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

NAMES = {
    "neither": "the layer alone",
    "masks": "ReLU masks",
    "switches": "pooling switches",
    "both": "masks and switches",
}


def rows(inversion, style):
    """The table as it is."""
    return inversion


def bounds(rows):
    """Distances of the ends of intervals from the values, as error bars take them."""
    return [rows["value"] - rows["low"], rows["high"] - rows["value"]]


def draw(inversion, style):
    """Errors of inverses by what they were told (Mahendran & Vedaldi 2016, 3.3)."""
    table = inversion[inversion["error"] == "relative"]
    means = table[table["against"].isna()].set_index("informed")
    means = means.loc[[name for name in NAMES if name in means.index]]
    lower = table.dropna(subset="against")
    figure = look.canvas(style, 0.34 * style.width)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
    places = range(len(means))
    left.errorbar(
        means["value"], places, xerr=bounds(means), fmt="o", color=look.INK, capsize=2
    )
    left.set(
        title="(a) mean error",
        xlabel=r"$\Vert\hat{x} - x\Vert\ /\ \Vert x\Vert$",
        xlim=(0, None),
        ylim=(len(means) - 0.5, -0.5),
    )
    left.set_yticks(places, [NAMES[name] for name in means.index])
    places = range(len(lower))
    right.axvline(0, color=look.MUTED, lw=0.8)
    right.errorbar(
        100 * lower["value"],
        places,
        xerr=[100 * ends for ends in bounds(lower)],
        fmt="o",
        color=look.INK,
        capsize=2,
        label="here",
    )
    right.plot(
        100 * lower["printed"], places, "D", mfc="white", color="#d55e00", label="paper"
    )
    right.set(
        title="(b) one against another",
        xlabel="error lower by (%)",
        ylim=(len(lower) - 0.5, -0.5),
    )
    right.set_yticks(places, lower["informed"] + " vs " + lower["against"])
    for axes in (left, right):
        axes.grid(axis="x")
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower right", ncols=2)
    return figure


def main(argv=None):
    command(draw, rows, argv, inversion=read_csv)


if __name__ == "__main__":
    run(main)
