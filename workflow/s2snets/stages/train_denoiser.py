"""Command line of rule ``train_denoiser``: photographs -> a SegNet that denoises."""

import torch

from s2snets.config import Autoencoder, Denoising, Settings
from s2snets.data.imageset import ImageSet
from s2snets.networks.checkpoints import save_weights
from s2snets.networks.segnet import SegNet
from s2snets.stages.base import recorded, run
from s2snets.stages.training_options import cache_key, training_arguments
from s2snets.training.job import start_engine, train
from s2snets.training.objectives import denoising
from s2snets.training.state import step_seed


class Job(Settings):
    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    training: Denoising
    clip: bool


def main(argv=None):
    job = training_arguments(__doc__, paths=(), model=Job).parse_args(argv)
    chosen = job.settings
    engine = start_engine(job, chosen.training)
    with recorded(job.record, "s2snets.stages.train_denoiser", chosen, job.seed):
        images = ImageSet(job.images, chosen.image_size, chosen.resize_mode)
        torch.manual_seed(step_seed(job.seed, 0))
        model = SegNet(chosen.autoencoder.width, chosen.autoencoder.stages)
        train(
            job,
            engine,
            model,
            images,
            denoising(chosen.training.loss_space, chosen.clip, engine.share),
            chosen.training,
            cache_key=cache_key(job, images),
            save=lambda: save_weights(model, job.weights),
        )


if __name__ == "__main__":
    run(main)
