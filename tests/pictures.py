"""Synthetic photographs, for tests of reading and judging image files."""

import io

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter


def photograph(width, height, seed=0):
    """Return an RGB image of smooth shapes and some grain."""
    random = np.random.default_rng(seed)
    shapes = gaussian_filter(random.normal(0, 400, (height, width, 3)), (4, 4, 0))
    grain = random.normal(128, 6, (height, width, 3))
    return Image.fromarray(np.clip(shapes + grain, 0, 255).astype(np.uint8))


def encoded(image, form="jpeg", **options):
    """Return the bytes of an image's file."""
    buffer = io.BytesIO()
    image.copy().save(buffer, form, **options)  # saving changes the image's attributes
    return buffer.getvalue()
