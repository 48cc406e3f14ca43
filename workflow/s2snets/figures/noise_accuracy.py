"""Figure 5: accuracy over noise strength, with and without autoencoders."""

import itertools

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, score_name, table
from s2snets.figures.types import DataFrame, MplFigure

PANELS = ("A_S", "A_i")
"""Input that each panel compares with the noisy image, from left to right."""

KINDS = {
    "none": "no noise",
    "clipped": "clipped noise",
    "unclipped": "unclipped noise",
}
"""Kind of noise, a row of panels -> its label."""

DASHES = (0, (3, 1.5))


def rows(noise: DataFrame, settings: Figures) -> DataFrame:
    """Return the rows of the table that are drawn, with their panel."""
    import pandas as pd

    panels = [
        noise[noise["input"].isin(["original", panel])].assign(panel=panel)
        for panel in PANELS
    ]
    return pd.concat(panels)[
        [
            *("panel", "input", "classifier", "noise", "strength", "images", "seeds"),
            *("top1", "top1_low", "top1_high"),
        ]
    ].reset_index(drop=True)


def draw(noise: DataFrame, settings: Figures) -> MplFigure:
    """Draw a row of panels for each kind of noise, a line for each network and input.

    Bands are the lines' intervals.
    """
    from matplotlib.lines import Line2D

    drawn = rows(noise, settings)
    names = style.palette_order(settings, drawn["classifier"])
    colours, markers = style.colours(settings, names), style.markers(settings, names)
    labels = [*names, "original", "reconstruction"]
    across = style.legend_columns(settings, labels)
    kinds = [kind for kind in KINDS if kind in set(drawn["noise"])]
    legend = 0.17 * -(-len(labels) // across)
    figure = style.canvas(settings, 0.42 * settings.width * len(kinds) + 0.3 + legend)
    grid = figure.subplots(len(kinds), 2, sharex=True, sharey=True, squeeze=False)
    panels = itertools.product(kinds, PANELS)
    for panel, ((kind, source), panel_axes) in enumerate(
        zip(panels, grid.flat, strict=True)
    ):
        letter = style.panel_letter(panel)
        of_panel = drawn[(drawn["panel"] == source) & (drawn["noise"] == kind)]
        for (given, name), group in of_panel.groupby(
            ["input", "classifier"], sort=False
        ):
            line = group.sort_values("strength")
            noisy, colour = given == "original", colours[str(name)]
            panel_axes.plot(
                line["strength"],
                line["top1"],
                color=colour,
                marker=markers[str(name)],
                mfc="white" if noisy else colour,
                ls=DASHES if noisy else "-",
                lw=0.9 if noisy else 1.5,
                clip_on=False,
            )
            panel_axes.fill_between(
                line["strength"],
                line["top1_low"],
                line["top1_high"],
                color=colour,
                alpha=0.1 if noisy else 0.2,
                lw=0,
            )
        panel_axes.set(
            title=f"{letter} originals and {style.label_text(source)}", ylim=(0, None)
        )
        panel_axes.grid()
    for kind, (left, _) in zip(kinds, grid, strict=True):
        left.set_ylabel(f"top-1 under {KINDS[kind]}")
    for panel_axes in grid[-1]:
        panel_axes.set_xlabel("noise strength $s$ (range of a pixel: 1)")
    keys = [
        Line2D([], [], color=colours[name], marker=markers[name], label=label)
        for name, label in zip(names, map(style.classifier_text, names), strict=True)
    ]
    keys += [
        Line2D([], [], color=style.INK, ls=DASHES, lw=0.9, label="original"),
        Line2D([], [], color=style.INK, lw=1.5, label="reconstruction"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=across)
    return figure


class NoiseAccuracy(Figure):
    """Top-1 accuracy under uniform noise (Palacio et al. 2018, Figure 5)."""

    stem = "figure-5"
    section = "noise"
    title = "Figure 5. Robustness to noise"
    alternative_text = (
        "Line charts: accuracy falls with noise strength; dashed lines for the noisy"
        " images, solid lines for their reconstructions."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    noise: InputFile = table("noise.csv")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the noise, the lines, the intervals and how to compare lines."""
        strengths = ", ".join(f"{s:g}" for s in study.predict.strengths)
        images = study.predict.noisy_images
        subset = f"at most ``{images:,}`` images of " if images else ""
        kinds = {
            True: ", and pixels are clipped to [0, 1] after it",
            False: ", and pixels are not clipped after it",
        }
        kind = kinds[study.predict.clip[0]]
        if len(study.predict.clip) > 1:
            kind = (
                ". In one row of panels pixels are clipped to [0, 1] after it, in the"
                " other they are not"
            )
        return (
            f"Top-1 {score_name(study)} on {subset}the validation set under additive"
            f" noise of strength s = {strengths}, uniform in [−s, s] on pixels in"
            f" [0, 1]{kind}. Dashed lines, hollow markers: the network's input is the"
            " noisy image. Solid lines: its input is the reconstruction, left by A_S,"
            " right by the autoencoder that was fine-tuned for it, averaged over seeds"
            f" (``{len(study.seeds)}``) and replicates"
            f" (``{study.finetune.replicates}``). Bands: 95 % intervals, from"
            f" ``{study.bootstrap.resamples:,}`` draws of {study.interval_sources}.\n\n"
            "A solid line above the dashed line of the same colour means that the"
            " autoencoder makes the network more robust. Clipping shifts the mean of"
            " dark and of bright pixels, which an autoencoder can undo: what differs"
            " between the two kinds of noise is due to it. Palacio et al. 2018, Figure"
            " 5, which does not say whether pixels were clipped."
        )
