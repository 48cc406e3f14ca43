"""Command line of rule ``tabulate_information``: per-image nMI -> means and ranks."""

from s2snets.config import Bootstrap
from s2snets.measure.accuracy import sources
from s2snets.measure.information import summarise
from s2snets.runtime.tables import read_rows, write_csv
from s2snets.stages.base import arguments, run


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("table",),
        lists=("information", "classifiers"),
        model=Bootstrap,
        part={"required": True, "help": "the part whose autoencoders are A_i"},
    ).parse_args(argv)
    labels = sources(job.classifiers, job.part)[["source", "label"]]
    rows = read_rows(job.information).merge(labels, on="source", validate="many_to_one")
    chosen = job.settings
    write_csv(summarise(rows, chosen.resamples, chosen.seed), job.table)


if __name__ == "__main__":
    run(main)
