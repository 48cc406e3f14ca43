"""What the table of docs/repetition.md says of two runs."""

from pathlib import Path

import pandas as pd
import pytest

from s2snets.runtime.files import write_json

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repetition(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import repetition

    return repetition


def write_run(folder, top1, rrc, served, relation, verdicts):
    """Write a finished run of two networks, A and B, as far as it is compared.

    ``served``: how many more others A's signal serves than B's; A is named first
    unless it serves fewer, as in ``orders.csv``.
    """
    tables = folder / "tables"
    tables.mkdir(parents=True)
    accuracy = pd.DataFrame({"label": ["original", "A_S", "A_A"], "top1": top1})
    accuracy = accuracy.assign(
        source=["original", "pretrained", "decoder-A"],
        classifier="A",
        noise="none",
        strength=0.0,
        top1_low=accuracy["top1"] - 0.02,
        top1_high=accuracy["top1"] + 0.02,
    )
    accuracy.to_csv(tables / "accuracy.csv", index=False)
    pairs = {"autoencoder": ["A_A", "A_B"], "classifier": ["B", "A"], "rrc": rrc}
    pd.DataFrame(pairs).to_csv(tables / "rrc.csv", index=False)
    names = ("A", "B") if served >= 0 else ("B", "A")
    order = {"threshold": [0.5], "network": names[0], "other": names[1]}
    order["difference"] = abs(served)
    pd.DataFrame(order).to_csv(tables / "orders.csv", index=False)
    write_json(tables / "lattices.json", [{"threshold": 0.5, "relation": relation}])
    claims = pd.DataFrame({"id": range(len(verdicts)), "verdict": verdicts})
    claims["kind"] = ["claim"] * (len(verdicts) - 1) + ["number"]
    claims.to_csv(tables / "comparison.csv", index=False)


VERDICTS = ["holds", "holds", "undecided", "fails", "untestable"]


def test_a_run_does_not_differ_from_itself(repetition, tmp_path, monkeypatch):
    run = [0.9, 0.5, 0.7], [0.4, 0.8], 1, [[True, False]], VERDICTS
    write_run(tmp_path, *run)
    monkeypatch.setattr(repetition, "DEMO", tmp_path)
    assert repetition.differences(tmp_path) == {
        "Table 2 moves by up to": "0.0 points",
        "outside the interval": "0 of 2",
        "RRC moves by up to": "0.00",
        "orders reversed": "0 of 1",
        "orders tied": "0",
        "same lattice": "1 of 1",
        "verdicts reversed": "0 of 4",
        "other verdicts changed": "0",
    }


def test_what_another_run_turns_is_counted(repetition, tmp_path, monkeypatch):
    demo, other = tmp_path / "demo", tmp_path / "other"
    write_run(demo, [0.9, 0.5, 0.7], [0.4, 0.8], 1, [[True, False]], VERDICTS)
    turned = ["fails", "undecided", "holds", "fails", "holds"]
    # The original is no autoencoder's; 0.51 is within the interval of 0.5.
    write_run(other, [0.1, 0.51, 0.65], [0.5, 0.81], -2, [[True, True]], turned)
    monkeypatch.setattr(repetition, "DEMO", demo)
    assert repetition.differences(other) == {
        "Table 2 moves by up to": "5.0 points",
        "outside the interval": "1 of 2",
        "RRC moves by up to": "0.10",
        "orders reversed": "1 of 1",
        "orders tied": "0",
        "same lattice": "0 of 1",
        "verdicts reversed": "1 of 4",
        "other verdicts changed": "2",
    }


def test_networks_that_serve_as_many_have_no_order_to_reverse(
    repetition, tmp_path, monkeypatch
):
    for name, served in (("demo", 1), ("other", 0)):
        run = [0.9, 0.5, 0.7], [0.4, 0.8], served, [[True, False]], VERDICTS
        write_run(tmp_path / name, *run)
    monkeypatch.setattr(repetition, "DEMO", tmp_path / "demo")
    found = repetition.differences(tmp_path / "other")
    assert (found["orders reversed"], found["orders tied"]) == ("0 of 1", "1")
