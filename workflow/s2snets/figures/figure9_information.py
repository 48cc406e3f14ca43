"""Figure 9: normalised mutual information that the autoencoders let through."""

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

MEASURES = {
    "intra": ("intra: image and its reconstruction", "#0072b2", "o", -0.2),
    "inter": ("inter: reconstructions of two images", "#d55e00", "s", 0.0),
    "null": ("null: as intra, pixels shuffled", "#6b6b6b", "D", 0.2),
}
"""Measure -> legend, colour, marker, shift from its source's place."""

PANELS = 2


def rows(information, style):
    """The rows drawn, with ``place``: sources in the order of their intra nMI.

    The order is that of the first bins, in every panel, so that a change of order
    with the bins shows. An original has no intra row: it is its own reconstruction.
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


def draw(information, style):
    """Mean and deviation of nMI per autoencoder (Palacio et al. 2018, Figure 9)."""
    table = rows(information, style)
    labels = table.drop_duplicates("place").sort_values("place")["label"]
    count = table["panel"].nunique()
    crowded = look.LETTER * sum(map(len, labels)) * count > 0.85 * style.width
    figure = look.canvas(style, 0.46 * style.width + 0.5 * crowded)
    grid = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    for axes, (panel, drawn) in zip(grid, table.groupby("panel"), strict=True):
        for measure, (name, colour, marker, shift) in MEASURES.items():
            points = drawn[drawn["measure"] == measure]
            axes.errorbar(
                points["place"] + shift,
                points["mean"],
                points["sd"],
                fmt=marker,
                color=colour,
                mfc="white" if measure == "null" else colour,
                elinewidth=1,
                capsize=2,
                label=name,
            )
        axes.set_xticks(
            range(len(labels)),
            [look.mathtext(label) for label in labels],
            rotation=90 if crowded else 0,
        )
        axes.set(
            title=f"{look.letter(panel)} {drawn['bins'].iloc[0]} bins",
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


def main(argv=None):
    command(draw, rows, argv, information=read_csv)


if __name__ == "__main__":
    run(main)
