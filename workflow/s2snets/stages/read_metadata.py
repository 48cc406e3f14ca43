"""Command line of rule ``read_metadata``: one source of rows -> a file a batch."""

from typing import Literal

from pydantic import NonNegativeInt

from s2snets.cleaning.row_batches import write_rows
from s2snets.config import Count, Settings
from s2snets.stages.base import arguments, recorded, run


class Job(Settings):
    kind: Literal["metadata", "hashes", "folder"]
    part: NonNegativeInt
    shards: Count
    batches: Count


def main(argv=None):
    job = arguments(__doc__, paths=("source", "rows", "record"), model=Job).parse_args(
        argv
    )
    chosen = job.settings
    with recorded(job.record, "s2snets.stages.read_metadata", chosen):
        write_rows(
            job.source,
            chosen.kind,
            job.rows,
            shards=chosen.shards,
            batches=chosen.batches,
            part=chosen.part,
        )


if __name__ == "__main__":
    run(main)
