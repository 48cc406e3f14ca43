"""Evaluation: the right rows, however often a job is killed, in little memory."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import nn

from s2snets import config, evaluation
from s2snets.config import Classifier
from s2snets.data.imageset import ImageSet
from s2snets.data.noise import add_noise, unit_noise
from s2snets.data.order import sample
from s2snets.measure.sources import classifiers_under_noise
from s2snets.networks import checkpoints
from s2snets.networks.checkpoints import (
    load_autoencoder,
    load_classifier,
    save_classifier,
    save_weights,
)
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.segnet import SegNet
from s2snets.runtime import files
from s2snets.runtime.cells import cell_folder
from s2snets.runtime.chunked_parquet import ChunkedParquet
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import chunk_folder, remove_chunks
from s2snets.runtime.tables import SCORED_COLUMNS, read_rows
from s2snets.stages import color, information
from s2snets.stages.color import MeasureColor
from s2snets.stages.information import MeasureInformation
from s2snets.stages.predictions import Predict, PredictSettings

CPU = torch.device("cpu")
IMAGES, PARTS = 26, 4
SETTINGS = config.Predict(strengths=[0.0, 0.3, 1.0], noisy_images=11, batch=4)
SHARED = {
    "image_size": 32,
    "resize_mode": "pad",
    "autoencoder": {"width": 4, "stages": 1},
}
JOBS = {
    Predict: {**SHARED, "predict": SETTINGS.model_dump()},
    MeasureInformation: {**SHARED, "information": {"bins": [32]}},
    MeasureColor: {**SHARED, "histogram_bins": 21},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with images of three classes, two classifiers and an autoencoder."""
    root, random = tmp_path_factory.mktemp("study"), np.random.default_rng(0)
    for number in range(IMAGES):
        path = root / "images" / "abc"[number % 3] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(path)
    torch.manual_seed(0)
    for name, architecture in (("L", "lenet5"), ("A", "small_alexnet")):
        spec = classifier_spec(Classifier(architecture=architecture), 3, 32)
        paths = (root / name / file for file in ("weights.safetensors", "spec.json"))
        save_classifier(build_classifier(spec), spec, *paths)
    save_weights(SegNet(4, 1), root / "autoencoder.safetensors")
    return root


@pytest.fixture
def images(study):
    return ImageSet(study / "images", 32, "pad")


@pytest.fixture
def classifiers(study):
    return {name: load_classifier(study / name) for name in "LA"}


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    monkeypatch.setattr(evaluation, "GROUP_SIZE", 8)
    monkeypatch.setattr(information, "BATCH", 4)
    monkeypatch.setattr(color, "BATCH", 4)


def command(stage, study, out, seed=0, source="pretrained"):
    """Return a stage's command line, and the path of its table."""
    table = {
        Predict: "predictions",
        MeasureInformation: "information",
        MeasureColor: "color",
    }[stage]
    words = {
        "images": study / "images",
        "autoencoder": study / "autoencoder.safetensors",
        table: out / "rows.parquet",
        "record": out / "rows.json",
        "source": source,
        "seed": seed,
        "settings": json.dumps(JOBS[stage]),
    }
    line = [word for key, value in words.items() for word in (f"--{key}", str(value))]
    if stage is Predict:
        weights = [str(study / name / "weights.safetensors") for name in "LA"]
        line += ["--classifiers", *weights, "--names", "L", "A"]
    return line, out / "rows.parquet"


def made(stage, study, out, seed=0, **options):
    """Run a stage and return the bytes of its table."""
    line, table = command(stage, study, out, seed, **options)
    stage.main(line)
    return table.read_bytes()


class Killed(BaseException):
    pass


def killed_at_file(monkeypatch, stage, study, out, number, seed=0):
    """Run a stage that is killed when it has written ``number`` files."""
    replace, left = files.os.replace, iter(range(number))

    def counting(*paths):
        if next(left, None) is None:
            raise Killed
        replace(*paths)

    line, _ = command(stage, study, out, seed)
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", counting)
        with pytest.raises(Killed):
            stage.main(line)


