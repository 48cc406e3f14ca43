"""Command line of rule ``tabulate_denoising``: predictions -> one table."""

from typing import get_args

from s2snets.config import Reference
from s2snets.measure.accuracy import tag_agreement
from s2snets.measure.denoising import compare
from s2snets.runtime.tables import SCORED, read_rows, write_csv
from s2snets.stages.base import arguments, run


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("table",),
        lists=("predictions", "denoised", "classifiers", "denoisers"),
        part={"required": True, "help": "the part whose autoencoders are A_i"},
        reference={
            "choices": get_args(Reference),
            "default": "labels",
            "help": "what predictions are held against",
        },
    ).parse_args(argv)
    table = compare(
        read_rows(job.predictions, SCORED),
        read_rows(job.denoised, SCORED),
        job.classifiers,
        job.denoisers,
        job.part,
        job.reference,
    )
    write_csv(tag_agreement(table, job.reference), job.table)


if __name__ == "__main__":
    run(main)
