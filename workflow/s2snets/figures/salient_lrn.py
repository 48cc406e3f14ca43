"""Local response normalisation, reversed by backpropagation and by the identity."""

from collections.abc import Iterator
from typing import Any

from s2snets.config import Figures, Study
from s2snets.figures import style
from s2snets.figures.base import table
from s2snets.figures.response_sheet import (
    ARCHITECTURES,
    Block,
    ResponseSheet,
    draw_sheet,
    images,
    networks,
    pick,
)
from s2snets.figures.salient_selectivity import COLUMNS
from s2snets.figures.types import DataFrame, MplFigure
from s2snets.study.stage import InputFile

RULES = {"identity": "identity", "backprop": r"LRN$^\mathrm{BP}$"}
"""How the normalisation is reversed -> head of its column."""

PAIR, MEASURE = "lrn", "cosine"
"""Rows of ``selectivity.csv`` that compare both rules, and their measure."""


def similarity(selectivity: DataFrame, name: str, architecture: str, layer: str) -> str:
    """Return the mean similarity of both rules, with its interval, as text."""
    row = selectivity[
        (selectivity["pair"] == PAIR)
        & (selectivity["classifier"] == name)
        & (selectivity["architecture"] == architecture)
        & (selectivity["layer"] == layer)
    ].iloc[0]
    low, high = row[f"{MEASURE}_low"], row[f"{MEASURE}_high"]
    return f"{MEASURE} {row[MEASURE]:.2f} [{low:.2f}, {high:.2f}]"


def blocks(
    responses: DataFrame, selectivity: DataFrame, settings: Figures
) -> Iterator[Block]:
    """Yield a block for each network with normalisation.

    Images are in rows; columns are ordered by layer, architecture and rule.
    """
    for name, of_network in networks(responses, settings):
        normalised = of_network[of_network["panel"] == "lrn"]
        kinds = list(
            normalised[["layer", "architecture"]]
            .drop_duplicates()
            .itertuples(index=False, name=None)
        )
        if not kinds:
            continue
        groups, heads = [("", 1)], ["image"]
        for layer, architecture in kinds:
            base, _, rule = architecture.partition("-")
            heads.append(RULES[rule])
            if rule == next(iter(RULES)):
                cosine = similarity(selectivity, name, base, layer)
                groups.append((f"{ARCHITECTURES[base]}, {layer}\n{cosine}", len(RULES)))
        rows = []
        for image in images(of_network):
            original = pick(of_network, image, panel="original")
            pictures = [
                pick(of_network, image, panel="lrn", architecture=kind, layer=layer)
                for layer, kind in kinds
            ]
            rows.append((image.name, [original, *pictures]))
        yield Block(style.classifier_text(name), groups, heads, rows)


class Normalisation(ResponseSheet):
    """Both reversals of LRN (Mahendran & Vedaldi 2016, section 3.1)."""

    stem = "salient-lrn"
    needs = "normalising"
    title = "Local response normalisation"
    alternative_text = (
        "Grid of images: responses with the normalisation reversed by backpropagation"
        " and by the identity."
    )
    blocks = staticmethod(blocks)

    selectivity: InputFile = table("selectivity.csv", COLUMNS)

    @classmethod
    def draw(cls, *inputs: Any) -> MplFigure:
        """Draw the blocks, or say that there are none."""
        responses, *_, settings = inputs
        shown = list(cls.blocks(*inputs))
        if shown:
            return draw_sheet(shown, settings)
        names = " or ".join(dict.fromkeys(responses["classifier"]))
        figure = style.page(settings, settings.width, 0.5)
        text = f"No local response normalisation in {names}."
        figure.text(0.5, 0.5, text, ha="center", va="center", size=8.5)
        return figure

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the rules, the starts and the measure above the pictures."""
        assert study.salient is not None
        count = study.salient.measured
        images = "all validation images"
        if count is not None:
            images = f"``{count:,}`` validation images at most"
        return (
            "Local response normalisation reversed by the identity, as in DeConvNet,"
            " and by backpropagation, as in SaliNet, for those of"
            f" {', '.join(study.salient.classifiers)} that contain it. Validation"
            " images: from the most active neuron of all positions. Photographs: from"
            " the most active channel, at every position where it is positive. Above:"
            " the cosine of the two responses from the most active neuron at the"
            " centre, mean and 95 % interval over"
            f" {images}.\n\n"
            "Near 1, the choice hardly matters. Mahendran & Vedaldi 2016, section 3.1"
            " and supplement."
        )
