"""Stages as functions: evaluation, exported weights, complaints, whole files."""

import errno
import json
import os

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from s2snets import evaluation
from s2snets.config import Autoencoder, Information
from s2snets.data.examples import choose_examples
from s2snets.data.imageset import ImageSet
from s2snets.measure.information import information_rows, nmi
from s2snets.networks.architectures import lenet5
from s2snets.networks.frozen import FrozenClassifier
from s2snets.runtime import files
from s2snets.runtime.command import run_command
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing
from s2snets.runtime.tables import read_csv, read_rows
from s2snets.stages.predictions import Predict, PredictSettings, TabulateAccuracy
from s2snets.stages.relations import Relate, SurveyLattices

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder, random = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for number in range(10):
        path = folder / "abc"[number % 3] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(path)
    return ImageSet(folder, 32)


def small(classes=3):
    torch.manual_seed(0)
    return FrozenClassifier(lenet5(classes), (0.5,) * 3, (0.5,) * 3)


def test_bytes_are_clipped_and_rounded_pixels():
    pixels = torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0, 0.9999]).view(1, 1, 2, 3)
    assert evaluation.to_uint8(pixels).ravel().tolist() == [0, 0, 128, 255, 255, 255]


def test_information_rows_equal_the_measure_image_by_image(images):
    numbers = np.array([4, 2, 9, 1, 7])
    batches = evaluation.EvaluationBatches(images, numbers, 9)
    group = next(evaluation.iterate_batches(batches, [0], device=CPU))
    numbers, originals, reconstructions = next(
        evaluation.reconstructions(group, torch.square)
    )
    settings = Information(bins=[16])
    parts = information_rows(numbers, originals, reconstructions, settings, {})
    table = pd.concat(parts)
    assert table.groupby("measure").size().to_dict() == {
        "inter": 2,
        "intra": 5,
        "null": 5,
    }
    for row in table.itertuples():
        place = list(numbers).index(row.image)
        if row.measure == "intra":
            truth = nmi(originals[place], reconstructions[place], bins=16)
        elif row.measure == "inter":
            other = list(numbers).index(row.other)
            truth = nmi(reconstructions[place], reconstructions[other], bins=16)
            assert other == place + 1
        else:
            continue
        assert row.nmi == pytest.approx(truth[0])


def test_examples_are_spread_over_the_classes():
    labels = np.repeat(np.arange(5), 4)
    assert sorted(labels[choose_examples(labels, 5)]) == [0, 1, 2, 3, 4]
    assert len(set(choose_examples(labels, 10))) == 10
    assert [int(label) for label in labels[choose_examples(labels, 2)]] == [0, 2]


def test_a_file_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def interrupted():
        with replacing(path) as draft:
            draft.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(
    tmp_path, monkeypatch, capsys
):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    path = tmp_path / "weights.safetensors"

    def main():
        with replacing(path) as draft:
            draft.write_bytes(b"weights")

    with pytest.raises(SystemExit) as caught:
        run_command(main)
    assert str(caught.value) == (
        f"error: {path}: no space left on device; free some space and rerun"
    )
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_seen_through_a_librarys_own_error(tmp_path):
    text = f"I/O error: {os.strerror(errno.ENOSPC)} (os error 28)"
    with pytest.raises(UserError, match="free some space"), replacing(tmp_path / "x"):
        raise RuntimeError(text)


def test_other_errors_keep_their_traceback():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_command(main)


def test_bad_settings_of_a_stage_are_told_in_one_line():
    settings = PredictSettings(
        image_size=32, resize_mode="pad", autoencoder=Autoencoder(), predict={}
    ).model_dump(mode="json")
    settings["predict"]["batch"] = -1
    words = ["--images", "i", "--classifiers", "c", "--predictions", "p", "--record",
             "r", "--source", "s", "--names", "n"]  # fmt: skip
    with pytest.raises(UserError, match=r"--settings: predict\.batch: .*-1"):
        Predict.parse([*words, "--settings", json.dumps(settings)])


