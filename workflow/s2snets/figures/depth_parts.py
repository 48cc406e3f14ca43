"""What each layer discards: spatial frequencies, and colours."""

from s2snets.config.depth import RANDOM, TRAINED
from s2snets.figures import style
from s2snets.figures.base import Figures, Study
from s2snets.figures.depth import TITLES, DepthFigure, intervals, names_of
from s2snets.figures.types import DataFrame, MplAxes, MplFigure

PANELS = (("band", TRAINED), ("band", RANDOM), ("lab", TRAINED), ("lab", RANDOM))
LABELS = {
    "band": ("cycles/pixel, up to", "power of the error\n/ of the original"),
    "lab": ("channel", "distance of LAB\nhistograms"),
}


def rows(depth: DataFrame, settings: Figures) -> DataFrame:
    """Return the errors by band and channel of the layers' autoencoders."""
    chosen = depth["measure"].isin(["band", "lab"]) & depth["depth"].notna()
    return depth[chosen].reset_index(drop=True)


def draw_layers(axes: MplAxes, points: DataFrame, measure: str) -> None:
    """Draw a line for each layer, the deeper the darker."""
    import matplotlib

    depths = points.drop_duplicates("depth").sort_values("depth")
    shades = matplotlib.colormaps["viridis_r"]
    order = ["L", "a", "b"]
    names = order
    if measure == "band":
        order = sorted(set(points["at"]), key=float)
        names = [*(one.lstrip("0") for one in order[:-1]), "1/2"]
    places = range(len(order))
    for place, (depth, source) in enumerate(depths[["depth", "source"]].to_numpy()):
        line = points[points["depth"] == depth].set_index("at").reindex(order)
        shade = shades(0.15 + 0.85 * place / max(1, len(depths) - 1))
        axes.plot(
            places,
            line["mean"],
            "o-",
            ms=3,
            lw=1.1,
            color=shade,
            label=style.literal(str(source)),
        )
        axes.fill_between(
            places,
            line["low"].clip(lower=0),
            line["high"],
            color=shade,
            alpha=0.12,
            lw=0,
        )
    axes.set_xticks(places, names)


def draw(depth: DataFrame, settings: Figures) -> MplFigure:
    """Draw bands and channels, with own and random weights, a row for each network."""
    points, names = rows(depth, settings), names_of(depth)
    figure = style.canvas(settings, 2.1 * len(names) + 0.2)
    grid = figure.subplots(len(names), len(PANELS), squeeze=False)
    for row, name in zip(grid, names, strict=True):
        for axes, (measure, weights) in zip(row, PANELS, strict=True):
            own = points[
                (points["classifier"] == name) & (points["weights"] == weights)
            ]
            draw_layers(axes, own[own["measure"] == measure], measure)
            axes.set_title(f"{style.classifier_text(name)}\n{TITLES[weights]}")
            axes.grid(axis="y")
            axes.set_ylim(0, 1.15 * greatest(points, name, measure))
        row[0].set_ylabel(LABELS["band"][1])
        row[2].set_ylabel(LABELS["lab"][1])
        row[-1].legend(
            title="layer", loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1.2
        )
    for axes, (measure, _) in zip(grid[-1], PANELS, strict=True):
        axes.set_xlabel(LABELS[measure][0])
    return figure


def greatest(points: DataFrame, name: str, measure: str) -> float:
    """Return the greatest mean of a measure of a network, whichever its weights."""
    chosen = (points["classifier"] == name) & (points["measure"] == measure)
    return float(points.loc[chosen, "mean"].max())


class DepthParts(DepthFigure):
    """Which frequencies and colours a depth discards."""

    stem = "depth-parts"
    title = "What each layer discards"
    alternative_text = (
        "For each network, with own and random weights: error by spatial frequency, and"
        " by colour channel, a line for each layer."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return what both measures are."""
        return (
            "What the autoencoder of each layer loses of an image. Left: the power of"
            " its error against that of the original, by spatial frequency, without the"
            " mean colour; above 1 it adds what was not there. Right: the earth mover's"
            " distance between the LAB histograms of original and reconstruction (L"
            " from 0 to 100). The line of ``input`` is what training itself costs.\n\n"
            "A line that leaves the shallower ones shows what the layers between them"
            " have stopped using. With random weights it shows what the architecture"
            f" does not pass on. Bands: 95 % over {intervals(study)}. This figure"
            " extends Palacio et al. 2018, section 4."
        )
