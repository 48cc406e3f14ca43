"""What the demo costs, by rule: ``results/demo.csv``.

    PYTHONPATH=workflow python benchmarks/demo.py results/demo

Seconds are those of the jobs from start to end: of CPU seconds, Snakemake knows only
what it saw when it last looked. The run should be of a machine that does nothing else.
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


def rows(results: Path) -> Iterator[tuple[object, ...]]:
    """Yield rule, jobs, seconds, and their share in percent; the costliest rule first.

    The last row is of all jobs, with the commit and the processor of the run.
    """
    jobs, seconds = job_seconds(results)
    total = seconds.total()
    for rule, spent in seconds.most_common():
        yield rule, jobs[rule], f"{spent:.0f}", f"{100 * spent / total:.1f}"
    made = read_json(results / "seed-0/predictions/pretrained.json")
    run = "all ({commit} on {device})".format_map(made)
    yield run, jobs.total(), f"{total:.0f}", "100.0"


def main() -> None:
    """Write the table of a finished run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    options = parser.parse_args()
    record("demo", ["rule", "jobs", "seconds", "percent"], rows(options.results))


if __name__ == "__main__":
    main()
