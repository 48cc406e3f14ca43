"""Command line of rule ``predict``: one source's images through every classifier."""

from pathlib import Path

from s2snets.config import Autoencoder, Predict, Reference, Settings
from s2snets.data.imageset import READERS
from s2snets.data.order import sample
from s2snets.evaluation import Pass, identity, predictions, shown
from s2snets.networks.checkpoints import load_autoencoder, load_classifier
from s2snets.networks.denoisers import CLASSICAL, classical
from s2snets.runtime.chunked_parquet import forget, write_parts
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


def meant(job, images):
    """Everything that makes these predictions these and no others."""
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
        batches = Pass(
            images,
            numbers,
            chosen.predict.batch,
            noisy=len(numbers) if noisy is None else noisy,
            seed=job.seed,
        )

        def make(missing):
            groups = shown(batches, missing, device=device, workers=workers)
            for rows in predictions(groups, passed, classifiers, chosen.predict):
                rows.insert(0, "seed", job.seed)
                rows.insert(1, "source", job.source)
                yield rows

        write_parts(job.predictions, len(batches.groups()), meant(job, images), make)
    forget(job.predictions)


if __name__ == "__main__":
    run(main)
