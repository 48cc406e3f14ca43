"""The same image's bottleneck, other neurons."""

from s2snets.figures import salient
from s2snets.figures import style as look
from s2snets.stages.base import run

EACH = 1
"""Images shown of each set; the paper shows one."""


def blocks(responses, style):
    """A block a network and image, a row a start; columns by layer, architecture."""
    for name, own in salient.networks(responses, style):
        known = salient.layers(own)
        shown = list(dict.fromkeys((known[0], *known[-2:])))
        columns, groups, heads = salient.by_layer(shown)
        for image in salient.images(own, EACH):
            originals = [salient.pick(own, image, panel="original"), None, None]
            rows = []
            for original, start in zip(originals, salient.STARTS, strict=True):
                pictures = [
                    salient.pick(
                        own, image, panel="responses", start=start,
                        architecture=architecture, layer=layer,
                    )
                    for architecture, layer in columns
                ]  # fmt: skip
                rows.append((start, [original, *pictures]))
            title = f"{look.variable(name)}, {image.name}"
            yield salient.Block(title, groups, heads, rows)


rows, draw, main = salient.figure(
    blocks, "Lack of neuron selectivity (Mahendran & Vedaldi 2016, Figure 4)."
)


if __name__ == "__main__":
    run(main)
