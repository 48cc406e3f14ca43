"""Rankings of images by a network: those with the greatest logit of each class."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from s2snets.data.imageset import ImageSet
from s2snets.data.shards import UNLABELLED
from s2snets.evaluation import Batch, EvaluationBatches
from s2snets.networks.frozen import PixelClassifier

BATCH = 64  # images in a forward pass


def create_batches(images: ImageSet, numbers: np.ndarray) -> EvaluationBatches:
    """Return the batches in which the images of these numbers are ranked."""
    return EvaluationBatches(images, numbers, BATCH)


@torch.inference_mode()
def rank_group(
    classifier: PixelClassifier, batches: Iterable[Batch], count: int
) -> pd.DataFrame:
    """Return the images with the greatest logits, class by class.

    Of equal logits the image that comes first is ranked first.

    Returns:
        ``count`` rows per class: class, image, score.
    """
    outputs = [(numbers, classifier(pixels)) for numbers, pixels, *_ in batches]
    numbers, logits = zip(*outputs, strict=True)
    images = np.concatenate(numbers).astype(np.int32)
    ordered, order = torch.cat(logits).float().sort(dim=0, descending=True, stable=True)
    scores, ranked = (each[:count].T.cpu().numpy() for each in (ordered, order))
    return pd.DataFrame(
        {
            "class": np.repeat(np.arange(len(scores), dtype=np.int32), scores.shape[1]),
            "image": images[ranked].ravel(),
            "score": scores.ravel(),
        }
    )


def merge_rankings(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the first ``count`` rows of each class among those of all groups.

    A column ``rank`` counts from 1.
    """
    rows = rows.sort_values(["class", "score", "image"], ascending=[True, False, True])
    rows["rank"] = rows.groupby("class").cumcount() + 1
    return rows[rows["rank"] <= count].reset_index(drop=True)


def ranking_arrays(
    name: str, rows: pd.DataFrame, images: ImageSet, pictures: ImageSet
) -> dict[str, np.ndarray]:
    """Return the pictures of a network's ranking, uint8 (P, H, W, 3), and their keys.

    ``images`` have labels; ``pictures`` are the same images as the figures show them.
    """
    numbers = range(rows["class"].max() + 1)
    names = np.array(images.classes or [str(number) for number in numbers])
    labels = images.labels[rows["image"]]
    pixels = torch.stack([pictures[number][0] for number in rows["image"]])
    return {
        "pictures": pixels.permute(0, 2, 3, 1).numpy(),
        "classifier": np.full(len(rows), name),
        "target": names[rows["class"]],
        "rank": rows["rank"].to_numpy(),
        "score": rows["score"].to_numpy(),
        "image": rows["image"].to_numpy(),
        "label": np.where(labels == UNLABELLED, "", names[labels]),
    }
