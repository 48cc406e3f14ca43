"""The published study's configuration, at its own size, without its data."""

import json
import os
import shutil
from types import SimpleNamespace

import imagenet
import numpy as np
import pandas as pd
import pytest
import weights
import yaml
import yfcc
from project import Project, one_line
from safetensors import safe_open

COMPANIONS = {
    "reverse_network": 2, "tabulate_selectivity": 1,
    "train_inverse": 4, "measure_inverse": 1, "tabulate_inverse": 1,
    "train_generator": 1, "synthesise": 2, "rank_images": 1,
    "tabulate_synthesis": 1, "collect_synthesis": 1,
    "check_classes": 1,  # empty folders leave it to packing
    **{
        f"salient_{name}": 1
        for name in ("architectures", "variants", "neurons", "selectivity", "support",
                     "phase", "inversion")
    },
    **{
        f"synthesis_{name}": 1
        for name in ("modes", "bias", "filters", "compounds", "measures",
                     "sheet_V16_scratch", "sheet_V16_pretrained")
    },
    "tabulate_main_costs": 1, "main_report": 1,
}  # fmt: skip
PLANS = {
    "paper": COMPANIONS | {
        "read_metadata": 1, "clean_photos": 250, "audit_photos": 1, "index_photos": 1,
        "pack_images": 2,
        "fetch_weights": 5, "export_classifier": 5, "train_classifier": 1,
        "pretrain_autoencoder": 2, "tabulate_curves": 1,
        "finetune_autoencoder": 15,  # decoder, encoder and both
        "predict": 17, "tabulate_accuracy": 1,
        "train_denoiser": 1, "predict_denoised": 4, "tabulate_denoising": 1,
        "relate": 1, "build_lattices": 1, "survey_lattices": 1, "compare_features": 1, "compare_errors": 1,
        "measure_color": 7, "tabulate_color": 1,
        "measure_information": 7, "tabulate_information": 1, "collect_gallery": 1,
        "choose_layers": 5, "draw_classifier": 5, "tune_for_layer": 55,  # 5 of input, 2 × 25 of layers
        "measure_depths": 10, "tabulate_depth": 1,
        "compare_with_paper": 1,
        **{f"figure_{number}": 1 for number in range(2, 10)},
        "cross_evaluation": 1, "denoisers": 1, "lattice_barcode": 1, "error_consistency": 1,
        "depth_profile": 1, "depth_noticed": 1, "depth_parts": 1, "depth_pairs": 1,
        "cleaned_photographs": 1,
        "tabulate_costs": 1, "report": 1, "all": 1,
    },
}  # fmt: skip
PLANS["imagenette"] = {
    rule: count
    for rule, count in PLANS["paper"].items()
    if rule not in {"train_classifier", *COMPANIONS}
    and "depth" not in rule
    and rule not in {"choose_layers", "draw_classifier", "tune_for_layer"}
} | {
    "fetch_weights": 4,
    "export_classifier": 4,
    "clean_photos": 4,
    "finetune_autoencoder": 4,  # the decoder alone
    "predict": 6,
    "measure_color": 6,
    "measure_information": 6,
}
"""Every job of a study without results, by rule."""

SOURCES = {
    "paper": (
        "yfcc100m/data/images", "imagenet/train", "imagenet/val",
        "yfcc100m/yfcc100m_dataset.bz2",
    ),
    "imagenette": ("imagenette/train", "imagenette/val", "photos"),
}  # fmt: skip

