"""Informed inverse networks: what masks and switches tell about an image."""

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.types import DataFrame, MplFigure, Series

NAMES = {
    "neither": "the layer alone",
    "masks": "ReLU masks",
    "switches": "pooling switches",
    "both": "masks and switches",
}
"""What an inverse network is informed by -> its name in the figure."""


def error_bars(points: DataFrame) -> list[Series]:
    """Return the distances of the intervals' ends from the values."""
    return [points["value"] - points["low"], points["high"] - points["value"]]


def draw(inversion: DataFrame, settings: Figures) -> MplFigure:
    """Draw the mean errors, and the reductions beside the printed ones."""
    errors = inversion[inversion["error"] == "relative"]
    means = errors[errors["against"].isna()].set_index("informed")
    means = means.loc[[name for name in NAMES if name in means.index]]
    lower = errors.dropna(subset="against")
    figure = style.canvas(settings, 0.34 * settings.width)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
    places = range(len(means))
    left.errorbar(
        means["value"],
        places,
        xerr=error_bars(means),
        fmt="o",
        color=style.INK,
        capsize=2,
    )
    left.set(
        title="(a) mean error",
        xlabel=r"$\Vert\hat{x} - x\Vert\ /\ \Vert x\Vert$",
        xlim=(0, None),
        ylim=(len(means) - 0.5, -0.5),
    )
    left.set_yticks(places, [NAMES[name] for name in means.index])
    places = range(len(lower))
    right.axvline(0, color=style.MUTED, lw=0.8)
    right.errorbar(
        100 * lower["value"],
        places,
        xerr=[100 * ends for ends in error_bars(lower)],
        fmt="o",
        color=style.INK,
        capsize=2,
        label="here",
    )
    right.plot(
        100 * lower["printed"], places, "D", mfc="white", color="#d55e00", label="paper"
    )
    right.set(
        title="(b) one against another",
        xlabel="error lower by (%)",
        ylim=(len(lower) - 0.5, -0.5),
    )
    right.set_yticks(places, lower["informed"] + " vs " + lower["against"])
    for axes in (left, right):
        axes.grid(axis="x")
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower right", ncols=2)
    return figure


class InverseErrors(Figure):
    """Errors of informed inverses (Mahendran & Vedaldi 2016, section 3.3)."""

    stem = "salient-inversion"
    section = "salient"
    needs = "inverted"
    title = "Errors of the inverse networks"
    alternative_text = (
        "Points with error bars: errors of four inverse networks, and the reductions"
        " between them beside the printed ones."
    )
    draw = staticmethod(draw)

    inversion: InputFile = table("inversion.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the networks, both panels and what is comparable with the paper."""
        assert study.salient is not None
        assert study.salient.inversion is not None
        inversion = study.salient.inversion
        return (
            f"Networks that invert {study.salient.inverted} up to"
            f" {inversion.layer or 'its last max-pooling'}. Each mirrors the same"
            f" layers and is trained on ``{inversion.images:,}`` images to minimise"
            " the square error of pixels. They differ in the additional information"
            " from the forward pass: the masks of the rectifiers, the switches"
            " (positions of the maxima) of the poolings, both, or neither. (a) Mean"
            " relative L2 error on the validation set. (b) Relative reduction of one"
            " mean by another, with paired 95 % intervals over images"
            f"{' and seeds' if len(study.seeds) > 1 else ''}, beside the printed"
            " value.\n\n"
            "Mahendran & Vedaldi 2016, section 3.3, print neither the architecture of"
            " the inverse networks nor their training, so the signs can be compared,"
            " the magnitudes hardly."
        )
