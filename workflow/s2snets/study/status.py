"""How far a study is: what its jobs are, and what the rest will cost.

Snakemake is asked twice, by dry runs: for all jobs, and for those still to be done.
"""

import base64
import getpass
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from s2snets.runtime.errors import UserError

BLOCK = re.compile(r"^(?:local)?rule (\w+):\n((?:    .+\n)+)", re.MULTILINE)
INCOMPLETE, LOCKS = (Path(".snakemake") / name for name in ("incomplete", "locks"))


class Job(NamedTuple):
    """One job of a dry run."""

    rule: str
    output: str  # the first of its files
    benchmark: Path | None
    gpus: int


def jobs_of(text):
    """The jobs that a dry run prints, by first output file."""
    found = {}
    for rule, lines in BLOCK.findall(text):
        fields = dict(
            line.strip().split(": ", 1) for line in lines.splitlines() if ": " in line
        )
        if "output" not in fields:
            continue  # a target
        resources = dict(re.findall(r"(\w+)=([^,]+)", fields.get("resources", "")))
        gpus = int(resources.get("gpu", 0))
        if "mpi" in resources:  # a task a GPU
            by_node = int(resources.get("tasks_per_node", 0))
            gpus = by_node * int(resources["nodes"]) or int(resources["tasks"])
        benchmark = fields.get("benchmark")
        job = Job(
            rule,
            fields["output"].split(", ")[0],
            Path(benchmark) if benchmark else None,
            gpus,
        )
        found[job.output] = job
    return found


def planned(options, *more):
    """Jobs of a dry run of Snakemake in this folder."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"]
    command += ["--rerun-incomplete", *options, *more]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        told = (done.stdout + done.stderr).strip().splitlines() or ["no reason given"]
        raise UserError(f"Snakemake cannot plan the study: {told[-1].strip()}")
    return jobs_of(done.stdout)


def begun():
    """First files of the jobs that a Snakemake running here has started."""
    if not any(LOCKS.glob("*")):
        return set()
    return {
        base64.urlsafe_b64decode(path.name).decode() for path in INCOMPLETE.glob("*")
    }


def table(every, left, running):
    """One row a rule.

    Args:
        every, left: jobs by first output file.
        running: first output files of jobs that have started.

    Returns:
        Columns rule, done, running, left (running ones too), gpu_hours (of one job,
        the mean over benchmark files) and gpu_hours_left; NaN where no job has ended.
    """
    rows = []
    for rule in dict.fromkeys(job.rule for job in every.values()):
        jobs = {name: job for name, job in every.items() if job.rule == rule}
        rest = {name: left[name] for name in jobs if name in left}
        hours = [
            job.gpus * pd.read_csv(job.benchmark, sep="\t")["s"].mean() / 3600
            for name, job in jobs.items()
            if name not in rest and job.benchmark and job.benchmark.exists()
        ]
        each = sum(hours) / len(hours) if hours else float("nan")
        if not any(job.gpus for job in jobs.values()):
            each = 0.0
        rows.append(
            {
                "rule": rule,
                "done": len(jobs) - len(rest),
                "running": len(rest.keys() & running),
                "left": len(rest),
                "gpu_hours": each,
                "gpu_hours_left": each * len(rest) if rest else 0.0,
            }
        )
    return pd.DataFrame(rows)


def queue():
    """Slurm's jobs of this folder: lines of state, reason, and number of jobs."""
    if shutil.which("squeue") is None:
        return []
    command = ["squeue", "--noheader", "--array", "--user", getpass.getuser()]
    done = subprocess.run(
        [*command, "--format=%T|%r|%k|%Z"], capture_output=True, text=True
    )
    rows = [line.split("|") for line in done.stdout.splitlines()]
    here = str(Path.cwd())
    counts = Counter(
        (state.lower(), "" if reason == "None" else reason)
        for state, reason, comment, *folder in rows
        if comment.startswith("rule_") and folder == [here]
    )
    return [f"{number} {' '.join(filter(None, one))}" for one, number in counts.items()]


def told(rows, queued):
    """The table and what it adds up to, as text."""
    lines = [f"{'rule':22}{'done':>6}{'begun':>9}{'left':>6}{'GPU-h left':>12}"]
    for row in rows.itertuples():
        hours = "?" if pd.isna(row.gpu_hours_left) else f"{row.gpu_hours_left:.1f}"
        if row.gpu_hours == 0:
            hours = ""
        lines.append(
            f"{row.rule:22}{row.done:6}{row.running:9}{row.left:6}{hours:>12}".rstrip()
        )
    unknown = rows.loc[rows.gpu_hours_left.isna(), "rule"]
    lines.append(
        f"{rows.left.sum():,} of {rows.left.sum() + rows.done.sum():,} jobs left,"
        f" {rows.gpu_hours_left.sum():.1f} GPU-hours"
        + (f" and those of {', '.join(unknown)}" if len(unknown) else "")
    )
    if queued:
        lines.append(f"Slurm: {', '.join(queued)}")
    return "\n".join(lines)


def status(options):
    """What ``s2snets status`` prints.

    Args:
        options: of Snakemake, such as ``--configfile PATH``.

    Raises:
        UserError: Snakemake cannot plan the study.
    """
    left = planned(options)
    every = planned(options, "--forceall")
    return told(table(every, left, begun()), queue())
