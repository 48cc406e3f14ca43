"""The demo's numbers in README.md."""

import re

import pandas as pd
import pytest
from project import ROOT

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


@pytest.fixture
def results(tmp_path):
    """The files of a finished study that the command reads."""
    (tmp_path / "tables").mkdir()
    ACCURACY.to_csv(tmp_path / "tables/accuracy.csv", index=False)
    NOISE.to_csv(tmp_path / "tables/noise.csv", index=False)
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


def test_what_points_the_other_way_is_written_likewise():
    lines = readme.sentences(ACCURACY, NOISE)
    assert "costs the classifiers 5.0 to 20.0 points" in lines[0]
    assert "gives back 6.0 to 18.0 points" in lines[0]
    assert "clipped, 1 of 3 classifiers recognise more" in lines[1]
    assert "without one, 1 less" in lines[1]
    assert len(readme.sentences(ACCURACY, NOISE[:0])) == 1


def test_the_readmes_numbers_are_of_todays_training_code():
    """If this fails, run the demo and then the command that README.md names."""
    stages = (TrainClassifier, PretrainAutoencoder, FinetuneAutoencoder)
    codes = dict(zip(readme.TRAININGS, (stage.code() for stage in stages), strict=True))
    assert readme.digests(codes) in (ROOT / "README.md").read_text()
    assert not re.search(r"commit `\w+\+`", (ROOT / "README.md").read_text())
