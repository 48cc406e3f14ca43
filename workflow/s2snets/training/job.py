"""What the training stages share: their options, and what they leave behind."""

import os
import sys
import traceback

import pandas as pd
import torch

from s2snets.data.order import places
from s2snets.runtime import slurm
from s2snets.runtime.errors import UserError
from s2snets.runtime.signals import AGAIN, Preempted
from s2snets.runtime.tables import write_csv
from s2snets.stages.base import SEED, THREADS, arguments
from s2snets.training import checkpoint, engine
from s2snets.training.batches import batches
from s2snets.training.loop import fit

OPTIONS = {
    "seed": SEED,
    "threads": THREADS,
    "save_every": {
        "type": float,
        "default": 60.0,
        "help": "seconds between checkpoints",
    },
    "devices": {
        "type": int,
        "help": "processes on each node; as many as the job has GPUs, unless given",
    },
    "nodes": {"type": int, "default": 1, "help": "machines that train together"},
}


def training_arguments(doc, *, paths, model, **options):
    """A parser with a training's options; see ``stage.arguments``."""
    slurm.spread()
    return arguments(
        doc,
        paths=("images", *paths, "weights", "curve", "record"),
        model=model,
        **OPTIONS,
        **options,
    )


def begin(job, settings):
    """The processes that a job's training is to have; see ``engine.start``."""
    return engine.start(
        settings, threads=job.threads, devices=job.devices, nodes=job.nodes
    )


@slurm.continued
def train(job, running, model, images, loss, settings, *, save, check=None, **inputs):
    """Train, save weights and curve, and drop the checkpoints beside them.

    Only the first process returns; the others end here.

    Args:
        job: parsed ``training_arguments``.
        running: ``begin``'s engine.
        images: the ``ImageSet`` to train on.
        loss: see ``loop.fit``.
        settings: a ``config.Optimisation`` with ``augment``.
        save: () -> None, writes the weights.
        check: see ``loop.fit``.
        inputs: digests of what else the training starts from; a checkpoint must agree
            on them, on the images, the seed and the stage's settings.
    """
    share = running.share
    saved_at = job.weights.with_name("checkpoint.pt")
    engine.launch(running)
    try:
        curve = fit(
            model.to(memory_format=torch.channels_last),
            batches(
                images,
                settings,
                seed=job.seed,
                device=running.fabric.device,
                workers=running.workers,
                rank=share.rank,
                world=share.world,
            ),
            loss,
            settings,
            seed=job.seed,
            identity={
                "images": images.fingerprint,
                "seed": job.seed,
                **inputs,
                **job.settings.model_dump(mode="json"),
            },
            saved_at=saved_at,
            engine=running,
            save_every=job.save_every,
            numbers=lambda *span: named(images, *span, job.seed),
            curve_at=job.curve,
            events_at=job.weights.with_name("events"),
            **({"check": check} if check else {}),
        )
    except BaseException as error:
        if share.world > 1:
            # Python's own end would wait for the other processes.
            os._exit(ended(error, running))
        if isinstance(error, Preempted):
            sys.exit(ended(error, running))
        raise
    if share.world > 1:
        torch.distributed.destroy_process_group()
    if not running.first:
        sys.exit()
    write_csv(pd.DataFrame(curve), job.curve)
    save()
    checkpoint.remove(saved_at)


def named(images, first, last, seed):
    """The images at some positions as text: ``images 3, 7-19``."""
    numbers = sorted({number for _, number in places(first, last, images.runs, seed)})
    runs = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    told = (f"{low}-{high}" if low < high else f"{low}" for low, high in runs)
    return f"images {', '.join(told)}"


def ended(error, running):
    """Tell why a training ended early; the code to exit with."""
    if isinstance(error, SystemExit):
        return error.code or 0
    if isinstance(error, Preempted):
        if not running.first:  # see Engine.fail
            return 0
        # A terminal's line of progress has no end yet.
        start = "\n" if sys.stderr.isatty() else ""
        print(f"{start}{error}", file=sys.stderr, flush=True)
        return AGAIN
    if isinstance(error, UserError):
        text = error
    elif isinstance(error, torch.distributed.DistError) or "gloo" in str(error):
        text = "another process of this training ended, and says by itself why"
    else:
        text = "".join(traceback.format_exception(error))
    print(f"error: {text}", file=sys.stderr, flush=True)
    return 1
