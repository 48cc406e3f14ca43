"""Command line of rule ``tabulate_inverse``: inverses' errors -> one table (3.3)."""

from pathlib import Path

from s2snets.config import Bootstrap
from s2snets.measure.inversion import compare
from s2snets.runtime.tables import read_csv, read_rows, write_csv
from s2snets.stages.base import arguments, run


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("printed", "table"),
        lists=("errors",),
        model=Bootstrap,
    ).parse_args(argv)
    table = compare(
        read_rows([Path(path) for path in job.errors]),
        read_csv(job.printed, ["informed", "against", "lower"]),
        resamples=job.settings.resamples,
        seed=job.settings.seed,
    )
    write_csv(table, job.table)


if __name__ == "__main__":
    run(main)
