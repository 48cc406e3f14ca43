"""Images recombined from the phase of one and the amplitude of another."""

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in a grey value (ITU-R BT.601)."""


def grey(images: np.ndarray) -> np.ndarray:
    """Return the luminance (..., H, W) of RGB images (..., 3, H, W)."""
    return np.tensordot(images, LUMA, ((-3,), (0,)))


def recombined(images: np.ndarray, amplitude: np.ndarray | None = None) -> np.ndarray:
    """Return the inverse Fourier transform of images' phase with another amplitude.

    An amplitude that is not that of a real image, not symmetric about frequency 0,
    gives a complex one; its real part has the symmetric part of the amplitude and the
    very same phase. Mahendran & Vedaldi 2016, section 3.4 and figure 7.

    Args:
        images: real (..., H, W).
        amplitude: non-negative (..., H, W), by ``numpy.fft.fft2``'s frequencies;
            None: the images' own, which gives them back.

    Returns:
        float64 (..., H, W).
    """
    spectrum = np.fft.fft2(images)
    if amplitude is not None:
        spectrum = amplitude * np.exp(1j * np.angle(spectrum))
    return np.fft.ifft2(spectrum).real
