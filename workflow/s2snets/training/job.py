"""A training job: what the training stages share, from processes to written files."""

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import torch
from torch import nn

from s2snets.config import Optimisation
from s2snets.data.order import describe_visits, image_order
from s2snets.runtime import slurm
from s2snets.runtime.errors import UserError
from s2snets.runtime.progress import log
from s2snets.runtime.signals import EXIT_RETRY, Preempted
from s2snets.runtime.tables import write_csv
from s2snets.training import checkpoint
from s2snets.training.batches import (
    AugmentedTraining,
    TrainingImages,
    resumable_batches,
)
from s2snets.training.engine import Engine, create_engine, launch
from s2snets.training.loop import Loss, Trainer
from s2snets.training.state import step_count


class Job(Protocol):
    """Options of a training stage."""

    @property
    def weights(self) -> Path:
        """To be written; the checkpoint lies beside them."""

    @property
    def curve(self) -> Path:
        """To be written: the learning curve."""

    @property
    def seed(self) -> int:
        """Seed of everything random."""

    @property
    def threads(self) -> int:
        """Threads, or decoding processes on a GPU."""

    @property
    def save_every(self) -> float:
        """Seconds between checkpoints."""

    @property
    def devices(self) -> int | None:
        """Processes on each node; None: one for each GPU, or one."""

    @property
    def nodes(self) -> int:
        """Machines that train together."""


def start_engine(job: Job, settings: Optimisation) -> Engine:
    """Return the engine of a job's training; see ``create_engine``."""
    return create_engine(
        settings, threads=job.threads, devices=job.devices, nodes=job.nodes
    )


def train(
    job: Job,
    engine: Engine,
    model: nn.Module,
    images: TrainingImages,
    loss: Loss,
    settings: AugmentedTraining,
    *,
    cache_key: Mapping[str, object],
    save: Callable[[], None],
    check: Callable[[nn.Module], Mapping[str, float]] = lambda model: {},
) -> str:
    """Train, write weights and curve, and remove the checkpoints beside them.

    Only the first process returns; the others exit here.

    Args:
        job: the stage's options.
        engine: of ``start_engine``.
        model: to be trained.
        images: to train on.
        loss: see ``Trainer``.
        settings: of the training.
        cache_key: all that decides the result, on which a checkpoint must agree.
        save: writes the weights.
        check: see ``Trainer``.

    Returns:
        How many images were seen how often, which is also logged at the start.
    """
    images_seen = describe_visits(step_count(settings) * settings.batch, images.runs)
    checkpoint_path = job.weights.with_name("checkpoint.pt")
    with slurm.requeue_at_time_limit(checkpoint_path):
        launch(engine)
        if engine.is_first:
            log(images_seen)
        try:
            # torch's annotations lack this form of ``Module.to``.
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            trainer = Trainer(
                model,
                loss,
                settings,
                engine,
                seed=job.seed,
                identity=cache_key,
                checkpoint_path=checkpoint_path,
                check=check,
                save_every=job.save_every,
                describe_images=lambda first, end: describe_images(
                    images, first, end, job.seed
                ),
                curve_path=job.curve,
                events_dir=job.weights.with_name("events"),
            )
            curve = trainer.fit(
                resumable_batches(
                    images,
                    settings,
                    seed=job.seed,
                    device=engine.fabric.device,
                    workers=engine.workers,
                    rank=engine.share.rank,
                    world=engine.share.world,
                )
            )
        except BaseException as error:
            exit_early(error, engine)
            raise
        del trainer  # and with it what averages gradients
        engine.close()
        if not engine.is_first:
            sys.exit()
        write_csv(pd.DataFrame(curve), job.curve)
        save()
        checkpoint.remove(checkpoint_path)
    return images_seen


def describe_images(images: TrainingImages, first: int, end: int, seed: int) -> str:
    """Return the images at some positions as text: ``images 3, 7-19``."""
    numbers = {number for _, number in image_order(first, end, images.runs, seed)}
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    texts = (f"{low}-{high}" if low < high else f"{low}" for low, high in runs)
    return f"images {', '.join(texts)}"


def exit_early(error: BaseException, engine: Engine) -> None:
    """Exit after an error, unless it is one to be raised by a single process."""
    if engine.share.world > 1:
        # Python's own exit would wait for the other processes.
        os._exit(report(error, engine))
    if isinstance(error, Preempted):
        sys.exit(report(error, engine))


def report(error: BaseException, engine: Engine) -> Any:
    """Print why a training ended early, and return the code to exit with."""
    if isinstance(error, SystemExit):
        return error.code or 0
    if isinstance(error, Preempted):
        if not engine.is_first:  # see Engine.fail
            return 0
        # A terminal's line of progress has no end yet.
        start = "\n" if sys.stderr.isatty() else ""
        print(f"{start}{error}", file=sys.stderr, flush=True)
        return EXIT_RETRY
    if isinstance(error, UserError):
        text = str(error)
    elif isinstance(error, torch.distributed.DistError) or "gloo" in str(error):
        text = "another process of this training ended, and says by itself why"
    else:
        text = "".join(traceback.format_exception(error))
    print(f"error: {text}", file=sys.stderr, flush=True)
    return 1
