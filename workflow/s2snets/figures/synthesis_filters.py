"""Images that filters prefer, layer by layer from the shallowest one."""

from collections.abc import Iterator

from s2snets.config import Figures, Study
from s2snets.figures import style
from s2snets.figures.picture_strips import (
    GalleryStrips,
    Strip,
    bands,
    key_table,
    mode_strips,
)
from s2snets.figures.types import Arrays

ACROSS = 12
KINDS = ("filter", "group")


def strips(gallery: Arrays, settings: Figures) -> Iterator[Strip]:
    """Yield for each network and layer bands of filters, then groups, mode by mode."""
    keys = key_table(gallery)
    keys = keys[keys["kind"].isin(KINDS)]
    for name in style.palette_order(settings, keys["classifier"]):
        of_network = keys[keys["classifier"] == name]
        for layer in dict.fromkeys(of_network["layer"]):
            of_layer = of_network[of_network["layer"] == layer]
            of_layer = of_layer.sort_values("kind", kind="stable")
            targets = list(dict.fromkeys(of_layer["target"]))
            heading = f"{style.classifier_text(name)}, layer {layer}"
            for band in bands(len(targets), ACROSS):
                shown = targets[band.start : band.stop]
                numbers = [target.rpartition(": ")[2] for target in shown]
                yield from mode_strips(of_layer, shown, heading, numbers)
                heading = ""


class Filters(GalleryStrips):
    """Preferred images of filters (Despraz et al. 2017, Figure 8)."""

    stem = "synthesis-filters"
    needs = "preferred_filters"
    title = "Preferred images of filters"
    alternative_text = (
        "Grid of images: images that excite single filters, layer by layer."
    )
    strips = staticmethod(strips)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return what is shown and what to expect by depth."""
        return (
            "Images that excite single filters, or groups of filters, layer by layer"
            " from the shallowest one; the number above an image is that of its"
            " channel. The objective is the mean of the rectified channel over"
            " positions.\n\n"
            "Near the input, stripes and plain colours are expected; in deeper layers,"
            " patterns of increasing complexity. Despraz et al. 2017, Figure 8."
        )
