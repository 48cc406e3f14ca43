"""Where a network looks: maps of saliency from its reversal (section 3.5)."""

from collections import defaultdict

import cv2
import numpy as np
import torch

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

SIDE, RADIUS, DEVIATION = 256, 62, 24
"""Short side at which the baseline was measured in pixels; its window is 125² there."""


def saliency(classifier, pixels, method):
    """How strongly each pixel drives the most active class, wherever it is active.

    The network is applied fully convolutionally; the start is 1 at each position at
    which the channel of the most active output is positive; the L∞ norm of what
    arrives is taken over RGB (Mahendran & Vedaldi 2016, section 3.5).

    Args:
        classifier: a ``models.frozen.Frozen``.
        pixels: (N, 3, H, W) in [0, 1], of any size from the network's own on.
        method: one of ``METHODS``.

    Returns:
        (N, H, W), not negative; 0 all over where no output is positive.
    """
    found = respond(classifier, pixels, METHODS[method], start=channel, dense=True)
    return found.abs().amax(1)


def saliencies(images, classifier, device):
    """Maps of every method; images of one size are reversed together.

    Args:
        images: uint8 (H, W, 3) each.
        classifier: a frozen one on the device; None: the baseline alone.

    Returns:
        Method -> float32 (H, W) of each image.
    """
    if classifier is None:
        return {BASELINE: [blob(*image.shape[:2]) for image in images]}
    sizes = defaultdict(list)
    for place, image in enumerate(images):
        sizes[image.shape].append(place)
    found = {method: [None] * len(images) for method in METHODS}
    for places in sizes.values():
        pixels = torch.from_numpy(np.stack([images[place] for place in places]))
        pixels = pixels.to(device).permute(0, 3, 1, 2).float() / 255
        for method, maps in found.items():
            made = saliency(classifier, pixels, method).cpu().numpy()
            for place, one in zip(places, made, strict=True):
                maps[place] = one
    return found


def blob(height, width):
    """The baseline, whatever is in the image: the middle counts, the corners do not.

    A Gaussian of deviation 24 in a window of 125² pixels at the centre, less a quarter
    of it in each corner, where the short side has 256 pixels; at other sizes in
    proportion (Mahendran & Vedaldi 2016, table 1; extent: their published code).

    Returns:
        float32 (H, W) in [-1, 1].
    """
    scale = min(height, width) / SIDE
    deviation, radius = scale * DEVIATION, round(scale * RADIUS)
    window = np.outer(*2 * [cv2.getGaussianKernel(2 * radius + 1, deviation).ravel()])
    window /= window.max()
    found = np.zeros((height, width), np.float32)
    top, left = ((side - 1) // 2 - radius for side in (height, width))
    found[top : top + 2 * radius + 1, left : left + 2 * radius + 1] = window
    quarter = window[radius:, radius:]
    for rows in (1, -1):
        for columns in (1, -1):
            corner = found[::rows, ::columns][: radius + 1, : radius + 1]
            corner[:] = -quarter
    return found
