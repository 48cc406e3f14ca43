"""Command line of rule ``audit_photos``: the store of shards -> tables, or a stop."""

from pathlib import Path

from s2snets.cleaning.audit import audit
from s2snets.cleaning.quality import dhash_of
from s2snets.cleaning.row_batches import read_abouts
from s2snets.config import Settings
from s2snets.runtime.files import replacing, write_json
from s2snets.runtime.tables import write_csv
from s2snets.stages.base import arguments, run

TABLES = ("outcomes", "totals", "shards", "licences")


class Job(Settings):
    shards: int
    profile: str
    max_rejected: float


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("store", "validation", *TABLES, "proposed", "summary"),
        lists=("reports", "rows"),
        model=Job,
    ).parse_args(argv)
    job.summary.parent.mkdir(parents=True, exist_ok=True)
    abouts = read_abouts(Path(folder) for folder in job.rows)
    tables, summary = audit(
        job.store,
        job.reports,
        rows=sum(about["rows"] for about in abouts),
        validation=job.validation,
        dhash_of=dhash_of,
        folder=job.summary.parent,
        **job.settings.model_dump(),
    )
    for name in TABLES:
        write_csv(tables[name], getattr(job, name))
    with replacing(job.proposed) as draft:
        tables["proposed"].to_csv(draft, sep="\t", index=False)
    write_json(job.summary, summary)


if __name__ == "__main__":
    run(main)
