"""Command line of rule ``pretrain_autoencoder``: images -> SegNet (section 3.2)."""

import torch

from s2snets.config import Autoencoder, Pretraining, Settings
from s2snets.data.imageset import ImageSet
from s2snets.data.order import sample
from s2snets.models.segnet import SegNet
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
from s2snets.store import save_curve, save_weights
from s2snets.training.batches import batches
from s2snets.training.loop import fit, step_seed
from s2snets.training.objectives import mean_square_error, reconstruction

SAMPLE = 0  # the seed of the validation sample: the same for every corpus and seed


class Job(Settings):
    image_size: int
    fit: str
    autoencoder: Autoencoder
    pretraining: Pretraining
    validation_images: int


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "validation-photos", "validation-labelled", "weights", "curve",
               "record"),
        model=Job,
        seed=SEED,
        threads=THREADS,
        save_every=SAVE_EVERY,
    ).parse_args(argv)  # fmt: skip
    chosen, (device, workers) = job.settings, use_device(job.threads)

    def opened(path):
        return ImageSet(path, chosen.image_size, chosen.fit)

    with recorded(job.record, "s2snets.stages.pretrain_autoencoder", chosen, job.seed):
        images = opened(job.images)
        validation = {
            "validation_photos": opened(job.validation_photos),
            "validation_labelled": opened(job.validation_labelled),
        }
        torch.manual_seed(step_seed(job.seed, 0))
        model = SegNet(chosen.autoencoder.width, chosen.autoencoder.stages)
        model = model.to(device, memory_format=torch.channels_last)

        def check():
            return {
                name: mean_square_error(
                    model,
                    held_out,
                    sample(len(held_out), chosen.validation_images, SAMPLE),
                    batch=chosen.pretraining.batch,
                    device=device,
                )
                for name, held_out in validation.items()
            }

        settings = chosen.pretraining
        checkpoint = job.weights.with_name("checkpoint.pt")
        curve = fit(
            model,
            batches(images, settings, seed=job.seed, device=device, workers=workers),
            reconstruction(settings.units),
            settings,
            seed=job.seed,
            identity=identity(images, job),
            saved_at=checkpoint,
            check=check,
            save_every=job.save_every,
        )
        save_curve(curve, job.curve)
        save_weights(model, job.weights)
        checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    run(main)
