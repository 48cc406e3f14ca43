"""Command line of rule ``rank_images``: the images that a network ranks highest."""

import numpy as np
import pandas as pd
import torch

from s2snets.config import Reference, Settings
from s2snets.data.imageset import READERS, ImageSet
from s2snets.data.order import sample
from s2snets.data.sources import UNLABELLED
from s2snets.evaluation import EvaluationBatches, iterate_batches
from s2snets.networks.checkpoints import load_classifier
from s2snets.runtime.chunked_parquet import ChunkedParquet, remove_chunks
from s2snets.runtime.device import use_device
from s2snets.runtime.files import replacing, sha256
from s2snets.runtime.fingerprint import fingerprint
from s2snets.runtime.tables import read_rows
from s2snets.stages.base import SEED, THREADS, arguments, recorded, run

MODULE = "s2snets.stages.rank_images"
BATCH = 64  # images in a forward pass
SAMPLE = 0  # which images are ranked: the same for every network


class Job(Settings):
    image_size: int
    resize_mode: str
    size: int  # of the pictures, pixels
    beside: int
    ranked: int | None = None
    reference: Reference = "labels"


@torch.inference_mode()
def highest(classifier, batches, count):
    """Return the images with the greatest logits, class by class.

    Of equal logits the image that comes first is ranked first.

    Args:
        batches: of one chunk: numbers and pixels of images first.
        count: images of each class.

    Returns:
        DataFrame: class, image, score.
    """
    found = [(numbers, classifier(pixels)) for numbers, pixels, *_ in batches]
    numbers, logits = zip(*found, strict=True)
    logits, numbers = torch.cat(logits), np.concatenate(numbers)
    scores, order = logits.float().sort(dim=0, descending=True, stable=True)
    scores, order = (one[:count].T.cpu().numpy() for one in (scores, order))
    return pd.DataFrame(
        {
            "class": np.repeat(np.arange(len(scores), dtype=np.int32), scores.shape[1]),
            "image": np.asarray(numbers, np.int32)[order].ravel(),
            "score": scores.ravel(),
        }
    )


def ranking(rows, count):
    """The highest of all parts: class, image, score, and rank from 1 on."""
    rows = rows.sort_values(["class", "score", "image"], ascending=[True, False, True])
    rows["rank"] = rows.groupby("class").cumcount() + 1
    return rows[rows["rank"] <= count].reset_index(drop=True)


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "classifier", "ranked", "record"),
        model=Job,
        name={"required": True, "help": "the classifier's name"},
        seed=SEED,
        threads=THREADS,
    ).parse_args(argv)
    chosen, (device, workers) = job.settings, use_device(job.threads)
    with recorded(job.record, MODULE, chosen, job.seed):
        read = READERS[chosen.reference]
        images = read(job.images, chosen.image_size, chosen.resize_mode)
        folder = job.classifier.parent
        classifier = load_classifier(folder, device, images.classes)
        tried = np.sort(sample(len(images), chosen.ranked, SAMPLE))
        batches = EvaluationBatches(images, tried, BATCH)

        cache_key = {
            "settings": chosen.model_dump(mode="json"),
            "images": images.fingerprint,
            "classes": images.classes,
            "classifier": [sha256(folder / "spec.json"), sha256(job.classifier)],
            "code": fingerprint(MODULE),
        }
        scores = job.ranked.with_name(f".{job.ranked.stem}.parquet")
        table = ChunkedParquet(scores, len(batches.groups()), cache_key)
        groups = iterate_batches(batches, table.missing, device=device, workers=workers)
        table.write(highest(classifier, group, chosen.beside) for group in groups)
        rows = ranking(read_rows([scores]), chosen.beside)
        names = np.array(
            images.classes or [str(place) for place in range(rows["class"].max() + 1)]
        )
        labels = images.labels[rows["image"]]
        drawn = ImageSet(job.images, chosen.size, chosen.resize_mode)
        pictures = [drawn[number][0] for number in rows["image"]]
        with replacing(job.ranked) as draft:
            np.savez_compressed(
                draft,
                pictures=torch.stack(pictures).permute(0, 2, 3, 1).numpy(),
                classifier=np.full(len(rows), job.name),
                target=names[rows["class"]],
                rank=rows["rank"],
                score=rows["score"],
                image=rows["image"],
                label=np.where(labels == UNLABELLED, "", names[labels]),
            )
        scores.unlink()
    remove_chunks(scores)


if __name__ == "__main__":
    run(main)
