"""From an upright image to square pixels, by one path for every use."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps


def as_tensor(image):
    """An RGB image as uint8 (1, 3, H, W), channels last."""
    return torch.from_numpy(np.array(image))[None].permute(0, 3, 1, 2)


def squash(image, side):
    """Both sides resized to ``side``, the aspect lost.

    torch's arithmetic on bytes is Pillow's, a level apart at most, in a quarter of the
    time: the same on every processor.
    """
    pixels = as_tensor(image)
    return F.interpolate(pixels, (side, side), mode="bilinear", antialias=True)


def crop(image, side):
    """The centred square, resized to ``side``."""
    short = min(image.size)
    left, top = ((length - short) // 2 for length in image.size)
    return squash(image.crop((left, top, left + short, top + short)), side)


def pad(image, side):
    """Never enlarged, reduced by Pillow if it must be, centred on black."""
    if max(image.size) > side:
        image = ImageOps.contain(image, (side, side), Image.Resampling.BILINEAR)
    framed = Image.new("RGB", (side, side))
    framed.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return as_tensor(framed)


RESIZE_MODES = {"squash": squash, "crop": crop, "pad": pad}


def resized_to_square(image, side, resize_mode):
    """An image as uint8 (3, side, side), resized bilinearly and antialiased.

    In memory a pixel's channels lie together, as in the files.

    Args:
        resize_mode: ``squash``, ``crop`` or ``pad``.
    """
    same = image.size == (side, side)
    return (as_tensor(image) if same else RESIZE_MODES[resize_mode](image, side))[0]
