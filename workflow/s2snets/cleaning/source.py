"""Opening the source of photographs that the settings name."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from s2snets.cleaning.fetched import DISK_THREADS, Fetch, Fetched, source_name
from s2snets.cleaning.metadata import Row
from s2snets.cleaning.tree import Tree
from s2snets.cleaning.zips import ZipReader
from s2snets.config import Clean
from s2snets.runtime.errors import UserError

MAX_FAILURES = 16  # in a row, after which the source is at fault, not a photograph


class Source:
    """A source of photographs for several threads, which raises if nothing arrives.

    Args:
        fetch: fetches one photograph.
        connections: number of threads that may call it at once.
        name: the setting that names the source.

    Raises:
        UserError: on calling, when many photographs in a row have failed to arrive:
            without permission or network every one would, after all its tries.
    """

    def __init__(self, fetch: Fetch, connections: int, name: str) -> None:
        self.fetch, self.connections, self.name = fetch, connections, name
        self.lock, self.failures = threading.Lock(), 0

    def __call__(self, row: Row) -> Fetched:
        """Fetch the photograph of a row."""
        answer = self.fetch(row)
        with self.lock:
            error = answer.outcome == "fetch_error"
            self.failures = self.failures + 1 if error else 0
            if self.failures >= MAX_FAILURES:
                raise UserError(
                    f"clean.{self.name}: {self.failures} photographs in a row failed,"
                    f" the last with {answer.status}; see that the source can be"
                    " reached and read, then rerun"
                )
        return answer


def open_backend(
    clean: Clean, zips_index: Path | None, processes: int
) -> AbstractContextManager[tuple[Fetch, int]]:
    """Return the context of the source: its fetching function, and connections.

    Raises:
        UserError: the source needs a library that is not installed.
    """
    if clean.tree is not None:
        tree = Tree(Path(clean.tree), by_key=bool(clean.metadata))
        return nullcontext((tree.fetch, DISK_THREADS))
    try:  # their libraries are optional
        if clean.s3 is not None:
            from s2snets.cleaning.bucket import open_bucket

            return open_bucket(clean.s3, processes)
        if clean.http is not None:
            from s2snets.cleaning.web import open_web

            return open_web(clean.http, processes)
    except ModuleNotFoundError as error:
        raise UserError(
            f"clean.{source_name(clean)}: needs {error.name}; pip install boto3 urllib3"
        ) from None
    assert clean.zips is not None
    assert zips_index is not None
    return nullcontext((ZipReader(clean.zips, zips_index).fetch, DISK_THREADS))


@contextmanager
def open_source(
    clean: Clean, zips_index: Path | None = None, processes: int = 1
) -> Iterator[Source]:
    """Open the source of the photographs.

    Args:
        clean: the settings.
        zips_index: needed where the photographs are in zips.
        processes: of a job that open this source: they share its connections and rate.

    Raises:
        UserError: the source as a whole is at fault; also on fetching.
    """
    with open_backend(clean, zips_index, processes) as (fetch, connections):
        yield Source(fetch, connections, source_name(clean))