def plain(images, numbers, autoencoder, classifiers, settings, seed):
    """Return the rows of a plain loop over batches that keeps all of them."""
    noisy, parts = settings.noisy_images, []
    for first in range(0, len(numbers), settings.batch):
        chosen = numbers[first : first + settings.batch]
        clean, labels = images.batch(chosen)
        noise = unit_noise(chosen, seed, images.side)
        for kind, strength in settings.noises:
            count = min(len(chosen), max(0, noisy - first)) if strength else len(chosen)
            pixels = add_noise(clean, noise, strength, kind == "clipped")[:count]
            for name, classifier in classifiers.items() if count else ():
                with torch.inference_mode():
                    logits = classifier(autoencoder(pixels))
                    found, classes = logits.softmax(1).topk(3)
                part = {
                    "seed": seed,
                    "replicate": 0,
                    "source": "pretrained",
                    "image": chosen[:count].astype(np.int32),
                    "classifier": name,
                    "noise": kind,
                    "strength": strength,
                    "label": labels[:count].int(),
                }
                for rank in range(5):
                    part[f"class_{rank + 1}"] = np.int32(-1)
                for rank in range(5):
                    part[f"probability_{rank + 1}"] = np.float32(0)
                for rank in range(3):
                    part[f"class_{rank + 1}"] = classes[:, rank].int()
                    part[f"probability_{rank + 1}"] = found[:, rank]
                parts.append(pd.DataFrame(part))
    kinds = pd.CategoricalDtype(["none", "clipped", "unclipped"])
    rows = pd.concat(parts, ignore_index=True)
    return rows.astype({"classifier": "category", "noise": kinds})


def test_the_table_is_that_of_a_plain_loop(study, images, classifiers, tmp_path):
    made(Predict, study, tmp_path, seed=5)
    autoencoder = load_autoencoder(
        study / "autoencoder.safetensors", PredictSettings(**JOBS[Predict]).autoencoder
    )
    numbers = sample(IMAGES, None, 0)
    truth = plain(images, numbers, autoencoder, classifiers, SETTINGS, 5)
    rows = pd.read_parquet(tmp_path / "rows.parquet")
    inexact = [name for name in rows if name.startswith("probability")]
    pd.testing.assert_frame_equal(rows[inexact], truth[inexact], rtol=1e-5, atol=1e-6)
    pd.testing.assert_frame_equal(
        rows.drop(columns=inexact), truth.drop(columns=inexact)
    )
    assert len(rows) == 2 * (IMAGES + 2 * (11 + 11))  # 0 once, then both kinds
    assert pq.ParquetFile(tmp_path / "rows.parquet").num_row_groups == PARTS


def test_an_own_autoencoders_noisy_images_go_to_its_classifier(
    study, images, classifiers, tmp_path
):
    (tmp_path / "all").mkdir()
    made(Predict, study, tmp_path / "all", seed=5)
    made(Predict, study, tmp_path, seed=5, source="decoder-L")
    every, own = (
        pd.read_parquet(folder / "rows.parquet").drop(columns="source")
        for folder in (tmp_path / "all", tmp_path)
    )
    used = (every["strength"] == 0) | (every["classifier"] == "L")
    assert 0 < used.sum() < len(every)
    pd.testing.assert_frame_equal(own, every[used].reset_index(drop=True))


def test_classifiers_under_noise_are_all_but_for_tuned_autoencoders():
    names = ["L", "V-16", "16"]
    for source in ("original", "pretrained", "8x1", "median"):
        assert classifiers_under_noise(source, names) == names
    assert classifiers_under_noise("decoder-V-16", names) == ["V-16"]
    assert classifiers_under_noise("both-16", names) == ["16"]


