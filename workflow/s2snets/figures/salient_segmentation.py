"""Segmentation by saliency: scores beside the printed ones, and examples."""

import itertools
from collections.abc import Mapping

from s2snets.figures import style
from s2snets.figures.base import Figure, Figures, InputFile, Study, table
from s2snets.figures.types import Arrays, DataFrame, MplAxes, MplFigure, Series

SCORES = {"pp": "per-pixel accuracy (%)", "iou": "intersection over union (%)"}
NAMES = {
    "salinet": "SaliNet",
    "desalinet": "DeSaliNet",
    "deconvnet": "DeConvNet",
    "gaussian": "Gaussian",
}
KINDS = ("saliency", "seeds", "segmentation")
"""Kinds of pictures, each a row of an image."""

FIRST = {"saliency": "image", "segmentation": "truth"}
"""Kind of pictures -> kind of the picture at the left end of their row."""

LINE, HEAD, GAP, SIDE, LEAST = 0.17, 0.55, 0.03, 0.5, 0.55
"""Inches: a line of scores; above and below them; between pictures; left of them; the
least width of a picture, at which further columns are left out."""


def rows(segmentation: DataFrame, examples: Arrays, settings: Figures) -> DataFrame:
    """Return score, source, classifier, network, method, value, low, high, printed."""
    import pandas as pd

    keys = ["source", "classifier", "network", "method"]
    parts = []
    for score in SCORES:
        part = segmentation[keys].assign(
            score=score,
            value=segmentation[score],
            low=segmentation[f"{score}_low"],
            high=segmentation[f"{score}_high"],
            printed=segmentation[f"printed_{score}"],
        )
        parts.append(part)
    return pd.concat(parts)[["score", *keys, "value", "low", "high", "printed"]]


def score_lines(segmentation: DataFrame) -> DataFrame:
    """Return the rows to draw, without printed ones that a measured row holds."""
    lines = segmentation.fillna({"classifier": "", "network": ""})
    measured = lines["source"] == "measured"
    keys = lines[["network", "method"]].apply(tuple, axis=1)
    known = set(keys[measured & lines["printed_iou"].notna()])
    return lines[measured | ~keys.isin(known)].reset_index(drop=True)


def line_label(line: Mapping[str, str] | Series) -> str:
    """Return a row's network and method as text."""
    method = NAMES.get(line["method"], line["method"])
    if line["source"] == "printed":
        return f"{line['network']} {method}, printed".strip()
    name = (
        ""
        if line["method"] == "gaussian"
        else style.classifier_text(line["classifier"])
    )
    return f"{name} {method}".strip()


def draw_scores(axes: MplAxes, lines: DataFrame, score: str, settings: Figures) -> None:
    """Draw one score of every line, with its interval; printed ones are hollow."""
    import numpy as np

    names = lines.loc[lines["classifier"] != "", "classifier"]
    colours = style.colours(settings, names)
    for place, (_, line) in enumerate(lines.iterrows()):
        network = line["source"] == "measured" and line["method"] != "gaussian"
        colour = colours[line["classifier"]] if network else style.INK
        value, printed = 100 * line[score], 100 * line[f"printed_{score}"]
        if line["source"] == "printed":
            value, printed = np.nan, value
        ends = [100 * line[f"{score}_{end}"] for end in ("low", "high")]
        axes.plot(ends, [place] * 2, color=colour, lw=1)
        axes.plot(value, place, "o", color=colour)
        axes.plot(printed, place, "D", mfc="white", mec=style.MUTED)
    axes.set(xlabel=SCORES[score], ylim=(len(lines) - 0.4, -0.6))
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)


def columns(examples: Arrays, settings: Figures) -> list[tuple[str, str]]:
    """Return (classifier, method) of the columns that fit beside the image itself."""
    keys = zip(examples["classifier"], examples["method"], strict=True)
    room = int((settings.width - SIDE) / LEAST) - 1
    return [key for key in dict.fromkeys(keys) if key[1]][:room]


def draw_example(axes: MplAxes, examples: Arrays, title: str, **keys: object) -> None:
    """Show the picture of the examples that has some keys."""
    import numpy as np

    matches = [examples[name] == value for name, value in keys.items()]
    place = np.logical_and.reduce(matches).argmax()
    style.remove_frame(axes).imshow(
        examples["pictures"][place], interpolation="nearest"
    )
    if title:
        axes.set_title(title, pad=3, size=6.5)


