"""What of a response is only the neuron's finite support."""

from collections.abc import Iterator

from s2snets.config import Figures, Study
from s2snets.figures.response_sheet import Block, ResponseSheet, panel_blocks
from s2snets.figures.types import DataFrame

COLUMNS = {
    "desalinet": "DeSaliNet",
    "power": "its $x^{0.1}$",
    "uninformed": "no bottleneck",
    "random": "random weights",
}
"""Picture -> head of its column, beside the image."""


def blocks(responses: DataFrame, settings: Figures) -> Iterator[Block]:
    """Return a block for each network, with a row for each image."""
    heads = ("image", *COLUMNS.values())
    return panel_blocks(responses, settings, "support", COLUMNS, heads)


class Support(ResponseSheet):
    """Effect of finite neuron support (Mahendran & Vedaldi 2016, Figure 5)."""

    stem = "salient-support"
    title = "Finite support of a neuron"
    alternative_text = (
        "Grid of images: a DeSaliNet response, the same with its weak parts amplified,"
        " the same without information from the forward pass, and with random weights."
    )
    blocks = staticmethod(blocks)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the columns and what they have in common."""
        assert study.salient is not None
        return (
            "DeSaliNet from the most active neuron at the central position of"
            f" {', '.join(study.salient.classifiers)}; the same as sign(x)|x|^0.1,"
            " which makes every nonzero pixel visible; the same neuron without"
            " bottleneck information (rectifiers reversed by the identity, maxima"
            " unpooled to the centres of their windows); and that in a copy of the"
            " network with random weights, N(0, 0.01²), and no biases.\n\n"
            "The last two contain no information on the image, and the last none on the"
            " training. Their response is just as local: the decay towards its edge is"
            " due to the neuron's finite support. Mahendran & Vedaldi 2016, Figure 5."
        )
