"""``config/own.yaml``, for any folders of images, and class names that are not there."""

import re

import pandas as pd
import pytest
import yaml
from pictures import photograph
from project import ROOT, Project, one_line

from s2snets import cli

CLASSES = ("US$ 5^$", "a_b", "zebra crossing, very_long {name}")
FEWER = {
    "train": {"images": 32, "batch": 16, "check_every": 32},
    "autoencoder": {"width": 4},
    "pretrain": {
        kind: {"images": 16, "batch": 8, "check_every": 16, "augment": None}
        for kind in ("photos", "labelled")
    },
    "finetune": {"images": 8, "batch": 8},
    "bootstrap": {"resamples": 50},
    "salient": {
        "classifiers": ["V"],
        "side": 32,
        "inversion": {"images": 8, "check_every": 8},
    },
    "synthesis": {
        "classifiers": ["V"],
        "judge": "L",
        "decoder": {"images": 12, "check_every": 12},
        "scratch": {"steps": 2},
        "pretrained": {"steps": 2},
    },
}
"""Less training and fewer networks; what concerns data is the preset's own."""

TARGETS = ["salient", "synthesis"]
TARGETS += [
    f"results/own/figures/{name}.pdf"
    for name in ("figure-3", "figure-4", "synthesis-modes", "salient-architectures")
]


@pytest.fixture
def project(tmp_path):
    """A checkout with folders of images, of classes that nobody has foreseen."""
    project, seed = Project(tmp_path), 0
    for part, folders in (
        ("train", CLASSES),
        ("validation", CLASSES),
        ("photos", ("", "deeper")),
        ("photos_validation", ("",)),
    ):
        for name in folders:
            folder = tmp_path / "images" / part / name
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(3):
                photograph(40 + seed, 50, seed).save(folder / f"{number}.jpg")
                seed += 1
    return project


def fewer(project):
    """Write the preset with fewer networks and steps; return its path."""
    path = project.variant("fewer", "own", **FEWER)
    values = yaml.safe_load(path.read_text())
    values["salient"]["layers"] = {"V": ["6", "logits"]}
    values["classifiers"] = {name: values["classifiers"][name] for name in "LV"}
    path.write_text(yaml.safe_dump(values))
    return path


def test_any_folders_of_images_make_a_study(project):
    project.snakemake(*TARGETS, preset=fewer(project))
    results = project.root / "results/own"
    assert all((project.root / target).stat().st_size for target in TARGETS[2:])
    shown = pd.read_csv(results / "figures/synthesis-modes.csv")
    assert set(shown["target"]) == set(CLASSES)


def test_the_readmes_example_is_planned_for_any_folders(project):
    text = (ROOT / "README.md").read_text().partition("## Your own study")[2]
    assert "--configfile config/own.yaml config/mine.yaml" in text
    example = yaml.safe_load(re.search("```yaml\n(.*?)```", text, re.S)[1])
    for part, (source,) in example["data"].items():
        source["path"] = f"images/{part}"
    plan = project.plan(preset=project.variant("mine", "own", **example))
    assert plan["pack_images"] == 4
    assert plan["train_classifier"] == 5
    assert "segment" not in plan


@pytest.mark.parametrize("known", ["folders", "settings"])
def test_a_class_that_is_not_there_is_told_before_anything_runs(project, known):
    data = {"classes": list(CLASSES)} if known == "settings" else {}
    preset = project.variant(
        "mine", "own", data=data, synthesis={"compounds": [["a_b", "sneaker"]]}
    )
    done = project.snakemake("--dry-run", preset=preset, check=False)
    one_line(done, "synthesis.compounds: no class 'sneaker'; there are 3, such as")


def test_where_only_packing_finds_the_classes_no_training_starts(project):
    images = project.root / "images/train"
    names = sorted(path for path in images.rglob("*.jpg"))
    labels = project.root / "labels.txt"
    labels.write_text("\n".join(f"{n}.jpg class{n % 2}" for n in range(len(names))))
    flat = project.root / "images/flat"
    flat.mkdir()
    for number, path in enumerate(names):
        path.rename(flat / f"{number}.jpg")
    source = [{"path": "images/flat", "labels": "labels.txt"}]

    def naming(*classes):
        return project.variant(
            "mine", "own",
            data={"train": source, "validation": source},
            train={"images": 16, "batch": 8},
            synthesis={"decoder": {"classes": list(classes)}},
        )  # fmt: skip

    target = "results/own/seed-0/classifiers/L/weights.safetensors"
    plan = project.plan(target, preset=naming("sneaker"))
    assert plan == {"pack_images": 1, "check_classes": 1, "train_classifier": 1}
    done = project.snakemake(target, preset=naming("sneaker"), check=False)
    assert done.returncode
    assert "synthesis.decoder.classes: no class 'sneaker'" in project.logs()
    assert not (project.root / target).exists()
    project.snakemake(target, preset=naming("class0"))
    assert project.plan(target, preset=naming("class1")) == {"check_classes": 1}


def test_a_new_study_of_folders_runs_to_its_report(tmp_path, monkeypatch, capsys):
    """``s2snets new`` on folders that are no preset's, and the command that it prints."""
    project, seed = Project(tmp_path), 0
    for part, count in (("learn", 8), ("check", 5)):
        for name in CLASSES:
            folder = tmp_path / "my images" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                photograph(50 + seed % 7, 44, seed).save(folder / f"{number}.png")
                seed += 1
    monkeypatch.chdir(tmp_path)
    folders = ["--train", "my images/learn", "--validation", "my images/check"]
    networks = ["--classifier", "lenet5", "--classifier", "small_resnet"]
    cli.main(["new", "mine", *folders, *networks, "--hours", "0.003", "--cores", "2"])
    told = capsys.readouterr().out
    assert "24 images in 3 classes of 8" in told
    assert "snakemake --cores 2 --configfile config/mine.yaml" in told
    project.snakemake(preset="config/mine.yaml")
    report = (tmp_path / "results/mine/report.html").read_text()
    assert "networks\nN1 and N2" in report
    assert project.plan(preset="config/mine.yaml") == {}
