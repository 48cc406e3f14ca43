"""Three reversed networks on the same images, at two layers."""

from s2snets.figures import salient
from s2snets.figures import style as look
from s2snets.stages.base import run


def blocks(responses, style):
    """A block a network, a row an image: the last pooling, then the logits."""
    for name, own in salient.networks(responses, style):
        shown = salient.layers(own)[-2:]
        columns, groups, heads = salient.by_layer(shown)
        rows = []
        for image in salient.images(own):
            pictures = [
                salient.pick(
                    own, image, panel="responses", start="strongest",
                    architecture=architecture, layer=layer,
                )
                for architecture, layer in columns
            ]  # fmt: skip
            original = salient.pick(own, image, panel="original")
            rows.append((image.name, [original, *pictures]))
        yield salient.Block(look.variable(name), groups, heads, rows)


rows, draw, main = salient.figure(
    blocks, "Reversed architectures (Mahendran & Vedaldi 2016, Figures 1 and 6)."
)


if __name__ == "__main__":
    run(main)
