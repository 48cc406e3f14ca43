"""Command line of rule ``train_generator``: images -> a decoder that becomes G."""

import difflib

import numpy as np
import torch
from torch.utils.data import Subset

from s2snets.config import Decoding, Settings
from s2snets.data.imageset import ImageSet, labelled
from s2snets.networks.checkpoints import save_weights
from s2snets.networks.generator import Autoencoder
from s2snets.runtime.errors import UserError
from s2snets.stages.base import recorded, run
from s2snets.training.job import begin, train, training_arguments
from s2snets.training.loop import step_seed
from s2snets.training.objectives import gaussian_denoising


class Job(Settings):
    image_size: int
    resize_mode: str
    training: Decoding


class OfClasses(Subset):
    """The images of some of a set's classes, to be learned from like an ``ImageSet``.

    Args:
        images: an ``ImageSet`` with labels.
        names: of the classes.

    Raises:
        UserError: an unknown class, or no image of any of them.
    """

    def __init__(self, images, names):
        for name in names:
            if name not in images.classes:
                near = difflib.get_close_matches(name, images.classes, 3)
                known = near or images.classes[:3]
                raise UserError(
                    f"synthesis.decoder.classes: {name!r} is no class of {images.path};"
                    f" there are {len(images.classes)}, such as {', '.join(known)}"
                )
        chosen = [images.classes.index(name) for name in sorted(set(names))]
        kept = np.isin(images.labels, chosen)
        if not kept.any():
            raise UserError(
                f"synthesis.decoder.classes: {images.path} has no image of"
                f" {', '.join(names)}"
            )
        super().__init__(images, np.flatnonzero(kept))
        self.side = images.side
        self.fingerprint = f"{images.fingerprint} of classes {chosen}"
        # Stored in a random order or not, as before: see ``order.places``.
        runs = np.asarray(images.runs)
        self.runs = len(self)
        if runs.ndim:
            run = np.repeat(np.arange(len(runs)), runs)
            self.runs = np.bincount(run[kept], minlength=len(runs))


def chosen_images(path, settings):
    """What the decoder learns from.

    Args:
        settings: a ``Job``.
    """
    where = path, settings.image_size, settings.resize_mode
    if settings.training.classes is None:
        return ImageSet(*where)
    return OfClasses(labelled(*where), settings.training.classes)


def main(argv=None):
    job = training_arguments(__doc__, paths=(), model=Job).parse_args(argv)
    chosen = job.settings
    engine = begin(job, chosen.training)
    with recorded(job.record, "s2snets.stages.train_generator", chosen, job.seed):
        torch.manual_seed(step_seed(job.seed, 0))
        model = Autoencoder(chosen.image_size)
        train(
            job,
            engine,
            model,
            chosen_images(job.images, chosen),
            gaussian_denoising(chosen.training.noise, engine.share),
            chosen.training,
            save=lambda: save_weights(model, job.weights),
        )


if __name__ == "__main__":
    run(main)
