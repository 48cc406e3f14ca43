"""Table 2 as a picture: accuracy of every classifier on every signal."""

from matplotlib.patches import Rectangle

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run


def rows(table2, style):
    """autoencoder, classifier, accuracy: one row a cell."""
    return table2.melt("autoencoder", var_name="classifier", value_name="accuracy")


def draw(table2, style):
    """Heat map of cross-evaluated accuracies (Palacio et al. 2018, Table 2)."""
    values = table2.set_index("autoencoder")
    share = min(1.0, 0.25 + 0.07 * len(values.columns))
    figure = look.canvas(style, style.width * share * 0.86, share)
    axes = figure.add_subplot()
    image = axes.imshow(values, cmap="cividis", vmin=0)
    size = min(8.5, 60 / len(values.columns))
    for row, label in enumerate(values.index):
        for column, name in enumerate(values.columns):
            value = values.iat[row, column]
            axes.text(
                column,
                row,
                f"{100 * value:.1f}",
                ha="center",
                va="center",
                size=size,
                color="white" if image.norm(value) < 0.55 else "black",
            )
            if look.tuned_for(label) == name:
                axes.add_patch(
                    Rectangle(
                        (column - 0.47, row - 0.47),
                        0.94,
                        0.94,
                        fill=False,
                        ec="white",
                        lw=1.4,
                    )
                )
    wordy = max(map(len, values.columns)) > 3
    axes.set_xticks(
        range(len(values.columns)),
        map(look.variable, values.columns),
        rotation=90 if wordy else 0,
    )
    axes.set_yticks(range(len(values)), map(look.mathtext, values.index))
    axes.set(xlabel="classifier $j$", ylabel="signal of autoencoder $A_i$")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, label="top-1 (%)", shrink=0.85)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}")
    bar.outline.set_visible(False)
    return figure


def main(argv=None):
    command(draw, rows, argv, table2=read_csv)


if __name__ == "__main__":
    run(main)
