"""Command line of rule ``clean_photos``: one batch of rows -> its shards."""

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import islice, starmap
from operator import itemgetter
from pathlib import Path

import numpy as np

from s2snets.cleaning.decide import Unfinished, clean_shard
from s2snets.cleaning.exclusion import read_lists
from s2snets.cleaning.fetch import open_source
from s2snets.cleaning.metadata import Row, check_parts, placed, rows_of
from s2snets.cleaning.outcomes import OUTCOMES
from s2snets.cleaning.quality import judge
from s2snets.config import Clean
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, write_json
from s2snets.runtime.progress import Progress
from s2snets.stages.base import THREADS, arguments, run

STOPS = (signal.SIGTERM, signal.SIGINT)

done = None  # in a worker: rows that are done, counted over all workers


def shards_of(rows, clean, batch):
    """The shards of a batch, also those without rows: (shard, its rows in order).

    The order is that of the hash which places a photograph; rows of one photograph
    keep theirs.
    """
    digests = [
        hashlib.md5(photoid.encode(), usedforsecurity=False).hexdigest()
        for photoid in rows["photoid"]
    ]
    rows = rows.iloc[np.array(digests, "S32").argsort(kind="stable")]
    shard, _ = placed(rows["photoid"], clean.shards, clean.batches)
    first, stop = (
        -(-one * clean.shards // clean.batches) for one in (batch, batch + 1)
    )
    borders = np.searchsorted(shard, np.arange(first, stop + 1))
    for number in range(first, stop):
        start, end = borders[number - first : number - first + 2]
        part = rows.iloc[start:end].itertuples(index=False, name=None)
        yield number, list(starmap(Row, part))


def start(counter):
    """In a new worker: count with the others, and end with the parent."""
    global done
    done = counter
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's, who ends workers
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def tell(rows):
    with done:
        done.value += rows


def work(shard, rows, *, store, clean, lists, zips_index, processes):
    """In a worker: one shard."""
    source = partial(open_source, clean, zips_index, processes)
    return clean_shard(
        store,
        shard,
        rows,
        clean=clean,
        lists=lists,
        source=source,
        judge=judge,
        tell=tell,
    )


def stop(*_):
    sys.exit("stopped; a rerun goes on with the shards that are left")


@contextmanager
def workers(processes, counter):
    """Processes that end, whatever they do, when the block ends by an exception."""
    pool = ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), start, (counter,)
    )
    before = {sign: signal.signal(sign, stop) for sign in STOPS}
    try:
        yield pool
    except BaseException:
        # What they have not finished is a draft, which the next job drops.
        for worker in multiprocessing.active_children():
            worker.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        for sign, handler in before.items():
            signal.signal(sign, handler)


def completed(pool, function, tasks, processes, look):
    """Futures of ``function(*task)`` as they end, no more at once than processes.

    Args:
        look: called every second.
    """
    tasks = iter(tasks)
    waiting = {pool.submit(function, *task) for task in islice(tasks, processes)}
    while waiting:
        ended, waiting = wait(waiting, 1, FIRST_COMPLETED)
        look()
        waiting |= {pool.submit(function, *task) for task in islice(tasks, len(ended))}
        yield from ended


def report_of(batch, shards):
    """What the audit and the index need to know of a batch; it changes with any shard.

    Args:
        shards: as ``clean_shard`` returns them.
    """
    outcomes = sum((Counter(shard["outcomes"]) for shard in shards), Counter())
    return {
        "batch": batch,
        "rows": outcomes.total(),
        "kept": outcomes["kept"],
        "outcomes": {name: outcomes[name] for name in OUTCOMES if outcomes[name]},
        "shards": sorted(shards, key=itemgetter("shard")),
    }


def main(argv=None):
    optional = ("hashes", "zips-index", "exclude", "placeholders")
    job = arguments(
        __doc__,
        paths=("store", "report"),
        lists=("rows",),
        model=Clean,
        batch={"type": int, "required": True},
        threads=THREADS,
        **{name: {"type": Path} for name in optional},
    ).parse_args(argv)
    clean = job.settings
    check_parts(
        [read_json(Path(part) / "about.json") for part in job.rows],
        by_line=clean.zips is not None and clean.zips.names == "line",
    )
    # A host counts what one process asks of it; and its pace is not the judge's.
    processes = 1 if clean.http is not None else job.threads
    one = partial(
        work,
        store=job.store,
        clean=clean,
        lists=read_lists(job.exclude, job.placeholders),
        zips_index=job.zips_index,
        processes=processes,
    )
    rows = rows_of(job.rows, job.hashes, job.batch)
    counter = multiprocessing.get_context("spawn").Value("q")
    progress, shards, unfinished = Progress(len(rows)), [], []

    def look():
        if counter.value < len(rows):  # else again and again until the disk is synced
            progress(counter.value)

    try:
        with workers(processes, counter) as pool:
            tasks = shards_of(rows, clean, job.batch)
            for future in completed(pool, one, tasks, processes, look):
                try:
                    shards.append(future.result())
                except Unfinished as mistake:
                    unfinished.append(str(mistake))
    except BrokenProcessPool:
        raise UserError(
            f"batch {job.batch}: a worker was killed, as when memory is short; give the"
            " job more of it, or fewer threads, and rerun"
        ) from None
    if unfinished:
        more = f" (and {len(unfinished) - 1} more shards)" if unfinished[1:] else ""
        raise UserError(unfinished[0] + more)
    progress(len(rows))
    write_json(job.report, report_of(job.batch, shards))


if __name__ == "__main__":
    run(main)
