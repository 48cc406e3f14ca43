"""Figure 9: normalised mutual information that the autoencoders preserve."""

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.types import DataFrame, MplFigure

MEASURES = {
    "intra": ("intra: image and its reconstruction", "#0072b2", "o", -0.2),
    "inter": ("inter: reconstructions of two images", "#d55e00", "s", 0.0),
    "null": ("null: as intra, pixels shuffled", "#6b6b6b", "D", 0.2),
}
"""Measure -> legend, colour, marker, horizontal shift."""

PANELS = 2
"""Maximal number of histograms' bins."""


def rows(information: DataFrame, settings: Figures) -> DataFrame:
    """Return the rows that are drawn, with panel and ``place`` of their source.

    Sources are ordered by intra nMI at the first number of bins, in every panel, so
    that a change of order with the bins shows. The original has no intra row: it is its
    own reconstruction.
    """
    bins = list(dict.fromkeys(information["bins"]))[:PANELS]
    drawn = information[
        information["bins"].isin(bins)
        & ~information[["source", "measure"]].eq(["original", "intra"]).all(axis=1)
    ]
    first = drawn[(drawn["bins"] == bins[0]) & (drawn["measure"] == "intra")]
    order = ["original", *first.sort_values("rank")["source"]]
    order = [source for source in order if source in set(drawn["source"])]
    drawn = drawn.assign(
        place=drawn["source"].map({source: i for i, source in enumerate(order)}),
        panel=drawn["bins"].map(bins.index),
    )
    return drawn.sort_values(["panel", "place", "measure"], ignore_index=True)


def draw(information: DataFrame, settings: Figures) -> MplFigure:
    """Draw a panel for each number of bins, a point for each source and measure."""
    points = rows(information, settings)
    labels = points.drop_duplicates("place").sort_values("place")["label"]
    count = points["panel"].nunique()
    crowded = style.LETTER_WIDTH * sum(map(len, labels)) * count > 0.85 * settings.width
    figure = style.canvas(settings, 0.46 * settings.width + 0.5 * crowded)
    grid = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    panels = zip(grid, points.groupby("panel"), strict=True)
    for panel, (axes, (_, drawn)) in enumerate(panels):
        for measure, (name, colour, marker, shift) in MEASURES.items():
            of_measure = drawn[drawn["measure"] == measure]
            axes.errorbar(
                of_measure["place"] + shift,
                of_measure["mean"],
                of_measure["sd"],
                fmt=marker,
                color=colour,
                mfc="white" if measure == "null" else colour,
                elinewidth=1,
                capsize=2,
                label=name,
            )
        axes.set_xticks(
            range(len(labels)),
            [style.label_text(label) for label in labels],
            rotation=90 if crowded else 0,
        )
        axes.set(
            title=f"{style.panel_letter(panel)} {drawn['bins'].iloc[0]} bins",
            xlabel="autoencoder used for reconstruction",
        )
        axes.grid(axis="y")
    grid[0].set_ylabel("nMI (0: independent, 1: identical)")
    grid[0].set_ylim(bottom=min(grid[0].get_ylim()[0], -0.02 * grid[0].get_ylim()[1]))
    figure.legend(
        *grid[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=len(MEASURES),
    )
    return figure


class MutualInformation(Figure):
    """Mean and deviation of nMI by autoencoder (Palacio et al. 2018, Figure 9)."""

    stem = "figure-9"
    section = "information"
    title = "Figure 9. Normalised mutual information"
    alternative_text = (
        "Points with error bars: intra, inter and shuffled mutual information of each"
        " autoencoder, ordered by intra."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    information: InputFile = table("information.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the histograms, the three measures and their order."""
        settings = study.information
        return (
            "Normalised mutual information by autoencoder: mean and standard deviation"
            f" over images, for histograms of {' and '.join(map(str, settings.bins))}"
            f" bins, channels ``{settings.channels}``, normalised by the"
            f" ``{settings.average_method}`` mean of the entropies. Intra: an image and"
            " its reconstruction. Inter: the reconstructions of two images. Null: the"
            " same measure after shuffling the pixels; it exceeds 0 only because the"
            " number of pixels is finite.\n\n"
            "Autoencoders are in the order of their intra nMI at the first number of"
            " bins: the further left, the more of the input is preserved. An inter nMI"
            " is meaningful only as far as it exceeds the null. Palacio et al. 2018,"
            " Figure 9."
        )
