"""Trainings as Slurm's jobs: longer than a time limit, wider than a process.

Slurm knows how long a job has and on how many nodes; the variables that would tell do
not reach a step of Snakemake's, so that ``squeue`` is asked.
"""

import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from s2snets.runtime.signals import AGAIN

MOST = 120  # seconds before its end at which a job stops, at most
PART = 0.25  # of the time that it had, where that is less


def ask(field):
    """What ``squeue`` says of this job; None outside of one, or without an answer."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None or shutil.which("squeue") is None:
        return None
    told, _ = said("squeue", "--noheader", "--jobs", job, "--format", field)
    return told


def said(*command):
    """What one of Slurm's commands prints, None where it fails; and its complaint."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return None, "no answer"
    return None if done.returncode else done.stdout.strip(), done.stderr.strip()


def seconds(text):
    """``[DAYS-][[HOURS:]MINUTES:]SECONDS`` as a number; None where it is no time."""
    days, _, rest = (text or "").rpartition("-")
    try:
        parts = [int(part) for part in rest.split(":")]
        total = int(days or 0) * 86400
    except ValueError:  # UNLIMITED, NOT_SET, INVALID, or nothing
        return None
    return total + sum(part * 60**power for power, part in enumerate(reversed(parts)))


def spread():
    """Where the job has several GPUs or nodes, start this process again on each GPU.

    The process is replaced by ``srun``, whose tasks find each other by its variables.
    """
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
        return
    asked = ask("%D %C")
    if asked is None:
        return
    nodes, cpus = map(int, asked.split())
    gpus = len(os.environ.get("CUDA_VISIBLE_DEVICES", "").split(","))
    if nodes * gpus == 1:
        return
    command = ["srun", "--overlap", "--kill-on-bad-exit", f"--nodes={nodes}"]
    command += [f"--ntasks-per-node={gpus}", f"--cpus-per-task={cpus // nodes // gpus}"]
    command += [sys.executable, *sys.orig_argv[1:]]
    os.execvp("srun", command)


def continued(train):
    """Make a training stop before its job's time is over, and ask for the job again.

    The stop is the SIGUSR1 that the engine answers with a checkpoint. The job then goes
    back into the queue under its own number: for Snakemake it still runs, and none of
    its retries is used. One that wrote no checkpoint since it began gets nowhere; it
    fails instead.

    Args:
        train: takes parsed ``training_arguments`` first.
    """

    @functools.wraps(train)
    def trained(job, *arguments, **options):
        first = os.environ.get("SLURM_PROCID", "0") == "0"
        left = seconds(ask("%L")) if first else None
        if left is None:
            return train(job, *arguments, **options)
        saved = job.weights.with_name("checkpoint.pt")
        due, earlier = threading.Event(), written(saved)
        # Until the engine listens; its last checkpoint, if any, is what counts then.
        signal.signal(signal.SIGUSR1, lambda *_: sys.exit(AGAIN))
        watch = threading.Thread(target=wait, args=(left, due), daemon=True)
        watch.start()
        try:
            return train(job, *arguments, **options)
        except SystemExit as end:
            if end.code == AGAIN and due.is_set():
                if written(saved) in (None, earlier):
                    tell("no checkpoint was written in the job's time; it needs more")
                elif ask("%T") == "RUNNING":  # else Snakemake may have seen it end
                    requeue()
            raise

    return trained


def written(path):
    """When a file was last written, by its disk's clock; None without one."""
    return path.stat().st_mtime_ns if path.exists() else None


def wait(left, due):
    """Ask this process to stop shortly before its job's end, which may be put off."""
    before = min(MOST, PART * left)
    while left is not None and left > before:
        time.sleep(left - before)
        left = seconds(ask("%L"))
    due.set()
    os.kill(os.getpid(), signal.SIGUSR1)


def tell(text):
    """A line on standard error: a stage's log."""
    print(text, file=sys.stderr, flush=True)


def requeue():
    """Put this job back into the queue; where Slurm will not, it fails as others do."""
    job = os.environ["SLURM_JOB_ID"]
    tell(f"job {job}: its time is nearly over; it goes back into the queue")
    told, complaint = said("scontrol", "requeue", job)
    if told is None:
        tell(f"Slurm refused: {complaint}")
