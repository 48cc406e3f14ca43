"""Figure 6: every pair of autoencoder and classifier, sorted by RRC."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.types import DataFrame, MplAxes, MplFigure

PER_PANEL = 36
"""Maximal number of pairs side by side whose labels are legible."""

GUESSING = "\N{DAGGER}"
"""Mark of pairs that are not above chance."""


def rows(rrc: DataFrame, settings: Figures) -> DataFrame:
    """Return the pairs in ascending order of RRC, with their panel."""
    pairs = rrc.sort_values("rrc", kind="stable", ignore_index=True)
    panels = math.ceil(len(pairs) / PER_PANEL)
    pairs.insert(0, "panel", pairs.index * panels // len(pairs))
    return pairs


def label_pairs(
    axes: MplAxes, pairs: DataFrame, tuned: Sequence[str], colours: Mapping[str, Any]
) -> None:
    """Write below every bar its autoencoder, and below that its network."""
    upright: dict[str, Any] = {"rotation": 90, "va": "top", "ha": "center", "size": 7.5}
    above_chance = pairs.get("above_chance", [True] * len(pairs))
    for place, (autoencoder, network, name, above) in enumerate(
        zip(pairs["autoencoder"], tuned, pairs["classifier"], above_chance, strict=True)
    ):
        upper = axes.annotate(
            f"∘{style.classifier_text(name)}{'' if above else GUESSING}",
            (place, 0),
            (0, -3),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            color=colours[name],
            **upright,
        )
        axes.annotate(
            style.label_text(autoencoder),
            (0.5, 0),
            xycoords=upper,
            color=colours[network],
            **upright,
        )


def draw(rrc: DataFrame, settings: Figures) -> MplFigure:
    """Draw a bar for each pair, one half in the colour of each network."""
    drawn = rows(rrc, settings)
    names = style.palette_order(settings, drawn["classifier"])
    colours = style.colours(settings, names)
    across = style.legend_columns(settings, names)
    panels = drawn["panel"].nunique()
    longest = (drawn["autoencoder"] + drawn["classifier"]).str.len().max()
    figure = style.canvas(
        settings,
        panels * (0.26 * settings.width + style.LETTER_WIDTH * longest)
        + 0.2 * (1 - len(names) // -across),
    )
    grid = figure.subplots(panels, sharey=True, squeeze=False)[:, 0]
    for axes, (_, pairs) in zip(grid, drawn.groupby("panel"), strict=True):
        tuned = [style.tuned_network(label) or label for label in pairs["autoencoder"]]
        places = range(len(pairs))
        for shift, networks in ((-0.2, tuned), (0.2, pairs["classifier"])):
            axes.bar(
                [place + shift for place in places],
                pairs["rrc"],
                width=0.4,
                color=[colours[name] for name in networks],
            )
        if {"rrc_low", "rrc_high"} <= set(pairs):
            axes.vlines(
                places, pairs["rrc_low"], pairs["rrc_high"], color=style.INK, lw=0.9
            )
        label_pairs(axes, pairs, tuned, colours)
        axes.axhline(1, color=style.INK, lw=0.8, ls=(0, (4, 2)))
        axes.set(ylabel="RRC", xlim=(-0.7, len(pairs) - 0.3))
        axes.set_xticks([])
        axes.grid(axis="y")
        axes.locator_params(axis="y", nbins=6)
    grid[0].set_ylim(bottom=0)
    style.add_network_legend(
        figure,
        settings,
        colours,
        "left half: autoencoder $A_i$, tuned for …; right half: classifier $j$",
    )
    return figure


class RelativeRateOfChange(Figure):
    """Relative rate of change, ascending (Palacio et al. 2018, Figure 6)."""

    stem = "figure-6"
    section = "exchange"
    title = "Figure 6. Relative rate of change"
    alternative_text = (
        "Bar chart: the relative rate of change of every pair in ascending order, with"
        " a line at 1; the table of RRC holds the same numbers."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    rrc: InputFile = table("rrc.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the definition of RRC, the bars' colours and what 1 means."""
        agreement = (
            " acc is agreement with the network's own prediction on the original, as"
            " there are no labels."
        )
        return (
            "Every pair of an autoencoder A_i and a network j among"
            f" {', '.join(study.classifiers)}, in ascending order of the relative rate"
            " of change RRC(A_i∘j) = acc(A_i∘j) / min(acc(A_i∘i), acc(A_j∘j)). The left"
            " half of a bar has the colour of the network that the autoencoder was"
            " tuned for, the right half that of the network that classifies the"
            " reconstruction. Lines: 95 % intervals over"
            f" {study.interval_sources}, drawn alike for all three values."
            f"{agreement if study.reference == 'predictions' else ''}"
            f" {GUESSING}: acc is not above what guessing by the frequencies of the"
            " classes gives (95 % interval).\n\n"
            "At 1 (dashed) or above, j does at least as well as the weaker of the two"
            " networks does on its own signal: what A_i keeps is enough for j. Near 0,"
            " A_i discards what j relies on; guessing alone gives more than 0. The CSV"
            " has chance, and RRC with chance subtracted from acc above and below the"
            " line. Palacio et al. 2018, Figure 6."
        )
