"""A lock that ends with the processes that hold it, however they end."""

import contextlib
import fcntl
import os
from pathlib import Path

PATH = Path(".snakemake/s2snets.lock")
"""The lock of the runs in a working directory."""

VARIABLE = "S2SNETS_RUN_LOCK"
"""Environment variable by which the jobs of a run know its lock."""


def join_run(path: str | Path) -> bool:
    """Hold a run's lock, together with others, until this process ends.

    Returns:
        Whether no other process holds it, on any machine that shares the disk. False
        where the disk has no such locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)  # closed by the exit
    alone = False
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = True
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return alone
