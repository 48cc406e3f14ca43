"""Random square crops of photographs."""

import math

import numpy as np
from PIL import Image

LEAST_SIDE = 8
"""In pixels: less shows nothing."""


def random_crop(
    image: Image.Image, side: tuple[float, float], draw: np.random.Generator
) -> Image.Image:
    """Return a square crop of random size and place.

    Args:
        image: to cut.
        side: least and greatest side, as fractions of the image's short side; drawn
            uniformly in the logarithm.
        draw: of size and place.
    """
    low, high = np.log(side)
    short = min(image.size)
    pixels = max(LEAST_SIDE, round(short * math.exp(draw.uniform(low, high))))
    left = int(draw.integers(image.width - pixels + 1))
    top = int(draw.integers(image.height - pixels + 1))
    return image.crop((left, top, left + pixels, top + pixels))


def resized(image: Image.Image, side: int) -> Image.Image:
    """Return a square image at another side, antialiased."""
    return image.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=3)
