"""Images that a network's classes prefer, both modes side by side."""

from s2snets.figures import strips as page
from s2snets.figures import style as look
from s2snets.stages.base import run

ACROSS = 10


def strips(gallery, style):
    """For each network, bands of classes; a row a mode."""
    keys = page.listing(gallery)
    keys = keys[keys["kind"] == "class"]
    for name in look.ordered(style, keys["classifier"]):
        own = keys[keys["classifier"] == name]
        classes = list(dict.fromkeys(own["target"]))
        heading = look.variable(name)
        for band in page.bands(len(classes), ACROSS):
            shown = classes[band.start : band.stop]
            yield from page.by_mode(own, shown, heading, shown)
            heading = ""


rows, draw, main = page.figure(
    strips, "Preferred images of classes (Despraz et al. 2017, Figure 4)."
)


if __name__ == "__main__":
    run(main)
