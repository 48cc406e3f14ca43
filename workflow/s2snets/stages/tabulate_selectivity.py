"""Command line of rule ``tabulate_selectivity``: similarities -> means, intervals."""

from s2snets.config import Bootstrap
from s2snets.measure.similarity import summarise
from s2snets.runtime.tables import read_rows, write_csv
from s2snets.stages.base import arguments, run


def main(argv=None):
    job = arguments(
        __doc__, paths=("table",), lists=("selectivity",), model=Bootstrap
    ).parse_args(argv)
    chosen = job.settings
    rows = read_rows(job.selectivity)
    write_csv(summarise(rows, chosen.resamples, chosen.seed), job.table)


if __name__ == "__main__":
    run(main)
