"""Uniform noise for evaluation (Palacio et al. 2018, section 3.3.1).

Every autoencoder and every classifier sees the same noise on an image, and stronger
noise is weaker noise magnified: curves over the strength differ by the strength alone.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from s2snets.data.order import seeded_generator

STREAM = 2  # keeps these draws apart from the order's and the augmentation's


def unit_noise(numbers: Iterable[int], seed: int, side: int) -> Tensor:
    """Return noise in [-1, 1) for images by number: float32 (N, 3, side, side)."""
    shape = (3, side, side)
    drawn = [
        seeded_generator(seed, int(number), STREAM).random(shape, "f")
        for number in numbers
    ]
    return torch.from_numpy(np.stack(drawn)) * 2 - 1


def add_noise(
    pixels: Tensor, noise: Tensor, strength: float, clip: bool = True
) -> Tensor:
    """Return pixels with noise in [-strength, strength], clipped to [0, 1] or not.

    At a strength of 0, the pixels are returned as they are.
    """
    if strength == 0:
        return pixels
    noisy = pixels + strength * noise
    return noisy.clamp(0, 1) if clip else noisy
