"""Child processes find the library as the tests do."""

import os
from pathlib import Path

os.environ["PYTHONPATH"] = str(Path(__file__).parents[1] / "workflow")
# As a job of one thread: tests share the machine with the studies they start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
