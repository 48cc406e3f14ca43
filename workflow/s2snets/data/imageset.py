"""One dataset over packed shards and over a plain folder of images."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from s2snets.data.decoded import decode_once
from s2snets.data.folders import image_files
from s2snets.data.images import decode
from s2snets.data.resize import resize_to_square
from s2snets.data.shards import UNLABELLED, ImageIndex, read_index
from s2snets.data.tars import read_range
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import unreadable
from s2snets.runtime.fingerprint import fingerprint


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
        decoded: pixels of all images, uint8 (N, side, side, 3); None before
            ``decode_once``, and where they are too large to be kept.

    Raises:
        UserError: a missing, empty or damaged set; on reading, an unreadable image.
    """

    def __init__(
        self, path: str | Path, side: int, resize_mode: str = "squash"
    ) -> None:
        self.path, self.side, self.resize_mode = Path(path), side, resize_mode
        self.decoded: np.ndarray | None = None
        read = folder_index if self.path.is_dir() else read_index
        self.columns, self.files, self.classes, self.fingerprint, self.runs = read(
            self.path
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Let workers open the set anew: pickling would copy the mapped arrays."""
        mapped = self.decoded is not None
        return reopen, (type(self), self.path, self.side, self.resize_mode, mapped)

    def __len__(self) -> int:
        return len(self.columns["shard"])

    @property
    def labels(self) -> np.ndarray:
        """Int32 (N,); ``shards.UNLABELLED`` for images without a label."""
        return self.columns["label"]

    @property
    def groups(self) -> np.ndarray | None:
        """Int32 (N,): the same for images that depend on each other; None: none do."""
        return self.columns.get("group")

    def read_bytes(self, number: int) -> bytes:
        """Return an image's file as it was packed."""
        shard, offset, size = (
            int(self.columns[name][number]) for name in ("shard", "offset", "size")
        )
        return read_range(self.files[shard], offset, size)

    def decode_once(self, visits: int) -> None:
        """Keep the decoded pixels of a packed set that is small enough.

        Args:
            visits: how often an image will be read, see ``decoded.decode_once``.
        """
        if self.path.is_dir() or self.decoded is not None:
            return
        self.decoded = decode_once(
            self.path,
            f"{self.fingerprint}-{fingerprint(decode_square)}",
            f"{self.side}-{self.resize_mode}",
            (len(self), self.side, self.side, 3),
            lambda number: self[number][0].permute(1, 2, 0).numpy(),
            visits=visits,
        )

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        if self.decoded is not None:
            pixels = torch.from_numpy(self.decoded[number].copy()).permute(2, 0, 1)
            return pixels, int(self.labels[number])
        shard = self.files[self.columns["shard"][number]]
        name = f"{shard} (image {number})"
        data = self.read_bytes(number)
        pixels = decode_square(data, name, self.side, self.resize_mode)
        return pixels, int(self.labels[number])

    def read(self, numbers: Sequence[int] | np.ndarray) -> tuple[Tensor, Tensor]:
        """Return uint8 pixels (N, side, side, 3) and int64 labels (N,)."""
        if self.decoded is not None:
            pixels = torch.from_numpy(self.decoded[numbers])
        else:
            pixels = torch.stack([self[one][0].permute(1, 2, 0) for one in numbers])
        return pixels, torch.from_numpy(self.labels[numbers].astype(np.int64))

    def batch(self, numbers: Iterable[int]) -> tuple[Tensor, Tensor]:
        """Return float pixels (N, 3, side, side) in [0, 1] and int64 labels (N,)."""
        pixels, labels = self.read(list(numbers))
        return pixels.permute(0, 3, 1, 2).contiguous().float() / 255, labels


def decode_square(data: bytes, name: str, side: int, resize_mode: str) -> Tensor:
    """Decode an image file, called by a name, to uint8 pixels (3, side, side)."""
    return resize_to_square(decode(data, name), side, resize_mode)


def reopen(
    kind: type[ImageSet], path: Path, side: int, resize_mode: str, mapped: bool
) -> ImageSet:
    """Return an image set as it was in another process."""
    images = kind(path, side, resize_mode)
    if mapped:
        images.decode_once(visits=0)
    return images


def folder_index(root: Path) -> ImageIndex:
    """Return the index of a folder; its fingerprint is of the files' paths."""
    files = image_files(root)
    inside = [path.relative_to(root).parts for path in files]
    classes, labels = None, [UNLABELLED] * len(files)
    if all(len(parts) > 1 for parts in inside):
        classes = sorted({parts[0] for parts in inside})
        labels = [classes.index(parts[0]) for parts in inside]
    try:
        sizes = [path.stat().st_size for path in files]
    except OSError as error:
        raise unreadable(error, error.filename) from None
    columns = {
        "shard": np.arange(len(files)),
        "offset": np.zeros(len(files), np.int64),
        "size": np.array(sizes),
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
