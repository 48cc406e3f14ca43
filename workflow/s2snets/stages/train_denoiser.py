"""Command line of rule ``train_denoiser``: photographs -> a SegNet that denoises."""

import torch

from s2snets.config import Autoencoder, Denoising, Settings
from s2snets.data.imageset import ImageSet
from s2snets.networks.checkpoints import save_weights
from s2snets.networks.segnet import SegNet
from s2snets.stages.base import recorded, run
from s2snets.training.job import begin, train, training_arguments
from s2snets.training.loop import step_seed
from s2snets.training.objectives import denoising


class Job(Settings):
    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    training: Denoising
    clip: bool


def main(argv=None):
    job = training_arguments(__doc__, paths=(), model=Job).parse_args(argv)
    chosen = job.settings
    engine = begin(job, chosen.training)
    with recorded(job.record, "s2snets.stages.train_denoiser", chosen, job.seed):
        torch.manual_seed(step_seed(job.seed, 0))
        model = SegNet(chosen.autoencoder.width, chosen.autoencoder.stages)
        train(
            job,
            engine,
            model,
            ImageSet(job.images, chosen.image_size, chosen.resize_mode),
            denoising(chosen.training.loss_space, chosen.clip, engine.share),
            chosen.training,
            save=lambda: save_weights(model, job.weights),
        )


if __name__ == "__main__":
    run(main)
