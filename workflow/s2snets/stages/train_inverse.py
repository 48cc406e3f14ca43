"""Command line of rule ``train_inverse``: a classifier -> an inverse of it (3.3)."""

import torch

from s2snets.config import Inversion, Settings
from s2snets.data.imageset import ImageSet
from s2snets.networks.checkpoints import load_classifier, save_weights
from s2snets.networks.inverse import INVERSE_INPUTS, Bottleneck, Inverse
from s2snets.runtime.files import sha256
from s2snets.stages.base import recorded, run
from s2snets.stages.training_options import cache_key, training_arguments
from s2snets.training.job import start_engine, train
from s2snets.training.objectives import inversion
from s2snets.training.state import step_seed


class Job(Settings):
    image_size: int
    resize_mode: str
    inversion: Inversion


def main(argv=None):
    job = training_arguments(
        __doc__,
        paths=("classifier",),
        model=Job,
        informed={"choices": INVERSE_INPUTS, "required": True, "help": "what it is told"},
    ).parse_args(argv)
    chosen = job.settings
    engine = start_engine(job, chosen.inversion)
    with recorded(job.record, "s2snets.stages.train_inverse", chosen, job.seed):
        images = ImageSet(job.images, chosen.image_size, chosen.resize_mode)
        classifier = load_classifier(job.classifier.parent)
        bottleneck = Bottleneck(classifier, chosen.inversion.layer)
        # The four start from the same weights.
        torch.manual_seed(step_seed(job.seed, 0))
        model = Inverse(bottleneck, job.informed)
        train(
            job,
            engine,
            model,
            images,
            inversion,
            chosen.inversion,
            save=lambda: save_weights(model.mirror, job.weights),
            cache_key=cache_key(
                job,
                images,
                informed=job.informed,
                classifier=sha256(job.classifier),
            ),
        )


if __name__ == "__main__":
    run(main)
