"""RRC of every two networks beside their error consistency and their agreement."""

from typing import Any

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.types import DataFrame, MplAxes, MplFigure

PANELS = {
    "kappa": "error consistency $\\kappa$",
    "agreement": "same first class",
    "cka": "features alike (CKA)",
}
"""Column of the table -> the label of its axis."""


def draw_pairs(
    axes: MplAxes, pairs: DataFrame, measure: str, colours: dict[str, Any]
) -> None:
    """Draw a mark for each pair, one half in the colour of each network."""
    columns = ["network", "other", "rrc", measure, f"{measure}_low", f"{measure}_high"]
    for network, other, rrc, value, low, high in pairs[columns].to_numpy():
        axes.vlines(rrc, low, high, color=style.MUTED, lw=0.8, zorder=1)
        axes.plot(
            rrc, value, "o", ms=7, fillstyle="left", mew=0, color=colours[network],
            markerfacecoloralt=colours[other],
        )  # fmt: skip


def draw(pairs: DataFrame, correlations: DataFrame, settings: Figures) -> MplFigure:
    """Draw one panel for each similarity that is defined."""
    names = style.palette_order(settings, {*pairs["network"], *pairs["other"]})
    colours = style.colours(settings, names)
    found = correlations.set_index("similarity")[["rho", "p"]].T.to_dict("list")
    shown = [one for one in PANELS if pairs[one].notna().any()]
    across = style.legend_columns(settings, names)
    height = 0.42 * settings.width + 0.2 * (1 - len(names) // -across)
    figure = style.canvas(settings, height)
    grid = figure.subplots(1, len(shown), squeeze=False)[0]
    for place, (measure, axes) in enumerate(zip(shown, grid, strict=True)):
        draw_pairs(axes, pairs, measure, colours)
        rho, p = found[measure]
        told = f"$\\rho$ = {rho:.2f}, $p$ = {p:.2g}" if rho == rho else "no order"
        axes.set_title(f"{style.panel_letter(place)} {told}")
        axes.set(xlabel="RRC, mean of both ways", ylabel=PANELS[measure])
        axes.grid()
    style.add_network_legend(
        figure, settings, names, "both halves of a mark: the two networks"
    )
    return figure


class ErrorConsistency(Figure):
    """RRC of every two networks beside whether they err on the same images."""

    stem = "error-consistency"
    section = "exchange"
    title = "Do networks that serve each other err alike?"
    alternative_text = (
        "Scatter plots, a mark for each pair of networks: error consistency, and the"
        " share of images with the same first class, and how alike their features"
        " are, over the pair's mean RRC."
    )
    draw = staticmethod(draw)

    pairs: InputFile = table(
        "consistency.csv", ["network", "other", "kappa", "agreement", "cka", "rrc"]
    )
    correlations: InputFile = table("correlations.csv", ["similarity", "rho", "p"])

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return what is on both axes, and what the test permutes."""
        if study.reference == "predictions":
            measures = (
                "the share of images with the same first class, and linear CKA of"
                " their penultimate features. Error consistency is not defined here:"
                " every network agrees with its own prediction."
            )
        else:
            measures = (
                "error consistency, which is Cohen's κ of right and wrong (0 where they"
                " are right and wrong together as often as chance makes networks of"
                " their accuracies, 1 where they always are), the share of images with"
                " the same first class, and linear CKA of their penultimate features,"
                " estimated without bias (0, unrelated; 1, the same but for rotation"
                " and scale)."
            )
        return (
            f"Every two of the networks {', '.join(study.classifiers)}: over the mean"
            " of RRC(A_i∘j) and RRC(A_j∘i), how alike both are on the original images:"
            f" {measures} Lines: 95 % intervals over {study.interval_sources}.\n\n"
            "ρ is Spearman's rank correlation over pairs; p is that of Mantel's test,"
            " which permutes networks, since pairs that share a network depend on each"
            f" other. With {len(study.classifiers)} networks it can tell a strong"
            " relation from none, and little more. Error consistency is that of Geirhos"
            " et al. 2020, CKA that of Kornblith et al. 2019. Both compare what"
            " networks do with one and the same signal; RRC says whether the signal"
            " that one uses is enough for the other. This figure extends Palacio et al."
            " 2018, section 3.4."
        )
