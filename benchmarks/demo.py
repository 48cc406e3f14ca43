"""What the demo costs, by rule, beside another run: ``results/demo.csv``.

    PYTHONPATH=workflow python benchmarks/demo.py results/demo BEFORE

Seconds are those of the jobs from start to end; seconds of the processor are the
stages' own, of those that leave a record. BEFORE is the folder of a finished study of
an earlier commit. Both should be runs of a machine that does nothing else.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from common import record

from s2snets.runtime.files import read_json
from s2snets.runtime.tables import read_csv

COLUMNS = ["rule", "jobs", "seconds_before", "seconds", "cpu_seconds"]


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


def origin(results: Path) -> str:
    """Return the commit and the processor of a run."""
    made = read_json(results / "seed-0/predictions/pretrained.json")
    return "{commit} on {device}".format_map(made)


def rows(results: Path, before: Path) -> Iterator[tuple[object, ...]]:
    """Yield a row for each rule, the costliest first, and one for all jobs."""
    (jobs, seconds), (_, earlier) = job_seconds(results), job_seconds(before)
    costs = read_csv(results / "tables/costs.csv", ["rule", "cpu_seconds"])
    processor = Counter(costs.groupby("rule")["cpu_seconds"].sum().to_dict())
    for rule, spent in seconds.most_common():
        own = f"{processor[rule]:.0f}" if rule in processor else ""
        yield rule, jobs[rule], f"{earlier[rule]:.0f}", f"{spent:.0f}", own
    totals = [one.total() for one in (earlier, seconds, processor)]
    title = f"all ({origin(results)}; before: {origin(before)})"
    yield title, jobs.total(), *(f"{total:.0f}" for total in totals)


def main() -> None:
    """Write the table of a finished run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("before", type=Path)
    options = parser.parse_args()
    record("demo", COLUMNS, rows(options.results, options.before))


if __name__ == "__main__":
    main()
