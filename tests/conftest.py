"""Child processes find the library as the tests do."""

import os
from pathlib import Path

os.environ["PYTHONPATH"] = str(Path(__file__).parents[1] / "workflow")
# As a job of one thread: tests share the machine with the studies they start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ORDER = ("slurm", "workflow", "unit")
"""The folders, the slowest files first: what is left at the end is soon done."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ORDER.index(item.path.parent.name))