@pytest.mark.parametrize("batch", [1, 3, 10])
def test_rows_are_those_of_each_image_alone(images, classifiers, batch):
    settings = SETTINGS.model_copy(update={"batch": batch, "noisy_images": 4})
    numbers, halves = np.array([7, 1, 4, 9, 0, 3]), nn.Hardtanh(0, 0.5)
    batches = evaluation.EvaluationBatches(images, numbers, batch, noisy=4, seed=5)
    groups = evaluation.iterate_batches(
        batches, range(len(batches.groups())), device=CPU
    )
    nets = {"L": classifiers["L"]}
    tables = evaluation.prediction_tables(groups, halves, nets, settings)
    rows = pd.concat(table["L"] for table in tables)
    assert len(rows) == 6 + 2 * (4 + 4)
    for row in rows.itertuples():
        pixels, label = images[row.image]
        noise = unit_noise([row.image], 5, 32)
        clip = row.noise == "clipped"
        seen = halves(add_noise(pixels[None].float() / 255, noise, row.strength, clip))
        truth = nets["L"](seen)[0].softmax(0)
        assert row.label == label
        assert row.class_1 == int(truth.argmax())
        assert row.probability_1 == pytest.approx(float(truth.max()), abs=1e-5)
        assert (row.class_4, row.class_5, row.probability_4) == (-1, -1, 0)
    assert set(rows[rows.strength > 0].image) == {7, 1, 4, 9}


def test_workers_change_nothing_and_come_in_order(images):
    batches = evaluation.EvaluationBatches(
        images, np.arange(IMAGES), 4, noisy=9, seed=1
    )
    alone, helped = (
        [
            batch
            for group in evaluation.iterate_batches(
                batches, [3, 0], device=CPU, workers=count
            )
            for batch in group
        ]
        for count in (0, 2)
    )
    assert np.concatenate([batch[0] for batch in alone]).tolist() == [24, 25, *range(8)]
    for one, other in zip(alone, helped, strict=True):
        assert np.array_equal(one[0], other[0])
        assert all(map(torch.equal, one[1:], other[1:]))
    assert [len(batch[3]) for batch in alone] == [0, 4, 4]


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unreadable_image_is_told_in_one_line(tmp_path, workers):
    (tmp_path / "bad.png").write_bytes(b"junk")
    batches = evaluation.EvaluationBatches(ImageSet(tmp_path, 32), [0], 1)
    with pytest.raises(UserError) as caught:
        list(
            next(evaluation.iterate_batches(batches, [0], device=CPU, workers=workers))
        )
    assert "bad.png" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_image_is_read_before_its_group_is_wanted(images, classifiers, monkeypatch):
    read, get = [], ImageSet.__getitem__
    monkeypatch.setattr(
        ImageSet, "__getitem__", lambda *args: read.append(0) or get(*args)
    )
    batches = evaluation.EvaluationBatches(images, np.arange(IMAGES), 4)
    groups = evaluation.iterate_batches(batches, range(PARTS), device=CPU)
    clean = config.Predict(strengths=[0.0])
    done = evaluation.prediction_tables(groups, evaluation.identity, classifiers, clean)
    for images_read, tables in zip((8, 16, 24, 26), done, strict=True):
        assert len(read) == images_read
        assert all(len(rows) <= 8 for rows in tables.values())


