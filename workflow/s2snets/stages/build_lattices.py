"""Command line of rule ``build_lattices``: RRC -> concept lattices (section 3.4)."""

from s2snets.measure.lattice import build
from s2snets.runtime.files import write_json
from s2snets.runtime.tables import read_csv
from s2snets.stages.base import arguments, run


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("rrc", "lattices"),
        thresholds={"nargs": "+", "type": float, "required": True, "help": "in [0, 1]"},
    ).parse_args(argv)
    rrc = read_csv(job.rrc, ["autoencoder", "classifier", "rrc"])
    write_json(job.lattices, [build(rrc, threshold) for threshold in job.thresholds])


if __name__ == "__main__":
    run(main)