def draw_examples(
    figure: MplFigure, examples: Arrays, settings: Figures, bottom: float
) -> None:
    """Draw of every image a row for each kind, a column for each network and method.

    Pictures fill the figure up to ``bottom`` inches from its lower edge.
    """
    shown = columns(examples, settings)
    wide, tall = figure.get_size_inches()
    cell = (wide - SIDE) / (len(shown) + 1)

    def add_cell(row: int, column: int) -> MplAxes:
        lower = bottom - (row + 1) * cell
        place = ((SIDE + column * cell) / wide, lower / tall)
        return figure.add_axes((*place, (cell - GAP) / wide, (cell - GAP) / tall))

    for row, (image, kind) in enumerate(
        itertools.product(dict.fromkeys(examples["image"]), KINDS)
    ):
        figure.text(
            (SIDE - 0.06) / wide,
            (bottom - (row + 0.5) * cell) / tall,
            kind,
            ha="right",
            va="center",
            rotation=90,
            size=6.5,
            color=style.MUTED,
        )
        if kind in FIRST:
            title = "" if row else "image, truth"
            keys = {"image": image, "kind": FIRST[kind]}
            draw_example(add_cell(row, 0), examples, title, **keys)
        for column, (classifier, method) in enumerate(shown, 1):
            keys = {"classifier": classifier, "method": method}
            title = line_label({"source": "measured"} | keys).replace(" ", "\n")
            keys |= {"image": image, "kind": kind}
            axes = add_cell(row, column)
            draw_example(axes, examples, "" if row else title, **keys)


def draw(segmentation: DataFrame, examples: Arrays, settings: Figures) -> MplFigure:
    """Draw both scores side by side, and the examples below."""
    lines = score_lines(segmentation)
    cell = (settings.width - SIDE) / (len(columns(examples, settings)) + 1)
    bottom = GAP + len(KINDS) * len(set(examples["image"])) * cell
    scores = LINE * len(lines) + HEAD
    wide, tall = settings.width, scores + 0.35 + bottom
    figure = style.page(settings, wide, tall)
    names = [line_label(line) for _, line in lines.iterrows()]
    left = 0.1 + style.LETTER_WIDTH * max(map(len, names))
    half = (wide - left - 0.2) / 2
    for number, score in enumerate(SCORES):
        axes = figure.add_axes(
            (
                (left + number * (half + 0.1)) / wide,
                (tall - scores + HEAD - 0.1) / tall,
                (half - 0.1) / wide,
                (scores - HEAD) / tall,
            )
        )
        draw_scores(axes, lines, score, settings)
        axes.set_yticks(range(len(lines)), names if number == 0 else [""] * len(lines))
    draw_examples(figure, examples, settings, bottom)
    return figure


class SegmentationScores(Figure):
    """Foreground by saliency (Mahendran & Vedaldi 2016, Table 1 and Figure 8)."""

    stem = "salient-segmentation"
    section = "salient"
    needs = "segmenters"
    title = "Foreground segmentation by saliency"
    alternative_text = (
        "Points with error bars for per-pixel accuracy and intersection over union,"
        " and examples: images, their saliency and the foreground found."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    segmentation: InputFile = table("segmentation.csv")
    examples: InputFile = table("segmentation.npz")

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return scores, baseline and printed values, then the examples."""
        return (
            "Foreground segmentation from the saliency of reversed networks, without"
            " training on masks. Top: share of pixels classified correctly and"
            " intersection over union, averaged within classes and then over classes,"
            ' with 95 % intervals from resampled images. "Gaussian" is a baseline with'
            " a blob at the centre of every image in place of the saliency. Hollow: as"
            " printed in Mahendran & Vedaldi 2016, Table 1, on the 4276 images of"
            " ImageNet-Segmentation; on other images, only the order of the methods can"
            " be compared.\n\n"
            "Bottom: examples. The saliency starts from the class of the highest score"
            " at any position of the image. The seeds are chosen by rank of saliency,"
            " from certain background (black) to certain foreground (white); grey"
            " pixels are undecided. The last row of an image is GrabCut's result."
            " Mahendran & Vedaldi 2016, section 3.5 and Figure 8; OpenCV's GrabCut"
            " couples neighbouring pixels less strongly (γ = 50 instead of 150)."
        )