A_S = 29_480_259  # parameters
GENERATOR = 5_350_089 - 3_200  # less α
ONE = {"images": 1, "batch": 1, "check_every": 1}
FEW = {
    "data": {
        "validation": [
            {
                "path": "data/imagenet/val",
                "labels": f"data/imagenet/{imagenet.DEVKIT}",
                "images": 2,
            }
        ]
    },
    "clean": {
        "metadata": ["data/yfcc100m/v2/yfcc100m_dataset.bz2"],
        "exclude": "data/yfcc100m/exclude.txt",
        "shards": 2, "batches": 1, "held_out": 2,
        "max_rejected": 0.9,  # one of each kind of trouble, among few
    },
    # LeNet learns in one step which class has most images.
    "train": {"images": 16, "batch": 16, "check_every": 16, "learning_rate": 10.0},
    "pretrain": {"validation_images": 1, "photos": ONE, "labelled": ONE},
    "finetune": ONE | {"parts": ["decoder"]},
    "predict": {"strengths": [0.0, 0.5], "noisy_images": 1, "batch": 2},
    "denoise": {"methods": ["autoencoder"], "images": 1, "training": ONE},
    "information": {"bins": [32], "images": 2},
    "depth": ONE | {"classifiers": ["A"], "number": 2, "measured": 2, "bands": 2},
    "bootstrap": {"resamples": 20},
    "gallery": {"images": 2, "strengths": [0.0]},
    "salient": {
        "classifiers": ["A"], "examples": 1, "measured": 2, "batch": 1, "inversion": ONE,
    },
    "synthesis": {
        "decoder": ONE | {"classes": None}, "classes": ["n01440764"],
        "scratch": {"steps": 1}, "pretrained": {"steps": 1}, "beside": 1, "ranked": 2,
        "filters": {"V16": [{"layer": "features.9", "channels": 1}]},
        "compounds": [["n01518878", "n01641577"]],
    },
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
    imagenet.make(project.root / "data/imagenet", more=1000)
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
        project.snakemake(preset=preset)
        results = project.root / "results/paper"
        yield SimpleNamespace(project=project, preset=preset, results=results)
    shutil.rmtree(project.root)


@pytest.mark.parametrize("preset", PLANS)
def test_every_job_of_a_study_at_scale_is_planned(project, preset):
    for source in SOURCES[preset]:
        path = project.root / "data" / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if path.suffix else path.mkdir()
    assert project.plan(preset=f"config/{preset}.yaml") == PLANS[preset]


def test_the_paper_without_its_data_says_where_to_put_them(project):
    done = project.snakemake("--dry-run", preset="config/paper.yaml", check=False)
    one_line(
        done, "data.train[0].path: there is no data/imagenet/train", "config/README.md"
    )


def test_the_few_images_go_the_papers_own_way(project):
    """What may differ from the paper's settings is counts and paths."""
    whole, few = (
        yaml.safe_load(path.read_text())
        for path in (
            project.root / "config/paper.yaml",
            project.variant("few", base="paper", **FEW),
        )
    )
    same = ("study", "image_size", "resize_mode", "classifiers", "companions", "autoencoder",
            "lattice")  # fmt: skip
    for key in same:
        assert few[key] == whole[key], key
    assert few.keys() == whole.keys() | {"denoise", "bootstrap", "gallery"}


def test_an_image_of_each_stage_comes_to_the_papers_report(paper):
    accuracy = pd.read_csv(paper.results / "tables/accuracy.csv")
    labels = {"original", "A_S", "A_L", "A_A", "A_V", "A_I", "A_R"}
    assert set(accuracy.label) == labels
    rows = accuracy.groupby("noise").size().to_dict()
    noisy = 2 * 5 + 5  # each A_i with its own classifier alone
    assert rows == {"none": 7 * 5, "clipped": noisy, "unclipped": noisy}
    report = (paper.results / "report.html").read_text()
    table1 = report.partition("Table 1. ")[2].partition("Table 2. ")[0]
    for name in "LAVIR":  # with the original, A_S and A_i
        assert table1.count(f'<th scope="row">{name}</th>') == 3


def test_the_published_size_is_what_was_trained(paper):
    folder = paper.results / "seed-0/autoencoders"
    places = [
        "pretrained/photos",
        "denoising",
        *(f"decoder/{name}" for name in "LAVIR"),
    ]
    for place in places:
        with safe_open(folder / place / "weights.safetensors", "numpy") as file:
            sizes = [
                file.get_tensor(name).size
                for name in file.keys()  # noqa: SIM118 (no mapping)
                if not name.endswith(("running_mean", "running_var", "batches_tracked"))
            ]
        assert sum(sizes) == A_S, place


def test_published_networks_tell_imagenets_thousand_classes_apart(paper):
    for name in "AVIR":
        folder = paper.results / f"seed-0/classifiers/{name}"
        spec = json.loads((folder / "spec.json").read_text())
        assert spec["classes"] == 1000
        assert spec["weights"]["sha256"].startswith(
            spec["weights"]["file"].removesuffix(".pth").rpartition("-")[2]
        )
    about = json.loads((paper.results / "data/train/index.json").read_text())
    assert about["classes"] == imagenet.SYNSETS


def test_the_companion_studies_come_to_it_at_their_own_size(paper):
    report = (paper.results / "report.html").read_text()
    assert '<h2 id="salient">' in report
    assert '<h2 id="synthesis">' in report
    path = paper.results / "seed-0/generator/weights.safetensors"
    with safe_open(path, "numpy") as file:
        decoder = [name for name in file.keys() if name.startswith("decoder.")]  # noqa: SIM118
        sizes = [
            file.get_tensor(name).size
            for name in decoder
            if not name.endswith(("running_mean", "running_var", "batches_tracked"))
        ]
    assert sum(sizes) == GENERATOR
    with np.load(paper.results / "seed-0/preferred/scratch/V16.npz") as arrays:
        assert arrays["pictures"].shape == (3, 224, 224, 3)


def test_a_second_run_of_the_paper_has_nothing_to_do(paper):
    assert paper.project.plan(preset=paper.preset) == {}