def test_tables_that_are_missing_or_foreign_are_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.csv: no such table"):
        read_csv(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_text("x,y\n1,null\n")
    assert read_csv(tmp_path / "a.csv").y.item() == "null"
    with pytest.raises(UserError, match=r"a\.csv: lacks column z"):
        read_csv(tmp_path / "a.csv", ["x", "z"])
    (tmp_path / "b.parquet").write_bytes(b"junk")
    with pytest.raises(UserError, match=r"b\.parquet: damaged rows"):
        read_rows([tmp_path / "b.parquet"])


def flags(folder, **options):
    """A command line: names of tables become paths in the folder."""
    words = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [folder / value]
        words += [f"--{name}", *map(str, values)]
    return words


@pytest.fixture
def tabulated(tmp_path):
    """Tables of random predictions of two seeds and three replicates."""
    random = np.random.default_rng(0)
    sources = ["original", "pretrained", "decoder-L", "decoder-A"]
    keys = pd.MultiIndex.from_product(
        [[0, 1], [0, 1, 2], sources, range(40), ["L", "A"], [0.0]],
        names=["seed", "replicate", "source", "image", "classifier", "strength"],
    ).to_frame(index=False)
    keys = keys[(keys["replicate"] == 0) | keys["source"].str.startswith("decoder")]
    guesses = np.argsort(random.random((len(keys), 10)))[:, :5]
    guesses[:, 0] *= random.random(len(keys)) < 0.5
    rows = keys.assign(
        noise="none", label=0, **{f"class_{n + 1}": guesses[:, n] for n in range(5)}
    )
    rows.to_parquet(tmp_path / "rows.parquet")
    tables = {name: f"{name}.csv" for name in ("accuracy", "table1", "table2", "parts")}
    TabulateAccuracy.main(
        flags(
            tmp_path,
            predictions=[tmp_path / "rows.parquet"],
            classifiers=["L", "A"],
            part=["decoder"],
            noise="noise.csv",
            variance="variance.csv",
            bootstrap="bootstrap.npz",
            settings=['{"resamples": 2100}'],
            **tables,
        )
    )
    return tmp_path


def test_intervals_go_from_predictions_to_lattices(tabulated):
    paths = {"table2": "table2.csv", "rrc": "rrc.csv"}
    Relate.main(flags(tabulated, bootstrap="bootstrap.npz", **paths))
    with np.load(tabulated / "bootstrap.npz") as arrays:
        assert list(arrays["classifiers"]) == ["L", "A"]
        assert arrays["table2"].shape == (2000, 2, 2)
        assert arrays["table2_trainings"].shape == (2, 3, 2, 2)
    rrc = read_csv(tabulated / "rrc.csv")
    assert (rrc["rrc_low"] <= rrc["rrc"]).all()
    assert (rrc["rrc"] <= rrc["rrc_high"]).all()
    assert rrc["rrc_sd"].notna().all()
    assert (rrc["chance"] == 1).all()  # every label is 0
    assert rrc["rrc_corrected"].isna().all()
    SurveyLattices.main(
        flags(
            tabulated,
            rrc="rrc.csv",
            bootstrap="bootstrap.npz",
            thresholds=["0.5", "0.9"],
            distinct="distinct.json",
            table="distinct.csv",
            relations="relations.csv",
            chains="chains.csv",
            agreement="agreement.csv",
            orders="orders.csv",
        )
    )
    distinct = read_csv(tabulated / "distinct.csv")
    listed = files.read_json(tabulated / "distinct.json")
    assert list(distinct["share"]) == [one["share"] for one in listed]
    assert len(read_csv(tabulated / "relations.csv")) == 8
    assert len(read_csv(tabulated / "chains.csv")) == 2
    assert list(read_csv(tabulated / "agreement.csv")["trainings"]) == [6, 6]
    assert len(read_csv(tabulated / "orders.csv")) == 2
    variance = read_csv(tabulated / "variance.csv").set_index(["label", "classifier"])
    assert variance["replicates"].to_dict()["A_L", "A"] == 3
    assert variance.loc[("original", "A"), "replicates_sd":].isna().tolist() == [
        True,
        False,
    ]


def test_rrc_comes_from_table_2_alone_and_refuses_another_s_bootstrap(tabulated):
    paths = {"table2": "table2.csv", "rrc": "rrc.csv"}
    Relate.main(flags(tabulated, **paths))
    assert "rrc_low" not in read_csv(tabulated / "rrc.csv")
    table = read_csv(tabulated / "table2.csv")
    table.replace("A_L", "A_X").rename(columns={"L": "X"}).to_csv(
        tabulated / "table2.csv", index=False
    )
    with pytest.raises(UserError, match="its classifiers are not the columns"):
        Relate.main(flags(tabulated, bootstrap="bootstrap.npz", **paths))


def test_names_that_are_digits_stay_text_in_tables(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("layer,classifier,label,images\n1,007,,3\n2,1e5,NA,4\n")
    table = read_csv(path)
    assert table["layer"].tolist() == ["1", "2"]
    assert table["classifier"].tolist() == ["007", "1e5"]
    assert table["label"].isna().tolist() == [True, False]
    assert table["images"].tolist() == [3, 4]
