"""Display ranges for a reversed network's responses."""

import numpy as np
from numpy.typing import ArrayLike

TAIL = 0.005
"""Share of an image's values that a picture saturates at its dark end."""

GAIN = np.log(99)
"""The logistic function of minus this is 0.01."""

NEGLIGIBLE = 1e-5
"""Share of the greatest magnitude below which a tail counts as zero."""


def remap(responses: ArrayLike) -> np.ndarray:
    """Map responses of any scale to pictures: 0 is mid-grey, the dark tail 0.01.

    The logistic function of -log(99) x/a, a the 0.5 % quantile of an image's values,
    or their minimum where that quantile is negligible. Mahendran & Vedaldi 2016,
    footnote 4, as the published code has it: the fraction is misprinted. Where no
    value is negative, a is minus the 99.5 % quantile, or minus the maximum, so that
    the bright tail becomes 0.99; an image of zeros is grey.

    Args:
        responses: (N, ...); each image has its own a.

    Returns:
        float64 of the same shape, in [0, 1].
    """
    responses = np.asarray(responses, np.float64)
    values = responses.reshape(len(responses), -1)
    a = np.stack([scale(image) for image in values])
    pictures = 1 / (1 + np.exp(np.clip(GAIN * values / a[:, None], -700, 700)))
    return pictures.reshape(responses.shape)


def scale(values: np.ndarray) -> float:
    """Return the a of one image's values: negative, or -1 where every value is 0."""
    least = NEGLIGIBLE * np.abs(values).max()
    low, high = np.quantile(values, (TAIL, 1 - TAIL))
    tails = (low, values.min(), -high, -values.max())
    return next((tail for tail in tails if tail < -least), -1.0)


def power(responses: np.ndarray, exponent: float = 0.1) -> np.ndarray:
    """Return sign(x) |x|^0.1, which makes every response visible that is not zero.

    Mahendran & Vedaldi 2016, figure 5.
    """
    return np.sign(responses) * abs(responses) ** exponent
