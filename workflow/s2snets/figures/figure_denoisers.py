"""Denoisers in the autoencoders' place: accuracy over noise, network by network."""

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import run

ACROSS = 3
DASHED = (0, (3, 1.5))
LINES = {
    "original": ("noisy image", look.INK, "o", DASHED, 0.9),
    "A_S": ("$A_S$", look.MUTED, "s", "-", 1.1),
    "A_i": ("$A_i$", look.INK, "o", "-", 1.8),
    "median": ("median", "#56b4e9", "^", "-", 1.1),
    "bilateral": ("bilateral", "#009e73", "v", "-", 1.1),
    "nlm": ("non-local means", "#cc79a7", "D", "-", 1.1),
    "autoencoder": ("denoising autoencoder", "#d55e00", "P", "-", 1.4),
}
"""Source -> label, colour, marker, line style and width; greys are the study's own."""


def rows(denoise, style):
    """The table as it is."""
    return denoise


def draw(denoise, style):
    """Accuracy under noise with denoisers in the autoencoders' place."""
    names = look.ordered(style, denoise["classifier"])
    shown = [source for source in LINES if source in set(denoise["source"])]
    across = min(ACROSS, len(names))
    down = -(-len(names) // across)
    legend = look.legend_columns(style, [LINES[source][0] for source in shown])
    under = 0.4 + 0.17 * -(-len(shown) // legend)
    figure = look.canvas(style, under + down * 0.29 * style.width)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    panels = grid.ravel()
    for axes in panels[len(names) :]:
        axes.remove()
    for place, (name, axes) in enumerate(zip(names, panels, strict=False)):
        own = denoise[denoise["classifier"] == name].sort_values("strength")
        for source in shown:
            label, colour, marker, dashes, width = LINES[source]
            line = own[own["source"] == source]
            axes.plot(
                line["strength"], line["top1"], label=label, color=colour, ls=dashes,
                marker=marker, ms=3, lw=width, clip_on=False,
                mfc="white" if source == "original" else colour,
            )  # fmt: skip
        axes.set_title(f"{look.letter(place)} {look.variable(name)}")
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


def main(argv=None):
    command(draw, rows, argv, denoise=read_csv)


if __name__ == "__main__":
    run(main)
