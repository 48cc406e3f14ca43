"""Command line of rule ``train_generator``: images -> a decoder that becomes G."""

import torch

from s2snets.config import Decoding, Settings
from s2snets.data.class_subset import ClassSubset
from s2snets.data.imageset import ImageSet, LabelledImageSet
from s2snets.networks.checkpoints import save_weights
from s2snets.networks.generator import Autoencoder
from s2snets.stages.base import recorded, run
from s2snets.stages.training_options import cache_key, training_arguments
from s2snets.training.job import start_engine, train
from s2snets.training.objectives import gaussian_denoising
from s2snets.training.state import step_seed


class Job(Settings):
    image_size: int
    resize_mode: str
    training: Decoding


def main(argv=None):
    job = training_arguments(__doc__, paths=(), model=Job).parse_args(argv)
    chosen = job.settings
    engine = start_engine(job, chosen.training)
    with recorded(job.record, "s2snets.stages.train_generator", chosen, job.seed):
        where = job.images, chosen.image_size, chosen.resize_mode
        names = chosen.training.classes
        if names is None:
            images = ImageSet(*where)
        else:
            images = ClassSubset(LabelledImageSet(*where), names)
        torch.manual_seed(step_seed(job.seed, 0))
        model = Autoencoder(chosen.image_size)
        train(
            job,
            engine,
            model,
            images,
            gaussian_denoising(chosen.training.noise, engine.share),
            chosen.training,
            cache_key=cache_key(job, images),
            save=lambda: save_weights(model, job.weights),
        )


if __name__ == "__main__":
    run(main)
