"""What of a response is only the neuron's finite support."""

from s2snets.figures import salient
from s2snets.stages.base import run

SHOWN = {
    "desalinet": "DeSaliNet",
    "power": "its $x^{0.1}$",
    "uninformed": "no bottleneck",
    "random": "random weights",
}


def blocks(responses, style):
    """A block a network, a row an image."""
    heads = ("image", *SHOWN.values())
    return salient.panels(responses, style, "support", SHOWN, heads)


rows, draw, main = salient.figure(
    blocks, "Effect of finite neuron support (Mahendran & Vedaldi 2016, Figure 5)."
)


if __name__ == "__main__":
    run(main)
