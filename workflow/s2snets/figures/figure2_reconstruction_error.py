"""Figure 2: reconstruction error of the two pretrainings over images seen."""

from matplotlib.ticker import EngFormatter

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.stage import run
from s2snets.tables import read_csv

COLOURS = {"photos": "#0072b2", "labelled": "#d55e00"}
CURVES = {
    "training": ("training", {"ls": "-"}),
    "validation_labelled": (
        "validation on labelled images",
        {"ls": "--", "marker": "s"},
    ),
    "validation_photos": ("validation on photos", {"ls": ":", "marker": "o"}),
}


def rows(curves, style):
    """corpus, curve, images, mse: one row a point, in drawing order."""
    long = curves.melt(
        ["corpus", "images"], [*CURVES], var_name="curve", value_name="mse"
    )
    return long.dropna(subset="mse").reset_index(drop=True)


def draw(curves, style):
    """Mean square error of both pretrainings (Palacio et al. 2018, Figure 2)."""
    figure = look.canvas(style, 0.5 * style.width)
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
    axes.grid(which="both", axis="y")
    axes.legend()
    return figure


def main(argv=None):
    command(draw, rows, argv, curves=read_csv)


if __name__ == "__main__":
    run(main)
