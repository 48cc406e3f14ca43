"""Files are complete or absent, drafts do not pile up, and a full disk is named."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from s2snets.runtime import files, tables
from s2snets.runtime.chunked_parquet import ChunkedParquet
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import HOST, WEEK, replacing
from s2snets.training import checkpoint

ROWS = pd.DataFrame(
    {"a": range(1000), "b": [f"text {number}" for number in range(1000)]}
)
WRITERS = {
    "checkpoint.pt": lambda path: checkpoint.save(
        path, {"a": 1}, {"weight": torch.zeros(2**20)}
    ),
    "table.csv": lambda path: tables.write_csv(ROWS, path),
    "arrays.npz": lambda path: tables.write_arrays(path, {"a": np.arange(9999)}),
    "record.json": lambda path: files.write_json(path, {"a": 1}),
}


def draft_of(path, process=None, host=HOST):
    """The draft that a process of this number writes."""
    return path.with_name(f".{host}.{process or os.getpid()}.{path.name}")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_one_line_and_the_old_file_stays(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path)
    before = path.read_bytes()
    draft_of(path).symlink_to("/dev/full")
    with pytest.raises(UserError, match=rf"{name}: no space left.*; free some space"):
        WRITERS[name](path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_keeps_the_chunks_that_are_done(tmp_path):
    table = ChunkedParquet(tmp_path / "rows.parquet", 2, {})
    folder = table.files[0].parent
    folder.mkdir()
    draft_of(table.files[1]).symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"000001\.parquet: no space left"):
        table.write([ROWS, ROWS])
    assert list(folder.iterdir()) == table.files[:1]


def ended_process():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_drafts_of_killed_processes_are_removed_and_no_others(tmp_path):
    path = tmp_path / "checkpoint.pt"
    killed, old = draft_of(path, ended_process()), draft_of(path, 1, "elsewhere")
    older = tmp_path / ".23204.checkpoint.pt"  # as version 0.1 named them
    kept = [
        draft_of(path, os.getppid()),
        draft_of(path, 2, "elsewhere"),
        draft_of(tmp_path / "other.checkpoint.pt", ended_process()),
        draft_of(tmp_path / "checkpoint.pt.json", ended_process()),
        tmp_path / ".hidden.checkpoint.pt",
    ]
    for file in (killed, old, older, *kept):
        file.touch()
    for file in (old, older):
        os.utime(file, (0, file.stat().st_mtime - WEEK - 60))
    with replacing(path) as draft:
        draft.touch()
    assert set(tmp_path.iterdir()) == {path, *kept}


JOIN = """
import sys
from s2snets.runtime.run_lock import join_run
print(join_run(sys.argv[1]), flush=True)
sys.stdin.read()
"""


def test_a_runs_lock_ends_with_the_processes_that_hold_it(tmp_path):
    def join():
        process = subprocess.Popen(
            [sys.executable, "-c", JOIN, tmp_path / "lock"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path(files.__file__).parents[2])},
        )  # fmt: skip
        return process, process.stdout.readline().strip()

    (first, alone), (second, joined) = join(), join()
    assert (alone, joined) == ("True", "False")
    first.kill()
    first.communicate()
    (third, joined) = join()
    assert joined == "False"
    for process in (second, third):
        process.kill()
        process.communicate()
    last, alone = join()
    assert alone == "True"
    last.communicate()
