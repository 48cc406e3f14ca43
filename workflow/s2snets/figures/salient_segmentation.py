"""Segmentation by saliency: scores beside the printed ones, and examples."""

import numpy as np
import pandas as pd

from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.runtime.tables import read_arrays, read_csv
from s2snets.stages.base import run

SCORES = {"pp": "per-pixel accuracy (%)", "iou": "intersection over union (%)"}
NAMES = {
    "salinet": "SaliNet",
    "desalinet": "DeSaliNet",
    "deconvnet": "DeConvNet",
    "gaussian": "Gaussian",
}
SHOWN = ("saliency", "seeds", "segmentation")
FIRST = {"saliency": "image", "segmentation": "truth"}  # beside them, in column 1
LINE, HEAD, GAP, SIDE, LEAST = 0.17, 0.55, 0.03, 0.5, 0.55
"""Inches: a line of scores, above and below them, between pictures, left of them, and
the least that a picture is wide: more columns are left out."""


def rows(segmentation, examples, style):
    """score, source, classifier, network, method, value, low, high, printed."""
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
    table = pd.concat(parts)
    return table[["score", *keys, "value", "low", "high", "printed"]]


def lines(segmentation):
    """The table's rows from top to bottom; printed ones that stand beside are out."""
    table = segmentation.fillna({"classifier": "", "network": ""})
    measured = table["source"] == "measured"
    keys = table[["network", "method"]].apply(tuple, axis=1)
    known = set(keys[measured & table["printed_iou"].notna()])
    return table[measured | ~keys.isin(known)].reset_index(drop=True)


def label(line):
    """How a row is called: its network, its method."""
    method = NAMES.get(line["method"], line["method"])
    if line["source"] == "printed":
        return f"{line['network']} {method}, printed".strip()
    name = "" if line["method"] == "gaussian" else look.variable(line["classifier"])
    return f"{name} {method}".strip()


def dots(axes, table, score, style):
    """One score of every row, with its interval; what is printed is hollow."""
    colours = look.colours(style, table.loc[table["classifier"] != "", "classifier"])
    for place, line in table.iterrows():
        own = line["source"] == "measured" and line["method"] != "gaussian"
        colour = colours[line["classifier"]] if own else look.INK
        value, printed = 100 * line[score], 100 * line[f"printed_{score}"]
        if line["source"] == "printed":
            value, printed = np.nan, value
        ends = [100 * line[f"{score}_{end}"] for end in ("low", "high")]
        axes.plot(ends, [place] * 2, color=colour, lw=1)
        axes.plot(value, place, "o", color=colour)
        axes.plot(printed, place, "D", mfc="white", mec=look.MUTED)
    axes.set(xlabel=SCORES[score], ylim=(len(table) - 0.4, -0.6))
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)


def columns(examples, style):
    """(classifier, method) of the columns that fit beside the image itself."""
    found = zip(examples["classifier"], examples["method"], strict=True)
    fits = int((style.width - SIDE) / LEAST) - 1
    return [key for key in dict.fromkeys(found) if key[1]][:fits]


def pictures(figure, examples, style, bottom):
    """Of every image three rows: saliency, seeds, segmentation; by network a column."""
    table = pd.DataFrame({
        name: examples[name] for name in ("image", "classifier", "method", "kind")
    })  # fmt: skip
    shown, images = columns(examples, style), table["image"].unique()
    wide, tall = figure.get_size_inches()
    cell = (wide - SIDE) / (len(shown) + 1)

    def picture(row, column, wanted, title):
        keys = list(wanted.items())
        place = np.logical_and.reduce([table[key] == value for key, value in keys])
        left = SIDE + column * cell
        axes = look.bare(
            figure.add_axes(
                (
                    left / wide,
                    (bottom - (row + 1) * cell) / tall,
                    (cell - GAP) / wide,
                    (cell - GAP) / tall,
                )
            )
        )
        axes.imshow(examples["pictures"][place.argmax()], interpolation="nearest")
        if title:
            axes.set_title(title, pad=3, size=6.5)
        return axes

    for number, image in enumerate(images):
        for kind_number, kind in enumerate(SHOWN):
            row = len(SHOWN) * number + kind_number
            figure.text(
                (SIDE - 0.06) / wide,
                (bottom - (row + 0.5) * cell) / tall,
                kind,
                ha="right",
                va="center",
                rotation=90,
                size=6.5,
                color=look.MUTED,
            )
            if kind in FIRST:
                title = "image, truth" if row == 0 else ""
                picture(row, 0, {"image": image, "kind": FIRST[kind]}, title)
            for column, (classifier, method) in enumerate(shown, 1):
                wanted = {"image": image, "classifier": classifier}
                wanted |= {"method": method, "kind": kind}
                line = {"source": "measured"} | wanted
                title = label(line).replace(" ", "\n") if row == 0 else ""
                picture(row, column, wanted, title)


def draw(segmentation, examples, style):
    """Foreground by saliency (Mahendran & Vedaldi 2016, Table 1 and Figure 8)."""
    table = lines(segmentation)
    cell = (style.width - SIDE) / (len(columns(examples, style)) + 1)
    under = GAP + len(SHOWN) * len(set(examples["image"])) * cell
    scores = LINE * len(table) + HEAD
    figure = look.canvas(style, scores + 0.35 + under)
    figure.set_layout_engine("none")
    wide, tall = figure.get_size_inches()
    names = [label(line) for _, line in table.iterrows()]
    left = 0.1 + look.LETTER * max(map(len, names))
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
        dots(axes, table, score, style)
        axes.set_yticks(range(len(table)), names if number == 0 else [""] * len(table))
    pictures(figure, examples, style, under)
    return figure


def main(argv=None):
    command(draw, rows, argv, segmentation=read_csv, examples=read_arrays)


if __name__ == "__main__":
    run(main)
