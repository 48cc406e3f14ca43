"""Command line of rule ``report``: tables and figures into one offline HTML file."""

import json
import time
from pathlib import Path

from s2snets.report.companions import TABLES as COMPANIONS
from s2snets.report.page import CAPTIONS, TABLES, write
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json
from s2snets.runtime.fingerprint import fingerprint
from s2snets.runtime.records import make_record
from s2snets.runtime.tables import read_arrays, read_csv
from s2snets.stages.base import arguments, run

STAGE = "s2snets.stages.report"


def plain(text):
    """A JSON object, given as text or as the path of a file.

    Raises:
        UserError: it is neither.
    """
    try:
        return json.loads(text) if text.lstrip().startswith("{") else read_json(text)
    except ValueError as error:
        raise UserError(f"--config: not JSON ({error})") from None


def main(argv=None):
    started = time.monotonic()
    job = arguments(
        __doc__,
        paths=(
            *TABLES,
            "lattices",
            "distinct",
            "gallery",
            "validation",
            "deviations",
            "html",
        ),
        lists=("figures",),
        cleaning={
            "type": Path,
            "nargs": "?",
            "help": "the audit's summary; none: nothing was cleaned",
        },
        **{
            name: {"type": Path, "nargs": "?", "help": "none: no such study"}
            for name in COMPANIONS
        },
        config={"type": plain, "required": True, "help": "all settings, JSON"},
    ).parse_args(argv)
    given = {
        name: need for name, need in (TABLES | COMPANIONS).items() if getattr(job, name)
    }
    write(
        job.html,
        {name: read_csv(getattr(job, name), need) for name, need in given.items()},
        read_json(job.lattices),
        read_json(job.distinct),
        read_arrays(job.gallery),
        classes=read_json(job.validation)["classes"],
        deviations=job.deviations.read_text(encoding="utf-8"),
        figures=[Path(figure) for figure in job.figures],
        captions=CAPTIONS,
        config=job.config,
        cleaning=read_json(job.cleaning) if job.cleaning else None,
        record=make_record("report", job.config, None, fingerprint(STAGE), started),
    )


if __name__ == "__main__":
    run(main)
