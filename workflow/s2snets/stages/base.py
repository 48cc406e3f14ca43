"""What the stages' command lines share: arguments, complaints and records."""

import argparse
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from s2snets.config import settings as settings_type
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import disk_mistake, write_json
from s2snets.runtime.fingerprint import fingerprint
from s2snets.runtime.records import record


def arguments(doc, *, paths=(), lists=(), model=None, **options):
    """A parser of a stage's command line.

    Args:
        doc: the stage's docstring.
        paths: names of options that take one path each.
        lists: names of options that take several values each.
        model: settings model that ``--settings`` is parsed into; None: no such option.
        options: further options by name: keyword arguments of ``add_argument``.
    """
    parser = argparse.ArgumentParser(description=doc)
    for name in paths:
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in lists:
        parser.add_argument(f"--{name}", nargs="+", required=True)
    if model is not None:
        parser.add_argument("--settings", type=settings_type(model), required=True)
    for name, details in options.items():
        parser.add_argument(f"--{name.replace('_', '-')}", **details)
    return parser


SEED = {"type": int, "default": 0, "help": "seed of everything random"}
THREADS = {"type": int, "default": 1, "help": "threads, or decoding processes on a GPU"}


@contextmanager
def recorded(path, module, settings, seed=None):
    """Write a stage's record once its block has ended well.

    Args:
        path: of the record.
        module: the stage's module name, such as ``s2snets.stages.predict``.
        settings: a settings model, or plain values.
    """
    started = time.monotonic()
    yield
    plain = (
        settings.model_dump(mode="json")
        if hasattr(settings, "model_dump")
        else settings
    )
    name = module.rpartition(".")[2]
    write_json(path, record(name, plain, seed, fingerprint(module), started))


def run(main):
    """Run a stage; tell a user's mistake in one line, without a traceback."""
    try:
        main()
    except UserError as mistake:
        sys.exit(f"error: {mistake}")
    except Exception as error:
        told = disk_mistake(error, getattr(error, "filename", None) or "disk")
        if told is None:
            raise
        sys.exit(f"error: {told}")
