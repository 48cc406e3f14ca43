"""Child processes find the library as the tests do; two tests run at a time."""

import os
from pathlib import Path

import pytest

os.environ["PYTHONPATH"] = str(Path(__file__).parents[1] / "workflow")
# As a job of one thread: tests share the machine with the studies they start.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items):
    """Deal out whole files, and all that shares the smoke study to one worker."""
    for item in items:
        shared = "smoke" in item.fixturenames
        group = "smoke" if shared else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))
