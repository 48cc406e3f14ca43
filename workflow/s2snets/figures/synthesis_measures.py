"""Measurements of preferred images: means over targets with intervals, by mode."""

from collections.abc import Iterator

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.types import DataFrame, MplFigure

ACROSS = 3
ROW, HEAD = 0.19, 0.55
"""Inches: a line of points; above and below a row of panels."""

MODES = {"scratch": ("#e08214", "o", -1), "pretrained": ("#35608d", "s", 1)}
"""Mode -> colour, marker, side of the line's middle."""

KINDS = {"class": "classes", "compound": "compounds", "filter": "filters"}
KINDS |= {"group": "groups"}
SHARES = {"first", "confidence", "agrees"}
"""Measures that lie in [0, 1]."""


def line_order(measures: DataFrame, settings: Figures) -> Iterator[tuple[str, str]]:
    """Yield (classifier, kind) from top to bottom."""
    for name in style.palette_order(settings, measures["classifier"]):
        known = set(measures.loc[measures["classifier"] == name, "kind"])
        yield from ((name, kind) for kind in KINDS if kind in known)


def draw(measures: DataFrame, settings: Figures) -> MplFigure:
    """Draw a panel for each measure, a line for each network and kind of target."""
    from s2snets.measure.modes import MEASURES

    means = measures[measures["against"].isna() & (measures["measure"] != "started")]
    order = list(line_order(means, settings))
    shown = [name for name in MEASURES if name in set(means["measure"])]
    modes = [mode for mode in MODES if mode in set(means["mode"])]
    across = min(ACROSS, len(shown))
    down = -(-len(shown) // across)
    figure = style.canvas(settings, down * (HEAD + ROW * len(order)) + 0.3)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    panels = grid.ravel()
    for axes in panels[len(shown) :]:
        axes.remove()
    place = {line: number for number, line in enumerate(order)}
    for measure, axes in zip(shown, panels, strict=False):
        of_measure = means[means["measure"] == measure]
        for mode in modes:
            (colour, marker, side), points = (
                MODES[mode],
                of_measure[of_measure["mode"] == mode],
            )
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
            [f"{style.classifier_text(name)}  {KINDS[kind]}" for name, kind in order],
        )
        axes.set_ylim(len(order) - 0.5, -0.5)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return figure


class Measurements(Figure):
    """Measurements by network, kind of target and mode, which the paper only shows."""

    stem = "synthesis-measures"
    section = "synthesis"
    needs = "preferring"
    title = "Measurements of the preferred images"
    alternative_text = (
        "Points with error bars: confidence, smoothness and agreement of both kinds of"
        " generator."
    )
    draw = staticmethod(draw)

    measures: InputFile = table("synthesis.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the measures, their intervals and what disagreement means."""
        assert study.synthesis is not None
        judge = f", {study.synthesis.judge}," if study.synthesis.judge else ""
        return (
            "Measurements of the preferred images, which the paper only shows: means"
            " over a network's targets of one kind, with 95 % bootstrap intervals over"
            f" targets (``{study.bootstrap.resamples:,}`` resamples). The activation is"
            " the rectified logit, or the mean of the rectified channel; it is the"
            " highest of its layer where no other unit's exceeds it. For a second"
            f" network{judge} the figure shows how often its top-1 class is the target."
            " Total variation is 1 for a chessboard of black and white; high"
            " frequencies are those above half of the Nyquist frequency.\n\n"
            "An image that its own network classifies with confidence but another"
            " network does not recognise says more about that network than about the"
            " class. The table also contains the differences between the modes, paired"
            " by target. Extends Despraz et al. 2017, Figure 4."
        )
