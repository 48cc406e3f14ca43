"""What the three training stages share: their options, and what they leave behind."""

import pandas as pd

from s2snets import slurm
from s2snets.stage import SEED, THREADS, arguments
from s2snets.tables import write_csv
from s2snets.training.batches import batches
from s2snets.training.loop import fit

SAVE_EVERY = {"type": float, "default": 60.0, "help": "seconds between checkpoints"}


def training_arguments(doc, *, paths, model, **options):
    """A parser with a training's options; see ``stage.arguments``."""
    slurm.spread()
    return arguments(
        doc,
        paths=("images", *paths, "weights", "curve", "record"),
        model=model,
        seed=SEED,
        threads=THREADS,
        save_every=SAVE_EVERY,
        **options,
    )


@slurm.continued
def train(job, model, images, loss, settings, where, *, save, check=dict, **inputs):
    """Train, save weights and curve, and drop the checkpoint beside them.

    Args:
        job: parsed ``training_arguments``.
        images: the ``ImageSet`` to train on.
        loss: see ``loop.fit``.
        settings: a ``config.Optimisation`` with ``augment``.
        where: device and number of decoding processes.
        save: () -> None, writes the weights.
        check: see ``loop.fit``.
        inputs: digests of what else the training starts from; a checkpoint must agree
            on them, on the images, the seed and the stage's settings.
    """
    device, workers = where
    checkpoint = job.weights.with_name("checkpoint.pt")
    curve = fit(
        model,
        batches(images, settings, seed=job.seed, device=device, workers=workers),
        loss,
        settings,
        seed=job.seed,
        identity={
            "images": images.fingerprint,
            "seed": job.seed,
            **inputs,
            **job.settings.model_dump(mode="json"),
        },
        saved_at=checkpoint,
        check=check,
        save_every=job.save_every,
    )
    write_csv(pd.DataFrame(curve), job.curve)
    save()
    checkpoint.unlink(missing_ok=True)
