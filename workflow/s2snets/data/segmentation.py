"""Images with masks of their foreground: ImageNet-Segmentation, or a folder of PNGs.

Both have one interface: ``len(examples)`` and ``examples[number]``, an ``Example`` that
is read on access. ImageNet-Segmentation (Guillaumin, Küttel & Ferrari 2014) is one
MATLAB file of 4276 images in 445 classes, some with masks by several people.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from s2snets.data.folders import image_files
from s2snets.data.images import decode
from s2snets.runtime.errors import UserError, one_line
from s2snets.runtime.files import read_input, reading, sha256

FIELDS = ("img", "gt", "target")
PUBLISHED = "ImageNet-Segmentation"
"""What results call the published set; a folder is called ``folder``."""


class Example(NamedTuple):
    """One image with its foreground."""

    image: np.ndarray  # uint8 (H, W, 3)
    masks: np.ndarray  # bool (K, H, W): of K >= 1 people
    category: str


def make_example(
    name: str, image: np.ndarray, masks: Sequence[np.ndarray], category: str
) -> Example:
    """Return an ``Example`` of an image (H, W) or (H, W, 3) and its masks (H, W).

    Args:
        name: what to call the image in an error message.

    Raises:
        UserError: the image is not of 8 bits a channel, or the masks are missing or of
            another size.
    """
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise UserError(f"{name}: no image of 8 bits a channel but {image.shape}")
    if not masks:
        raise UserError(f"{name}: has no mask; add one, or leave the image out")
    for mask in masks:
        if mask.shape != image.shape[:2]:
            sides, wanted = (
                "×".join(map(str, shape)) for shape in (mask.shape, image.shape[:2])
            )
            raise UserError(
                f"{name}: its mask has {sides} pixels, the image {wanted}; make them"
                " equal"
            )
    return Example(image, np.stack(masks) > 0, category)


class MatlabExamples:
    """The file of the published set: MATLAB v7.3, which is HDF5.

    A struct of cells: ``/value/img``, ``gt`` and ``target`` are object references to
    arrays, whose axes are in MATLAB's order, the last first; a cell of ``gt`` holds
    references again, to one mask each.

    Raises:
        UserError: no such file, another format, or a damaged one; on reading an
            example, damage, or masks that do not fit.
    """

    kind = PUBLISHED

    def __init__(self, path: Path) -> None:
        self.path, self.file = path, _open_matlab(path)
        try:
            self.cells = [self.file["value"][field][()].ravel() for field in FIELDS]
        except (KeyError, ValueError, TypeError, AttributeError):
            needed = ", ".join(f"value/{field}" for field in FIELDS)
            raise UserError(
                f"{path}: lacks {needed}; take gtsegs_ijcv.mat as published"
            ) from None
        except Exception as error:  # HDF5 raises errors of any type on damage
            raise UserError(
                f"{path}: damaged ({one_line(error)}); fetch it anew"
            ) from None
        if len({len(cell) for cell in self.cells}) > 1:
            raise UserError(
                f"{path}: unequally many images, masks, classes; fetch anew"
            )

    def __len__(self) -> int:
        return len(self.cells[0])

    @property
    def fingerprint(self) -> str:
        """Digest of the file."""
        return sha256(self.path)

    def _array(self, reference: h5py.Reference) -> np.ndarray:
        """Return the array at a reference, axes in Python's order; maybe empty."""
        dataset = self.file[reference]
        if "MATLAB_empty" in dataset.attrs:
            return np.empty(0)
        return dataset[()].T

    def __getitem__(self, number: int) -> Example:
        if number >= len(self):
            raise IndexError(number)  # which ends an iteration
        name = f"{self.path} (image {number + 1})"
        try:
            image, masks, category = (self._array(cell[number]) for cell in self.cells)
            drawn = [self._array(mask) for mask in masks.ravel()]
            return make_example(name, image, drawn, _matlab_text(category))
        except UserError:
            raise
        except Exception as error:  # as above
            raise UserError(
                f"{name}: damaged ({one_line(error)}); fetch the file anew"
            ) from None


def _matlab_text(values: np.ndarray) -> str:
    """Return MATLAB's text, an array of UTF-16 code units, or a number, as text."""
    if values.dtype == np.uint16:
        return values.astype("<u2").tobytes().decode("utf-16-le")
    return f"{values.item():g}"


def _open_matlab(path: Path) -> h5py.File:
    """Open an HDF5 file for reading.

    Raises:
        UserError: no such file, MATLAB's older format, another, or a truncated file.
    """
    if not path.exists():
        raise UserError(f"{path}: no such set; see salient.segmentation.path")
    with reading(path) as file:
        head = file.read(10)
    try:
        return h5py.File(path, "r")
    except Exception as error:  # HDF5 raises errors of any type on damage
        if head == b"MATLAB 5.0":
            raise UserError(
                f"{path}: MATLAB's format v5, not v7.3; take the file as published, or"
                " save it again with -v7.3"
            ) from None
        raise UserError(
            f"{path}: no whole MATLAB v7.3 file ({one_line(error)}); fetch it anew"
        ) from None


class FolderExamples:
    """A folder of ``images/CLASS/NAME.*``, and for each ``masks/CLASS/NAME.png``.

    A mask's foreground is what is not black.

    Raises:
        UserError: no images, one outside a class's folder, or missing masks; on reading
            an example, an unreadable file or a mask of another size.
    """

    kind = "folder"

    def __init__(self, path: Path) -> None:
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

    def __len__(self) -> int:
        return len(self.images)

    @property
    def fingerprint(self) -> str:
        """Digest of all names and files."""
        digest = hashlib.sha256()
        for file in (*self.images, *self.masks):
            digest.update(f"{file.parent.name}/{file.name} {sha256(file)}\n".encode())
        return digest.hexdigest()

    def __getitem__(self, number: int) -> Example:
        file = self.images[number]
        image, mask = (
            np.array(decode(read_input(path), str(path)))
            for path in (file, self.masks[number])
        )
        return make_example(str(file), image, [mask.max(axis=2)], file.parent.name)


def read_examples(path: str | Path) -> MatlabExamples | FolderExamples:
    """Open a set of images with masks: a ``gtsegs_ijcv.mat``, or a folder.

    Raises:
        UserError: nothing there, another format, a damaged or incomplete set.
    """
    path = Path(path)
    return FolderExamples(path) if path.is_dir() else MatlabExamples(path)
