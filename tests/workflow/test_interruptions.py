"""A run that was killed at any moment goes on with the same command."""

import os
import random
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from project import Project, one_line

TIMES = int(os.environ.get("S2SNETS_INTERRUPTIONS", 1))
TARGETS = [
    "results/smoke/seed-0/classifiers/L/weights.safetensors",
    "results/smoke/data/validation/index.npz",
]


def start(project):
    """Start Snakemake in a session of its own; standard error is read as it comes."""
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "2", *TARGETS,
         "--configfile", "config/smoke.yaml"],
        cwd=project.root, text=True, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        # Background jobs of a shell ignore Ctrl-C, and so would what they start.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(TIMES))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_same_command_goes_on_after_a_kill(smoke, tmp_path, number, seed):
    draw = random.Random(seed)
    project, jobs, seconds = Project(tmp_path), draw.randint(1, 3), 4 * draw.random()
    run = start(project)
    for line in run.stderr:
        jobs -= line.startswith(("rule ", "localrule "))
        if not jobs:
            break
    time.sleep(seconds)
    os.killpg(run.pid, number)
    run.communicate()
    done = project.snakemake(*TARGETS)
    for name in ("weights.safetensors", "curve.csv"):
        path = "seed-0/classifiers/L/" + name
        expected = (smoke.results / path).read_bytes()
        assert (tmp_path / "results/smoke" / path).read_bytes() == expected, done.stdout
    assert not list(tmp_path.glob(".snakemake/locks/*.lock"))


def test_a_checkouts_name_is_no_shell_code(tmp_path):
    root = tmp_path / 'it\'s $(touch ran) `touch ran` {x} \\ "here" <b>'
    root.mkdir()
    project = Project(root)
    done = project.snakemake("results/smoke/data/validation/index.npz")
    assert (root / "results/smoke/data/validation/index.npz").exists(), done.stdout
    assert not list(tmp_path.rglob("ran"))


def test_a_checkout_that_path_cannot_hold_is_refused(tmp_path):
    (tmp_path / "a:b").mkdir()
    done = Project(tmp_path / "a:b").snakemake("--dry-run", check=False)
    one_line(done, "a:b", "no folder of PATH may contain ':'; move it")
