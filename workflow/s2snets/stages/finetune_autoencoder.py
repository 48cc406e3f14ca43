"""Command line of rule ``finetune_autoencoder``: A_S and a classifier -> A_i (3.3)."""

from torch import nn

from s2snets.config import Autoencoder, Finetune, Reference, Settings
from s2snets.data.imageset import READERS
from s2snets.networks.checkpoints import load_autoencoder, load_classifier, save_weights
from s2snets.networks.segnet import TRAINED_HALVES, Tuned
from s2snets.runtime.files import sha256
from s2snets.stages.base import recorded, run
from s2snets.stages.training_options import cache_key, training_arguments
from s2snets.training.job import start_engine, train
from s2snets.training.objectives import classification, imitation


class Job(Settings):
    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    finetune: Finetune
    reference: Reference = "labels"


def main(argv=None):
    job = training_arguments(
        __doc__,
        paths=("pretrained", "classifier"),
        model=Job,
        part={"choices": TRAINED_HALVES, "required": True, "help": "what learns"},
    ).parse_args(argv)
    chosen = job.settings
    engine = start_engine(job, chosen.finetune)
    with recorded(job.record, "s2snets.stages.finetune_autoencoder", chosen, job.seed):
        read, labels = READERS[chosen.reference], chosen.reference == "labels"
        images = read(job.images, chosen.image_size, chosen.resize_mode)
        classifier = load_classifier(job.classifier.parent, classes=images.classes)
        autoencoder = load_autoencoder(job.pretrained, chosen.autoencoder)
        train(
            job,
            engine,
            nn.Sequential(Tuned(autoencoder, job.part), classifier),
            images,
            classification if labels else imitation(classifier),
            chosen.finetune,
            save=lambda: save_weights(autoencoder, job.weights),
            cache_key=cache_key(
                job,
                images,
                part=job.part,
                pretrained=sha256(job.pretrained),
                classifier=sha256(job.classifier),
            ),
        )


if __name__ == "__main__":
    run(main)
