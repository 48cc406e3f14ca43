"""Command line of rule ``finetune_autoencoder``: A_S and a classifier -> A_i (3.3)."""

from torch import nn

from s2snets.config import Autoencoder, Finetune, Settings
from s2snets.data.imageset import ImageSet, labelled
from s2snets.files import sha256
from s2snets.models.segnet import PARTS, Tuned
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
from s2snets.store import load_autoencoder, load_classifier, save_curve, save_weights
from s2snets.training.batches import batches
from s2snets.training.loop import fit
from s2snets.training.objectives import classification


class Job(Settings):
    image_size: int
    fit: str
    autoencoder: Autoencoder
    finetune: Finetune


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "pretrained", "classifier", "weights", "curve", "record"),
        model=Job,
        part={"choices": PARTS, "required": True, "help": "what learns"},
        seed=SEED,
        threads=THREADS,
        save_every=SAVE_EVERY,
    ).parse_args(argv)
    chosen, (device, workers) = job.settings, use_device(job.threads)
    settings = chosen.finetune
    with recorded(job.record, "s2snets.stages.finetune_autoencoder", chosen, job.seed):
        images = labelled(
            ImageSet(job.images, chosen.image_size, chosen.fit), job.images
        )
        classifier = load_classifier(job.classifier.parent, device)
        autoencoder = load_autoencoder(job.pretrained, chosen.autoencoder, device)
        checkpoint = job.weights.with_name("checkpoint.pt")
        curve = fit(
            nn.Sequential(Tuned(autoencoder, job.part), classifier),
            batches(images, settings, seed=job.seed, device=device, workers=workers),
            classification,
            settings,
            seed=job.seed,
            identity=identity(
                images,
                job,
                part=job.part,
                pretrained=sha256(job.pretrained),
                classifier=sha256(job.classifier),
            ),
            saved_at=checkpoint,
            save_every=job.save_every,
        )
        save_curve(curve, job.curve)
        save_weights(autoencoder, job.weights)
        checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    run(main)
