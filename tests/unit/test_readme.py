"""The demo's numbers in README.md."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from project import ROOT

from s2snets.config import load
from s2snets.report import readme
from s2snets.runtime.files import write_json
from s2snets.stages.classifiers import TrainClassifier
from s2snets.stages.finetuning import FinetuneAutoencoder
from s2snets.stages.pretraining import PretrainAutoencoder

ACCURACY = pd.DataFrame(
    [
        (label, tuned, classifier, noise, strength, 1234, top1, top1 - 0.02, top1 + 0.01)
        for noise, strength, values in (
            ("none", 0.0, {"original": (80, 70), "A_S": (60, 65), "A_L": (78, 50), "A_R": (40, 71)}),
            ("clipped", 0.1, {"original": (50, 60), "A_S": (50, 50), "A_L": (60, 30), "A_R": (20, 55)}),
        )
        for (label, tops), tuned in zip(values.items(), (None, None, "L", "R"), strict=True)
        for classifier, top1 in zip("LR", (top / 100 for top in tops), strict=True)
    ],
    columns=["label", "tuned", "classifier", "noise", "strength", "images", "top1", "top1_low", "top1_high"],
)  # fmt: skip

NOISE = pd.DataFrame(
    [
        ("A_i", "L", "clipped", 0.1, 0.01, 0.09),
        ("A_i", "R", "clipped", 0.1, -0.09, -0.01),
        ("A_i", "V", "clipped", 0.1, -0.01, 0.01),
        ("A_i", "V", "clipped", 0.5, 0.01, 0.02),
        ("A_S", "L", "clipped", 0.1, 0.01, 0.09),
    ],
    columns=["input", "classifier", "noise", "strength", "top1_difference_low", "top1_difference_high"],
)  # fmt: skip


LOSSES = pd.DataFrame(
    [
        ("trained", "V", "1", 0.0123, 0.01, 0.02, 0.97, True, "band 1", 0.25, 0.96),
        ("random", "V", "1", -0.001, -0.002, 0.003, 0.5, False, "band 1", 0.9, 0.4),
    ],
    columns=["weights", "classifier", "layer", "lost", "low", "high", "share", "reached", "part", "kept", "part_share"],
)  # fmt: skip


@pytest.fixture
def results(tmp_path):
    """The files of a finished study that the command reads."""
    (tmp_path / "tables").mkdir()
    ACCURACY.to_csv(tmp_path / "tables/accuracy.csv", index=False)
    NOISE.to_csv(tmp_path / "tables/noise.csv", index=False)
    LOSSES.to_csv(tmp_path / "tables/depth-losses.csv", index=False)
    write_json(
        tmp_path / "seed-0/depth/0/trained/V/measured.json",
        {"commit": "def", "device": "a CPU", "versions": {"torch": "2.13.0+cpu"}},
    )
    for stage in readme.TRAININGS:
        record = {
            "stage": stage,
            "code": f"of {stage}",
            "commit": "abc",
            "device": "a CPU",
        }
        record["versions"] = {"torch": "2.13.0+cpu"}
        write_json(tmp_path / f"seed-0/{stage}/record.json", record)
    return tmp_path


def test_numbers_commit_and_processor_are_the_runs_own(results):
    text = f"before\n{readme.START}old\n{readme.END}\nafter\n"
    written = readme.with_results(text, results)
    assert "| A_L | **78.0** | 50.0 |" in written
    assert "1,234 validation images, in percent, each within 1.5 points" in written
    assert "commit `abc` on a CPU with torch 2.13.0" in written
    assert (written.startswith("before\n"), written.endswith("after\n")) == (True, True)
    assert "old" not in written
    assert readme.with_results(written, results) == written


def test_the_documents_pictures_are_the_studys_or_rows_of_them(results, tmp_path):
    (results / "figures").mkdir()
    for height, figure in enumerate(readme.PICTURES, 1200):
        lines = np.arange(height, dtype=np.uint16).astype(np.uint8)
        picture = np.broadcast_to(lines[:, None, None], (height, 4, 3))
        Image.fromarray(np.ascontiguousarray(picture)).save(
            results / "figures" / figure
        )
    document, docs = tmp_path / "README.md", tmp_path / "docs"
    images = docs / "images"
    images.mkdir(parents=True)
    document.write_text(f"{readme.START}{readme.END}\n")
    (docs / "depth.md").write_text(f"{readme.DEPTH_START}{readme.DEPTH_END}\n")
    readme.main([str(results), str(document), str(docs)])
    written = (docs / "depth.md").read_text()
    assert "| V | `1` | 0.012 (0.010 to 0.020) | 97% | band 1 (25% of the" in written
    assert "-0.001 (-0.002 to 0.003) (tuning too short) |" in written
    assert "commit `def` on a CPU" in written
    for height, (name, rows) in enumerate(readme.PICTURES.values(), 1200):
        top, bottom = rows or (0, height)
        written = np.asarray(Image.open(images / name))
        assert written.shape == (bottom - top, 4, 3)
        assert (written[:, 0, 0] == np.arange(top, bottom) % 256).all()


def test_what_points_the_other_way_is_written_likewise():
    lines = readme.sentences(ACCURACY, NOISE)
    assert "costs the classifiers 5.0 to 20.0 points" in lines[0]
    assert "gives back 6.0 to 18.0 points" in lines[0]
    assert "clipped, 1 of 3 classifiers recognise more" in lines[1]
    assert "without one, 1 less" in lines[1]
    assert len(readme.sentences(ACCURACY, NOISE[:0])) == 1


def equal_codes(stage, code):
    """The stage's codes whose weights were shown to be those of a code."""
    table = pd.read_csv(ROOT / "benchmarks/results/same_training.csv")
    links = table.loc[table["stage"] == stage, ["code_before", "code_after"]]
    known = {code}
    while (
        more := {
            one for link in links.to_numpy().tolist() if known & {*link} for one in link
        }
        - known
    ):
        known |= more
    return known


