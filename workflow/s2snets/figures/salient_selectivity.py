"""How much of a response the neuron decides, and how much the image."""

from typing import Any

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.response_sheet import ARCHITECTURES
from s2snets.figures.types import DataFrame, MplAxes, MplFigure

MEASURE = "cosine"
COLUMNS = ("classifier", "depth", "layer", "architecture", "pair", MEASURE)
LINES: dict[str, tuple[str, str, str, Any]] = {
    "strongest-random": ("strongest and random neuron", "#0072b2", "o", "-"),
    "strongest-mixture": ("strongest and mixture", "#d55e00", "s", "-"),
    "random-mixture": ("random neuron and mixture", "#009e73", "^", "-"),
    "image": ("same neuron, another image", style.MUTED, "D", (0, (3, 1.5))),
}
"""Pair -> label, colour, marker, line style; the reference is dashed."""


def rows(selectivity: DataFrame, settings: Figures) -> DataFrame:
    """Return the table's rows of the pairs that are drawn."""
    return selectivity[selectivity["pair"].isin(LINES)]


def draw_lines(axes: MplAxes, responses: DataFrame) -> None:
    """Draw one network's similarities in one architecture, a line for each pair."""
    for place, (pair, (label, colour, marker, dashes)) in enumerate(LINES.items()):
        line = responses[responses["pair"] == pair].sort_values("depth")
        ends = line[[f"{MEASURE}_low", f"{MEASURE}_high"]]
        axes.errorbar(
            line["depth"] + 0.05 * (place - 1.5), line[MEASURE],
            abs(ends.sub(line[MEASURE], axis=0).T.to_numpy()),
            label=label, color=colour, marker=marker, ls=dashes, ms=3.5,
            lw=1.2, elinewidth=0.9, capsize=1.5, clip_on=False,
        )  # fmt: skip
    axes.axhline(0, color=style.FAINT, lw=0.8, zorder=0)


def draw(selectivity: DataFrame, settings: Figures) -> MplFigure:
    """Draw a row of panels for each network, a column for each architecture."""
    drawn = rows(selectivity, settings)
    names = style.palette_order(settings, drawn["classifier"])
    figure = style.canvas(settings, 0.55 + 1.75 * len(names))
    grid = figure.subplots(
        len(names), len(ARCHITECTURES), sharex="row", sharey=True, squeeze=False
    )
    for name, panels in zip(names, grid, strict=True):
        of_network = drawn[drawn["classifier"] == name]
        ticks = of_network.drop_duplicates("depth").sort_values("depth")
        for axes, (architecture, title) in zip(
            panels, ARCHITECTURES.items(), strict=True
        ):
            draw_lines(axes, of_network[of_network["architecture"] == architecture])
            axes.set_xticks(ticks["depth"], ticks["layer"])
            axes.margins(x=0.08)
            axes.grid(axis="y")
            if name == names[0]:
                axes.set_title(title)
            crowded = (
                sum(map(len, ticks["layer"])) * style.LETTER_WIDTH > settings.width / 4
            )
            axes.tick_params(axis="x", rotation=30 * crowded)
        panels[0].set_ylabel(f"{style.classifier_text(name)}: {MEASURE}")
    grid[0, 0].set_ylim(min(0, drawn[f"{MEASURE}_low"].min() - 0.05), 1.02)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=style.legend_columns(settings, labels),
    )
    return figure


class Selectivity(Figure):
    """Similarity of responses over depth (Mahendran & Vedaldi 2016, section 3.3)."""

    stem = "salient-selectivity"
    section = "salient"
    needs = "reversed"
    title = "Neuron selectivity"
    alternative_text = (
        "Line charts over depth: similarity of the responses from two neurons for one"
        " image, and from one neuron for two images."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    selectivity: InputFile = table("selectivity.csv", COLUMNS)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the pairs of responses, their reference and the cosine's range."""
        assert study.salient is not None
        count = study.salient.measured
        images = "all validation images"
        if count is not None:
            images = f"``{count:,}`` validation images at most"
        return (
            "Cosine of two responses of the same network, over the depth of the layer"
            " that they start from; means over"
            f" {images}, with 95 % intervals"
            f" over images{' and seeds' if len(study.seeds) > 1 else ''}. Coloured: one"
            " image, two starts at the central position (two of: the most active"
            " neuron, a random one, a random positive"
            " mixture of all). Grey, dashed, the reference: one start, the most active"
            " neuron, with the switches and masks of two images.\n\n"
            "The cosine ignores scale: 1 is the same picture, −1 the same picture with"
            " reversed polarity. A coloured line above the dashed one says that the"
            " image determines the response more than the neuron does. The table also"
            " contains correlations of the responses and of their magnitudes. This"
            " measures what Mahendran & Vedaldi 2016, Figure 4, show."
        )
