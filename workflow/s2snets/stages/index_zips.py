"""Command line of rule ``index_zips``: zip files of photographs -> one index."""

from pathlib import Path

from s2snets.cleaning.zips import index_zips
from s2snets.config import Zips
from s2snets.stages.base import THREADS, arguments, recorded, run


def main(argv=None):
    job = arguments(
        __doc__, paths=("index", "record"), model=Zips, threads=THREADS
    ).parse_args(argv)
    zips = job.settings
    with recorded(job.record, "s2snets.stages.index_zips", zips):
        index_zips(Path(zips.path), zips.names, job.index, job.threads)


if __name__ == "__main__":
    run(main)
