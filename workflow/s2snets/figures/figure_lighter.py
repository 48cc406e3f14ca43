"""Lighter autoencoders: reconstruction error and accuracy against multiply-adds."""

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

COST = "multiply-adds an image"


def rows(lighter, style):
    """The table as it is."""
    return lighter


def draw(lighter, style):
    """What width and depth of SegNet buy, before any fine-tuning."""
    names = look.ordered(style, lighter["classifier"])
    colours, markers = look.colours(style, names), look.markers(style, names)
    autoencoders = lighter[lighter["source"] != "original"]
    originals = lighter[lighter["source"] == "original"].set_index("classifier")
    legend = look.legend_columns(style, names)
    under = 0.17 * -(-len(names) // legend)
    figure = look.canvas(style, 0.46 * style.width + under)
    left, right = figure.subplots(1, 2)
    sizes = autoencoders.drop_duplicates("source").sort_values("width")
    for number, (stages, line) in enumerate(sizes.groupby("stages")):
        left.plot(
            line["multiply_adds"],
            line["mse"],
            color=look.INK,
            ls=("-", "--", ":", "-.")[number % 4],
            marker=look.MARKERS[number],
            label=f"{stages:g} stage{'s' if stages > 1 else ''}",
        )
    left.legend()
    for name in names:
        line = autoencoders[autoencoders["classifier"] == name]
        line = line.sort_values("multiply_adds")
        right.plot(
            line["multiply_adds"],
            line["top1"],
            color=colours[name],
            marker=markers[name],
            label=look.variable(name),
        )
        right.axhline(originals.loc[name, "top1"], color=colours[name], lw=0.8, ls=":")
    left.set(title="(a) reconstruction", ylabel="mean square error", ylim=(0, None))
    right.set(title="(b) originals (dotted), $A_S$", ylabel="top-1")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlabel(COST)
        axes.grid()
    figure.legend(
        handles=right.get_legend_handles_labels()[0],
        loc="outside lower center",
        ncols=legend,
    )
    return figure


def main(argv=None):
    command(draw, rows, argv, lighter=read_csv)


if __name__ == "__main__":
    run(main)
