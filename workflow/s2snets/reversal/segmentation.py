"""Foregrounds found by saliency, beside masks drawn by people (section 3.5)."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from PIL import Image

from s2snets.config import Segmentation
from s2snets.data.segmentation import Example, FolderExamples, MatlabExamples
from s2snets.measure.segmentation import scores
from s2snets.networks.frozen import PixelClassifier
from s2snets.reversal.grabcut import draw_outline, resize_mask, seed_pixels, segment
from s2snets.reversal.saliency import saliency_maps
from s2snets.runtime.errors import UserError
from s2snets.runtime.progress import Progress

GROUP_SIZE = 8  # images whose rows are kept in memory until they are written
SEED_GREYS = np.linspace(0, 255, 5).astype(np.uint8)  # from NEVER to ALWAYS


class Segmenter(NamedTuple):
    """A network that segments images by its saliency.

    Attributes:
        name: in tables.
        classifier: None: a Gaussian blob stands in for the saliency.
        device: of the classifier.
        settings: side of the images, seeds and cuts.
    """

    name: str
    classifier: PixelClassifier | None
    device: torch.device
    settings: Segmentation

    def maps(self, images: Sequence[np.ndarray]) -> dict[str, list[np.ndarray]]:
        """Return the images' maps of saliency by method, float32 (H, W) each."""
        return saliency_maps(images, self.classifier, self.device)


def check_side(segmenter: Segmenter) -> None:
    """Raise a ``UserError`` if the images are smaller than the network's own."""
    side = segmenter.settings.side
    native = getattr(segmenter.classifier, "input_side", None)
    if native is not None and side < native:
        raise UserError(
            f"salient.segmentation.side: {side} pixels are too few for"
            f" {segmenter.name}, which sees {native}; set {native} or more"
        )


def resize_image(image: np.ndarray, side: int) -> np.ndarray:
    """Resize an image, uint8 (H, W, 3), to a short side of ``side`` pixels, bicubic."""
    size = tuple(round(side * n / min(image.shape[:2])) for n in image.shape[1::-1])
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def group_images(numbers: Sequence[int]) -> list[Sequence[int]]:
    """Return groups of images whose rows are written together."""
    starts = range(0, len(numbers), GROUP_SIZE)
    return [numbers[start : start + GROUP_SIZE] for start in starts]


def score_group(
    segmenter: Segmenter,
    examples: Sequence[Example],
    numbers: Sequence[int],
    threads: int,
) -> pd.DataFrame:
    """Score the foregrounds of some images against their masks.

    Returns:
        One row per image and method: method, image, category, pp, iou.
    """
    images = [resize_image(e.image, segmenter.settings.side) for e in examples]
    tasks = [
        (method, number, example, image, saliency)
        for method, maps in segmenter.maps(images).items()
        for number, example, image, saliency in zip(
            numbers, examples, images, maps, strict=True
        )
    ]

    def score(
        task: tuple[str, int, Example, np.ndarray, np.ndarray],
    ) -> tuple[str, int, str, float, float]:
        method, number, example, image, saliency = task
        mask = segment(image, saliency, segmenter.settings, method)
        mask = resize_mask(mask, example.masks.shape[1:])
        return method, number, example.category, *scores(mask, example.masks)

    with ThreadPoolExecutor(threads) as pool:  # OpenCV releases the interpreter's lock
        rows = list(pool.map(score, tasks))
    return pd.DataFrame(rows, columns=["method", "image", "category", "pp", "iou"])


def score_groups(
    segmenter: Segmenter,
    images: MatlabExamples | FolderExamples,
    groups: Iterable[Sequence[int]],
    *,
    seed: int,
    threads: int,
    report: Progress,
) -> Iterator[pd.DataFrame]:
    """Yield the scores of each group of images, given by their numbers.

    ``seed`` is for the table; ``threads`` images are cut at once; see ``score_group``.
    """
    head: dict[str, Any] = {
        "seed": seed,
        "classifier": segmenter.name,
        "set": images.kind,
    }
    done = report.first
    for numbers in groups:
        examples = [images[number] for number in numbers]
        table = score_group(segmenter, examples, numbers, threads)
        yield table.assign(**head)[[*head, *table]]
        done += len(numbers)
        report(done)


def segmentation_pictures(
    segmenter: Segmenter, examples: Iterable[tuple[int, Example]]
) -> Iterator[tuple[tuple[str, str, str], np.ndarray]]:
    """Yield the pictures of each step in segmenting some images, given with numbers.

    Yields:
        The names of the image, the method and the kind of picture; uint8 (H, W, 3).
    """
    settings = segmenter.settings
    for number, example in examples:
        image = resize_image(example.image, settings.side)
        name = f"{example.category} {number}"
        truth = resize_mask(example.masks[0], image.shape[:2])
        yield (name, "", "image"), image
        yield (name, "", "truth"), draw_outline(image, truth)
        for method, (saliency,) in segmenter.maps([image]).items():
            level = (saliency - saliency.min()) / (np.ptp(saliency) or 1)
            grey = (255 * level).astype(np.uint8)
            seeds = SEED_GREYS[seed_pixels(saliency, settings, method) + 2]
            yield (name, method, "saliency"), np.dstack([grey] * 3)
            yield (name, method, "seeds"), np.dstack([seeds] * 3)
            mask = segment(image, saliency, settings, method)
            yield (name, method, "segmentation"), draw_outline(image, mask)


def pad_to_square(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Centre pictures on white squares of one size: uint8 (P, side, side, 3)."""
    side = max(max(picture.shape) for picture in pictures)
    squares = np.full((len(pictures), side, side, 3), 255, np.uint8)
    for square, picture in zip(squares, pictures, strict=True):
        height, width = picture.shape[:2]
        top, left = (side - height) // 2, (side - width) // 2
        square[top : top + height, left : left + width] = picture
    return squares


def example_arrays(
    segmenter: Segmenter, examples: Iterable[tuple[int, Example]]
) -> dict[str, np.ndarray]:
    """Return the pictures of ``segmentation_pictures`` as arrays of one length."""
    keys, pictures = zip(*segmentation_pictures(segmenter, examples), strict=True)
    names, methods, kinds = zip(*keys, strict=True)
    return {
        "pictures": pad_to_square(pictures),
        "image": np.array(names),
        "method": np.array(methods),
        "kind": np.array(kinds),
        "classifier": np.array([segmenter.name] * len(names)),
    }
