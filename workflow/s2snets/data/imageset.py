"""One dataset over packed shards and over a plain folder of images."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from s2snets.data.images import decode
from s2snets.data.resize import resized_to_square
from s2snets.data.shards import read_index
from s2snets.data.sources import UNLABELLED, class_folders, image_files
from s2snets.runtime.errors import UserError


@lru_cache(maxsize=64)
def opened(path):
    """A file kept open between reads; closed when others push it out."""
    return open(path, "rb", buffering=0)


class ImageSet(Dataset):
    """Images by number: uint8 pixels (3, side, side) and an integer label.

    Args:
        path: an ``index.npz``, or a folder of images. In a folder, first-level folders
            are the classes where every image lies in one. An index and a folder are
            read alike: in a folder every file is a shard of one image.
        side: of the square pixels, see ``resize.resized_to_square``.
        resize_mode: ``squash``, ``crop`` or ``pad``.

    Attributes:
        runs: what ``order.places`` permutes.

    Raises:
        UserError: a missing, empty or damaged set; on reading, an unreadable image.
    """

    def __init__(self, path, side, resize_mode="squash"):
        self.path, self.side, self.resize_mode = Path(path), side, resize_mode
        read = folder_index if self.path.is_dir() else read_index
        self.columns, self.files, self.classes, self.fingerprint, self.runs = read(
            self.path
        )

    def __reduce__(self):
        """A worker opens the set anew: pickled, mapped columns would be copied."""
        return type(self), (self.path, self.side, self.resize_mode)

    def __len__(self):
        return len(self.columns["shard"])

    @property
    def labels(self):
        """Int32 (N,); ``sources.UNLABELLED`` where there is none."""
        return self.columns["label"]

    def bytes_of(self, number):
        """An image's file, as it was packed."""
        shard, offset, size = (
            int(self.columns[name][number]) for name in ("shard", "offset", "size")
        )
        file = opened(self.files[shard])  # held: an evicted file closes
        return os.pread(file.fileno(), size, offset)

    def __getitem__(self, number):
        shard = self.files[self.columns["shard"][number]]
        image = decode(self.bytes_of(number), f"{shard} (image {number})")
        return resized_to_square(image, self.side, self.resize_mode), int(
            self.labels[number]
        )

    def batch(self, numbers):
        """Float pixels (N, 3, side, side) in [0, 1] and int64 labels (N,)."""
        pixels, labels = zip(*(self[number] for number in numbers), strict=True)
        return torch.stack(pixels).float() / 255, torch.tensor(labels)


def folder_index(root):
    """A folder as ``shards.read_index`` would have it; the listing is fingerprinted."""
    files = image_files(root)
    inside = [path.relative_to(root).parts for path in files]
    classes = class_folders(root) if all(len(parts) > 1 for parts in inside) else None
    labels = (
        [classes.index(parts[0]) for parts in inside]
        if classes
        else [UNLABELLED] * len(files)
    )
    columns = {
        "shard": np.arange(len(files)),
        "offset": np.zeros(len(files), np.int64),
        "size": np.array([path.stat().st_size for path in files]),
        "label": np.array(labels, np.int32),
    }
    listing = "\n".join(map(str, files)).encode()
    fingerprint = hashlib.sha256(listing).hexdigest()[:16]
    return columns, files, classes, fingerprint, len(files)


def labelled(path, side, resize_mode="squash"):
    """An ``ImageSet`` that is known to have labels.

    Raises:
        UserError: it has none.
    """
    images = ImageSet(path, side, resize_mode)
    if images.classes is None or (images.labels == UNLABELLED).any():
        raise UserError(f"{path}: has no labels; use one folder a class")
    return images


READERS = {"labels": labelled, "predictions": ImageSet}
"""The study's ``reference`` -> how the images it is needed for are read."""
