"""Command line of rule ``train_classifier``: a labelled set -> a classifier."""

import torch

from s2snets.config import Classifier, Settings, Training
from s2snets.data.imageset import ImageSet, labelled
from s2snets.models.frozen import Prepared
from s2snets.models.zoo import build, spec_of
from s2snets.stage import (
    SAVE_EVERY,
    SEED,
    THREADS,
    arguments,
    identity,
    recorded,
    run,
    use_device,
)
from s2snets.store import save_classifier, save_curve
from s2snets.training.batches import batches
from s2snets.training.loop import fit, step_seed
from s2snets.training.objectives import classification


class Job(Settings):
    image_size: int
    fit: str
    classifier: Classifier
    train: Training


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "weights", "spec", "curve", "record"),
        model=Job,
        seed=SEED,
        threads=THREADS,
        save_every=SAVE_EVERY,
    ).parse_args(argv)
    chosen, (device, workers) = job.settings, use_device(job.threads)
    with recorded(job.record, "s2snets.stages.train_classifier", chosen, job.seed):
        images = labelled(
            ImageSet(job.images, chosen.image_size, chosen.fit), job.images
        )
        spec = spec_of(chosen.classifier, len(images.classes), chosen.image_size)
        torch.manual_seed(step_seed(job.seed, 0))
        model = build(spec, Prepared).to(device, memory_format=torch.channels_last)
        checkpoint = job.weights.with_name("checkpoint.pt")
        curve = fit(
            model,
            batches(
                images, chosen.train, seed=job.seed, device=device, workers=workers
            ),
            classification,
            chosen.train,
            seed=job.seed,
            identity=identity(images, job),
            saved_at=checkpoint,
            save_every=job.save_every,
        )
        save_curve(curve, job.curve)
        save_classifier(model, spec, job.weights, job.spec)
        checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    run(main)
