"""The smoke study, run once for all tests, and copies of it."""

import shutil
from types import SimpleNamespace

import pytest
from project import Project


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """The smoke study, run from nothing to its report."""
    project = Project(tmp_path_factory.mktemp("smoke"))
    done = project.snakemake()
    return SimpleNamespace(
        project=project, out=done.stdout, results=project.root / "results/smoke"
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
