"""Images from their phase, beside responses to random starts."""

from collections.abc import Iterator

from s2snets.config import Figures, Study
from s2snets.figures.response_sheet import Block, ResponseSheet, panel_blocks
from s2snets.figures.types import DataFrame

COLUMNS = {
    "original": "image",
    "inverse": r"$F^{-1}F$",
    "random": "random amplitude",
    "desalinet": "DeSaliNet",
    "deconvnet": "DeConvNet",
}
"""Picture -> head of its column; the image itself is grey here."""


def blocks(responses: DataFrame, settings: Figures) -> Iterator[Block]:
    """Return a block for each network, with a row for each image."""
    heads = tuple(COLUMNS.values())
    return panel_blocks(responses, settings, "phase", COLUMNS, heads, original=False)


class Phase(ResponseSheet):
    """Analogy with phase information (Mahendran & Vedaldi 2016, Figure 7)."""

    stem = "salient-phase"
    title = "Bottleneck information and phase"
    alternative_text = (
        "Grid of images: an input, its Fourier transform inverted, the same with random"
        " amplitudes, and two reversed networks with a random start."
    )
    blocks = staticmethod(blocks)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return the columns and the analogy."""
        assert study.salient is not None
        return (
            "From left to right: a grey image; the inverse of its Fourier transform;"
            " the same with the image's phase and random amplitudes, |N(0, 1)|;"
            f" DeSaliNet and DeConvNet of {', '.join(study.salient.classifiers)} from"
            " the deepest layer with a positive random input, |N(0, 1)| in each"
            " channel, averaged over red, green and blue.\n\n"
            "Like the phase, switches and masks encode where and with which sign a"
            " feature occurs, but not how strongly: edges survive random amplitudes as"
            " well as a random input. Mahendran & Vedaldi 2016, Figure 7."
        )
