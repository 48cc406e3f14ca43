"""Figure 5: accuracy over noise strength, with and without the autoencoders."""

import pandas
from matplotlib.lines import Line2D

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

PANELS = ("A_S", "A_i")


def rows(noise, style):
    """panel (A_S left, A_i right) and the rows of the table drawn in it."""
    panels = [
        noise[noise["input"].isin(["original", panel])].assign(panel=panel)
        for panel in PANELS
    ]
    return pandas.concat(panels)[
        [
            *("panel", "input", "classifier", "strength", "images", "seeds"),
            *("top1", "top1_low", "top1_high"),
        ]
    ].reset_index(drop=True)


def draw(noise, style):
    """Accuracy under uniform noise (Palacio et al. 2018, Figure 5)."""
    table = rows(noise, style)
    names = look.ordered(style, table["classifier"])
    colours, markers = look.colours(style, names), look.markers(style, names)
    labels = [*names, "original", "reconstruction"]
    across = look.legend_columns(style, labels)
    figure = look.canvas(style, 0.46 * style.width + 0.17 * -(-len(labels) // across))
    axes = figure.subplots(1, 2, sharey=True)
    for panel, (source, panel_axes) in enumerate(zip(PANELS, axes, strict=True)):
        for (given, name), line in table[table["panel"] == source].groupby(
            ["input", "classifier"], sort=False
        ):
            line = line.sort_values("strength")
            clean = given == "original"
            panel_axes.plot(
                line["strength"],
                line["top1"],
                color=colours[name],
                marker=markers[name],
                mfc="white" if clean else colours[name],
                ls=(0, (3, 1.5)) if clean else "-",
                lw=0.9 if clean else 1.5,
                clip_on=False,
            )
            panel_axes.fill_between(
                line["strength"],
                line["top1_low"],
                line["top1_high"],
                color=colours[name],
                alpha=0.1 if clean else 0.2,
                lw=0,
            )
        panel_axes.set(
            title=f"{look.letter(panel)} originals and {look.mathtext(source)}",
            xlabel="noise strength $s$ (range of a pixel: 1)",
            ylim=(0, None),
        )
        panel_axes.grid()
    axes[0].set_ylabel("top-1")
    keys = [
        Line2D(
            [],
            [],
            color=colours[name],
            marker=markers[name],
            label=look.variable(name),
        )
        for name in names
    ]
    keys += [
        Line2D([], [], color=look.INK, ls=(0, (3, 1.5)), lw=0.9, label="original"),
        Line2D([], [], color=look.INK, lw=1.5, label="reconstruction"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=across)
    return figure


def main(argv=None):
    command(draw, rows, argv, noise=read_csv)


if __name__ == "__main__":
    run(main)
