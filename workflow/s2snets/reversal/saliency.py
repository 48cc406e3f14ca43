"""Maps of saliency: where a network looks, by its reversal (section 3.5)."""

from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from s2snets.networks.frozen import PixelClassifier
from s2snets.reversal.respond import respond
from s2snets.reversal.starts import channel
from s2snets.reversal.variants import ARCHITECTURES

# DeSaliNet, too, reverses LRN by backpropagation here (footnote 5 of section 3.5).
METHODS = {
    "salinet": ARCHITECTURES["salinet"],
    "desalinet": ARCHITECTURES["desalinet"]._replace(lrn="backprop"),
    "deconvnet": ARCHITECTURES["deconvnet"],
}
BASELINE = "gaussian"

BASELINE_SIDE, BASELINE_RADIUS, BASELINE_DEVIATION = 256, 62, 24
"""Pixels of the baseline's Gaussian, whose window is 125², at this short side."""


def saliency(classifier: PixelClassifier, pixels: Tensor, method: str) -> Tensor:
    """Measure how strongly each pixel drives the most active class.

    The network is applied fully convolutionally; the start is 1 at each position at
    which the channel of the most active output is positive; the result is the L∞ norm
    over RGB (Mahendran & Vedaldi 2016, section 3.5).

    Args:
        classifier: the network.
        pixels: (N, 3, H, W) in [0, 1], of any size from the network's own on.
        method: a key of ``METHODS``.

    Returns:
        (N, H, W), not negative; 0 everywhere where no output is positive.
    """
    response = respond(classifier, pixels, METHODS[method], start=channel, dense=True)
    return response.abs().amax(1)


def saliency_maps(
    images: Sequence[np.ndarray],
    classifier: PixelClassifier | None,
    device: torch.device,
) -> dict[str, list[np.ndarray]]:
    """Return the maps, float32 (H, W), of images, uint8 (H, W, 3), by method.

    Images of one size are reversed together. Without a classifier there is the baseline
    alone.
    """
    if classifier is None:
        return {BASELINE: [gaussian_baseline(*image.shape[:2]) for image in images]}
    by_shape = defaultdict(list)
    for place, image in enumerate(images):
        by_shape[image.shape].append(place)
    maps: dict[str, dict[int, np.ndarray]] = {method: {} for method in METHODS}
    for places in by_shape.values():
        batch = torch.from_numpy(np.stack([images[place] for place in places]))
        pixels = batch.to(device).permute(0, 3, 1, 2).float() / 255
        for method, by_place in maps.items():
            values = saliency(classifier, pixels, method).cpu().numpy()
            by_place.update(zip(places, values, strict=True))
    return {
        method: [by_place[place] for place in range(len(images))]
        for method, by_place in maps.items()
    }


def gaussian_baseline(height: int, width: int) -> np.ndarray:
    """Return a saliency that ignores the image: high in the middle, low in the corners.

    A Gaussian of deviation 24 in a window of 125² pixels at the centre, less a quarter
    of it in each corner, where the short side has 256 pixels; at other sizes in
    proportion (Mahendran & Vedaldi 2016, table 1; extent: their published code).

    Returns:
        float32 (H, W) in [-1, 1].
    """
    scale = min(height, width) / BASELINE_SIDE
    deviation, radius = scale * BASELINE_DEVIATION, round(scale * BASELINE_RADIUS)
    kernel = cv2.getGaussianKernel(2 * radius + 1, deviation).ravel()
    window = np.outer(kernel, kernel)
    window /= window.max()
    values = np.zeros((height, width), np.float32)
    top, left = ((side - 1) // 2 - radius for side in (height, width))
    values[top : top + 2 * radius + 1, left : left + 2 * radius + 1] = window
    quarter = window[radius:, radius:]
    for rows in (1, -1):
        for columns in (1, -1):
            corner = values[::rows, ::columns][: radius + 1, : radius + 1]
            corner[:] = -quarter
    return values
