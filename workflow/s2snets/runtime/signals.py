"""The end that a cluster announces: SIGTERM, and Slurm's SIGUSR1."""

import signal
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
AGAIN = 75  # EX_TEMPFAIL: run the job again, and it goes on


class Preempted(Exception):
    """A training that was asked to stop has written its checkpoint."""


@contextmanager
def listening():
    """Collect the signals that ask for an end, by name; nothing else happens then.

    Yields a list. As before afterwards.
    """
    heard = []
    before = {
        one: signal.signal(one, lambda number, _: heard.append(number))
        for one in SIGNALS
    }
    try:
        yield heard
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def deaf(worker=None):
    """Ignore them: a process that decodes ends with the one that trains."""
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)
