"""Progress of a study: its jobs, and the GPU-hours of those that are left.

Two dry runs of Snakemake list all jobs, and those still to be done.
"""

import base64
import getpass
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from s2snets.runtime.errors import UserError

JOB = re.compile(r"^(?:local)?rule (\w+):\n((?:    .+\n)+)", re.MULTILINE)
INCOMPLETE, LOCKS = (Path(".snakemake") / name for name in ("incomplete", "locks"))


class Job(NamedTuple):
    """One job of a dry run."""

    rule: str
    output: str  # the first of its files
    benchmark: Path | None
    gpus: int


def parse_jobs(text: str) -> dict[str, Job]:
    """Return the jobs that a dry run prints, by first output file."""
    found = {}
    for rule, lines in JOB.findall(text):
        fields = dict(
            line.strip().split(": ", 1) for line in lines.splitlines() if ": " in line
        )
        if "output" not in fields:
            continue  # a target rule
        resources = dict(re.findall(r"(\w+)=([^,]+)", fields.get("resources", "")))
        gpus = int(resources.get("gpu", 0))
        if "mpi" in resources:  # one task per GPU
            per_node = int(resources.get("tasks_per_node", 0))
            gpus = per_node * int(resources["nodes"]) or int(resources["tasks"])
        benchmark = fields.get("benchmark")
        job = Job(
            rule,
            fields["output"].split(", ")[0],
            Path(benchmark) if benchmark else None,
            gpus,
        )
        found[job.output] = job
    return found


def dry_run(options: Sequence[str]) -> dict[str, Job]:
    """Return the jobs of a dry run of Snakemake in this folder, by first output file.

    Raises:
        UserError: Snakemake cannot plan the study.
    """
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"]
    command += ["--rerun-incomplete", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no reason given"]
        raise UserError(f"Snakemake cannot plan the study: {lines[-1].strip()}")
    return parse_jobs(done.stdout)


def started_outputs() -> set[str]:
    """Return first output files of the jobs that a Snakemake running here started."""
    if not any(LOCKS.glob("*")):
        return set()
    return {
        base64.urlsafe_b64decode(path.name).decode() for path in INCOMPLETE.glob("*")
    }


def count_jobs(
    jobs: Mapping[str, Job], left: Mapping[str, Job], started: Set[str]
) -> pd.DataFrame:
    """Return a table of jobs with one row per rule.

    Args:
        jobs: all, by first output file.
        left: those not done, likewise.
        started: first output files of jobs that have started.

    Returns:
        Columns rule, done, running, left (running ones too), gpu_hours (of one job,
        the mean over benchmark files) and gpu_hours_left; NaN where no job has ended.
    """
    rows = []
    for rule in dict.fromkeys(job.rule for job in jobs.values()):
        of_rule = {name: job for name, job in jobs.items() if job.rule == rule}
        rest = {name: left[name] for name in of_rule if name in left}
        hours = [
            job.gpus * pd.read_csv(job.benchmark, sep="\t")["s"].mean() / 3600
            for name, job in of_rule.items()
            if name not in rest and job.benchmark and job.benchmark.exists()
        ]
        each = sum(hours) / len(hours) if hours else float("nan")
        if not any(job.gpus for job in of_rule.values()):
            each = 0.0
        rows.append(
            {
                "rule": rule,
                "done": len(of_rule) - len(rest),
                "running": len(rest.keys() & started),
                "left": len(rest),
                "gpu_hours": each,
                "gpu_hours_left": each * len(rest) if rest else 0.0,
            }
        )
    return pd.DataFrame(rows)


def slurm_queue() -> list[str]:
    """Return Slurm's jobs of this folder: their number, state and reason."""
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
    return [f"{number} {' '.join(filter(None, key))}" for key, number in counts.items()]


def format_status(rows: pd.DataFrame, queued: Sequence[str]) -> str:
    """Return the table of ``count_jobs`` and its totals as text."""
    lines = [f"{'rule':22}{'done':>6}{'begun':>9}{'left':>6}{'GPU-h left':>12}"]
    for row in rows.to_dict("records"):
        left = row["gpu_hours_left"]
        hours = "" if row["gpu_hours"] == 0 else "?" if pd.isna(left) else f"{left:.1f}"
        lines.append(
            f"{row['rule']:22}{row['done']:6}{row['running']:9}{row['left']:6}"
            f"{hours:>12}".rstrip()
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


def status(options: Sequence[str]) -> str:
    """Return what ``s2snets status`` prints.

    Args:
        options: of Snakemake, such as ``--configfile PATH``.

    Raises:
        UserError: Snakemake cannot plan the study.
    """
    left, jobs = dry_run(options), dry_run([*options, "--forceall"])
    return format_status(count_jobs(jobs, left, started_outputs()), slurm_queue())
