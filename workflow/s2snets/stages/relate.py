"""Command line of rule ``relate``: Table 2 -> the RRC of every pair (section 3.4)."""

from pathlib import Path

from s2snets.measure.rrc import relate
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_arrays, read_csv, write_csv
from s2snets.stages.base import arguments, run


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("table2", "rrc"),
        bootstrap={"type": Path, "help": "resampled tables; none: no intervals"},
    ).parse_args(argv)
    table, drawn = read_csv(job.table2, ["autoencoder"]), {}
    if job.bootstrap is not None:
        arrays = read_arrays(job.bootstrap)
        if list(arrays["classifiers"]) != [c for c in table if c != "autoencoder"]:
            raise UserError(
                f"{job.bootstrap}: its classifiers are not the columns of"
                f" {job.table2}; make both anew"
            )
        drawn = {"samples": arrays["table2"], "seeds": arrays["table2_seeds"]}
    write_csv(relate(table, **drawn), job.rrc)


if __name__ == "__main__":
    run(main)
