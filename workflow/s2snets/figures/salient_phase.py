"""Images from their phase, beside responses to random starts."""

from s2snets.figures import salient
from s2snets.figures import style as look
from s2snets.stage import run

SHOWN = {
    "original": "image",
    "inverse": r"$F^{-1}F$",
    "random": "random amplitude",
    "desalinet": "DeSaliNet",
    "deconvnet": "DeConvNet",
}


def blocks(responses, style):
    """A block a network, a row an image."""
    for name, own in salient.networks(responses, style):
        rows = []
        for image in salient.images(own):
            pictures = [
                salient.pick(own, image, panel="phase", architecture=one)
                for one in SHOWN
            ]
            rows.append((image.name, pictures))
        title = f"{look.variable(name)}, {pictures[0]['layer']}"
        yield salient.Block(title, (), tuple(SHOWN.values()), rows)


rows, draw, main = salient.figure(
    blocks, "Analogy with phase information (Mahendran & Vedaldi 2016, Figure 7)."
)


if __name__ == "__main__":
    run(main)
