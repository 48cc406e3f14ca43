"""Command line of rule ``train_classifier``: a labelled set -> a classifier."""

import torch

from s2snets.config import Classifier, Settings, Training
from s2snets.data.imageset import LabelledImageSet
from s2snets.networks.checkpoints import save_classifier
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.frozen import PixelClassifier
from s2snets.stages.base import recorded, run
from s2snets.stages.training_options import cache_key, training_arguments
from s2snets.training.job import start_engine, train
from s2snets.training.objectives import classification
from s2snets.training.state import step_seed


class Job(Settings):
    image_size: int
    resize_mode: str
    classifier: Classifier
    train: Training


def main(argv=None):
    job = training_arguments(__doc__, paths=("spec",), model=Job).parse_args(argv)
    chosen = job.settings
    engine = start_engine(job, chosen.train)
    with recorded(job.record, "s2snets.stages.train_classifier", chosen, job.seed):
        images = LabelledImageSet(job.images, chosen.image_size, chosen.resize_mode)
        spec = classifier_spec(chosen.classifier, len(images.classes), chosen.image_size)
        spec["categories"] = images.classes
        torch.manual_seed(step_seed(job.seed, 0))
        model = build_classifier(spec, PixelClassifier)
        train(
            job,
            engine,
            model,
            images,
            classification,
            chosen.train,
            cache_key=cache_key(job, images),
            save=lambda: save_classifier(model, spec, job.weights, job.spec),
        )


if __name__ == "__main__":
    run(main)
