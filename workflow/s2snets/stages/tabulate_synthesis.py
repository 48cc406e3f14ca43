"""Command line of rule ``tabulate_synthesis``: scores of images -> means by mode."""

from s2snets.config import Bootstrap
from s2snets.measure.modes import summarise
from s2snets.runtime.tables import read_rows, write_csv
from s2snets.stages.base import arguments, run


def main(argv=None):
    job = arguments(
        __doc__, paths=("table",), lists=("scores",), model=Bootstrap
    ).parse_args(argv)
    chosen = job.settings
    write_csv(
        summarise(read_rows(job.scores), chosen.resamples, chosen.seed), job.table
    )


if __name__ == "__main__":
    run(main)
