"""Command line of rule ``pretrain_autoencoder``: images -> SegNet (section 3.2)."""

import torch

from s2snets.config import Autoencoder, Pretraining, Settings
from s2snets.data.imageset import ImageSet
from s2snets.data.order import sample
from s2snets.networks.checkpoints import save_weights
from s2snets.networks.segnet import SegNet
from s2snets.stages.base import recorded, run
from s2snets.stages.training_options import cache_key, training_arguments
from s2snets.training.job import start_engine, train
from s2snets.training.objectives import mean_square_error, reconstruction
from s2snets.training.state import step_seed

SAMPLE = 0  # the seed of the validation sample: the same for every corpus and seed


class Job(Settings):
    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    pretraining: Pretraining
    validation_images: int


def main(argv=None):
    held_out = ("validation-photos", "validation-labelled")
    job = training_arguments(__doc__, paths=held_out, model=Job).parse_args(argv)
    chosen = job.settings
    engine = start_engine(job, chosen.pretraining)
    with recorded(job.record, "s2snets.stages.pretrain_autoencoder", chosen, job.seed):
        images, photos, labelled = (
            ImageSet(path, chosen.image_size, chosen.resize_mode)
            for path in (job.images, job.validation_photos, job.validation_labelled)
        )
        torch.manual_seed(step_seed(job.seed, 0))
        model = SegNet(chosen.autoencoder.width, chosen.autoencoder.stages)

        def error(model, held_out):
            numbers = sample(len(held_out), chosen.validation_images, SAMPLE)
            batch = chosen.pretraining.batch
            return mean_square_error(
                model, held_out, numbers, batch=batch, engine=engine
            )

        train(
            job,
            engine,
            model,
            images,
            reconstruction(chosen.pretraining.loss_space),
            chosen.pretraining,
            cache_key=cache_key(job, images),
            save=lambda: save_weights(model, job.weights),
            check=lambda model: {
                "validation_photos": error(model, photos),
                "validation_labelled": error(model, labelled),
            },
        )


if __name__ == "__main__":
    run(main)
