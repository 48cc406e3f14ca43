"""The demo's numbers in README.md."""

import pandas as pd
import pytest

from s2snets.report import readme
from s2snets.runtime.files import write_json

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


@pytest.fixture
def results(tmp_path):
    """The files of a finished study that the command reads."""
    (tmp_path / "tables").mkdir()
    ACCURACY.to_csv(tmp_path / "tables/accuracy.csv", index=False)
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


def test_what_points_the_other_way_is_written_likewise(results):
    lines = readme.sentences(ACCURACY)
    assert "costs the classifiers 5.0 to 20.0 points" in lines[0]
    assert "gives back 6.0 to 18.0" in lines[0]
    assert "1 of 2 classifiers" in lines[1]
    assert lines[1].endswith("without one: L.")
    worse = ACCURACY.assign(
        top1=ACCURACY["top1"].where(ACCURACY["label"] == "original", 0)
    )
    assert readme.sentences(worse)[1].endswith(
        "0 of 2 classifiers recognise more behind their own autoencoder than without one."
    )
    assert len(readme.sentences(ACCURACY[ACCURACY["noise"] == "none"])) == 1
