"""One image through a finished study: every reconstruction, and every prediction."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from s2snets.data.images import decode
from s2snets.data.resize import resize_to_square
from s2snets.evaluation import to_uint8, top_classes
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import open_regular
from s2snets.study.finished import FinishedStudy, PretrainingRecord

GAINS = (64, 32, 16, 8, 4, 2, 1)


class NetworkView(NamedTuple):
    """One image as the networks of a study reconstruct and classify it.

    Attributes:
        pictures: uint8 (H, W, 3) by label: first ``image``, then the autoencoders'.
        differences: uint8 (H, W, 3) by label: mid-grey + gain · (picture - image).
        gain: factor of the differences.
        top: classifier -> label -> classes and probabilities, the best first.
    """

    pictures: dict[str, np.ndarray]
    differences: dict[str, np.ndarray]
    gain: int
    top: dict[str, dict[str, list[tuple[str, float]]]]


def read_pixels(path: str | Path, settings: PretrainingRecord) -> Tensor:
    """Return an image file as a study's pixels: float (1, 3, side, side) in [0, 1].

    The image may have any size; its EXIF orientation is applied and transparency
    becomes black.

    Raises:
        UserError: no such file, or no image.
    """
    try:
        with open_regular(path) as file:
            data = file.readall()
    except OSError as error:
        reason = str(error.strerror).lower()
        raise UserError(f"{path}: {reason}; give an image file") from None
    image = decode(data, str(path))
    pixels = resize_to_square(image, settings.image_size, settings.resize_mode)
    return pixels[None].float() / 255


def amplify_differences(
    pictures: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], int]:
    """Return the differences from the first picture as pictures, and their factor.

    The factor is the greatest power of two up to 64 that leaves 99 % of all
    differences in range.

    Args:
        pictures: uint8 (H, W, 3) by label.
    """
    (_, image), *others = pictures.items()
    differences = {label: picture - image.astype(int) for label, picture in others}
    size = np.quantile(np.abs(list(differences.values())), 0.99)
    gain = next((gain for gain in GAINS if gain * size <= 127), 1)
    amplified = {
        label: (128 + gain * difference).clip(0, 255).astype(np.uint8)
        for label, difference in differences.items()
    }
    return amplified, gain


@torch.inference_mode()
def view_image(pixels: Tensor, study: FinishedStudy) -> NetworkView:
    """Pass one image through every autoencoder of a study and all of its classifiers.

    Args:
        pixels: float (1, 3, side, side) in [0, 1], see ``read_pixels``.
        study: see ``load_study``.
    """
    sources = {"image": pixels} | {
        label: autoencoder(pixels) for label, autoencoder in study.autoencoders.items()
    }
    pictures = {label: to_uint8(source)[0] for label, source in sources.items()}
    differences, gain = amplify_differences(pictures)
    top = {
        name: {
            label: best_classes(classifier(source), study.classes[name])
            for label, source in sources.items()
        }
        for name, classifier in study.classifiers.items()
    }
    return NetworkView(pictures, differences, gain, top)


def best_classes(logits: Tensor, names: list[str]) -> list[tuple[str, float]]:
    """Return the names and probabilities of the first image's best classes."""
    classes, probabilities = (values[0].tolist() for values in top_classes(logits))
    return [
        (names[number], probability)
        for number, probability in zip(classes, probabilities, strict=True)
        if number >= 0
    ]
