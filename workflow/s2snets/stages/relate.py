"""Command line of rule ``relate``: Table 2 -> the RRC of every pair (section 3.4)."""

from s2snets.measure.rrc import relate
from s2snets.stage import arguments, run
from s2snets.tables import read_csv, write_csv


def main(argv=None):
    job = arguments(__doc__, paths=("table2", "rrc")).parse_args(argv)
    write_csv(relate(read_csv(job.table2, ["autoencoder"])), job.rrc)


if __name__ == "__main__":
    run(main)
