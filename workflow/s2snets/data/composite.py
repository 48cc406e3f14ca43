"""Objects on black, such as Fashion-MNIST's, laid in colours on photographs."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageFilter
from scipy.ndimage import binary_fill_holes, gaussian_filter, label

from s2snets.data.crops import random_crop, resized
from s2snets.data.folders import image_files
from s2snets.data.images import decode, encode_png
from s2snets.data.sources import Item, read_image
from s2snets.runtime.errors import UserError

if TYPE_CHECKING:
    from s2snets.config import Background

SPECKS = 16
"""Levels of 255 that the noise around an object does not exceed."""
SHADES = (0.15, 0.9)
"""What black and white of an object become, as parts of its colour: none saturates."""
SATURATION, VALUE = (0.1, 0.6), (0.6, 1.0)
"""Ranges of an object's colour; its hue may be any."""
EDGE, BLUR = 0.5, 1.0
"""Standard deviations in pixels: of an object, as a lens leaves it, and of what is
behind it, out of focus."""


def outline(grey: np.ndarray) -> np.ndarray:
    """Return which pixels are the largest object's, its holes included.

    Args:
        grey: an object on black, (H, W) uint8.

    Returns:
        (H, W) bool; all false where everything is black.
    """
    parts, count = label(grey > SPECKS, np.ones((3, 3)))
    if not count:
        return np.zeros(grey.shape, bool)
    areas = np.bincount(parts.ravel())[1:]
    return binary_fill_holes(parts == 1 + areas.argmax())


def lay_on(
    scene: np.ndarray, grey: np.ndarray, draw: np.random.Generator
) -> np.ndarray:
    """Return a scene with an object at a random place, in a random colour.

    Args:
        scene: (S, S, 3) uint8.
        grey: an object on black, (H, W) uint8, at most S pixels high and wide.
        draw: of place and colour.

    Returns:
        (S, S, 3) uint8.
    """
    top, left = (
        int(draw.integers(space - side + 1))
        for space, side in zip(scene.shape, grey.shape, strict=False)
    )
    colour = colorsys.hsv_to_rgb(
        draw.uniform(), draw.uniform(*SATURATION), draw.uniform(*VALUE)
    )
    low, high = SHADES
    shade = low + (high - low) * grey[..., None] / 255
    inside = outline(grey)[..., None]
    layer = np.zeros((*scene.shape[:2], 4))  # red, green, blue and how opaque
    place = slice(top, top + grey.shape[0]), slice(left, left + grey.shape[1])
    layer[place] = np.concatenate([255 * inside * shade * colour, inside], 2)
    layer = gaussian_filter(layer, EDGE, axes=(0, 1))
    return np.rint(layer[..., :3] + (1 - layer[..., 3:]) * scene).astype(np.uint8)


def composite_items(
    items: Iterable[Item], background: Background, seed: Sequence[int]
) -> Iterator[Item]:
    """Yield each grey image on black laid on a random crop of a photograph.

    Args:
        items: the images.
        background: the photographs, and how they are cut and dimmed.
        seed: of photographs, crops, places and colours.

    Raises:
        UserError: an image with colours or larger than the composed ones; unreadable
            photographs or none.
    """
    side = background.size
    paths = image_files(background.path)
    photographs = [decode(read_image(path), str(path)) for path in paths]
    for number, item in enumerate(items):
        draw = np.random.default_rng((*seed, number))
        pixels = np.asarray(decode(item.read(), item.name))
        if max(pixels.shape[:2]) > side:
            raise UserError(f"{item.name}: larger than background.size, {side} pixels")
        if (pixels != pixels[..., :1]).any():
            raise UserError(
                f"{item.name}: has colours; `background` takes grey images on black"
            )
        photograph = photographs[draw.integers(len(photographs))]
        scene = resized(random_crop(photograph, background.side, draw), side)
        scene = scene.filter(ImageFilter.GaussianBlur(BLUR))
        dimmed = np.rint(background.brightness * np.asarray(scene, np.float64))
        image = lay_on(dimmed.astype(np.uint8), pixels[..., 0], draw)
        yield item._replace(suffix=".png", read=partial(encode_png, image))
