"""Command line of rule ``clean_photos``: one batch of rows -> its shards."""

from pathlib import Path

from s2snets.cleaning.batch import clean_batch
from s2snets.cleaning.exclusion import read_lists
from s2snets.cleaning.row_batches import check_parts, read_abouts, read_batch
from s2snets.config import Clean
from s2snets.runtime.files import write_json
from s2snets.stages.base import THREADS, arguments, run


def main(argv=None):
    optional = ("hashes", "zips-index", "exclude", "placeholders")
    job = arguments(
        __doc__,
        paths=("store", "report"),
        lists=("rows",),
        model=Clean,
        batch={"type": int, "required": True},
        threads=THREADS,
        **{name: {"type": Path} for name in optional},
    ).parse_args(argv)
    clean, folders = job.settings, [Path(folder) for folder in job.rows]
    check_parts(
        read_abouts(folders),
        by_line=clean.zips is not None and clean.zips.names == "line",
    )
    report = clean_batch(
        read_batch(folders, job.hashes, job.batch),
        job.batch,
        store=job.store,
        clean=clean,
        lists=read_lists(job.exclude, job.placeholders),
        zips_index=job.zips_index,
        threads=job.threads,
    )
    write_json(job.report, report)


if __name__ == "__main__":
    run(main)
