"""Images with masks of their foreground: ImageNet-Segmentation, or a folder of PNGs.

Both read alike: ``len(examples)`` and ``examples[number]``, an ``Example``, read when
it is asked for. ImageNet-Segmentation (Guillaumin, Küttel & Ferrari 2014) is one MATLAB
file of 4276 images in 445 classes, some with masks by several people.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from s2snets.data.images import decode
from s2snets.data.sources import image_files
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import sha256

FIELDS = ("img", "gt", "target")
PUBLISHED, OWN = "ImageNet-Segmentation", "folder"
"""What a set is, by its format."""


class Example(NamedTuple):
    """One image with its foreground."""

    image: np.ndarray  # uint8 (H, W, 3)
    masks: np.ndarray  # bool (K, H, W): of K >= 1 people
    category: str


def read_examples(path):
    """The images at a path: a ``gtsegs_ijcv.mat``, or a folder.

    Raises:
        UserError: nothing there, another format, a damaged or incomplete set; on reading
            an image, masks that are missing or of another size.
    """
    path = Path(path)
    return (Folder if path.is_dir() else Matlab)(path)


def checked(name, image, masks, category):
    """An ``Example`` whose parts fit one another.

    Raises:
        UserError: they do not.
    """
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise UserError(f"{name}: no image of 8 bits a channel but {image.shape}")
    if not masks:
        raise UserError(f"{name}: has no mask; add one, or leave the image out")
    for mask in masks:
        if mask.shape != image.shape[:2]:
            raise UserError(
                f"{name}: its mask has {mask.shape[0]}×{mask.shape[1]} pixels, the"
                f" image {image.shape[0]}×{image.shape[1]}; make them equal"
            )
    return Example(image, np.stack(masks) > 0, category)


class Matlab:
    """The file of the published set: MATLAB v7.3, which is HDF5.

    A struct of cells: ``/value/img``, ``gt`` and ``target`` are object references to
    arrays, whose axes are in MATLAB's order, the last first; a cell of ``gt`` is one of
    references again, to one mask each.
    """

    kind = PUBLISHED

    def __init__(self, path):
        self.path, self.file = path, opened(path)
        try:
            self.cells = [self.file["value"][field][()].ravel() for field in FIELDS]
        except (KeyError, ValueError):
            needed = ", ".join(f"value/{field}" for field in FIELDS)
            raise UserError(
                f"{path}: lacks {needed}; take gtsegs_ijcv.mat as published"
            ) from None
        except OSError as error:
            raise UserError(f"{path}: damaged ({error}); fetch it anew") from None
        if len({len(cell) for cell in self.cells}) > 1:
            raise UserError(
                f"{path}: unequally many images, masks, classes; fetch anew"
            )

    def __len__(self):
        return len(self.cells[0])

    @property
    def fingerprint(self):
        """Digest of the file."""
        return sha256(self.path)

    def at(self, reference):
        """What a cell holds, axes in Python's order; an empty one holds nothing."""
        found = self.file[reference]
        if "MATLAB_empty" in found.attrs:
            return np.empty(0)
        return found[()].T

    def __getitem__(self, number):
        name = f"{self.path} (image {number + 1})"
        try:
            image, masks, category = (self.at(cell[number]) for cell in self.cells)
            masks = [self.at(mask) for mask in masks.ravel()]
            category = text(category)
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{name}: damaged ({error}); fetch the file anew") from None
        return checked(name, image, masks, category)


def text(values):
    """What MATLAB holds as text: an array of code units; a number as it reads."""
    if values.dtype == np.uint16:
        return values.astype("<u2").tobytes().decode("utf-16-le")
    return f"{values.item():g}"


def opened(path):
    """An HDF5 file, to be read.

    Raises:
        UserError: no file, MATLAB's older format, another, or a truncated one.
    """
    try:
        with path.open("rb") as file:
            head = file.read(10)
        return h5py.File(path, "r")
    except FileNotFoundError:
        raise UserError(f"{path}: no such set; see salient.segmentation.path") from None
    except OSError as error:
        if head == b"MATLAB 5.0":
            raise UserError(
                f"{path}: MATLAB's format v5, not v7.3; take the file as published, or"
                " save it again with -v7.3"
            ) from None
        raise UserError(
            f"{path}: no whole MATLAB v7.3 file ({error}); fetch it anew"
        ) from None


class Folder:
    """``images/CLASS/NAME.*``, and for each its ``masks/CLASS/NAME.png``.

    A mask's foreground is what is not black.
    """

    kind = OWN

    def __init__(self, path):
        self.images = image_files(path / "images")
        self.masks, lacking = [], []
        for image in self.images:
            inner = image.relative_to(path / "images").with_suffix(".png")
            if len(inner.parts) != 2:
                raise UserError(f"{image}: is not in a class's folder, images/CLASS/")
            mask = path / "masks" / inner
            self.masks.append(mask)
            if not mask.is_file():
                lacking.append(mask)
        if lacking:
            raise UserError(
                f"{lacking[0]}: no such mask ({len(lacking)} of {len(self.images)}"
                " images lack theirs); add it, or leave the image out"
            )

    def __len__(self):
        return len(self.images)

    @property
    def fingerprint(self):
        """Digest of all names and files."""
        digest = hashlib.sha256()
        for file in (*self.images, *self.masks):
            digest.update(f"{file.parent.name}/{file.name} {sha256(file)}\n".encode())
        return digest.hexdigest()

    def __getitem__(self, number):
        file, mask = self.images[number], self.masks[number]
        image, drawn = (
            np.array(decode(one.read_bytes(), str(one))) for one in (file, mask)
        )
        return checked(str(file), image, [drawn.max(axis=2)], file.parent.name)
