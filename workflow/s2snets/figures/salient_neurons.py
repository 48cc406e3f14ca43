"""Responses of the same image from different neurons."""

from collections.abc import Iterator

from s2snets.config import Figures, Study
from s2snets.figures import style
from s2snets.figures.response_sheet import (
    STARTS,
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

IMAGES = 1
"""Images shown of each set; the paper, too, shows one."""


def blocks(responses: DataFrame, settings: Figures) -> Iterator[Block]:
    """Yield a block for each network and image, with a row for each start."""
    for name, of_network in networks(responses, settings):
        known = layers(of_network)
        shown = list(dict.fromkeys((known[0], *known[-2:])))
        for image in images(of_network, IMAGES):
            originals = [pick(of_network, image, panel="original"), None, None]
            rows = [
                (start, [original, *pick_start(of_network, image, start, shown)])
                for original, start in zip(originals, STARTS, strict=True)
            ]
            title = f"{style.classifier_text(name)}, {style.literal(image.name)}"
            yield Block(title, *layer_headers(shown), rows)


class Neurons(ResponseSheet):
    """Lack of neuron selectivity (Mahendran & Vedaldi 2016, Figure 4)."""

    stem = "salient-neurons"
    title = "Responses from different neurons"
    alternative_text = (
        "Grid of images: responses from the most active neuron, from a random one and"
        " from a mixture of all, layer by layer, in three architectures."
    )
    blocks = staticmethod(blocks)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the three starts and what similar rows mean."""
        assert study.salient is not None
        return (
            "One image, one forward pass, three starts: the most active neuron, a"
            " random one (redrawn until its response is not zero), and a random"
            " positive mixture of all. Networks"
            f" {', '.join(study.salient.classifiers)}; from the shallowest layer to the"
            " deepest. On validation images the starts are at the central position and"
            " differ in the neuron alone. On photographs they are at every position; a"
            " single channel starts where it is positive.\n\n"
            "Where the rows are alike, the response does not show what the neuron"
            " prefers, but what the image left in switches and masks. The figure of"
            " neuron selectivity measures the similarity over many images. Mahendran &"
            " Vedaldi 2016, Figure 4."
        )
