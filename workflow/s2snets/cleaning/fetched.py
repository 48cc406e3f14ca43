"""What every source answers, and the patience that those on a network share."""

import random
import time
from typing import NamedTuple

LARGEST = 100_000_000  # bytes; above it a photograph is not read into memory
DISK_THREADS = 8  # enough to hide a network file system's latency
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds


class Fetched(NamedTuple):
    """One photograph's bytes, or why there are none."""

    data: bytes | None
    outcome: str = ""  # else missing, opted_out, fetch_error, placeholder, too_large
    status: str = ""  # HTTP status or name of the error
    tries: int = 1


def missing(status):
    """An answer for a photograph that is gone for good."""
    return Fetched(None, "missing", status)


def failed(status):
    """An answer for a photograph that may arrive another time."""
    return Fetched(None, "fetch_error", status)


TOO_LARGE = Fetched(None, "too_large")


def members(row):
    """Where a row's file is in the published layout: as ``.jpg``, then by its suffix.

    Yields:
        ``k[:3]/k[3:6]/k.suffix``; nothing for a key or suffix that is none, as a path
        made of it could lead anywhere.
    """
    for suffix in dict.fromkeys(("jpg", row.ext)):
        if row.key.isalnum() and suffix.isalnum():
            yield f"{row.key[:3]}/{row.key[3:6]}/{row.key}.{suffix}"


class Transient(Exception):
    """A try failed for a reason that may pass; its text is the status."""


def pause(failures):
    """Seconds to wait after so many failures: doubled each time, half of it random."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
    return random.uniform(0.5, 1) * longest


def persist(attempt, tries):
    """The answer of ``attempt()``, which is asked again while it raises Transient.

    Returns:
        Fetched, its ``tries`` counted; ``fetch_error`` when they are used up.
    """
    for used in range(1, tries + 1):
        try:
            return attempt()._replace(tries=used)
        except Transient as failure:
            status = str(failure)
        if used < tries:
            time.sleep(pause(used))
    return failed(status)._replace(tries=tries)
