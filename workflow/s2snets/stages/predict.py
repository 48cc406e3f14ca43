"""Command line of rule ``predict``: one source's images through every classifier."""

from pathlib import Path

from s2snets.config import Autoencoder, Predict, Reference, Settings
from s2snets.data.imageset import READERS
from s2snets.data.order import sample
from s2snets.device import use_device
from s2snets.evaluation import identity, predictions
from s2snets.files import replacing
from s2snets.models.denoisers import CLASSICAL, classical
from s2snets.stage import SEED, THREADS, arguments, recorded, run
from s2snets.store import load_autoencoder, load_classifier

SAMPLE = 0  # which images get noise: the same for every source and seed


class Job(Settings):
    image_size: int
    fit: str
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
    chosen, (device, _) = job.settings, use_device(job.threads)
    with recorded(job.record, "s2snets.stages.predict", chosen, job.seed):
        read = READERS[chosen.reference]
        images = read(job.images, chosen.image_size, chosen.fit)
        classifiers = {
            name: load_classifier(Path(weights).parent, device, images.classes)
            for name, weights in zip(job.names, job.classifiers, strict=True)
        }
        rows = predictions(
            images,
            sample(len(images), chosen.images, SAMPLE),
            through(job, device),
            classifiers,
            chosen.predict,
            seed=job.seed,
            device=device,
        )
        rows.insert(0, "seed", job.seed)
        rows.insert(1, "source", job.source)
        with replacing(job.predictions) as draft:
            rows.to_parquet(draft, index=False)


if __name__ == "__main__":
    run(main)
