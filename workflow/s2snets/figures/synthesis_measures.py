"""Numbers of preferred images, both modes: means over targets with intervals."""

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.measure.modes import MEASURES
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

ACROSS = 3
ROW, HEAD = 0.19, 0.55
"""Inches: a network's targets of one kind; above and below a row of panels."""

MODES = {"scratch": ("#e08214", "o", -1), "pretrained": ("#35608d", "s", 1)}
"""Mode -> colour, marker, on which side of the middle it stands."""

KINDS = {"class": "classes", "compound": "compounds", "filter": "filters"}
KINDS |= {"group": "groups"}
SHARES = {"first", "confidence", "agrees"}


def rows(table, style):
    """The table as it is."""
    return table


def order_of(table, style):
    """(classifier, kind) from top to bottom."""
    for name in look.ordered(style, table["classifier"]):
        own = set(table.loc[table["classifier"] == name, "kind"])
        yield from ((name, kind) for kind in KINDS if kind in own)


def draw(table, style):
    """Numbers of preferred images by network, kind of target and mode."""
    table = table[table["against"].isna() & (table["measure"] != "started")]
    order = list(order_of(table, style))
    shown = [name for name in MEASURES if name in set(table["measure"])]
    modes = [mode for mode in MODES if mode in set(table["mode"])]
    across = min(ACROSS, len(shown))
    down = -(-len(shown) // across)
    figure = look.canvas(style, down * (HEAD + ROW * len(order)) + 0.3)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    panels = grid.ravel()
    for axes in panels[len(shown) :]:
        axes.remove()
    place = {line: number for number, line in enumerate(order)}
    for measure, axes in zip(shown, panels, strict=False):
        own = table[table["measure"] == measure]
        for mode in modes:
            (colour, marker, side), points = MODES[mode], own[own["mode"] == mode]
            lines = points[["classifier", "kind"]].itertuples(index=False)
            x = points["mean"]
            axes.errorbar(
                x, [place[line] + 0.16 * side for line in map(tuple, lines)],
                xerr=[x - points["low"], points["high"] - x], fmt=marker, ms=3.4,
                color=colour, lw=1, label=mode,
            )  # fmt: skip
        axes.set_title(MEASURES[measure])
        axes.grid(axis="x")
        if measure in SHARES:
            axes.set_xlim(-0.03, 1.03)
    for axes in grid[:, 0]:
        axes.set_yticks(
            range(len(order)),
            [f"{look.variable(name)}  {KINDS[kind]}" for name, kind in order],
        )
        axes.set_ylim(len(order) - 0.5, -0.5)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return figure


def main(argv=None):
    command(draw, rows, argv, table=read_csv)


if __name__ == "__main__":
    run(main)
