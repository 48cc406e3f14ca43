"""The one way to a photograph's bytes, wherever the settings say that they are."""

import threading
from contextlib import contextmanager

from s2snets.cleaning.bucket import open_bucket
from s2snets.cleaning.fetched import Fetched
from s2snets.cleaning.tree import open_tree
from s2snets.cleaning.web import open_web
from s2snets.cleaning.zips import open_zips
from s2snets.runtime.errors import UserError

IN_A_ROW = 16  # failures after which the source is at fault, and no photograph


class Source:
    """``fetch(row) -> Fetched`` for any number of threads.

    Args:
        fetch: a source's own.
        connections: how many threads it is good for.
        name: the setting that it comes from.

    Raises:
        UserError: on fetching, when many photographs in a row failed to arrive: without
            rights or a network every one would, after all its tries.
    """

    def __init__(self, fetch, connections, name):
        self.fetch, self.connections, self.name = fetch, connections, name
        self.lock, self.failures = threading.Lock(), 0

    def __call__(self, row) -> Fetched:
        found = self.fetch(row)
        with self.lock:
            error = found.outcome == "fetch_error"
            self.failures = self.failures + 1 if error else 0
            if self.failures >= IN_A_ROW:
                raise UserError(
                    f"clean.{self.name}: {self.failures} photographs in a row failed,"
                    f" the last with {found.status}; see that the source can be"
                    " reached and read, then rerun"
                )
        return found


@contextmanager
def open_source(clean, zips_index=None, processes=1):
    """Yields the Source of the photographs.

    A row is anything with the texts photoid, key, ext, url and line.

    Args:
        clean: a ``config.Clean``.
        zips_index: path of the index, where the photographs are in zips.
        processes: how many processes of a job open the source alike: they share its
            connections and rate.

    Raises:
        UserError: the source as a whole is at fault; also on fetching.
    """
    openers = {
        "tree": lambda folder: open_tree(folder, by_key=bool(clean.metadata)),
        "zips": lambda zips: open_zips(zips, zips_index),
        "s3": lambda bucket: open_bucket(bucket, processes),
        "http": lambda web: open_web(web, processes),
    }
    name = next(name for name in openers if getattr(clean, name) is not None)
    with openers[name](getattr(clean, name)) as (fetch, connections):
        yield Source(fetch, connections, name)
