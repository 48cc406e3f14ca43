"""Command line of rule ``tabulate_costs``: Snakemake's benchmark files -> one table."""

from pathlib import Path

import pandas as pd

from s2snets.runtime.tables import write_csv
from s2snets.stages.base import arguments, run

COLUMNS = {"s": "seconds", "cpu_time": "cpu_seconds", "max_rss": "peak_mb"}


def main(argv=None):
    job = arguments(__doc__, paths=("table",), lists=("benchmarks",)).parse_args(argv)
    parts = []
    for path in map(Path, job.benchmarks):
        # Laid out as RULE/…WILDCARDS….tsv below the folder of benchmarks.
        parts_of = path.parts[path.parts.index("benchmarks") + 1 :]
        measured = pd.read_csv(path, sep="\t", na_values="-")
        row = measured[list(COLUMNS)].rename(columns=COLUMNS)
        row.insert(0, "rule", parts_of[0])
        row.insert(1, "job", "/".join(parts_of[1:]).removesuffix(".tsv"))
        parts.append(row)
    write_csv(pd.concat(parts, ignore_index=True), job.table)


if __name__ == "__main__":
    run(main)
