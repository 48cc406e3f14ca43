"""The smoke study, run once for all tests, and copies of it."""

import json
import shutil
from types import SimpleNamespace

import pytest
from filelock import FileLock
from project import Project


@pytest.fixture(scope="session")
def smoke(tmp_path_factory, worker_id):
    """The smoke study, run from nothing to its report by the first that needs it."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent  # of all processes of this run
    root, output = shared / "smoke", shared / "smoke.json"
    with FileLock(f"{root}.lock"):
        if not output.exists():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            output.write_text(json.dumps(Project(root).snakemake().stdout))
    return SimpleNamespace(
        project=Project(root, fresh=False),
        out=json.loads(output.read_text()),
        results=root / "results/smoke",
    )


@pytest.fixture
def copy(smoke, tmp_path):
    """A copy of the finished smoke study that a test may edit.

    Snakemake's metadata come along, and every time stamp: a rerun has its reasons in
    the edit alone.
    """
    project = Project(tmp_path)
    for name in ("results", ".snakemake"):
        shutil.copytree(smoke.project.root / name, project.root / name)
    return project
