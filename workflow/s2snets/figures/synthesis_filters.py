"""Images that filters prefer, layer by layer from the shallowest on."""

from s2snets.figures import strips as page
from s2snets.figures import style as look
from s2snets.stages.base import run

ACROSS = 12
KINDS = ("filter", "group")


def caption(target):
    """A filter's number, or those of a group."""
    return target.rpartition(": ")[2]


def strips(gallery, style):
    """For each network and layer, bands of filters, then groups; a row a mode."""
    keys = page.listing(gallery)
    keys = keys[keys["kind"].isin(KINDS)]
    for name in look.ordered(style, keys["classifier"]):
        layers = keys[keys["classifier"] == name]
        for layer in dict.fromkeys(layers["layer"]):
            own = layers[layers["layer"] == layer].sort_values("kind", kind="stable")
            targets = list(dict.fromkeys(own["target"]))
            heading = f"{look.variable(name)}, layer {layer}"
            for band in page.bands(len(targets), ACROSS):
                shown = targets[band.start : band.stop]
                yield from page.by_mode(own, shown, heading, map(caption, shown))
                heading = ""


rows, draw, main = page.figure(
    strips, "Preferred images of filters (Despraz et al. 2017, Figure 8)."
)


if __name__ == "__main__":
    run(main)
