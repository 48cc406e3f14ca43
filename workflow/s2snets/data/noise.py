"""Uniform noise for evaluation (Palacio et al. 2018, section 3.3.1).

Every source and every classifier sees the very same noise on an image, and a stronger
noise is the weaker one magnified: curves over the strength differ by the strength.
"""

import numpy as np
import torch

from s2snets.data.order import generator

STREAM = 2  # keeps these draws apart from the order's and the augmentation's


def unit_noise(numbers, seed, side):
    """Noise in [-1, 1) for images by number: float32 (N, 3, side, side)."""
    shape = (3, side, side)
    drawn = [
        generator(seed, int(number), STREAM).random(shape, "f") for number in numbers
    ]
    return torch.from_numpy(np.stack(drawn)) * 2 - 1


def add_noise(pixels, noise, strength, clip=True):
    """Pixels with noise in [-strength, strength], clipped to [0, 1] or not.

    Without noise the pixels are returned as they are.
    """
    if strength == 0:
        return pixels
    noisy = pixels + strength * noise
    return noisy.clamp(0, 1) if clip else noisy
