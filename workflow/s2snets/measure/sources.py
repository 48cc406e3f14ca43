"""What a study measures on: the originals, and what each autoencoder makes of them."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

from s2snets.config.base import Part

PARTS: tuple[Part, ...] = get_args(Part)
OWN_AUTOENCODER = "A_i"
"""Label, in tables, of the autoencoder tuned for the very classifier of a row."""


class PixelSource(NamedTuple):
    """A source of pixels; its fields are columns of the tables.

    Attributes:
        source: name in wildcards and file names, such as ``decoder-L``.
        part: the part that was fine-tuned; empty for the originals and A_S.
        tuned: the classifier it was fine-tuned for; empty likewise.
        label: display name, such as ``A_L``.
    """

    source: str
    part: Part | Literal[""]
    tuned: str
    label: str

    @property
    def autoencoder(self) -> str | None:
        """Folder of its autoencoder below a seed's ``autoencoders``; None for none."""
        if self.part:
            return f"{self.part}/{self.tuned}"
        return None if self.source == "original" else "pretrained/photos"


ORIGINAL = PixelSource("original", "", "", "original")
PRETRAINED = PixelSource("pretrained", "", "", "A_S")
UNTUNED_LABELS = {each.source: each.label for each in (ORIGINAL, PRETRAINED)}


def pixel_sources(classifiers: Iterable[str], part: Part) -> list[PixelSource]:
    """Return every source a study can have, in the order of its tables.

    Args:
        classifiers: names in the config's order.
        part: the main part, whose autoencoders are labelled plainly: ``A_L``;
            labels of other parts name the part: ``A_L (encoder)``.
    """
    names = list(classifiers)
    tuned = [
        PixelSource(
            source=f"{tuned_part}-{name}",
            part=tuned_part,
            tuned=name,
            label=f"A_{name}" if tuned_part == part else f"A_{name} ({tuned_part})",
        )
        for tuned_part in sorted(PARTS, key=lambda each: each != part)
        for name in names
    ]
    return [ORIGINAL, PRETRAINED, *tuned]


def classifiers_under_noise(source: str, classifiers: Sequence[str]) -> list[str]:
    """Return the classifiers that are measured on a source under noise (figure 5).

    That is the one for which its autoencoder was fine-tuned; all of them on other
    sources.

    Args:
        source: name, such as ``decoder-L``.
        classifiers: names.
    """
    every = pixel_sources(classifiers, PARTS[0])
    own = {one.source: [one.tuned] for one in every if one.part}
    return own.get(source, list(classifiers))
