"""Preferred images above the training images that the network ranks highest."""

from collections.abc import Iterator

from s2snets.config import Figures, Study
from s2snets.figures.picture_strips import GalleryStrips, Strip, class_strips, positions
from s2snets.figures.types import Arrays

ACROSS = 10
TRAINING = "training"  # the kind of the training images


def strips(gallery: Arrays, settings: Figures) -> Iterator[Strip]:
    """Yield for each network bands of classes: strips by mode, then by rank.

    A training image's label is its caption where it is another class.
    """
    for keys, classes, strips_of_band in class_strips(gallery, settings, ACROSS):
        yield from strips_of_band
        ranked = keys[keys["kind"] == TRAINING]
        rank = ranked.groupby("target").cumcount()
        for place in range(rank.max() + 1 if len(ranked) else 0):
            pictures = positions(ranked[rank == place], classes)
            labels = [None if p is None else ranked["label"][p] for p in pictures]
            yield Strip(
                pictures,
                f"training\nimage {place + 1}",
                below=[
                    label if label and label != target else ""
                    for label, target in zip(labels, classes, strict=True)
                ],
            )


class Bias(GalleryStrips):
    """Preferred and training images (Despraz et al. 2017, Figures 6 and 7)."""

    stem = "synthesis-bias"
    needs = "preferred_classes"
    title = "Preferred images and training images"
    alternative_text = (
        "Grid of images: for each class its preferred images above the training images"
        " that the network ranks highest."
    )
    strips = staticmethod(strips)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return which training images stand below, and what a bias is."""
        assert study.synthesis is not None
        return (
            f"Preferred images of classes, above the ``{study.synthesis.beside}``"
            " training images to which the network gives the highest logit of that"
            " class, whatever their label. A label of another class is written in"
            " red.\n\n"
            "A feature that the preferred image shares with the highest-ranked training"
            " images, but that does not belong to the class, is a bias: a background,"
            " an accompanying object, a typical colour. A red label says that the"
            " network ranks another class's image among the best of this class. Despraz"
            " et al. 2017, Figures 6 and 7."
        )
