"""The images of some classes of a set, to train on."""

import difflib
from collections.abc import Sequence

import numpy as np
from torch import Tensor
from torch.utils.data import Subset

from s2snets.data.imageset import LabelledImageSet
from s2snets.runtime.errors import UserError


class ClassSubset(Subset[tuple[Tensor, int]]):
    """The images of some of a set's classes, to train on like an ``ImageSet``.

    Args:
        images: the whole set.
        names: of the classes.

    Raises:
        UserError: an unknown class, or no image of any of them.
    """

    def __init__(self, images: LabelledImageSet, names: Sequence[str]) -> None:
        for name in names:
            if name not in images.classes:
                near = difflib.get_close_matches(name, images.classes, 3)
                raise UserError(
                    f"synthesis.decoder.classes: {name!r} is no class of {images.path};"
                    f" there are {len(images.classes)}, such as"
                    f" {', '.join(near or images.classes[:3])}"
                )
        labels = [images.classes.index(name) for name in sorted(set(names))]
        kept = np.isin(images.labels, labels)
        if not kept.any():
            raise UserError(
                f"synthesis.decoder.classes: {images.path} has no image of"
                f" {', '.join(names)}"
            )
        self.images, self.kept = images, np.flatnonzero(kept)
        # A list would be copied into every worker.
        super().__init__(images, self.kept)  # type: ignore[arg-type]  # no Sequence
        self.side = images.side
        self.fingerprint = f"{images.fingerprint} of classes {labels}"
        self.runs: int | np.ndarray = len(self)
        if isinstance(images.runs, np.ndarray):
            run = np.repeat(np.arange(len(images.runs)), images.runs)
            self.runs = np.bincount(run[kept], minlength=len(images.runs))

    def decode_once(self, visits: int) -> None:
        """Keep the decoded pixels of the whole set, see ``ImageSet.decode_once``."""
        self.images.decode_once(visits)

    def read(self, numbers: Sequence[int] | np.ndarray) -> tuple[Tensor, Tensor]:
        """Return uint8 pixels (N, side, side, 3) and int64 labels (N,)."""
        return self.images.read(self.kept[numbers])
