"""A copy of the project in a scratch folder, and how tests run it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from unittest.mock import patch

import yaml
from filelock import FileLock

from s2snets.runtime import fork_server

ROOT = Path(__file__).parents[1]
PRELOADED = ROOT / "tests/preloaded"
SNAKEMAKE = ("snakemake.cli", "snakemake.executors")


@cache
def server():
    """The socket of a server that forks what would import torch; it is started once."""
    session = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    path = Path(tempfile.gettempdir()) / f"s2snets-{session}.socket"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            # Without what the first test puts on the path: a `sitecustomize` that the
            # server has imported would not be imported anew by what it forks.
            with patch.dict(os.environ, PYTHONPATH=str(ROOT / "workflow")):
                process = fork_server.launch(path, (*fork_server.MODULES, *SNAKEMAKE))
            while not path.exists():
                assert process.poll() is None
                time.sleep(0.05)
    return str(path)


class Project:
    """A checkout that tests may edit, and its runs of Snakemake."""

    def __init__(self, root, fresh=True):
        self.root = root
        if not fresh:
            return
        shutil.copy2(ROOT / "Snakefile", root)
        for name in ("workflow", "config", "docs"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        (root / "profiles").symlink_to("workflow/profiles")
        (root / "resources").symlink_to(ROOT / "resources")

    def snakemake(self, *arguments, preset="config/smoke.yaml", check=True, fork=True):
        """Run Snakemake; targets and flags as on the command line.

        Args:
            fork: whether a server of the tests forks its processes.

        Returns:
            The finished process, standard error folded into standard output.
        """
        command = [sys.executable, "-m", "snakemake", "--cores", "2"]
        command += [*arguments, "--configfile", preset]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        environment[fork_server.VARIABLE] = "off"
        if fork:
            environment[fork_server.VARIABLE] = server()
            environment["S2SNETS_TESTS_CLIENT"] = fork_server.__file__
            environment["PYTHONPATH"] += f"{os.pathsep}{PRELOADED}"
        done = subprocess.run(
            list(map(str, command)), cwd=self.root, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=environment,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, done.stdout + self.logs()
        return done

    def logs(self):
        """What the stages had to say, for a failed test's message."""
        return "\n".join(
            f"--- {path}\n{path.read_text()}"
            for path in self.root.rglob("logs/**/*.log")
        )

    def plan(self, *arguments, **options):
        """Jobs of a dry run: rule -> number; empty where nothing is to be done."""
        out = self.snakemake(
            *arguments, "--dry-run", "--quiet", "rules", **options
        ).stdout
        if "Nothing to be done" in out:
            return {}
        lines = out.split("Job stats:")[1].splitlines()[3:]
        rows = [line.split() for line in lines]
        counts = {
            row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()
        }
        counts.pop("total")
        return counts

    def variant(self, name, base="smoke", **changes):
        """A preset that is another one with some keys changed; its path."""
        values = yaml.safe_load((self.root / f"config/{base}.yaml").read_text())
        path = self.root / f"config/{name}.yaml"
        path.write_text(yaml.safe_dump(merged(values, changes), sort_keys=False))
        return path

    def edit(self, path, old, new):
        """Replace text in one of the copy's files."""
        path = self.root / path
        text = path.read_text()
        assert old in text, f"{path} no longer has {old!r}"
        path.write_text(text.replace(old, new))


def merged(values, changes):
    """Nested mappings, the second laid over the first."""
    for key, value in changes.items():
        nested = isinstance(value, dict) and isinstance(values.get(key), dict)
        values[key] = merged(values[key], value) if nested else value
    return values


def one_line(done, *parts):
    """The complaint of a failed run: the parts in one line, and no traceback."""
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert any(
        all(part in line for part in parts) for line in done.stdout.splitlines()
    ), done.stdout
