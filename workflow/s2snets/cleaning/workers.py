"""A pool of processes that counts what is done and stops at once with its parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from itertools import islice
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

T = TypeVar("T")

counter: Synchronized[int] | None = None  # in a worker: shared by all of them


def new_counter() -> Synchronized[int]:
    """Return a counter for ``worker_pool``."""
    return multiprocessing.get_context("spawn").Value("q")


def start_worker(shared: Synchronized[int]) -> None:
    """Set up a new worker: it counts with the others and ends with its parent."""
    global counter
    counter = shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    threading.Thread(target=exit_with_parent, daemon=True).start()


def exit_with_parent() -> None:
    """Wait until the parent has ended, and end this process."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def add_done(number: int) -> None:
    """Count, in a worker, so many more items as done."""
    assert counter is not None
    with counter.get_lock():
        counter.value += number


def exit_on_signal(number: int, frame: FrameType | None) -> None:
    """End this process with a message."""
    sys.exit("stopped; a rerun goes on with the shards that are left")


@contextmanager
def worker_pool(processes: int, shared: Synchronized[int]) -> Iterator[Executor]:
    """Open a pool of processes, which are killed when the block raises.

    The shared counter adds up what ``add_done`` is given in the workers.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, start_worker, (shared,))
    before = {number: signal.signal(number, exit_on_signal) for number in STOP_SIGNALS}
    try:
        yield pool
    except BaseException:
        # What they have not finished is a draft, which the next job drops.
        for worker in multiprocessing.active_children():
            worker.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def as_completed(
    pool: Executor,
    function: Callable[..., T],
    tasks: Iterable[tuple[object, ...]],
    processes: int,
    every_second: Callable[[], object],
) -> Iterator[Future[T]]:
    """Yield the futures of ``function(*task)`` as they end.

    Tasks are drawn one at a time: no more than ``processes`` are held at once.
    """
    tasks = iter(tasks)
    waiting = {pool.submit(function, *task) for task in islice(tasks, processes)}
    while waiting:
        ended, waiting = wait(waiting, 1, FIRST_COMPLETED)
        every_second()
        waiting |= {pool.submit(function, *task) for task in islice(tasks, len(ended))}
        yield from ended
