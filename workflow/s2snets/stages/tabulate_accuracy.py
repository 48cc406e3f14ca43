"""Command line of rule ``tabulate_accuracy``: predictions -> tables of accuracies."""

from s2snets.measure import accuracy
from s2snets.stage import arguments, run
from s2snets.tables import read_rows, write_csv


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("accuracy", "table1", "table2", "parts", "noise"),
        lists=("predictions", "classifiers"),
        part={"required": True, "help": "the part whose autoencoders are A_i"},
    ).parse_args(argv)
    table = accuracy.tabulate(read_rows(job.predictions), job.classifiers, job.part)
    write_csv(table, job.accuracy)
    write_csv(accuracy.table1(table, job.part), job.table1)
    write_csv(accuracy.table2(table, job.part), job.table2)
    write_csv(accuracy.parts(table), job.parts)
    write_csv(accuracy.noise(table, job.part), job.noise)


if __name__ == "__main__":
    run(main)
