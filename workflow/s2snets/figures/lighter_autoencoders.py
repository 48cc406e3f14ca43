"""Lighter autoencoders: error and accuracy over multiply-adds."""

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, score_name, table
from s2snets.figures.types import DataFrame, MplFigure


def draw(lighter: DataFrame, settings: Figures) -> MplFigure:
    """Draw the errors by depth, and the accuracies by network."""
    names = style.palette_order(settings, lighter["classifier"])
    colours, markers = style.colours(settings, names), style.markers(settings, names)
    autoencoders = lighter[lighter["source"] != "original"]
    originals = lighter[lighter["source"] == "original"].set_index("classifier")
    legend = style.legend_columns(settings, names)
    under = 0.17 * -(-len(names) // legend)
    figure = style.canvas(settings, 0.46 * settings.width + under)
    left, right = figure.subplots(1, 2)
    sizes = autoencoders.drop_duplicates("source").sort_values("width")
    for number, stages in enumerate(sorted(sizes["stages"].unique())):
        line = sizes[sizes["stages"] == stages]
        left.plot(
            line["multiply_adds"],
            line["mse"],
            color=style.INK,
            ls=("-", "--", ":", "-.")[number % 4],
            marker=style.MARKERS[number],
            label=f"{stages:g} stage{'s' if stages > 1 else ''}",
        )
    left.legend()
    for name in names:
        line = autoencoders[autoencoders["classifier"] == name]
        line = line.sort_values("multiply_adds")
        right.plot(
            line["multiply_adds"],
            line["top1"],
            color=colours[name],
            marker=markers[name],
            label=style.classifier_text(name),
        )
        right.axhline(originals.loc[name, "top1"], color=colours[name], lw=0.8, ls=":")
    left.set(title="(a) reconstruction", ylabel="mean square error", ylim=(0, None))
    right.set(title="(b) originals (dotted), $A_S$", ylabel="top-1")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlabel("multiply-adds an image")
        axes.grid()
    figure.legend(
        handles=right.get_legend_handles_labels()[0],
        loc="outside lower center",
        ncols=legend,
    )
    return figure


class LighterAutoencoders(Figure):
    """Error and accuracy of autoencoders of several sizes, before fine-tuning."""

    stem = "lighter-autoencoders"
    section = "autoencoder"
    needs = "lighter"
    title = "Lighter autoencoders"
    alternative_text = (
        "Two line charts over multiply-adds: the reconstruction error of autoencoders"
        " of several widths and depths, and each network's accuracy on their"
        " reconstructions."
    )
    draw = staticmethod(draw)

    lighter: InputFile = table("lighter.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return both panels and the size that the study uses."""
        return (
            "SegNets of several widths (channels of the first stage) and depths"
            " (stages), pretrained on the same photographs with the same schedule, over"
            " their multiply-adds for one image. Left: their reconstruction error on"
            f" the validation set. Right: each network's top-1 {score_name(study)} on"
            " their reconstructions without any fine-tuning; dotted: on the original"
            " images.\n\n"
            "Where a curve is flat, a lighter autoencoder would do for the study. The"
            f" width of its SegNet is {study.autoencoder.width} and the depth"
            f" {study.autoencoder.stages}; Palacio et al. 2018, section 3.1, use 64 and"
            " 5."
        )
