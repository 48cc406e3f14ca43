"""All eight reversals of rectifiers and poolings, on the same images."""

from collections.abc import Iterator

from s2snets.config import Figures, Study
from s2snets.figures.response_sheet import Block, ResponseSheet, panel_blocks
from s2snets.figures.types import DataFrame

RELU = {
    "identity": "1",
    "backprop": r"RU$^\mathrm{BP}$",
    "relu": "RU",
    "hybrid": r"RU∘RU$^\mathrm{BP}$",
}
POOL = {"switches": "pooling switches", "centre": "unpooled to the centre"}


def blocks(responses: DataFrame, settings: Figures) -> Iterator[Block]:
    """Return a block for each network: images in rows, variants in columns."""
    variants = [f"{relu}-{pool}" for pool in POOL for relu in RELU]
    groups = (("", 1), *((text, len(RELU)) for text in POOL.values()))
    heads = ("image", *(tuple(RELU.values()) * len(POOL)))
    return panel_blocks(responses, settings, "variants", variants, heads, groups)


class Variants(ResponseSheet):
    """The eight variants (Mahendran & Vedaldi 2016, Figure 3)."""

    stem = "salient-variants"
    title = "All eight reversed architectures"
    alternative_text = (
        "Grid of images: one input reversed with four rules for rectifiers and two for"
        " max-poolings."
    )
    blocks = staticmethod(blocks)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the columns, the starts and what all variants share."""
        assert study.salient is not None
        return (
            "All eight reversed architectures of"
            f" {', '.join(study.salient.classifiers)} on the same images; local"
            " response normalisation is reversed by the identity. Left: maxima return"
            " to their positions (pooling switches). Right: maxima go to the centres of"
            " their windows. Columns: a rectifier is reversed by the identity (1), by"
            " its mask (RU^BP), by another rectifier (RU), and by both. The second,"
            " third and fourth on the left are SaliNet, DeConvNet and DeSaliNet."
            " Validation images: from the most active neuron of all positions."
            " Photographs: from the most active channel, at every position where it is"
            " positive. A uniformly grey picture is a response of zero: what was"
            " unpooled to the centres met only closed masks.\n\n"
            "Without a rectifier in the reversal, edges are lost, whichever unpooling"
            " is used. Mahendran & Vedaldi 2016, Figure 3."
        )
