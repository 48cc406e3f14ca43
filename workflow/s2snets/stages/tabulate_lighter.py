"""Command line of rule ``tabulate_lighter``: accuracy against cost, one table."""

import pandas as pd

from s2snets.config import Autoencoder, Reference, Settings
from s2snets.measure.accuracy import tag_agreement, apply_reference
from s2snets.measure.lighter import against_cost
from s2snets.networks.cost import multiply_adds, parameters
from s2snets.networks.segnet import SegNet
from s2snets.runtime.tables import SCORED, read_csv, read_rows, write_csv
from s2snets.stages.base import arguments, run


class Job(Settings):
    image_size: int
    autoencoders: list[Autoencoder]
    reference: Reference = "labels"


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("table",),
        lists=("predictions", "curves", "sources", "classifiers"),
        model=Job,
    ).parse_args(argv)
    costs = []
    for source, path, one in zip(
        job.sources, job.curves, job.settings.autoencoders, strict=True
    ):
        model = SegNet(one.width, one.stages)
        curve = read_csv(path, ["validation_labelled"])
        costs.append(
            {
                "source": source,
                "width": one.width,
                "stages": one.stages,
                "parameters": parameters(model),
                "multiply_adds": multiply_adds(model, job.settings.image_size),
                "mse": curve["validation_labelled"].iloc[-1],
            }
        )
    reference = job.settings.reference
    rows = apply_reference(read_rows(job.predictions, SCORED), reference)
    table = against_cost(rows, pd.DataFrame(costs), job.classifiers)
    write_csv(tag_agreement(table, reference), job.table)


if __name__ == "__main__":
    run(main)
