"""The nine augmentations of Palacio et al. 2018, section 3.2.

Scale, rotation, shift and mirror are one resampling; blur, contrast, brightness,
color and noise act on its pixels. What happens to an image depends on the seed and on
its position in the training alone, so that a resumed training augments alike. The
draws are made per image, the arithmetic for a whole batch on the batch's device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from s2snets.data.order import seeded_generator

if TYPE_CHECKING:
    from s2snets.config import Augmentation

STREAM = 1  # keeps these draws apart from the order's


def draw(
    settings: Augmentation, seed: int, positions: Sequence[int], side: int
) -> dict[str, Tensor]:
    """Draw the augmentations of a batch.

    Args:
        settings: how often and how strongly images are augmented.
        seed: seed of the draws.
        positions: of the N images in the training.
        side: of the images, in pixels.

    Returns:
        float32 tensors: ``affine`` (N, 2, 3), from output to input in
        ``affine_grid``'s units; ``blur`` (N,), pixels; ``contrast`` (N,), a factor;
        ``offset`` (N, 3), pixels; ``noise`` (N, 3, side, side), pixels.
    """
    shapes = {"affine": (2, 3), "blur": (), "contrast": (), "offset": (3,)}
    shapes["noise"] = (3, side, side)
    drawn = {
        name: np.zeros((len(positions), *shape), np.float32)
        for name, shape in shapes.items()
    }
    low, high = (math.log(bound) for bound in settings.scale)
    for image, position in enumerate(positions):
        random = seeded_generator(seed, position, STREAM)
        rolls = (random.random(5) < settings.pixelwise).tolist()
        blurred, brightened, contrasted, colored, noisy = rolls
        zoom = math.exp(random.uniform(low, high))
        angle = math.radians(random.normal(0, settings.rotation))
        room = abs(1 - 1 / zoom)
        x, y = (random.uniform(-1, 1, 2) * settings.shift * room).tolist()
        flip = -1 if random.random() < settings.mirror else 1
        cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
        brightness = random.uniform(-0.5, 0.5) * settings.brightness * brightened
        color = random.uniform(-0.5, 0.5, 3) * settings.color * colored
        contrast = 1 + random.uniform(-1, 1) * settings.contrast * contrasted
        blur = random.uniform(0, 1) * settings.blur * side * blurred
        drawn["affine"][image] = (flip * cos, -sin, x), (flip * sin, cos, y)
        drawn["blur"][image] = blur
        drawn["contrast"][image] = contrast
        drawn["offset"][image] = brightness + color
        if noisy and settings.noise:
            strength = random.uniform(0, settings.noise)
            noise = random.random(shapes["noise"], "f") * 2 - 1
            drawn["noise"][image] = noise * np.float32(strength)
    return {name: torch.from_numpy(values) for name, values in drawn.items()}


def apply(pixels: Tensor, drawn: dict[str, Tensor]) -> Tensor:
    """Augment a batch (N, 3, H, W) in [0, 1].

    Args:
        pixels: of the images.
        drawn: the tensors of ``draw``.
    """
    grid = F.affine_grid(drawn["affine"].to(pixels), list(pixels.shape), False)
    x = F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
    blurred = drawn["blur"].nonzero().flatten()
    if len(blurred):
        x[blurred] = gaussian_blur(x[blurred], drawn["blur"][blurred].to(pixels))
    contrast = drawn["contrast"].view(-1, 1, 1, 1).to(pixels)
    offset = drawn["offset"].view(-1, 3, 1, 1).to(pixels)
    x = (x - 0.5) * contrast + 0.5 + offset + drawn["noise"].to(pixels)
    return x.clamp(0, 1)


def gaussian_blur(x: Tensor, sigma: Tensor) -> Tensor:
    """Blur images (N, C, H, W), each with its own deviation (N,) in pixels, or 0."""
    radius = math.ceil(3 * float(sigma.max()))
    if radius == 0:
        return x
    radius = min(radius, min(x.shape[-2:]) - 1)
    taps = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (taps / sigma.clamp(min=1e-3)[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(x.shape[1], 0)
    planes = x.reshape(1, -1, *x.shape[-2:])
    groups = planes.shape[1]
    for shape, border in (
        ((groups, 1, 1, -1), (radius, radius, 0, 0)),
        ((groups, 1, -1, 1), (0, 0, radius, radius)),
    ):
        padded = F.pad(planes, border, mode="reflect")
        planes = F.conv2d(padded, kernel.view(shape), groups=groups)
    return planes.reshape(x.shape)
