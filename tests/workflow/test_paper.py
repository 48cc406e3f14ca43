"""The published study's configuration, at its own size, without its data."""

import os
import shutil
from types import SimpleNamespace

import imagenet
import pytest
import weights
import yfcc
from project import Project

ONE = {"images": 1, "batch": 1, "check_every": 1}
FEW = {
    "data": {
        "validation": [
            {
                "path": "data/imagenet/val",
                "labels": f"data/imagenet/{imagenet.DEVKIT}",
                "images": 3,
            }
        ]
    },
    "clean": {
        "metadata": ["data/yfcc100m/v2/yfcc100m_dataset.bz2"],
        "exclude": "data/yfcc100m/exclude.txt",
        "shards": 2, "batches": 1, "held_out": 2,
        "most_rejected": 0.9,  # one of each kind of trouble, among few
    },
    "train": ONE,
    "pretrain": {"validation_images": 1, "photos": ONE, "labelled": ONE},
    "finetune": ONE | {"parts": ["decoder"]},
    "predict": {"strengths": [0.0, 0.5], "noisy_images": 1, "batch": 2},
    "denoise": {"methods": ["autoencoder"], "images": 1, "training": ONE},
    "information": {"bins": [32], "images": 2},
    "bootstrap": {"resamples": 20},
    "gallery": {"images": 2, "strengths": [0.0]},
    "figures": {"dpi": 50},
}  # fmt: skip
"""``config/paper.yaml`` with fewer images, noises and parts; all else is its own."""


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """The paper's networks and images at their size, an image a stage, to the report.

    Gigabytes: nothing of it outlives the tests.
    """
    project = Project(tmp_path_factory.mktemp("paper"))
    truth = imagenet.make(project.root / "data/imagenet")
    yfcc.make(project.root / "data/yfcc100m", photos=200)
    torch_home = project.root / "torch"
    weights.publish_in_stages(
        project.root, weights.fabricated(torch_home / "hub/checkpoints")
    )
    preset = project.variant("few", base="paper", **FEW).relative_to(project.root)
    with pytest.MonkeyPatch.context() as patch:
        found = os.pathsep.join([os.environ["PYTHONPATH"], str(project.root)])
        patch.setenv("PYTHONPATH", found)
        patch.setenv("TORCH_HOME", str(torch_home))
        done = project.snakemake(preset=preset)
        yield SimpleNamespace(
            project=project,
            preset=preset,
            truth=truth,
            out=done.stdout,
            results=project.root / "results/paper",
        )
    shutil.rmtree(project.root)
