"""What each layer notices: parts of an image, of which those of another are put in."""

from s2snets.figures.base import Figures, Study
from s2snets.figures.depth import DepthFigure, intervals
from s2snets.figures.depth_pairs import draw_networks
from s2snets.figures.types import DataFrame, MplFigure


def rows(depth: DataFrame, settings: Figures) -> DataFrame:
    """Return how much each layer notices of each part."""
    return depth[depth["measure"] == "noticed"].reset_index(drop=True)


def draw(depth: DataFrame, settings: Figures) -> MplFigure:
    """Draw a heat map for each network, with own and with random weights."""
    words = "part from another image", "layer", "noticed, of the whole image"
    return draw_networks(depth, "noticed", words, settings)


class DepthNoticed(DepthFigure):
    """Sensitivity of each layer to frequencies, colours and places."""

    stem = "depth-noticed"
    title = "What each layer notices"
    alternative_text = (
        "Heat maps for each network, with own and random weights: how much each layer"
        " notices when one part of an image, such as a colour or a quarter, is that of"
        " another image."
    )
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return what is put in, and the scale."""
        return (
            "No autoencoder takes part here. One part of an image is replaced by that"
            " of another image: a band of spatial frequency (up to so many cycles per"
            " pixel, without the mean colour), a colour channel, or a quarter. Numbers:"
            " squared change of the layer's activations, over that where the whole"
            " image is replaced: 0, the layer does not notice this part; 1, it notices"
            " nothing else.\n\n"
            "A row that fades from left to right is a part that the network discards"
            " on its way; where it fades with random weights as well, the architecture"
            f" does so before it has learnt anything. Intervals over {intervals(study)}"
            " are in the table. This figure extends Palacio et al. 2018, section 4."
        )
