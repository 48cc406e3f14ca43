"""Does shallow signal serve deep layers? Every layer with every autoencoder."""

from collections.abc import Callable
from typing import Any

from s2snets.config.depth import RANDOM, TRAINED
from s2snets.figures import style
from s2snets.figures.base import Figures, InputFile, Study, table
from s2snets.figures.depth import TITLES, DepthFigure, intervals, layers_of, names_of
from s2snets.figures.types import DataFrame, MplAxes, MplFigure

SHORT = 6
"""Letters of a layer's name that stand beside each other."""


def rows(depth: DataFrame, pairs: DataFrame, settings: Figures) -> DataFrame:
    """Return the relative errors."""
    return depth[depth["measure"] == "response"].reset_index(drop=True)


def draw_errors(axes: MplAxes, errors: DataFrame, layers: list[str]) -> Any:
    """Draw a heat map: the errors' sources in rows, layers in columns."""
    sources = list(dict.fromkeys(errors["source"]))
    values = errors.pivot(index="source", columns="at", values="mean")
    values = values.reindex(index=sources, columns=layers)
    image = axes.imshow(values, cmap="cividis_r", vmin=0, vmax=1, aspect="auto")
    size = min(8.0, 48 / len(layers))
    for row, numbers in enumerate(values.to_numpy(float)):
        for column, value in enumerate(numbers):
            shade = "white" if value > 0.55 else "black"
            place: Any = {"ha": "center", "va": "center", "size": size, "color": shade}
            axes.text(column, row, f"{value:.2f}", **place)
    upright = max(map(len, layers)) > SHORT
    axes.set_xticks(
        range(len(layers)), map(style.literal, layers), rotation=90 * upright
    )
    labels = [
        style.label_text(one) if one.startswith("A_") else style.literal(one)
        for one in sources
    ]
    axes.set_yticks(range(len(sources)), labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return image


def draw_networks(
    depth: DataFrame,
    measure: str,
    words: tuple[str, str, str],
    settings: Figures,
    told: Callable[[str, str], str] = lambda name, weights: "",
) -> MplFigure:
    """Draw two heat maps for each network, of its own and of random weights.

    Args:
        depth: ``depth.csv``.
        measure: of it.
        words: for rows, columns and the colours.
        settings: of the figures.
        told: text that ends the title of a network and its weights.
    """
    points, names = depth[depth["measure"] == measure], names_of(depth)
    most = points.groupby(["classifier", "weights"])["source"].nunique().max()
    longest = max(len(one) for name in names for one in layers_of(depth, name))
    labels = 0.75 + (longest > SHORT) * longest * style.LETTER_WIDTH
    figure = style.canvas(settings, len(names) * (0.24 * most + labels))
    grid = figure.subplots(len(names), 2, squeeze=False)
    image: Any = None
    for row, name in zip(grid, names, strict=True):
        layers = layers_of(depth, name)
        for axes, weights in zip(row, (TRAINED, RANDOM), strict=True):
            own = (points["classifier"] == name) & (points["weights"] == weights)
            image = draw_errors(axes, points[own], layers)
            title = f"{style.classifier_text(name)}, {TITLES[weights]}"
            axes.set_title(title + told(name, weights))
        row[0].set_ylabel(words[0])
    for axes in grid[-1]:
        axes.set_xlabel(words[1])
    bar = figure.colorbar(image, ax=grid, shrink=0.6, extend="max", label=words[2])
    bar.outline.set_visible(False)
    return figure


def draw(depth: DataFrame, pairs: DataFrame, settings: Figures) -> MplFigure:
    """Draw the errors, with the number of pairs of which the triangle holds."""

    def count_serving(name: str, weights: str) -> str:
        """Return in how many pairs of layers the shallow signal serves the deep one."""
        own = pairs[(pairs["classifier"] == name) & (pairs["weights"] == weights)]
        return f": {(own['serves'] == 'yes').sum()} of {len(own)} pairs"

    words = "autoencoder tuned for", "error at layer", "relative squared error"
    return draw_networks(depth, "response", words, settings, count_serving)


class DepthPairs(DepthFigure):
    """Relative errors of every layer with every layer's autoencoder."""

    stem = "depth-pairs"
    title = "Does shallow signal serve deep layers?"
    alternative_text = (
        "Heat maps for each network, with own and random weights: the error of each"
        " layer's activations with the autoencoder tuned for each layer."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    depth_pairs: InputFile = table(
        "depth-pairs.csv", ["weights", "classifier", "serves"]
    )

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return rows, columns and the triangle that is expected."""
        return (
            "Squared error of a layer's activations (column) with the autoencoder that"
            " is tuned for another layer (row), over the activations' variance: 0 is no"
            " difference, 1 what the mean activations give. A_S is not tuned; A_C is"
            " tuned by the network's predictions.\n\n"
            "What a deep layer uses must have passed the shallow ones, so that a"
            " shallow layer's autoencoder serves the deep ones, and not the other way"
            " round: the numbers above the diagonal are lower than those below. The"
            " titles count the pairs of layers of which this holds with 95 % certainty"
            " over"
            f" {intervals(study)}. This figure extends Palacio et al. 2018, section 4."
        )
