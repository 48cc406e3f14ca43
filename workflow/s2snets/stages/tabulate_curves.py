"""Command line of rule ``tabulate_curves``: the pretrainings' curves -> one table."""

import pandas as pd

from s2snets.runtime.tables import read_csv, write_csv
from s2snets.stages.base import arguments, run

COLUMNS = {
    "images": "images",
    "mse": "training",
    "validation_photos": "validation_photos",
    "validation_labelled": "validation_labelled",
    "rate": "rate",
}


def main(argv=None):
    job = arguments(__doc__, paths=("table",), lists=("curves", "corpora")).parse_args(
        argv
    )
    parts = []
    for corpus, path in zip(job.corpora, job.curves, strict=True):
        curve = read_csv(path, COLUMNS)[list(COLUMNS)].rename(columns=COLUMNS)
        curve.insert(0, "corpus", corpus)
        parts.append(curve)
    write_csv(pd.concat(parts, ignore_index=True), job.table)


if __name__ == "__main__":
    run(main)
