"""Three reversed architectures on the same images, at two layers."""

from collections.abc import Iterator

from s2snets.config import Figures, Study
from s2snets.figures import style
from s2snets.figures.response_sheet import (
    Block,
    ResponseSheet,
    images,
    layer_headers,
    layers,
    networks,
    pick,
    pick_start,
)
from s2snets.figures.types import DataFrame


def blocks(responses: DataFrame, settings: Figures) -> Iterator[Block]:
    """Yield a block for each network, with the last pooling, then the logits."""
    for name, of_network in networks(responses, settings):
        shown = layers(of_network)[-2:]
        rows = []
        for image in images(of_network):
            original = pick(of_network, image, panel="original")
            pictures = pick_start(of_network, image, "strongest", shown)
            rows.append((image.name, [original, *pictures]))
        yield Block(style.classifier_text(name), *layer_headers(shown), rows)


class Architectures(ResponseSheet):
    """Reversed architectures (Mahendran & Vedaldi 2016, Figures 1 and 6)."""

    stem = "salient-architectures"
    title = "Three reversed architectures"
    alternative_text = (
        "Grid of images: inputs, and beside each its reversal by DeConvNet, SaliNet and"
        " DeSaliNet, from a middle layer and from the logits."
    )
    blocks = staticmethod(blocks)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return networks, layers and starts, and how the architectures differ."""
        assert study.salient is not None
        side = f" of {study.salient.side} pixels" if study.salient.side else ""
        return (
            f"Reversals of the networks {', '.join(study.salient.classifiers)} by"
            " DeConvNet, SaliNet and DeSaliNet on the same images, from the second last"
            " and from the last of the layers where responses start. Grey is zero;"
            " contrast is remapped for each picture. Upper rows: validation images,"
            " from the most active neuron at the central position. Lower rows:"
            f" photographs{side}, applied to the network convolutionally, from the most"
            " active channel at every position where it is positive.\n\n"
            "SaliNet (the gradient) uses the masks of the rectifiers and is diffuse."
            " DeConvNet instead rectifies the reversed signal and follows edges."
            " DeSaliNet does both. Mahendran & Vedaldi 2016, Figures 1 and 6."
        )
