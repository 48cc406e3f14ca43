"""Child processes find the library as the tests do; two tests run at a time."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
os.environ["PYTHONPATH"] = str(HERE.parent / "workflow")
# As a job of one thread: tests share the machine with the studies they start.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items):
    """Deal out whole files, and all that runs Snakemake to one worker."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        group = item.path.stem if folder == "unit" else "snakemake"
        item.add_marker(pytest.mark.xdist_group(group))
