"""Command line of rule ``pack_images``: one set's sources -> tar shards and index."""

from s2snets.config import Settings, Source
from s2snets.data.packing import pack, set_classes, set_items
from s2snets.stages.base import THREADS, arguments, recorded, run


class Job(Settings):
    sources: list[Source]
    labelled: bool
    classes: list[str] | None
    named_by: list[Source] | None = None  # whose classes they are; None: its own
    seed: int
    shard_images: int


def main(argv=None):
    job = arguments(
        __doc__, paths=("shards", "index", "record"), model=Job, threads=THREADS
    ).parse_args(argv)
    chosen = job.settings
    with recorded(job.record, "s2snets.stages.pack_images", chosen, chosen.seed):
        classes = None
        if chosen.labelled:
            classes = set_classes(chosen.sources, chosen.classes, chosen.named_by)
        pack(
            set_items(chosen.sources, classes, chosen.seed),
            job.shards,
            job.index,
            classes=classes,
            shard_images=chosen.shard_images,
            threads=job.threads,
        )


if __name__ == "__main__":
    run(main)
