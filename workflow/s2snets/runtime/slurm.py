"""Trainings as Slurm jobs that outlast a time limit and span several GPUs.

Slurm knows a job's remaining time and its number of nodes, but Snakemake does not pass
on the environment variables that hold them, so ``squeue`` is asked.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s2snets.runtime.progress import log
from s2snets.runtime.signals import EXIT_RETRY

MAX_MARGIN = 120  # seconds before its end at which a job stops, at most
MARGIN_FRACTION = 0.25  # of the job's remaining time, where that is shorter


def query_job(field: str) -> str | None:
    """Return one of ``squeue``'s fields of this job.

    Args:
        field: a format of ``squeue``, such as ``%L`` for the time left.

    Returns:
        The field; None outside a Slurm job or without an answer.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job is None or shutil.which("squeue") is None:
        return None
    output, _ = run_command("squeue", "--noheader", "--jobs", job, "--format", field)
    return output


def run_command(*command: str) -> tuple[str | None, str]:
    """Return a command's output, None where it failed, and its error message."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return None, "no answer"
    return None if done.returncode else done.stdout.strip(), done.stderr.strip()


def jobs_submitted_in(folder: str, listing: str) -> list[str]:
    """Return the numbers of the jobs that Snakemake submitted in a folder.

    Args:
        folder: where Snakemake runs.
        listing: lines of ``squeue``, ``%i|%Z|%j``: number, folder and name.
    """
    jobs = []
    for line in listing.splitlines():
        job, _, rest = line.partition("|")
        # Folders may hold bars, and so may names of the user's other jobs.
        submitted, prefix, _ = rest.rpartition("|s2snets_")
        if prefix and os.path.realpath(submitted) == os.path.realpath(folder):
            jobs.append(job)
    return jobs


def parse_duration(text: str | None) -> int | None:
    """Return ``[DAYS-][[HOURS:]MINUTES:]SECONDS`` in seconds; None for other text."""
    days, _, rest = (text or "").rpartition("-")
    try:
        parts = [int(part) for part in rest.split(":")]
        total = int(days or 0) * 86400
    except ValueError:  # UNLIMITED, NOT_SET, INVALID, or nothing
        return None
    return total + sum(part * 60**power for power, part in enumerate(reversed(parts)))


def launch_on_all_gpus() -> None:
    """Start this process again on each GPU of a job that has several GPUs or nodes.

    The process is replaced by ``srun``, whose tasks find each other by its variables.
    """
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
        return
    answer = query_job("%D %C")
    if answer is None:
        return
    nodes, cpus = map(int, answer.split())
    gpus = len(os.environ.get("CUDA_VISIBLE_DEVICES", "").split(","))
    if nodes * gpus == 1:
        return
    command = ["srun", "--overlap", "--kill-on-bad-exit", f"--nodes={nodes}"]
    command += [f"--ntasks-per-node={gpus}", f"--cpus-per-task={cpus // nodes // gpus}"]
    command += [sys.executable, *sys.orig_argv[1:]]
    os.execvp("srun", command)


@contextmanager
def requeue_at_time_limit(checkpoint: Path) -> Iterator[None]:
    """Make the training inside stop before its job's time limit; requeue the job.

    The stop is a SIGUSR1, which the training loop answers with a checkpoint. The job
    then goes back into the queue under its own number: for Snakemake it is still
    running and no retry is used up. A job that wrote no checkpoint since it started
    makes no progress; it fails instead. Outside a Slurm job nothing happens.
    """
    is_first = os.environ.get("SLURM_PROCID", "0") == "0"
    left = parse_duration(query_job("%L")) if is_first else None
    if left is None:
        yield
        return
    due, earlier = threading.Event(), modified_at(checkpoint)
    # Holds until the loop handles signals; an earlier checkpoint counts then.
    signal.signal(signal.SIGUSR1, lambda *_: sys.exit(EXIT_RETRY))
    threading.Thread(target=stop_in_time, args=(left, due), daemon=True).start()
    try:
        yield
    except SystemExit as end:
        if end.code == EXIT_RETRY and due.is_set():
            if modified_at(checkpoint) in (None, earlier):
                log("no checkpoint was written in the job's time; it needs more")
            elif query_job("%T") == "RUNNING":  # else Snakemake may have seen it end
                requeue()
        raise


def modified_at(path: Path) -> int | None:
    """Return when a file was last written, by its disk's clock; None without one."""
    return path.stat().st_mtime_ns if path.exists() else None


def stop_in_time(left: int, due: threading.Event) -> None:
    """Set ``due`` and signal this process shortly before its job's end.

    Args:
        left: seconds that the job has; Slurm may extend them in the meantime.
        due: set before the signal is sent.
    """
    margin = min(MAX_MARGIN, MARGIN_FRACTION * left)
    remaining: int | None = left
    while remaining is not None and remaining > margin:
        time.sleep(remaining - margin)
        remaining = parse_duration(query_job("%L"))
    due.set()
    os.kill(os.getpid(), signal.SIGUSR1)


def requeue() -> None:
    """Put this job back into the queue; where Slurm refuses, it fails like others."""
    job = os.environ["SLURM_JOB_ID"]
    log(f"job {job}: its time is nearly over; it goes back into the queue")
    output, complaint = run_command("scontrol", "requeue", job)
    if output is None:
        log(f"Slurm refused: {complaint}")
