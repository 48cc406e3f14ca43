"""Cleaning one batch of rows: its shards, in several processes, and their report."""

from collections import Counter
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd

from s2snets.cleaning.decide import UnfinishedError, clean_shard
from s2snets.cleaning.exclusion import ExclusionLists
from s2snets.cleaning.quality import judge
from s2snets.cleaning.row_batches import split_batch
from s2snets.cleaning.shard import in_table_order
from s2snets.cleaning.source import open_source
from s2snets.cleaning.workers import add_done, as_completed, new_counter, worker_pool
from s2snets.config import Clean
from s2snets.runtime.errors import UserError
from s2snets.runtime.progress import Progress


def batch_report(batch: int, shards: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the audit and the index need to know of a batch.

    ``shards`` are as ``clean_shard`` returns them; the report changes with any of them.
    """
    outcomes = sum((Counter(shard["outcomes"]) for shard in shards), Counter[str]())
    return {
        "batch": batch,
        "rows": outcomes.total(),
        "kept": outcomes["kept"],
        "outcomes": in_table_order(outcomes),
        "shards": sorted(shards, key=itemgetter("shard")),
    }


def clean_batch(
    rows: pd.DataFrame,
    batch: int,
    *,
    store: Path,
    clean: Clean,
    lists: ExclusionLists,
    zips_index: Path | None,
    threads: int,
) -> dict[str, Any]:
    """Make the shards of a batch, unless they exist.

    A shard that cannot be finished stops no other. ``threads`` are processes.

    Returns:
        The report on the batch, see ``batch_report``.

    Raises:
        UserError: a shard cannot be finished, or a worker was killed.
    """
    # A web host counts the requests of one process, and is slower than the judge.
    processes = 1 if clean.http is not None else threads
    work = partial(
        clean_shard,
        store,
        clean=clean,
        lists=lists,
        source=partial(open_source, clean, zips_index, processes),
        judge=judge,
        on_done=add_done,
    )
    counter, progress = new_counter(), Progress(len(rows))

    def show_progress() -> None:
        if counter.value < len(rows):  # else again and again until the disk is synced
            progress(counter.value)

    shards, unfinished = [], []
    try:
        with worker_pool(processes, counter) as pool:
            tasks = split_batch(rows, clean, batch)
            for future in as_completed(pool, work, tasks, processes, show_progress):
                try:
                    shards.append(future.result())
                except UnfinishedError as error:
                    unfinished.append(str(error))
    except BrokenProcessPool:
        raise UserError(
            f"batch {batch}: a worker was killed, as when memory is short; give the"
            " job more of it, or fewer threads, and rerun"
        ) from None
    if unfinished:
        more = f" (and {len(unfinished) - 1} more shards)" if unfinished[1:] else ""
        raise UserError(unfinished[0] + more)
    progress(len(rows))
    return batch_report(batch, shards)
