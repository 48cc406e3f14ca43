"""Command line of rule ``pack_images``: one set's sources -> tar shards and index."""

from collections import Counter

from s2snets.config import Settings, Source
from s2snets.data.shards import pack
from s2snets.data.sources import check_classes, classes_of, few, items
from s2snets.stages.base import THREADS, arguments, recorded, run


class Job(Settings):
    sources: list[Source]
    labelled: bool
    classes: list[str] | None
    named_by: list[Source] | None = None  # whose classes they are; None: its own
    seed: int
    shard_images: int


def classes_for(job):
    """Class names of a set, once its sources are known to have them; None without.

    Raises:
        UserError: other classes than the training set's, or an image without a label.
    """
    if not job.labelled:
        return None
    classes = job.classes or classes_of(job.named_by or job.sources)
    if job.classes or job.named_by:
        check_classes(job.sources, classes, complete=job.classes is None)
    return classes


def all_items(sources, classes, seed):
    """The images of every source in turn; how many of each class, told at the end."""
    counts = Counter()
    for number, source in enumerate(sources):
        for item in items(source, classes, (seed, number)):
            counts[item.label] += 1
            yield item
    if classes is not None:
        print(spread({name: counts[place] for place, name in enumerate(classes)}))


def spread(counts):
    """Images by class in one line: how many, the least and the most, and who has none.

    Args:
        counts: class name -> images.
    """
    least, most = min(counts, key=counts.get), max(counts, key=counts.get)
    empty = [name for name, count in counts.items() if not count]
    return (
        f"{sum(counts.values()):,} images of {len(counts):,} classes, from"
        f" {counts[least]:,} ({least}) to {counts[most]:,} ({most})"
        + (f"; none of {few(empty)}" if empty else "")
    )


def main(argv=None):
    job = arguments(
        __doc__, paths=("shards", "index", "record"), model=Job, threads=THREADS
    ).parse_args(argv)
    chosen = job.settings
    with recorded(job.record, "s2snets.stages.pack_images", chosen, chosen.seed):
        classes = classes_for(chosen)
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
