"""Command line of rule ``segment``: saliency of one network -> foregrounds, scored."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from s2snets.config import Segmentation, Settings
from s2snets.data.order import sample
from s2snets.data.segmentation import read_examples
from s2snets.measure.segmentation import scores
from s2snets.networks.checkpoints import load_classifier
from s2snets.reversal.grabcut import outlined, resized, seeds, segment
from s2snets.reversal.saliency import saliencies
from s2snets.runtime.chunked_parquet import ChunkedParquet, remove_chunks
from s2snets.runtime.device import use_device
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing, sha256
from s2snets.runtime.fingerprint import fingerprint
from s2snets.runtime.progress import Progress
from s2snets.stages.base import SEED, THREADS, arguments, recorded, run

MODULE = "s2snets.stages.segment"
SAMPLE = 0  # which images are used: the same for every network and seed
GROUP = 8  # images whose rows are held until they are written
CLASSIFIER = ("spec.json", "weights.safetensors")
SEEDS = np.linspace(0, 255, 5).astype(np.uint8)  # greys from NEVER to ALWAYS


class Job(Settings):
    segmentation: Segmentation
    examples: int = 3  # images whose pictures are kept


def shrunk(image, side):
    """An image whose short side has so many pixels, bicubic; uint8 (H, W, 3)."""
    size = [round(side * one / min(image.shape[:2])) for one in image.shape[1::-1]]
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def loaded(job, device):
    """What ``saliencies`` takes: the classifier and where it computes.

    Raises:
        UserError: the images are to be smaller.
    """
    if job.classifier is None:
        return None, device
    classifier = load_classifier(job.classifier.parent, device)
    shown, own = job.settings.segmentation.side, classifier.native
    if shown < own:
        raise UserError(
            f"salient.segmentation.side: {shown} pixels are too few for {job.name},"
            f" which sees {own}; set {own} or more"
        )
    return classifier, device


def cache_key(job, images):
    """Return everything that the scores depend on."""
    weights = job.classifier
    return {
        "settings": job.settings.model_dump(mode="json"),
        "seed": job.seed,
        "name": job.name,
        "images": images.fingerprint,
        "classifier": weights and [sha256(weights.with_name(f)) for f in CLASSIFIER],
        "code": fingerprint(MODULE),
    }


def scored(job, images, numbers, network):
    """One row an image and method of a few images: what is found, against its masks."""
    chosen = job.settings.segmentation
    examples = [images[number] for number in numbers]
    small = [shrunk(example.image, chosen.side) for example in examples]
    tasks = [
        (number, example, image, saliency, method)
        for method, maps in saliencies(small, *network).items()
        for number, example, image, saliency in zip(
            numbers, examples, small, maps, strict=True
        )
    ]

    def row(task):
        number, example, image, saliency, method = task
        found = segment(image, saliency, chosen, method)
        pp, iou = scores(resized(found, example.masks.shape[1:]), example.masks)
        return method, number, example.category, pp, iou

    with ThreadPoolExecutor(job.threads) as pool:  # OpenCV lets go of the interpreter
        rows = list(pool.map(row, tasks))
    table = pd.DataFrame(rows, columns=["method", "image", "category", "pp", "iou"])
    head = {"seed": job.seed, "classifier": job.name, "set": images.kind}
    return table.assign(**head)[[*head, *table]]


def chunks(job, images, groups, network, total):
    """Yield the scores of each group of images, of ``total`` images in all."""
    done = total - sum(map(len, groups))
    report = Progress(total, done)
    for group in groups:
        yield scored(job, images, group, network)
        report(done := done + len(group))


def pictures(job, images, numbers, network):
    """(image, method, kind) and a picture for each, white where it is not square."""
    chosen = job.settings.segmentation
    for number in numbers:
        example = images[number]
        image = shrunk(example.image, chosen.side)
        name = f"{example.category} {number}"
        truth = resized(example.masks[0], image.shape[:2])
        yield (name, "", "image"), image
        yield (name, "", "truth"), outlined(image, truth)
        for method, (saliency,) in saliencies([image], *network).items():
            level = (saliency - saliency.min()) / (np.ptp(saliency) or 1)
            grey = (255 * level).astype(np.uint8)
            ranks = SEEDS[seeds(saliency, chosen, method) + 2]
            yield (name, method, "saliency"), np.dstack([grey] * 3)
            yield (name, method, "seeds"), np.dstack([ranks] * 3)
            found = segment(image, saliency, chosen, method)
            yield (name, method, "segmentation"), outlined(image, found)


def squared(pictures):
    """Pictures centred on white squares of one size: uint8 (P, side, side, 3)."""
    side = max(max(one.shape) for one in pictures)
    framed = np.full((len(pictures), side, side, 3), 255, np.uint8)
    for frame, one in zip(framed, pictures, strict=True):
        height, width = one.shape[:2]
        top, left = (side - height) // 2, (side - width) // 2
        frame[top : top + height, left : left + width] = one
    return framed


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "scores", "examples", "record"),
        model=Job,
        classifier={
            "type": Path,
            "nargs": "?",
            "help": "weights; none: a Gaussian blob for its saliency",
        },
        name={"required": True, "help": "the classifier's name in the table"},
        seed=SEED,
        threads=THREADS,
    ).parse_args(argv)
    chosen, (device, _) = job.settings, use_device(job.threads)
    cv2.setNumThreads(1)  # images are cut beside one another
    with recorded(job.record, MODULE, chosen, job.seed):
        images = read_examples(job.images)
        numbers = sample(len(images), chosen.segmentation.images, SAMPLE)
        groups = [numbers[n : n + GROUP] for n in range(0, len(numbers), GROUP)]
        network = loaded(job, device)
        table = ChunkedParquet(job.scores, len(groups), cache_key(job, images))
        missing = [groups[number] for number in table.missing]
        table.write(chunks(job, images, missing, network, len(numbers)))
        keys, shown = zip(
            *pictures(job, images, numbers[: chosen.examples], network), strict=True
        )
        names, methods, kinds = zip(*keys, strict=True)
        with replacing(job.examples) as draft:
            np.savez_compressed(
                draft,
                pictures=squared(shown),
                image=names,
                method=methods,
                kind=kinds,
                classifier=[job.name] * len(names),
            )
    remove_chunks(job.scores)


if __name__ == "__main__":
    run(main)
