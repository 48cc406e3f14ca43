"""Command line of rule ``survey_lattices``: every lattice, and how often it recurs."""

from pathlib import Path

from s2snets.measure import lattice
from s2snets.measure.rrc import rates
from s2snets.runtime.files import write_json
from s2snets.runtime.tables import read_arrays, read_csv, write_csv
from s2snets.stages.base import arguments, run


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("rrc", "distinct", "table", "relations", "chains"),
        thresholds={"nargs": "+", "type": float, "required": True, "help": "in [0, 1]"},
        bootstrap={"type": Path, "help": "resampled tables; none: no shares"},
    ).parse_args(argv)
    rrc, drawn = read_csv(job.rrc, ["autoencoder", "classifier", "rrc"]), {}
    if job.bootstrap is not None:
        arrays = read_arrays(job.bootstrap)
        drawn = {
            "samples": rates(arrays["table2"]),
            "seeds": rates(arrays["table2_seeds"]),
        }
    found = lattice.survey(rrc, **drawn)
    write_json(job.distinct, found)
    write_csv(lattice.tabulate(found), job.table)
    write_csv(lattice.relations(rrc, job.thresholds, **drawn), job.relations)
    write_csv(lattice.chains(rrc, job.thresholds, **drawn), job.chains)


if __name__ == "__main__":
    run(main)