@pytest.mark.parametrize("name", ["README.md", "docs/noise.md", "docs/repetition.md"])
def test_numbers_are_of_training_code_with_todays_weights(name):
    """If this fails, run ``benchmarks/same_training.py`` on the commit that is named.

    If weights differ, make the document's study and its command anew.
    """
    text = (ROOT / name).read_text()
    stages = (TrainClassifier, PretrainAutoencoder, FinetuneAutoencoder)
    for stage, today in zip(readme.TRAININGS, stages, strict=True):
        found = set(re.findall(rf"\b{stage} (\w{{12}})", text))
        assert found
        assert found <= equal_codes(stage, today.code())
    assert not re.search(r"commit `?\w+\+`?", text)


@pytest.fixture
def same_training(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import same_training

    return same_training


def write_training(folder, name, code, weights):
    record = {"stage": "pretrain_autoencoder", "code": code, "commit": "c" + code}
    write_json(folder / name / "record.json", record | {"device": "a CPU"})
    (folder / name / "weights.safetensors").write_bytes(weights)


def test_two_codes_are_equal_where_all_their_weights_are(tmp_path, same_training):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, code in ((old, "1"), (new, "2")):
        write_training(folder, "photos", code, b"same")
        write_training(folder, "labelled", code, b"same")
        write_json(folder / "data/record.json", {"stage": "pack_images"})
    (row,) = same_training.compare(old, new)
    assert (row["equal"], row["trainings"]) == (2, 2)
    assert (row["code_before"], row["code_after"]) == ("1", "2")
    assert (row["commit_before"], row["commit_after"]) == ("c1", "c2")
    (new / "labelled/weights.safetensors").write_bytes(b"other")
    (row,) = same_training.compare(old, new)
    assert (row["equal"], row["trainings"]) == (1, 2)


def test_the_comparison_trains_the_demo_on_few_images(same_training):
    demo = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    few, study = load(same_training.settings(demo)), load(demo)
    assert few.networks.keys() <= study.networks.keys()
    assert few.finetune.images < study.finetune.images / 10
    assert few.finetune.learning_rate == study.finetune.learning_rate
    assert few.pretrain.photos.images < study.pretrain.photos.images / 10
    assert few.autoencoder == study.autoencoder
