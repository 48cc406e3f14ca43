"""Images from their phase, beside responses to random starts."""

from s2snets.figures import salient
from s2snets.stages.base import run

SHOWN = {
    "original": "image",
    "inverse": r"$F^{-1}F$",
    "random": "random amplitude",
    "desalinet": "DeSaliNet",
    "deconvnet": "DeConvNet",
}


def blocks(responses, style):
    """A block a network, a row an image; the image itself is grey."""
    heads = tuple(SHOWN.values())
    return salient.panels(responses, style, "phase", SHOWN, heads, original=False)


rows, draw, main = salient.figure(
    blocks, "Analogy with phase information (Mahendran & Vedaldi 2016, Figure 7)."
)


if __name__ == "__main__":
    run(main)
