"""Decoded pixels of a packed set, which all jobs of a study share.

Decoding and resizing a small image can take longer than a training step on it. A set
that is small enough is decoded once, into an array beside its index that processes map
into memory. It is a cache: deleted, it costs time and changes no result.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing
from s2snets.runtime.progress import Progress

LIMIT = "S2SNETS_PIXEL_CACHE"
MEMORY_PARTS = 8  # by default, pixels may take one of so many parts of the memory


def limit() -> int:
    """Return the most bytes that one set's pixels may take.

    Raises:
        UserError: the environment variable is no number.
    """
    given = os.environ.get(LIMIT)
    if given is None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return memory // MEMORY_PARTS
    if not given.isdecimal():
        raise UserError(f"{LIMIT}: {given!r} is no number of bytes; 0 turns it off")
    return int(given)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, where its file system has locks."""
    with path.open("rb") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def map_array(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return a file's uint8 array, memory-mapped; None where there is no such array."""
    try:
        array = np.load(path, mmap_mode="r")
    except (OSError, EOFError, ValueError):  # there is none yet, or it is damaged
        return None
    fits = array.shape == shape and array.dtype == np.uint8
    return np.asarray(array) if fits else None


def decode_once(
    index: Path,
    images: str,
    resized: str,
    shape: tuple[int, ...],
    decode: Callable[[int], np.ndarray],
    *,
    visits: int,
) -> np.ndarray | None:
    """Return a set's decoded pixels, memory-mapped.

    They are decoded where no job has done so yet. Of jobs that start together, one
    decodes and the others wait for it.

    Args:
        index: of the set; the pixels lie beside it.
        images: digests of the images and of the code that decodes them. Pixels of
            other images are removed when these are written.
        resized: text of the size and the way of resizing.
        shape: (N, side, side, 3).
        decode: (number of an image) -> its pixels, uint8 (side, side, 3).
        visits: how often the job will read an image.

    Returns:
        uint8, of ``shape``. None where they are larger than ``limit``, cannot be
        written, or are not there and the job reads less than half of the set.

    Raises:
        UserError: an unreadable image.
    """
    path = index.with_name(f".pixels-{images}-{resized}.npy")
    if np.prod(shape) > limit():
        return None
    pixels = map_array(path, shape)
    if (
        pixels is not None
        or 2 * visits < shape[0]
        or not os.access(index.parent, os.W_OK)
    ):
        return pixels
    with locked(index):
        if map_array(path, shape) is None:
            for other in index.parent.glob(".pixels-*.npy"):
                if not other.name.startswith(f".pixels-{images}-"):
                    other.unlink(missing_ok=True)
            write_array(path, shape, decode)
    return map_array(path, shape)


def write_array(
    path: Path, shape: tuple[int, ...], decode: Callable[[int], np.ndarray]
) -> None:
    """Write the pixels of all images, whole or not at all."""
    report = Progress(shape[0])
    with replacing(path) as draft:
        pixels = np.lib.format.open_memmap(draft, "w+", np.uint8, shape)
        for number in range(shape[0]):
            pixels[number] = decode(number)
            report(number + 1)
        pixels.flush()
