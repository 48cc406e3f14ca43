"""Classical denoisers that take the place of an autoencoder.

Each takes and returns pixels (N, 3, H, W) and is not told the noise: like an
autoencoder it must infer from the image what to remove.
"""

from collections.abc import Callable

import numpy as np
import torch
from skimage import filters, restoration
from torch import Tensor

MIN_DEVIATION = 0.5 / 255
"""Deviation of noise, half a level of a byte, below which an image has none."""


def noise_deviation(image: np.ndarray) -> float:
    """Return the standard deviation of an image's noise, estimated from the image.

    Immerkær's mask (1996, Computer Vision and Image Understanding 64) takes second
    differences of second differences, blind to slopes and to straight edges along the
    axes; the median over positions and channels leaves out the others.

    Args:
        image: (H, W, 3), both sides at least 3.
    """
    along = image[2:] - 2 * image[1:-1] + image[:-2]
    differences = along[:, 2:] - 2 * along[:, 1:-1] + along[:, :-2]
    # The mask's norm is 6; 0.6745 deviations hold half of a normal distribution.
    return float(np.median(np.abs(differences))) / (6 * 0.6745)


def median(image: np.ndarray) -> np.ndarray:
    """Return the median of the nine pixels around each, channel by channel."""
    return filters.median(image, np.ones((3, 3, 1)))


def bilateral(image: np.ndarray) -> np.ndarray:
    """Average near and similar pixels (Tomasi & Manduchi 1998).

    The deviations, 1.8 pixels and twice that of the noise, are those that Zhang &
    Gunturk (2008, IEEE Transactions on Image Processing 17) found best for grey
    images. The distance of three channels is √3 times theirs, and scikit-image
    divides it by three.
    """
    if (noise := noise_deviation(image)) < MIN_DEVIATION:
        return image
    return restoration.denoise_bilateral(
        image, sigma_color=2 * noise / 3**0.5, sigma_spatial=1.8, mode="edge",
        channel_axis=-1,
    )  # fmt: skip


def nlm(image: np.ndarray) -> np.ndarray:
    """Apply non-local means (Buades et al. 2005), set as scikit-image recommends."""
    if (noise := noise_deviation(image)) < MIN_DEVIATION:
        return image
    return restoration.denoise_nl_means(
        image, patch_size=5, patch_distance=6, h=0.8 * noise, sigma=noise,
        fast_mode=True, channel_axis=-1,
    )  # fmt: skip


CLASSICAL = {"median": median, "bilateral": bilateral, "nlm": nlm}


def classical_denoiser(name: str) -> Callable[[Tensor], Tensor]:
    """Return a denoiser of ``CLASSICAL`` for batches of pixels on any device."""
    denoise = CLASSICAL[name]

    def apply(pixels: Tensor) -> Tensor:
        images = pixels.permute(0, 2, 3, 1).cpu().numpy()
        clean = np.stack([denoise(np.ascontiguousarray(image)) for image in images])
        denoised = torch.from_numpy(clean).to(pixels.device, pixels.dtype)
        return denoised.permute(0, 3, 1, 2)

    return apply
