"""Numbers for a preferred image, where the paper has only the picture."""

import numpy as np


def sought_activation(activations, units):
    """Mean activation of the units sought: (K,), their numbers -> a number."""
    return float(np.mean(activations[list(units)]))


def rank(values, units):
    """Where the units come among all: 1, no other unit of the layer exceeds them.

    Of several the one that comes last counts, and they do not count against each other.

    Args:
        values: (K,), what the ranks go by: unrectified, so that few are equal.
    """
    rivals = np.delete(values, list(units))
    return 1 + int((rivals > values[list(units)].min()).sum())


def confidence(logits, units):
    """Softmax probability of the classes sought, together: 0 to 1."""
    odds = np.exp(np.asarray(logits, np.float64) - np.max(logits))
    return float(odds[list(units)].sum() / odds.sum())


def total_variation(pixels):
    """Mean absolute difference of neighbours, down and across: (3, H, W) in [0, 1].

    0 for one color, 1 for a chessboard of black and white.
    """
    pixels = np.asarray(pixels, np.float64)
    down, across = (np.abs(np.diff(pixels, axis=axis)) for axis in (1, 2))
    return float((down.sum() + across.sum()) / (down.size + across.size))


def high_frequency(pixels):
    """Share of the spectrum's energy above half the Nyquist frequency: (3, H, W).

    The greater of a wave's two frequencies counts. The mean of each channel is left
    out; 0 where nothing else is.
    """
    pixels = np.asarray(pixels, np.float64)
    varied = pixels - pixels.mean((1, 2), keepdims=True)
    energy = np.abs(np.fft.fft2(varied)) ** 2
    down, across = (np.abs(np.fft.fftfreq(side)) for side in pixels.shape[1:])
    high = np.maximum(down[:, None], across) > 0.25  # Nyquist's is 0.5 a pixel
    whole = energy.sum()
    return float(energy[:, high].sum() / whole) if whole > 1e-12 else 0.0
