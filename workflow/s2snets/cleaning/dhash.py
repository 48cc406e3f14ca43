"""An image hash that survives resizing and recompression."""

import numpy as np
from PIL import Image


def dhash(grey: np.ndarray) -> int:
    """Return the difference hash: does brightness rise, left to right, on a 9 × 8 grid?

    Near duplicates differ in few bits.

    Args:
        grey: uint8 (H, W), of any size.

    Returns:
        64 bits, the top row first, its left end first.

    Source: N. Krawetz, "Kind of Like That", The Hacker Factor Blog, 2013.
    """
    # Lanczos, since a box of whole pixels shifts with the size of a small image.
    grid = np.asarray(Image.fromarray(grey).resize((9, 8), Image.Resampling.LANCZOS))
    return int.from_bytes(np.packbits(grid[:, 1:] > grid[:, :-1]).tobytes(), "big")
