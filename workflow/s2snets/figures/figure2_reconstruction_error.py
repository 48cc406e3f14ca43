"""Figure 2: reconstruction error of the two pretrainings over images seen."""

from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

COLOURS = {"photos": "#0072b2", "labelled": "#d55e00"}
CURVES = {
    "training": ("training", {"ls": "-"}),
    "validation_labelled": (
        "validation on labelled images",
        {"ls": "--", "marker": "s"},
    ),
    "validation_photos": ("validation on photos", {"ls": ":", "marker": "o"}),
}

STEPS = (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8)
"""Ticks within a decade."""


def rows(curves, style):
    """corpus, curve, images, mse: one row a point; photos first."""
    long = curves.melt(
        ["corpus", "images"], [*CURVES], var_name="curve", value_name="mse"
    )
    long = long.sort_values("corpus", ascending=False, kind="stable")
    return long.dropna(subset="mse").reset_index(drop=True)


def draw(curves, style):
    """Mean square error of both pretrainings (Palacio et al. 2018, Figure 2)."""
    figure = look.canvas(style, 0.45 * style.width + 0.5)
    axes = figure.add_subplot()
    for (corpus, curve), line in rows(curves, style).groupby(
        ["corpus", "curve"], sort=False
    ):
        name, dashes = CURVES[curve]
        axes.plot(
            line["images"],
            line["mse"],
            color=COLOURS[corpus],
            label=f"trained on {corpus}: {name}",
            markevery=max(1, len(line) // 8),
            mfc="white",
            **dashes,
        )
    axes.set(
        yscale="log",
        xlabel="images seen",
        ylabel="mean square error (range of a pixel: 1)",
    )
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    low, high = axes.get_ylim()
    if high < 10 * low:  # powers of ten alone would leave the axis bare
        axes.yaxis.set_major_locator(LogLocator(subs=STEPS, numticks=20))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(which="both", axis="y")
    figure.legend(loc="outside lower center", ncols=2)  # a corpus a column
    return figure


def main(argv=None):
    command(draw, rows, argv, curves=read_csv)


if __name__ == "__main__":
    run(main)
