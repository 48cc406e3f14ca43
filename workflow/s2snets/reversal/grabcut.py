"""From a map of saliency to a foreground: seeds by quantile, GrabCut, one component."""

import cv2
import numpy as np

NEVER, UNLIKELY, UNKNOWN, LIKELY, ALWAYS = range(-2, 3)
"""Seeds: whether a pixel is foreground."""

CODES = {
    NEVER: cv2.GC_BGD,
    UNLIKELY: cv2.GC_PR_BGD,
    UNKNOWN: cv2.GC_PR_BGD,
    LIKELY: cv2.GC_PR_FGD,
    ALWAYS: cv2.GC_FGD,
}


def seeds(saliency, settings, method):
    """What the saliency's ranks say of each pixel.

    Limits belong to the seeds, and what is both is background: a saliency that is the
    same everywhere has no foreground.

    Args:
        saliency: (H, W).
        settings: a ``config.Segmentation``.
        method: whose saliency it is; SaliNet has a limit of its own.

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


def cut(image, seeds, iterations):
    """The foreground of an image (GrabCut: Rother, Kolmogorov & Blake 2004).

    Two mixtures of five Gaussians learn their colours from the seeds alone; pixels of
    which nothing is known join one side by the first cut. OpenCV's smoothness is fixed,
    γ = 50, where the study of section 3.5 has 150.

    Args:
        image: uint8 (H, W, 3).
        seeds: as ``seeds`` gives them.
        iterations: cuts in all.

    Returns:
        bool (H, W), the largest of its 8-connected components; nothing where there are
        no seeds of the one side or the other.
    """
    if seeds.min() >= UNKNOWN or seeds.max() <= UNKNOWN:
        return np.zeros(seeds.shape, bool)
    mask = np.select([seeds == one for one in CODES], CODES.values()).astype(np.uint8)
    models, known = np.zeros((2, 1, 65)), seeds != UNKNOWN
    cv2.setRNGSeed(0)  # of this thread: the mixtures begin with k-means
    rounds = [
        (image[known][:, None], mask[known][:, None], 0, cv2.GC_INIT_WITH_MASK),
        (image, mask, 1, cv2.GC_EVAL_FREEZE_MODEL),
        (image, mask, iterations - 1, cv2.GC_EVAL),
    ]
    for pixels, labels, times, mode in rounds:
        cv2.grabCut(pixels, labels, None, *models, times, mode)
    return largest((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))


def segment(image, saliency, settings, method):
    """The foreground of an image by a saliency of its size; arguments as above."""
    return cut(image, seeds(saliency, settings, method), settings.iterations)


def largest(mask):
    """The largest of a mask's 8-connected components; the first of equals."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not len(areas):
        return mask
    return labels == 1 + areas.argmax()


def resized(mask, shape):
    """A mask at another size, by nearest neighbours."""
    height, width = shape
    grown = cv2.resize(
        mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT
    )
    return grown.astype(bool)


def outlined(image, mask):
    """An image with its foreground's outline in red, what is around it pale.

    Returns:
        uint8 (H, W, 3).
    """
    found = np.where(mask[..., None], image, 170 + image // 3)
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    return cv2.drawContours(np.ascontiguousarray(found), contours, -1, (230, 30, 30))
