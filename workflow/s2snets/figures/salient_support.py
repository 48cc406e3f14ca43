"""What of a response is only the neuron's finite support."""

from s2snets.figures import salient
from s2snets.figures import style as look
from s2snets.stage import run

SHOWN = {
    "desalinet": "DeSaliNet",
    "power": "its $x^{0.1}$",
    "uninformed": "no bottleneck",
    "random": "random weights",
}


def blocks(responses, style):
    """A block a network, a row an image."""
    for name, own in salient.networks(responses, style):
        rows = []
        for image in salient.images(own):
            pictures = [
                salient.pick(own, image, panel="support", architecture=one)
                for one in SHOWN
            ]
            original = salient.pick(own, image, panel="original")
            rows.append((image.name, [original, *pictures]))
        title = f"{look.variable(name)}, {pictures[0]['layer']}"
        yield salient.Block(title, (), ("image", *SHOWN.values()), rows)


rows, draw, main = salient.figure(
    blocks, "Effect of finite neuron support (Mahendran & Vedaldi 2016, Figure 5)."
)


if __name__ == "__main__":
    run(main)
