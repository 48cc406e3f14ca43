"""Measures of a preferred image, where the paper shows only the picture."""

from collections.abc import Iterable

import numpy as np


def sought_activation(activations: np.ndarray, neurons: Iterable[int]) -> float:
    """Return the mean activation of the neurons sought.

    Args:
        activations: (K,), of all neurons of the layer.
        neurons: their numbers.
    """
    return float(np.mean(activations[list(neurons)]))


def rank(values: np.ndarray, neurons: Iterable[int]) -> int:
    """Return the rank of the neurons among all: 1 where no other one exceeds them.

    Of several the one that comes last counts, and they do not count against each other.

    Args:
        values: (K,), what the ranks go by: unrectified, so that few are equal.
        neurons: numbers of those that are ranked.
    """
    sought = list(neurons)
    rivals = np.delete(values, sought)
    return 1 + int((rivals > values[sought].min()).sum())


def confidence(logits: np.ndarray, neurons: Iterable[int]) -> float:
    """Return the softmax probability, 0 to 1, of the classes sought together."""
    odds = np.exp(np.asarray(logits, np.float64) - np.max(logits))
    return float(odds[list(neurons)].sum() / odds.sum())


def total_variation(pixels: np.ndarray) -> float:
    """Return the mean absolute difference of neighbours, down and across.

    0 for one color, 1 for a chessboard of black and white.

    Args:
        pixels: (3, H, W) in [0, 1].
    """
    pixels = np.asarray(pixels, np.float64)
    down, across = (np.abs(np.diff(pixels, axis=axis)) for axis in (1, 2))
    return float((down.sum() + across.sum()) / (down.size + across.size))


def high_frequency(pixels: np.ndarray) -> float:
    """Return the share of spectral energy above half the Nyquist frequency.

    The greater of a wave's two frequencies counts. The mean of each channel is left
    out; 0 where nothing else is.

    Args:
        pixels: (3, H, W).
    """
    pixels = np.asarray(pixels, np.float64)
    varied = pixels - pixels.mean((1, 2), keepdims=True)
    energy = np.abs(np.fft.fft2(varied)) ** 2
    down, across = (np.abs(np.fft.fftfreq(side)) for side in pixels.shape[1:])
    high = np.maximum(down[:, None], across) > 0.25  # Nyquist's is 0.5 a pixel
    whole = energy.sum()
    return float(energy[:, high].sum() / whole) if whole > 1e-12 else 0.0
