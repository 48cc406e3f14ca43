"""Command-line options that the training stages share."""

import argparse
from collections.abc import Sequence
from typing import Any

from s2snets.runtime import slurm
from s2snets.stages.base import SEED, THREADS, arguments

OPTIONS: dict[str, dict[str, Any]] = {
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


def cache_key(job: argparse.Namespace, images: Any, **inputs: str) -> dict[str, Any]:
    """Return what a checkpoint must agree on: images, seed, inputs and settings."""
    settings = job.settings.model_dump(mode="json")
    return {"images": images.fingerprint, "seed": job.seed, **inputs, **settings}


def training_arguments(
    doc: str | None, *, paths: Sequence[str], model: type, **options: Any
) -> argparse.ArgumentParser:
    """Return a parser with a training's options; see ``base.arguments``."""
    slurm.launch_on_all_gpus()
    return arguments(
        doc,
        paths=("images", *paths, "weights", "curve", "record"),
        model=model,
        **OPTIONS,
        **options,
    )
