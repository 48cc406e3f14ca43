"""Figure 2: reconstruction error of both pretrainings over the images seen."""

from typing import Any

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.types import DataFrame, MplFigure

COLOURS = {"photos": "#0072b2", "labelled": "#d55e00"}
CURVES: dict[str, tuple[str, dict[str, Any]]] = {
    "training": ("training", {"ls": "-"}),
    "validation_labelled": (
        "validation on labelled images",
        {"ls": "--", "marker": "s"},
    ),
    "validation_photos": ("validation on photos", {"ls": ":", "marker": "o"}),
}
"""Column of the table -> legend and style of its line."""

TICKS = (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8)
"""Ticks within a decade."""


def rows(curves: DataFrame, settings: Figures) -> DataFrame:
    """Return corpus, images, curve, mse, low, high: one row per point; photos first.

    The error is a mean over seeds; low and high are the least and the greatest.
    """
    points = curves.melt(
        ["corpus", "images"], [*CURVES], var_name="curve", value_name="mse"
    )
    measured = points.dropna(subset="mse")
    errors = measured.groupby(["corpus", "curve", "images"], sort=False)["mse"]
    table = errors.agg(mse="mean", low="min", high="max").reset_index()
    table = table[["corpus", "images", "curve", "mse", "low", "high"]]
    table = table.sort_values("corpus", ascending=False, kind="stable")
    return table.reset_index(drop=True)


def draw(curves: DataFrame, settings: Figures) -> MplFigure:
    """Draw a line for each pretraining and image set."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

    figure = style.canvas(settings, 0.45 * settings.width + 0.5)
    axes = figure.add_subplot()
    for (corpus, curve), line in rows(curves, settings).groupby(
        ["corpus", "curve"], sort=False
    ):
        name, properties = CURVES[str(curve)]
        axes.plot(
            line["images"],
            line["mse"],
            color=COLOURS[str(corpus)],
            label=f"trained on {corpus}: {name}",
            markevery=max(1, len(line) // 8),
            mfc="white",
            **properties,
        )
        axes.fill_between(
            line["images"],
            line["low"],
            line["high"],
            color=COLOURS[str(corpus)],
            alpha=0.15,
            lw=0,
        )
    axes.set(
        yscale="log",
        xlabel="images seen",
        ylabel="mean square error (range of a pixel: 1)",
    )
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    low, high = axes.get_ylim()
    if high < 10 * low:  # powers of ten alone would leave the axis bare
        axes.yaxis.set_major_locator(LogLocator(subs=TICKS, numticks=20))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(which="both", axis="y")
    figure.legend(loc="outside lower center", ncols=2)  # one column per corpus
    return figure


class ReconstructionError(Figure):
    """Mean square error of both pretrainings (Palacio et al. 2018, Figure 2)."""

    stem = "figure-2"
    section = "autoencoder"
    title = "Figure 2. Reconstruction error"
    alternative_text = (
        "Line chart: the mean square error falls with the number of training images,"
        " for both pretraining corpora, in training and in validation."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    curves: InputFile = table("curves.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the numbers of images, the lines and what a low error means."""
        unlabelled = study.reference == "predictions"
        other = "the study's own images" if unlabelled else "the labelled set"
        return (
            "Mean square error of the reconstructions by two autoencoders, over the"
            " number of images seen in pretraining. One is pretrained on photos"
            f" (``{study.pretrain.photos.images:,}`` images), one on {other}"
            f" (``{study.pretrain.labelled.images:,}``). Solid: training. Dashed:"
            f" validation on {'the latter' if unlabelled else 'labelled'} images."
            f" Dotted: validation on photos. Images are ``{study.image_size}`` pixels"
            " wide and high, pixel values lie in [0, 1], and the error's axis is"
            f" logarithmic. Means over seeds (``{len(study.seeds)}``); bands reach from"
            " the least to the greatest.\n\n"
            "Lower is better. A validation error close to the training error means"
            " that the autoencoder generalises. The one pretrained on photos is A_S,"
            " from which every fine-tuned autoencoder starts. Palacio et al. 2018,"
            " Figure 2."
        )
