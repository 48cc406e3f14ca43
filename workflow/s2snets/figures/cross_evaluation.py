"""Table 2 as a heat map: accuracy of every classifier on every signal."""

from typing import Any

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, score_name, table
from s2snets.figures.types import DataFrame, MplFigure


def rows(table2: DataFrame, settings: Figures) -> DataFrame:
    """Return autoencoder, classifier, accuracy: one row per cell."""
    return table2.melt("autoencoder", var_name="classifier", value_name="accuracy")


def draw(table2: DataFrame, settings: Figures) -> MplFigure:
    """Draw the heat map, with each accuracy in percent in its cell."""
    from matplotlib.patches import Rectangle

    values = table2.set_index("autoencoder")
    share = min(1.0, 0.25 + 0.07 * len(values.columns))
    figure = style.canvas(settings, settings.width * share * 0.86, share)
    axes = figure.add_subplot()
    image = axes.imshow(values, cmap="cividis", vmin=0)
    accuracy = values.to_numpy(float)
    size = min(8.5, 60 / len(values.columns))
    for row, label in enumerate(values.index):
        for column, name in enumerate(values.columns):
            value = accuracy[row, column]
            shade: Any = image.norm(value)
            axes.text(
                column,
                row,
                f"{100 * value:.1f}",
                ha="center",
                va="center",
                size=size,
                color="white" if shade < 0.55 else "black",
            )
            if style.tuned_network(label) == name:
                corner = (column - 0.47, row - 0.47)
                axes.add_patch(
                    Rectangle(corner, 0.94, 0.94, fill=False, ec="white", lw=1.4)
                )
    upright = max(map(len, values.columns)) > 3
    axes.set_xticks(
        range(len(values.columns)),
        map(style.classifier_text, values.columns),
        rotation=90 * upright,
    )
    axes.set_yticks(range(len(values)), map(style.label_text, values.index))
    axes.set(xlabel="classifier $j$", ylabel="signal of autoencoder $A_i$")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, label="top-1 (%)", shrink=0.85)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}")
    bar.outline.set_visible(False)
    return figure


class CrossEvaluation(Figure):
    """Heat map of cross-evaluated accuracies (Palacio et al. 2018, Table 2)."""

    stem = "cross-evaluation"
    section = "exchange"
    title = "Table 2 as a heat map"
    alternative_text = (
        "Heat map: accuracy of every network on every autoencoder's reconstructions;"
        " Table 2 holds the same numbers."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    table2: InputFile = table("table2.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return rows, columns and what bright ones mean."""
        return (
            f"Top-1 {score_name(study)}, in percent, of every network (column) on the"
            " reconstructions by every network's autoencoder (row), without noise."
            " Frames mark each network with its own autoencoder.\n\n"
            "A bright row is a signal that serves many networks. A bright column is a"
            " network that performs well on the signals of others. Palacio et al. 2018,"
            " Table 2, as a heat map."
        )