@pytest.mark.parametrize("stage", list(JOBS))
def test_a_job_killed_after_any_file_ends_in_the_same_bytes(
    study, tmp_path, monkeypatch, stage
):
    truth = made(stage, study, tmp_path / "whole")
    kept = [".rows.parquet.cells"] if stage is Predict else []
    assert sorted(file.name for file in (tmp_path / "whole").iterdir()) == [
        *kept,
        "rows.json",
        "rows.parquet",
    ]
    cells = 2 if stage is Predict else 1  # of a part: one for each classifier
    iterate, wanted = evaluation.iterate_batches, []

    def watched(batches, parts, **options):
        wanted.append(list(parts))
        return iterate(batches, parts, **options)

    monkeypatch.setattr(evaluation, "iterate_batches", watched)
    for number in range(cells * PARTS + 2):  # the parts, the table, the record
        out = tmp_path / str(number)
        killed_at_file(monkeypatch, stage, study, out, number)
        assert (out / "rows.parquet").exists() == (number > cells * PARTS)
        wanted.clear()
        assert made(stage, study, out) == truth
        assert wanted == [list(range(number // cells, PARTS))]
        assert not chunk_folder(out / "rows.parquet").exists()


def test_a_job_killed_again_and_again_ends_in_the_same_bytes(
    study, tmp_path, monkeypatch
):
    for _ in range(PARTS):
        killed_at_file(monkeypatch, Predict, study, tmp_path / "killed", 1)
    assert made(Predict, study, tmp_path / "killed") == made(
        Predict, study, tmp_path / "whole"
    )


def test_sigkill_in_the_middle_of_a_file_loses_that_part_alone(study, tmp_path, capsys):
    line, table = command(Predict, study, tmp_path / "killed")
    script = """if True:
        import os, signal, sys
        from s2snets import evaluation
        from s2snets.runtime import chunked_parquet
        from s2snets.stages.predictions import Predict
        evaluation.GROUP_SIZE, left = 8, iter(range(2))
        write = chunked_parquet.pq.write_table
        def dying(rows, draft, **options):
            write(rows, draft, **options)
            if next(left, None) is None:
                os.truncate(draft, 100)
                os.kill(os.getpid(), signal.SIGKILL)
        chunked_parquet.pq.write_table = dying
        Predict.main(sys.argv[1:])
    """
    source = Path(evaluation.__file__).parents[1]
    died = subprocess.run(
        [sys.executable, "-c", script, *line],
        env={**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    assert len(list(cell_folder(table).glob("0*.parquet"))) == 2
    assert len(list(cell_folder(table).iterdir())) == 3  # and a draft
    assert made(Predict, study, tmp_path / "killed") == made(
        Predict, study, tmp_path / "whole"
    )
    assert "6 of 8 cells to compute" in capsys.readouterr().err


def test_parts_of_another_seed_are_told_and_made_anew(
    study, tmp_path, monkeypatch, capsys
):
    killed_at_file(monkeypatch, Predict, study, tmp_path / "killed", 3, seed=1)
    found = made(Predict, study, tmp_path / "killed", seed=2)
    assert "3 cells computed again: other seed" in capsys.readouterr().err
    assert found == made(Predict, study, tmp_path / "whole", seed=2)


def test_parts_through_other_weights_are_made_anew(
    study, tmp_path, monkeypatch, capsys
):
    killed_at_file(monkeypatch, Predict, study, tmp_path, 3)
    weights = study / "autoencoder.safetensors"
    kept = weights.read_bytes()
    try:
        save_weights(SegNet(4, 1), weights)
        made(Predict, study, tmp_path)
    finally:
        weights.write_bytes(kept)
    assert "3 cells computed again: other autoencoder" in capsys.readouterr().err


def flip(path):
    """Change one bit of a file's last value."""
    content, row_group = (
        bytearray(path.read_bytes()),
        pq.read_metadata(path).row_group(0),
    )
    column = row_group.column(row_group.num_columns - 1)
    first = column.dictionary_page_offset or column.data_page_offset
    content[first + column.total_compressed_size - 1] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [flip, cut, empty])
def test_a_damaged_part_alone_is_made_anew(study, tmp_path, monkeypatch, capsys, harm):
    truth = made(Predict, study, tmp_path / "whole")
    killed_at_file(monkeypatch, Predict, study, tmp_path / "killed", PARTS)
    harm(cell_folder(tmp_path / "killed/rows.parquet") / "000001-L.parquet")
    assert made(Predict, study, tmp_path / "killed") == truth
    told = capsys.readouterr().err
    assert "1 cells computed again: damaged" in told
    assert "5 of 8 cells to compute" in told


def test_a_study_that_grows_computes_what_is_new_alone(study, tmp_path, monkeypatch):
    """Adding the third of three networks, leaving one out, and another order."""
    torch.manual_seed(1)
    spec = classifier_spec(Classifier(architecture="lenet5"), 3, 32)
    paths = (study / "N" / file for file in ("weights.safetensors", "spec.json"))
    save_classifier(build_classifier(spec), spec, *paths)
    passed, load = [], checkpoints.load_classifier

    def watched(folder, *arguments):
        network = load(folder, *arguments)
        network.register_forward_hook(lambda *_: passed.append(folder.name))
        return network

    monkeypatch.setattr(checkpoints, "load_classifier", watched)

    def rows(out, names, source="decoder-L"):
        line, table = command(Predict, study, out, source=source)
        line = line[: line.index("--classifiers")]
        weights = [str(study / name / "weights.safetensors") for name in names]
        passed.clear()
        Predict.main([*line, "--classifiers", *weights, "--names", *names])
        return table.read_bytes(), set(passed)

    grown = tmp_path / "grown"
    for names, computed in (
        ("LA", {"L", "A"}),
        ("LAN", {"N"}),
        ("NL", set()),
        ("ANL", set()),
    ):
        table, networks = rows(grown, names)
        assert networks == computed
        assert table == rows(tmp_path / f"from the start {names}", names)[0]
    shutil.rmtree(cell_folder(grown / "rows.parquet"))
    assert rows(grown, "ANL") == (table, {"L", "A", "N"})


def test_a_network_that_changed_is_computed_again_alone(study, tmp_path, capsys):
    made(Predict, study, tmp_path)
    path = study / "A/spec.json"
    kept = path.read_text()
    try:
        path.write_text(json.dumps(json.loads(kept) | {"mean": [0.5, 0.5, 0.5]}))
        made(Predict, study, tmp_path)
    finally:
        path.write_text(kept)
    told = capsys.readouterr().err
    assert f"{PARTS} cells computed again: other classifier" in told
    assert f"{PARTS} of {2 * PARTS} cells to compute" in told


def long_table(path, count):
    """Return Python's and Arrow's peak memory while a chunked table is written."""
    random, pool = np.random.default_rng(0), pa.default_memory_pool()
    proxy = pa.proxy_memory_pool(pool)

    pa.set_memory_pool(proxy)
    tracemalloc.start()
    try:
        table = ChunkedParquet(path, count, {})
        table.write(
            pd.DataFrame({"part": part, "value": random.random(20_000)})
            for part in table.missing
        )
        return tracemalloc.get_traced_memory()[1], proxy.max_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(pool)
        remove_chunks(path)


def test_memory_does_not_grow_with_the_table(tmp_path):
    long_table(tmp_path / "first.parquet", 2)
    few, many = (long_table(tmp_path / f"{n}.parquet", n) for n in (3, 30))
    for short, long in zip(few, many, strict=True):
        assert long < 1.5 * short
    rows = pd.read_parquet(tmp_path / "30.parquet")
    assert rows["part"].value_counts(sort=False).to_dict() == dict.fromkeys(
        range(30), 20_000
    )


def test_rows_of_several_files_share_sorted_categories(study, tmp_path):
    made(Predict, study, tmp_path / "b")
    rows = pd.read_parquet(tmp_path / "b/rows.parquet")
    rows.assign(source="a").to_parquet(tmp_path / "a.parquet")
    paths = [tmp_path / "b/rows.parquet", tmp_path / "a.parquet"]
    read = read_rows(paths, SCORED_COLUMNS)
    assert list(read) == SCORED_COLUMNS
    assert list(read["source"].cat.categories) == ["a", "pretrained"]
    assert list(read["classifier"].cat.categories) == ["A", "L"]
    truth = pd.concat([rows, rows.assign(source="a")], ignore_index=True)[
        SCORED_COLUMNS
    ]
    texts = {"source": str, "classifier": str, "noise": str}
    pd.testing.assert_frame_equal(read.astype(texts), truth.astype(texts))


def test_rows_that_lack_a_column_or_were_altered_are_named(study, tmp_path):
    made(Predict, study, tmp_path)
    table = tmp_path / "rows.parquet"
    with pytest.raises(UserError, match=r"rows\.parquet: .*lost"):
        read_rows([table], ["lost"])
    flip(table)
    with pytest.raises(UserError, match=r"rows\.parquet: damaged rows"):
        read_rows([table])
