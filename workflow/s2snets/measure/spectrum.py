"""Power of images by spatial frequency."""

import numpy as np


def band_edges(bands: int) -> np.ndarray:
    """Return the limits of bands of frequency: octaves, the lowest from 0 on.

    Args:
        bands: how many.

    Returns:
        Cycles per pixel, ascending, (bands + 1,); the last is beyond the corners of the
        plane, so that the highest band takes what exceeds 1/2 in diagonals.
    """
    return np.array([0.0, *(0.5 ** np.arange(bands, 1, -1)), 1.0])


def band_powers(images: np.ndarray, bands: int) -> np.ndarray:
    """Return the power of images in bands of radial frequency, without their means.

    The bands' powers add up to the sum of squared deviations from each plane's mean
    (Parseval).

    Args:
        images: (N, C, H, W).
        bands: see ``band_edges``.

    Returns:
        float64 (N, bands), summed over channels.
    """
    height, width = images.shape[-2:]
    power = np.abs(np.fft.fft2(images, norm="ortho")) ** 2
    power = power.sum(axis=1).reshape(len(images), -1)
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)).ravel()
    band = np.searchsorted(band_edges(bands)[1:-1], radius, side="left")
    member = (band[:, None] == np.arange(bands)) & (radius > 0)[:, None]
    return power @ member.astype(float)
