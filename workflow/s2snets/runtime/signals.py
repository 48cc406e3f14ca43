"""Signals by which a cluster announces a job's end: SIGTERM, and Slurm's SIGUSR1."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
EXIT_RETRY = 75  # EX_TEMPFAIL: run the job again, and it resumes


class Preempted(Exception):
    """A training that was asked to stop has written its checkpoint."""


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Collect stop signals instead of ending; restore the handlers on exit.

    Yields:
        The numbers of the signals received so far; it grows as they arrive.
    """
    received: list[int] = []
    previous = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in STOP_SIGNALS
    }
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def ignore_stop_signals(worker_id: int | None = None) -> None:
    """Ignore stop signals: a loader's worker ends with the process that trains."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
