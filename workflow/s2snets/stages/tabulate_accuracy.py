"""Command line of rule ``tabulate_accuracy``: predictions -> tables of accuracies."""

from typing import get_args

import numpy as np

from s2snets.config import Bootstrap, Reference
from s2snets.measure import accuracy
from s2snets.runtime.files import replacing
from s2snets.runtime.tables import SCORED, read_rows, write_csv
from s2snets.stages.base import arguments, run

KEPT = 2000  # resamples of Table 2 that RRC and lattices read


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("accuracy", "table1", "table2", "parts", "noise", "bootstrap"),
        lists=("predictions", "classifiers"),
        model=Bootstrap,
        part={"required": True, "help": "the part whose autoencoders are A_i"},
        reference={
            "choices": get_args(Reference),
            "default": "labels",
            "help": "what predictions are held against",
        },
    ).parse_args(argv)
    rows, chosen = read_rows(job.predictions, SCORED), job.settings
    rows = accuracy.apply_reference(rows, job.reference)
    table = accuracy.tabulate(rows, job.classifiers, job.part)
    samples = accuracy.resample(rows, chosen.resamples, chosen.seed)
    table = accuracy.add_intervals(table, samples)
    for made, path in (
        (table, job.accuracy),
        (accuracy.table1(table, job.part, samples), job.table1),
        (accuracy.parts(table, samples), job.parts),
        (accuracy.noise(table, job.part), job.noise),
    ):
        write_csv(accuracy.tag_agreement(made, job.reference), path)
    write_csv(accuracy.table2(table, job.part), job.table2)
    seeds = accuracy.accuracy_by_seed(rows)
    with replacing(job.bootstrap) as draft:
        np.savez(
            draft,
            classifiers=np.array(job.classifiers),
            table2=accuracy.cross_samples(samples[:KEPT], job.classifiers, job.part),
            seeds=seeds.index.to_numpy(),
            table2_seeds=accuracy.cross_samples(seeds, job.classifiers, job.part),
        )


if __name__ == "__main__":
    run(main)
