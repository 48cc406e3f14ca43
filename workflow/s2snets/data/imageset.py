"""One dataset over packed shards and over a plain folder of images."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from s2snets.data.folders import image_files
from s2snets.data.images import decode
from s2snets.data.resize import resize_to_square
from s2snets.data.shards import UNLABELLED, ImageIndex, read_index
from s2snets.data.tars import read_range
from s2snets.runtime.errors import UserError


class ImageSet(Dataset[tuple[Tensor, int]]):
    """Images by number: uint8 pixels (3, side, side) and an integer label.

    Args:
        path: an ``index.npz``, or a folder of images. In a folder, first-level folders
            are the classes where every image lies in one. Both are read by one code: in
            a folder every file is a shard of one image.
        side: of the square pixels, see ``resize.resize_to_square``.
        resize_mode: ``squash``, ``crop`` or ``pad``.

    Attributes:
        runs: what an epoch permutes, see ``order.Runs``.

    Raises:
        UserError: a missing, empty or damaged set; on reading, an unreadable image.
    """

    def __init__(
        self, path: str | Path, side: int, resize_mode: str = "squash"
    ) -> None:
        self.path, self.side, self.resize_mode = Path(path), side, resize_mode
        read = folder_index if self.path.is_dir() else read_index
        self.columns, self.files, self.classes, self.fingerprint, self.runs = read(
            self.path
        )

    def __reduce__(self) -> tuple[type, tuple[Path, int, str]]:
        """Let workers open the set anew: pickling would copy the mapped columns."""
        return type(self), (self.path, self.side, self.resize_mode)

    def __len__(self) -> int:
        return len(self.columns["shard"])

    @property
    def labels(self) -> np.ndarray:
        """Int32 (N,); ``shards.UNLABELLED`` for images without a label."""
        return self.columns["label"]

    def read_bytes(self, number: int) -> bytes:
        """Return an image's file as it was packed."""
        shard, offset, size = (
            int(self.columns[name][number]) for name in ("shard", "offset", "size")
        )
        return read_range(self.files[shard], offset, size)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        shard = self.files[self.columns["shard"][number]]
        image = decode(self.read_bytes(number), f"{shard} (image {number})")
        pixels = resize_to_square(image, self.side, self.resize_mode)
        return pixels, int(self.labels[number])

    def batch(self, numbers: Iterable[int]) -> tuple[Tensor, Tensor]:
        """Return float pixels (N, 3, side, side) in [0, 1] and int64 labels (N,)."""
        pixels, labels = zip(*(self[number] for number in numbers), strict=True)
        return torch.stack(pixels).float() / 255, torch.tensor(labels)


def folder_index(root: Path) -> ImageIndex:
    """Return the index of a folder; its fingerprint is of the files' paths."""
    files = image_files(root)
    inside = [path.relative_to(root).parts for path in files]
    classes, labels = None, [UNLABELLED] * len(files)
    if all(len(parts) > 1 for parts in inside):
        classes = sorted({parts[0] for parts in inside})
        labels = [classes.index(parts[0]) for parts in inside]
    columns = {
        "shard": np.arange(len(files)),
        "offset": np.zeros(len(files), np.int64),
        "size": np.array([path.stat().st_size for path in files]),
        "label": np.array(labels, np.int32),
    }
    listing = "\n".join(map(str, files)).encode()
    fingerprint = hashlib.sha256(listing).hexdigest()[:16]
    return ImageIndex(columns, files, classes, fingerprint, len(files))


class LabelledImageSet(ImageSet):
    """An ``ImageSet`` in which every image has a label.

    Raises:
        UserError: as for ``ImageSet``, or where an image has none.
    """

    classes: list[str]

    def __init__(
        self, path: str | Path, side: int, resize_mode: str = "squash"
    ) -> None:
        super().__init__(path, side, resize_mode)
        if self.classes is None or (self.labels == UNLABELLED).any():
            raise UserError(f"{path}: has no labels; use one folder a class")


READERS: dict[str, type[ImageSet]] = {
    "labels": LabelledImageSet,
    "predictions": ImageSet,
}
"""The image set that each ``reference`` of a study needs."""
