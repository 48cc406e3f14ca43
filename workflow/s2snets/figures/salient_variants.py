"""All eight reversals of rectifiers and pools, on the same images."""

from s2snets.figures import salient
from s2snets.stages.base import run

RELU = {
    "identity": "1",
    "backprop": r"RU$^\mathrm{BP}$",
    "relu": "RU",
    "hybrid": r"RU∘RU$^\mathrm{BP}$",
}
POOL = {"switches": "pooling switches", "centre": "unpooled to the centre"}


def blocks(responses, style):
    """A block a network, a row an image; a column a variant."""
    variants = [f"{relu}-{pool}" for pool in POOL for relu in RELU]
    groups = (("", 1), *((text, len(RELU)) for text in POOL.values()))
    heads = ("image", *(tuple(RELU.values()) * len(POOL)))
    return salient.panels(responses, style, "variants", variants, heads, groups)


rows, draw, main = salient.figure(
    blocks, "The eight variants (Mahendran & Vedaldi 2016, Figure 3)."
)


if __name__ == "__main__":
    run(main)
