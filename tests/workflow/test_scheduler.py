"""Snakemake's scheduler looks for jobs when one ends, and not all the time."""

import subprocess
import sys

import pytest
from project import ROOT

JOBS = 6
SNAKEFILE = f"""
{{include}}

rule all:
    input: expand("{{{{number}}}}", number=range({JOBS}))

rule one:
    output: "{{{{number}}}}"
    shell: "sleep 1; touch {{{{output}}}}"
"""


def looks(folder, include):
    """Return how often the scheduler looked for jobs in a run of one job a second."""
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE.format(include=include))
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--verbose"],
        cwd=folder, text=True, capture_output=True, check=True,
    )  # fmt: skip
    return run.stderr.count("Resources before job selection")


def test_the_scheduler_looks_once_for_each_job(tmp_path):
    include = f"include: {str(ROOT / 'workflow/rules/scheduler.smk')!r}"
    assert looks(tmp_path / "ours", include) <= JOBS + 2


@pytest.mark.xfail(reason="then scheduler.smk can be deleted", strict=True)
def test_snakemake_itself_does_so(tmp_path):
    assert looks(tmp_path / "plain", "") <= JOBS + 2
