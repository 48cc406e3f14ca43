"""Command line of rule ``index_photos``: the store -> the two sets of photographs."""

from pathlib import Path

from s2snets.cleaning.exclusion import read_lists
from s2snets.cleaning.index import write_sets
from s2snets.config import Settings
from s2snets.stages.base import arguments, recorded, run


class Job(Settings):
    shards: int
    held_out: int


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("store", "photos", "validation", "record"),
        lists=("reports",),
        model=Job,
        exclude={
            "type": Path,
            "nargs": "?",
            "help": "list of photo ids and users' ids to leave out",
        },
    ).parse_args(argv)
    with recorded(job.record, "s2snets.stages.index_photos", job.settings):
        write_sets(
            job.store,
            job.reports,
            job.settings.shards,
            held_out=job.settings.held_out,
            photos=job.photos,
            validation=job.validation,
            excluded=read_lists(job.exclude).excluded,
        )


if __name__ == "__main__":
    run(main)
