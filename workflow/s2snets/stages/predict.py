"""Command line of rule ``predict``: one source's images through every classifier."""

from pathlib import Path

from s2snets.config import Autoencoder, Predict, Reference, Settings
from s2snets.data.imageset import READERS
from s2snets.data.order import sample
from s2snets.evaluation import (
    EvaluationBatches,
    identity,
    iterate_batches,
    prediction_tables,
)
from s2snets.networks.checkpoints import load_autoencoder, load_classifier
from s2snets.networks.denoisers import CLASSICAL, classical
from s2snets.runtime.chunked_parquet import ChunkedParquet, remove_chunks
from s2snets.runtime.device import use_device
from s2snets.runtime.files import sha256
from s2snets.runtime.fingerprint import fingerprint
from s2snets.stages.base import SEED, THREADS, arguments, recorded, run

MODULE = "s2snets.stages.predict"
SAMPLE = 0  # which images get noise: the same for every source and seed
CLASSIFIER = ("spec.json", "weights.safetensors")


class Job(Settings):
    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    predict: Predict
    reference: Reference = "labels"
    images: int | None = None  # the first so many; all where it is left out


def through(job, device):
    """What the images pass: an autoencoder, a classical denoiser, or nothing."""
    if job.classical is not None:
        return classical(job.classical)
    if job.autoencoder is None:
        return identity
    return load_autoencoder(job.autoencoder, job.settings.autoencoder, device)


def cache_key(job, images):
    """Return everything that the predictions depend on."""
    folders = [Path(weights).parent for weights in job.classifiers]
    return {
        "settings": job.settings.model_dump(mode="json"),
        "seed": job.seed,
        "source": job.source,
        "images": images.fingerprint,
        "classes": images.classes,
        "autoencoder": job.classical or (job.autoencoder and sha256(job.autoencoder)),
        "classifiers": {
            name: [sha256(folder / file) for file in CLASSIFIER]
            for name, folder in zip(job.names, folders, strict=True)
        },
        "code": fingerprint(MODULE),
    }


def chunks(groups, passed, classifiers, job):
    """Yield the table of each group of batches."""
    for rows in prediction_tables(groups, passed, classifiers, job.settings.predict):
        rows.insert(0, "seed", job.seed)
        rows.insert(1, "source", job.source)
        yield rows


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "predictions", "record"),
        lists=("classifiers",),
        model=Job,
        autoencoder={
            "type": Path,
            "nargs": "?",
            "help": "weights; none: the original images",
        },
        classical={"choices": CLASSICAL, "help": "a denoiser in its place"},
        source={"required": True, "help": "the source's name in the table"},
        names={"nargs": "+", "required": True, "help": "the classifiers' names"},
        seed=SEED,
        threads=THREADS,
    ).parse_args(argv)
    chosen, (device, workers) = job.settings, use_device(job.threads)
    with recorded(job.record, MODULE, chosen, job.seed):
        read = READERS[chosen.reference]
        images = read(job.images, chosen.image_size, chosen.resize_mode)
        classifiers = {
            name: load_classifier(Path(weights).parent, device, images.classes)
            for name, weights in zip(job.names, job.classifiers, strict=True)
        }
        passed = through(job, device)
        numbers = sample(len(images), chosen.images, SAMPLE)
        noisy = chosen.predict.noisy_images
        batches = EvaluationBatches(
            images,
            numbers,
            chosen.predict.batch,
            noisy=len(numbers) if noisy is None else noisy,
            seed=job.seed,
        )

        table = ChunkedParquet(
            job.predictions, len(batches.groups()), cache_key(job, images)
        )
        groups = iterate_batches(batches, table.missing, device=device, workers=workers)
        table.write(chunks(groups, passed, classifiers, job))
    remove_chunks(job.predictions)


if __name__ == "__main__":
    run(main)
