"""Denoisers in place of the autoencoders: accuracy over noise, by network."""

from typing import Any

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, score_name, table
from s2snets.figures.types import DataFrame, MplFigure

ACROSS = 3
"""Maximal number of panels side by side."""

DASHED = (0, (3, 1.5))
LINES: dict[str, tuple[str, str, str, Any, float]] = {
    "original": ("noisy image", style.INK, "o", DASHED, 0.9),
    "A_S": ("$A_S$", style.MUTED, "s", "-", 1.1),
    "A_i": ("$A_i$", style.INK, "o", "-", 1.8),
    "median": ("median", "#56b4e9", "^", "-", 1.1),
    "bilateral": ("bilateral", "#009e73", "v", "-", 1.1),
    "nlm": ("non-local means", "#cc79a7", "D", "-", 1.1),
    "autoencoder": ("denoising autoencoder", "#d55e00", "P", "-", 1.4),
}
"""Source -> label, colour, marker, line style and width; greys are no denoisers."""


def draw(denoise: DataFrame, settings: Figures) -> MplFigure:
    """Draw a panel for each network and a line for each source."""
    names = style.palette_order(settings, denoise["classifier"])
    sources = [source for source in LINES if source in set(denoise["source"])]
    across = min(ACROSS, len(names))
    down = -(-len(names) // across)
    legend = style.legend_columns(settings, [LINES[source][0] for source in sources])
    under = 0.4 + 0.17 * -(-len(sources) // legend)
    figure = style.canvas(settings, under + down * 0.29 * settings.width)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    panels = grid.ravel()
    for axes in panels[len(names) :]:
        axes.remove()
    for place, (name, axes) in enumerate(zip(names, panels, strict=False)):
        of_network = denoise[denoise["classifier"] == name].sort_values("strength")
        for source in sources:
            label, colour, marker, dashes, width = LINES[source]
            line = of_network[of_network["source"] == source]
            axes.plot(
                line["strength"], line["top1"], label=label, color=colour, ls=dashes,
                marker=marker, ms=3, lw=width, clip_on=False,
                mfc="white" if source == "original" else colour,
            )  # fmt: skip
        axes.set_title(f"{style.panel_letter(place)} {style.classifier_text(name)}")
        axes.grid()
        if place % across == 0:
            axes.set_ylabel("top-1")
        if place + across >= len(names):
            axes.set_xlabel("noise strength $s$")
            axes.tick_params(labelbottom=True)
    panels[0].set_ylim(0, None)
    figure.legend(
        handles=panels[0].get_lines(), loc="outside lower center", ncols=legend
    )
    return figure


class Denoisers(Figure):
    """Top-1 accuracy under noise, with denoisers in place of the autoencoders."""

    stem = "denoisers"
    section = "noise"
    title = "Denoisers in place of the autoencoder"
    alternative_text = (
        "Line charts, one for each network: accuracy over noise strength, on the noisy"
        " images, through A_S and A_i, and through each denoiser."
    )
    draw = staticmethod(draw)

    denoise: InputFile = table("denoise.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the denoisers, their training and what their gain means."""
        images = study.denoise.images
        learned = (
            " The learned denoiser is a SegNet, trained on"
            f" ``{study.denoise.training.images:,}`` noisy photographs (repeats"
            " counted) to output the clean ones."
        )
        return (
            f"Top-1 {score_name(study)} of each network under additive noise of"
            " strength s, uniform in [−s, s] on pixels: on the noisy images (dashed),"
            " through A_S, through the network's own A_i, and with a denoiser in place"
            f" of the autoencoder ({', '.join(study.denoise.methods)}). All curves use"
            f" the same {f'``{images:,}`` images at most' if images else 'images'}."
            " Classical denoisers estimate the noise strength from the image."
            f"{learned if 'autoencoder' in study.denoise.methods else ''}\n\n"
            "Where a denoiser gains as much as A_i, denoising alone would explain the"
            " gain. This figure extends the measurement of Palacio et al. 2018, section"
            " 3.3.1."
        )
