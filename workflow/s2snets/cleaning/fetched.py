"""The answer that every source gives, and the retries of sources on a network."""

import random
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from s2snets.cleaning.metadata import Row
from s2snets.config import Clean

SOURCES = ("tree", "zips", "s3", "http")
MAX_BYTES = 100_000_000  # a larger photograph is not read into memory
DISK_THREADS = 8  # enough to hide a network file system's latency
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds


class Fetched(NamedTuple):
    """One photograph's bytes, or the reason why there are none."""

    data: bytes | None
    outcome: str = ""  # else missing, opted_out, fetch_error, placeholder, too_large
    status: str = ""  # HTTP status or name of the error
    tries: int = 1


Fetch = Callable[[Row], Fetched]
"""A function that fetches the photograph of a row, from several threads at once."""


def source_name(clean: Clean) -> str:
    """Return which of ``SOURCES`` the settings name."""
    return next(name for name in SOURCES if getattr(clean, name) is not None)


def missing(status: str) -> Fetched:
    """Return the answer for a photograph that is gone for good."""
    return Fetched(None, "missing", status)


def failed(status: str) -> Fetched:
    """Return the answer for a photograph that may arrive another time."""
    return Fetched(None, "fetch_error", status)


TOO_LARGE = Fetched(None, "too_large")


def published_paths(row: Row) -> Iterator[str]:
    """Yield the relative paths of a row's file in the published layout.

    They are ``KEY[:3]/KEY[3:6]/KEY.jpg`` and the same with the row's own suffix.
    Nothing for a key or suffix with other characters than letters and digits, since
    such a path could lead anywhere.
    """
    for suffix in dict.fromkeys(("jpg", row.ext)):
        if row.key.isalnum() and suffix.isalnum():
            yield f"{row.key[:3]}/{row.key[3:6]}/{row.key}.{suffix}"


class TransientError(Exception):
    """A try failed for a reason that may pass; the text is the status."""


def backoff(failures: int) -> float:
    """Return seconds to wait: doubled with each failure, half of them random."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
    return random.uniform(0.5, 1) * longest


def retry(attempt: Callable[[], Fetched], tries: int) -> Fetched:
    """Call ``attempt`` again while it raises TransientError.

    Returns:
        Its answer with the number of tries; ``fetch_error`` when all have failed.
    """
    for used in range(1, tries + 1):
        try:
            return attempt()._replace(tries=used)
        except TransientError as failure:
            status = str(failure)
        if used < tries:
            time.sleep(backoff(used))
    return failed(status)._replace(tries=tries)
