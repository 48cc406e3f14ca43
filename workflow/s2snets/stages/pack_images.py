"""Command line of rule ``pack_images``: one set's sources -> tar shards and index."""

from s2snets.config import Settings, Source
from s2snets.data.shards import pack
from s2snets.data.sources import classes_of, items
from s2snets.stage import THREADS, arguments, recorded, run


class Job(Settings):
    sources: list[Source]
    labelled: bool
    classes: list[str] | None
    seed: int
    shard_images: int


def all_items(sources, classes, seed):
    """The images of every source in turn."""
    for number, source in enumerate(sources):
        yield from items(source, classes, (seed, number))


def main(argv=None):
    job = arguments(
        __doc__, paths=("shards", "index", "record"), model=Job, threads=THREADS
    ).parse_args(argv)
    chosen = job.settings
    with recorded(job.record, "s2snets.stages.pack_images", chosen, chosen.seed):
        first = chosen.sources[0]
        classes = classes_of(first, chosen.classes) if chosen.labelled else None
        pack(
            all_items(chosen.sources, classes, chosen.seed),
            job.shards,
            job.index,
            classes=classes,
            shard_images=chosen.shard_images,
            threads=job.threads,
        )


if __name__ == "__main__":
    run(main)
