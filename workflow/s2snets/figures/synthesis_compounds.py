"""Images that two or more classes prefer together, beside those of each."""

from collections.abc import Iterable, Iterator

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

ACROSS = 11  # pictures: three compounds of two classes, with gaps
WITH = " + "  # between the classes in a compound's name


def sums(compounds: Iterable[str]) -> tuple[list[str | None], list[str]]:
    """Return targets and signs of compounds in a row: classes, compound, a gap."""
    targets: list[str | None] = []
    signs: list[str] = []
    for compound in compounds:
        classes = compound.split(WITH)
        targets += [None, *classes, compound]
        signs += ["", "", *"+" * (len(classes) - 1), "="]
    return targets[1:], signs[2:]


def strips(gallery: Arrays, settings: Figures) -> Iterator[Strip]:
    """Yield for each network compounds side by side, with a strip for each mode."""
    keys = key_table(gallery)
    for name in style.palette_order(settings, keys["classifier"]):
        of_network = keys[keys["classifier"] == name]
        compounds = list(
            dict.fromkeys(of_network.loc[of_network["kind"] == "compound", "target"])
        )
        shown = of_network[of_network["kind"].isin(["class", "compound"])]
        widest = max((len(sums([one])[0]) + 1 for one in compounds), default=1)
        heading = style.classifier_text(name)
        for band in bands(len(compounds), max(1, (ACROSS + 1) // widest)):
            targets, signs = sums(compounds[band.start : band.stop])
            captions = ["" if not one or WITH in one else one for one in targets]
            yield from mode_strips(shown, targets, heading, captions, signs)
            heading = ""


class Compounds(GalleryStrips):
    """Preferred images of compounds (Despraz et al. 2017, Figure 9)."""

    stem = "synthesis-compounds"
    needs = "preferred_compounds"
    title = "Two classes in one image"
    alternative_text = (
        "Grid of images: the preferred image of each of two classes, and of both at"
        " once."
    )
    strips = staticmethod(strips)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return what is shown and what to look for."""
        return (
            "Images that excite two or more classes at once, beside the preferred image"
            " of each of them alone.\n\n"
            "Look for traits of both: one class may contribute the shape and the other"
            " the texture, or both may appear side by side. Where one is missing, the"
            " network's two logits cannot be raised together. Despraz et al. 2017,"
            " Figure 9."
        )
