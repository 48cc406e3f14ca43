"""Given classifiers, from settings to files."""

import json
import os

import pytest
import weights
from conftest import Project
from weights import MODELS

FUNCTION = """from torch import nn

def net():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10)), {"mean": (0, 0, 0)}
"""
TARGET = "results/smoke/seed-0/classifiers/G/weights.safetensors"


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def preset(project, **classifier):
    return project.variant("given", study="smoke", classifiers={"G": classifier})


def test_a_users_function_is_exported_anew_when_its_meaning_changes(project):
    path = project.root / "mine.py"
    path.write_text(FUNCTION)
    given = preset(project, architecture="mine:net")
    project.snakemake(TARGET, preset=given)
    spec = json.loads((project.root / TARGET).with_name("spec.json").read_text())
    assert (spec["architecture"], spec["classes"]) == ("mine:net", 10)
    path.write_text("# A comment.\n" + FUNCTION)
    assert project.plan(TARGET, preset=given) == {}
    path.write_text(FUNCTION.replace("(0, 0, 0)", "(1, 1, 1)"))
    assert project.plan(TARGET, preset=given) == {"export_classifier": 1}


def test_a_function_that_is_not_there_stops_before_anything_runs(project):
    given = preset(project, architecture="mine:net")
    done = project.snakemake("--dry-run", preset=given, check=False)
    assert done.returncode != 0
    assert "there is no module 'mine' in the working directory" in done.stdout


def test_published_weights_are_fetched_here_and_read_by_the_job(project, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(project.root / "torch"))
    folder = project.root / "torch/hub/checkpoints"
    folder.mkdir(parents=True)
    path = weights.placed(MODELS.squeezenet1_1().state_dict(), folder, "squeezenet1_1")
    weights.publish_in_stages(project.root, {"squeezenet1_1": path}, "DEFAULT")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], str(project.root)])
    )
    squeezenet = "torchvision/squeezenet1_1"
    given = preset(project, architecture=squeezenet, weights="DEFAULT", resize=64)
    assert project.plan(TARGET, preset=given) == {
        "fetch_weights": 1,
        "export_classifier": 1,
    }
    project.snakemake(TARGET, preset=given)
    receipt = json.loads((project.root / "results/smoke/weights/G.json").read_text())
    assert receipt["file"] == str(path)
    path.unlink()
    assert project.plan(TARGET, preset=given) == {}
    (project.root / "results/smoke/weights/G.json").unlink()
    (project.root / TARGET).unlink()
    project.snakemake(TARGET, preset=given, check=False)
    assert f"{path} is not there and cannot be fetched" in project.logs()
