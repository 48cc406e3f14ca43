"""From a map of saliency to a foreground: seeds by quantile, GrabCut, one component."""

import cv2
import numpy as np

from s2snets.config import Segmentation

NEVER, UNLIKELY, UNKNOWN, LIKELY, ALWAYS = range(-2, 3)
"""Seeds: whether a pixel is foreground."""

CODES = {
    NEVER: cv2.GC_BGD,
    UNLIKELY: cv2.GC_PR_BGD,
    UNKNOWN: cv2.GC_PR_BGD,
    LIKELY: cv2.GC_PR_FGD,
    ALWAYS: cv2.GC_FGD,
}


def seed_pixels(
    saliency: np.ndarray, settings: Segmentation, method: str
) -> np.ndarray:
    """Return a seed for each pixel by the rank of its saliency.

    The quantiles themselves are seeds, and background has precedence: a saliency that
    is the same everywhere has no foreground.

    Args:
        saliency: (H, W).
        settings: the quantiles.
        method: by which the saliency was made; SaliNet has a quantile of its own.

    Returns:
        int8 (H, W): ``NEVER`` to ``ALWAYS``.
    """
    probable = settings.foreground
    if method == "salinet":
        probable = settings.foreground_salinet
    levels = (1 - settings.certain, settings.certain, settings.background, probable)
    never, always, low, high = np.quantile(saliency, levels, method="hazen")
    return np.select(
        [saliency <= never, saliency >= always, saliency <= low, saliency >= high],
        [NEVER, ALWAYS, UNLIKELY, LIKELY],
        UNKNOWN,
    ).astype(np.int8)


def cut_foreground(image: np.ndarray, seeds: np.ndarray, iterations: int) -> np.ndarray:
    """Return the foreground of an image (GrabCut: Rother, Kolmogorov & Blake 2004).

    Two mixtures of five Gaussians learn their colours from the seeds alone; unknown
    pixels join one side by the first cut. OpenCV's smoothness is fixed, γ = 50, where
    the study of section 3.5 has 150.

    Args:
        image: uint8 (H, W, 3).
        seeds: see ``seed_pixels``.
        iterations: number of cuts.

    Returns:
        bool (H, W), the largest of its 8-connected components; all False where the
        foreground or the background has no seeds.
    """
    if seeds.min() >= UNKNOWN or seeds.max() <= UNKNOWN:
        return np.zeros(seeds.shape, bool)
    mask = np.select(
        [seeds == seed for seed in CODES], [np.array(code) for code in CODES.values()]
    ).astype(np.uint8)
    background, foreground = np.zeros((2, 1, 65))
    known = seeds != UNKNOWN
    cv2.setRNGSeed(0)  # of this thread: the mixtures begin with k-means
    rounds = [
        (image[known][:, None], mask[known][:, None], 0, cv2.GC_INIT_WITH_MASK),
        (image, mask, 1, cv2.GC_EVAL_FREEZE_MODEL),
        (image, mask, iterations - 1, cv2.GC_EVAL),
    ]
    for pixels, labels, times, mode in rounds:
        cv2.grabCut(pixels, labels, (0, 0, 0, 0), background, foreground, times, mode)
    return largest_component((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))


def segment(
    image: np.ndarray, saliency: np.ndarray, settings: Segmentation, method: str
) -> np.ndarray:
    """Return the foreground of an image by a saliency of its size, bool (H, W)."""
    seeds = seed_pixels(saliency, settings, method)
    return cut_foreground(image, seeds, settings.iterations)


def largest_component(mask: np.ndarray) -> np.ndarray:
    """Return the largest of a mask's 8-connected components; the first of equals."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not len(areas):
        return mask
    return labels == 1 + areas.argmax()


def resize_mask(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Resize a mask to the shape (H, W), by nearest neighbours."""
    height, width = shape
    resized = cv2.resize(
        mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT
    )
    return resized.astype(bool)


def draw_outline(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Draw a red outline around an image's foreground, and make the rest pale.

    Returns:
        uint8 (H, W, 3).
    """
    picture = np.where(mask[..., None], image, 170 + image // 3)
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    return cv2.drawContours(np.ascontiguousarray(picture), contours, -1, (230, 30, 30))
