"""Images that a network's classes prefer, both modes below one another."""

from collections.abc import Iterator

from s2snets.config import Figures, Study
from s2snets.figures.picture_strips import GalleryStrips, Strip, class_strips
from s2snets.figures.types import Arrays

ACROSS = 10


def strips(gallery: Arrays, settings: Figures) -> Iterator[Strip]:
    """Yield for each network bands of classes, with a strip for each mode."""
    for _, _, strips_of_band in class_strips(gallery, settings, ACROSS):
        yield from strips_of_band


class Modes(GalleryStrips):
    """Preferred images of classes (Despraz et al. 2017, Figure 4)."""

    stem = "synthesis-modes"
    needs = "preferred_classes"
    title = "Preferred images of classes"
    alternative_text = (
        "Grid of images: for each class the image made by a generator from scratch"
        " and by a pretrained one."
    )
    strips = staticmethod(strips)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return networks and modes, and what the paper finds."""
        assert study.synthesis is not None
        return (
            "Preferred images of the networks"
            f" {', '.join(study.synthesis.classifiers)} for some of their classes."
            " Pretrained: only the code is optimised, the generator is the decoder of a"
            " denoising autoencoder. From scratch: a new generator is trained for each"
            " image. The classes are evenly spaced among all of them, and include those"
            " of the compounds.\n\n"
            "Compare the rows of a network. The paper finds the pretrained images less"
            " saturated and more like photographs, within what the decoder has learned,"
            " and those from scratch full of repeated patterns and unlikely colours."
            " Despraz et al. 2017, Figure 4."
        )
