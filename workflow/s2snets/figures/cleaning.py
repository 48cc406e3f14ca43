"""Outcomes of the cleaning, and the share that every shard rejects."""

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.types import DataFrame, MplAxes, MplFigure

GROUPS = {
    "unwanted": ("not wanted", style.MUTED, "s"),
    "missing": ("never obtained", "#0072b2", "D"),
    "filtered": ("rejected", "#d55e00", "v"),
    "kept": ("kept", "#009e73", "o"),
}
"""Group of outcomes -> label, colour, marker."""


def rows(outcomes: DataFrame, shards: DataFrame, settings: Figures) -> DataFrame:
    """Return both tables, one below the other."""
    import pandas as pd

    return pd.concat(
        [outcomes.assign(panel="a"), shards.assign(panel="b")], ignore_index=True
    )


def draw(outcomes: DataFrame, shards: DataFrame, settings: Figures) -> MplFigure:
    """Draw the rows by outcome, and the shards' rates in their band."""
    figure = style.canvas(settings, 0.48 * settings.width)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    draw_outcomes(left, outcomes)
    draw_rates(right, shards)
    left.set_title(f"{style.panel_letter(0)} what became of every row", loc="left")
    right.set_title(f"{style.panel_letter(1)} rejected, shard by shard", loc="left")
    figure.legend(
        handles=left.get_legend_handles_labels()[0],
        loc="outside lower center",
        ncols=len(GROUPS),
    )
    return figure


def draw_outcomes(axes: MplAxes, outcomes: DataFrame) -> None:
    """Draw a dot for each outcome; bars would need a zero on the logarithmic axis."""
    import numpy as np
    from matplotlib.ticker import NullLocator

    most = max(outcomes["photos"].max(), 10)
    for group, (label, colour, marker) in GROUPS.items():
        drawn = outcomes[(outcomes["group"] == group) & (outcomes["photos"] > 0)]
        axes.plot(drawn["photos"], drawn.index, marker, color=colour, label=label)
    for place, (_, row) in enumerate(outcomes.iterrows()):
        count = f"{row['photos']:,.0f}"
        if row["photos"] == 0:
            axes.text(1, place, count, va="center", color=style.MUTED, fontsize=7)
        else:
            axes.annotate(
                count,
                (row["photos"], place),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
    # Room to the right for the digits of the greatest number.
    axes.set(xscale="log", xlim=(0.7, most**1.5), xlabel="rows")
    axes.set_xticks(10.0 ** np.arange(0, np.log10(most) + 0.5, 1 if most < 1e5 else 2))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks(outcomes.index, outcomes["outcome"].str.replace("_", " "))
    axes.set_ylim(len(outcomes) - 0.4, -0.6)
    axes.grid()


def draw_rates(axes: MplAxes, shards: DataFrame) -> None:
    """Draw the rates as points over the shards' numbers, within the band of chance."""
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    colour, few = GROUPS["filtered"][1], len(shards) < 200
    axes.stairs(
        shards["high"],
        np.arange(len(shards) + 1) - 0.5,
        baseline=shards["low"],
        fill=True,
        color=style.FAINT,
        alpha=0.6,
        label="what chance allows",
        rasterized=True,  # vectors of so many shards would make the PDF slow
    )
    usual, odd = shards[~shards["outside"]], shards[shards["outside"]]
    axes.plot(
        usual["shard"], usual["rate"], ".", color=colour, ms=6 if few else 1.2,
        alpha=1 if few else 0.6, rasterized=True,
    )  # fmt: skip
    if len(odd):
        axes.plot(
            odd["shard"], odd["rate"], "x", ms=5, color=style.INK, label="outside"
        )
    axes.set(xlabel="shard", ylabel="rejected, of those obtained", ylim=(0, None))
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for the legend
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter(lambda rate, _: f"{100 * rate:g} %")
    axes.grid()
    axes.legend(loc="upper right")


class CleaningOutcomes(Figure):
    """Outcomes of the cleaning, and every shard's share of rejected photographs."""

    stem = "cleaned-photographs"
    section = "photographs"
    needs = "batches"
    title = "Outcomes of the cleaning"
    alternative_text = (
        "Two charts: the number of rows with each outcome as dots on a logarithmic"
        " axis, and the share that each shard rejects as points within the band"
        " expected by chance."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    outcomes: InputFile = table("cleaning.csv")
    shards: InputFile = table("cleaning-shards.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return both panels and what a shard outside the band points to."""
        return (
            "Left: the number of metadata rows with each outcome. A row counts for the"
            " first outcome that applies; the axis is logarithmic. Right: the share of"
            " the obtained photographs that each tar shard rejects. A hash assigns"
            " photographs to shards, so the shares differ by chance alone and follow a"
            " binomial distribution about the overall share. The grey band is wide"
            " enough that, over all shards, fewer than 0.5 are expected outside it.\n\n"
            "A shard outside the band, or several in a row, points to a damaged source"
            " or a failed job rather than to unusual photographs. Palacio et al. 2018,"
            " section 3.2."
        )
