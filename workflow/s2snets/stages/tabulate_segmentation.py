"""Command line of rule ``tabulate_segmentation``: scores beside the paper's Table 1.

The examples of all networks become one gallery.
"""

from pathlib import Path

import numpy as np

from s2snets.config import Bootstrap
from s2snets.data.segmentation import PUBLISHED
from s2snets.measure.segmentation import SCORES, add_printed, summarise
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing
from s2snets.runtime.tables import read_arrays, read_csv, read_rows, write_csv
from s2snets.stages.base import arguments, run


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("table", "gallery"),
        lists=("scores", "examples"),
        model=Bootstrap,
        printed={"type": Path, "required": True, "help": "the paper's table"},
        names={"nargs": "*", "default": [], "help": "the classifiers' names"},
        architectures={"nargs": "*", "default": [], "help": "and architectures"},
    ).parse_args(argv)
    if len(job.names) != len(job.architectures):
        raise UserError("names: give one architecture for each")
    printed = read_csv(job.printed, ["network", "method", *SCORES])
    printed = printed.fillna({"network": ""})
    printed[SCORES] = (printed[SCORES] / 100).round(4)
    table = summarise(read_rows(job.scores), job.settings.resamples, job.settings.seed)
    architectures = dict(zip(job.names, job.architectures, strict=True))
    write_csv(add_printed(table, printed, architectures, PUBLISHED), job.table)
    galleries = [read_arrays(path) for path in job.examples]
    with replacing(job.gallery) as draft:
        np.savez_compressed(
            draft,
            **{
                key: np.concatenate([one[key] for one in galleries])
                for key in galleries[0]
            },
        )


if __name__ == "__main__":
    run(main)
