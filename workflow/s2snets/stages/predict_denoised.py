"""Command line of rule ``predict_denoised``: noisy images, denoised, classified."""

from pathlib import Path

from s2snets.config import Autoencoder, Predict, Settings
from s2snets.data.imageset import labelled
from s2snets.data.order import sample
from s2snets.device import use_device
from s2snets.evaluation import predictions
from s2snets.files import replacing
from s2snets.models.denoisers import classical
from s2snets.stage import SEED, THREADS, arguments, recorded, run
from s2snets.stages.predict import SAMPLE, matching
from s2snets.store import load_autoencoder, load_classifier


class Job(Settings):
    image_size: int
    fit: str
    autoencoder: Autoencoder
    predict: Predict
    images: int | None


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "predictions", "record"),
        lists=("classifiers",),
        model=Job,
        autoencoder={
            "type": Path,
            "nargs": "?",
            "help": "weights of the learned denoiser; none: a classical one",
        },
        denoiser={"required": True, "help": "its name in the table"},
        names={"nargs": "+", "required": True, "help": "the classifiers' names"},
        seed=SEED,
        threads=THREADS,
    ).parse_args(argv)
    chosen, (device, _) = job.settings, use_device(job.threads)
    with recorded(job.record, "s2snets.stages.predict_denoised", chosen, job.seed):
        images = labelled(job.images, chosen.image_size, chosen.fit)
        classifiers = {
            name: load_classifier(Path(weights).parent, device)
            for name, weights in zip(job.names, job.classifiers, strict=True)
        }
        matching(classifiers, images, job.images)
        if job.autoencoder is None:
            denoiser = classical(job.denoiser)
        else:
            denoiser = load_autoencoder(job.autoencoder, chosen.autoencoder, device)
        # The first of the images that the other sources get noise on.
        limits = (chosen.images, chosen.predict.noisy_images)
        limit = min((one for one in limits if one is not None), default=None)
        rows = predictions(
            images,
            sample(len(images), limit, SAMPLE),
            denoiser,
            classifiers,
            chosen.predict,
            seed=job.seed,
            device=device,
        )
        rows.insert(0, "seed", job.seed)
        rows.insert(1, "source", job.denoiser)
        with replacing(job.predictions) as draft:
            rows.to_parquet(draft, index=False)


if __name__ == "__main__":
    run(main)
