"""What the demo costs, by rule, in two finished runs: ``results/demo.csv``.

    PYTHONPATH=workflow python benchmarks/demo.py BEFORE/results/demo results/demo

Seconds are those of the jobs from start to end: of CPU seconds, Snakemake knows only
what it saw when it last looked. Both runs should be of one machine that does nothing
else, with the same number of cores.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from common import record

from s2snets.runtime.files import read_json


def job_seconds(results: Path) -> tuple[Counter[str], Counter[str]]:
    """Return the jobs and their seconds by rule, from a run's benchmark files.

    Args:
        results: folder of the study.
    """
    jobs, seconds = Counter[str](), Counter[str]()
    folder = results / "benchmarks"
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        with path.open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                jobs[rule] += 1
                seconds[rule] += float(row["s"])
    return jobs, seconds


def commit(results: Path) -> str:
    """Return the commit and the processor of a run."""
    made = read_json(results / "seed-0/predictions/pretrained.json")
    return f"{made['commit']} on {made['device']}"


def rows(before: Path, after: Path) -> Iterator[tuple[object, ...]]:
    """Yield rule, jobs and seconds of both runs; the costliest rule first."""
    (jobs, seconds), (other_jobs, other_seconds) = map(job_seconds, (before, after))
    rules = sorted({*seconds, *other_seconds}, key=lambda one: -seconds[one])
    for rule in rules:
        yield (
            rule,
            jobs[rule],
            round(seconds[rule], 1),
            other_jobs[rule],
            round(other_seconds[rule], 1),
        )
    yield (
        f"all ({commit(before)}; {commit(after)})",
        *(jobs.total(), round(seconds.total(), 1)),
        *(other_jobs.total(), round(other_seconds.total(), 1)),
    )


def main() -> None:
    """Write the table of two runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    options = parser.parse_args()
    header = ["rule", "jobs_before", "seconds_before", "jobs", "seconds"]
    record("demo", header, rows(options.before, options.after))


if __name__ == "__main__":
    main()
