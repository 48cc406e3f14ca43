"""The workflow as its users meet it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from project import one_line

from s2snets.networks.architectures import lenet5
from s2snets.networks.checkpoints import save_weights
from s2snets.runtime.assets import ASSETS
from s2snets.study import bundle as bundles
from s2snets.study.finished import load_study

ROOT = Path(__file__).parents[2]
FIGURES = [
    "cross-evaluation",
    "lattice-barcode",
    "error-consistency",
    "depth-noticed",
    "depth-pairs",
    "depth-parts",
    "depth-profile",
    "denoisers",
    *(f"figure-{number}" for number in range(2, 10)),
]


def test_the_smoke_study_writes_every_result(smoke):
    for figure in FIGURES:
        for form in ("pdf", "png", "csv"):
            assert (smoke.results / f"figures/{figure}.{form}").stat().st_size > 0
    for table in ("accuracy", "table1", "table2", "parts", "noise", "rrc", "curves",
                  "information", "lab", "colors", "costs", "distinct-lattices", "relations",
                  "chains", "comparison", "denoise", "consistency", "correlations", "depth", "depth-losses",
                  "depth-pairs", "depth-layers"):  # fmt: skip
        assert len(pd.read_csv(smoke.results / f"tables/{table}.csv"))
    rrc = pd.read_csv(smoke.results / "tables/rrc.csv")
    assert (rrc.rrc_low <= rrc.rrc_high).all()
    report = (smoke.results / "report.html").read_text()
    assert report.count("data:image/png;base64,") >= len(FIGURES)
    assert "<script src" not in report


def test_the_smoke_study_runs_every_rule_that_it_has_a_use_for(smoke):
    sections = {"cleaning.smk", "salient.smk", "synthesis.smk"}
    rules = (ROOT / "workflow/rules").glob("*.smk")
    files = [ROOT / "Snakefile", *(one for one in rules if one.name not in sections)]
    heading = re.compile(r"^(?:use rule \w+ as|rule) (\w+)", re.M)
    defined = heading.findall("".join(map(Path.read_text, files)))
    targets = {"data", "classifiers", "pretraining", "finetuning", "predictions",
               "lattices", "information", "figures", "denoising", "lighter", "color", "depth"}  # fmt: skip
    figures = {name.replace("-", "_") for name in [*FIGURES, "lighter-autoencoders"]}
    ran = set(smoke.project.plan("--forceall"))
    others = {"fetch_weights", "export_classifier", "check_classes"}
    others |= {"main_report", "tabulate_main_costs"}  # beside companions
    assert ran - figures == set(defined) - targets - others
    assert figures <= ran


def test_a_second_run_has_nothing_to_do(smoke):
    assert "Nothing to be done" in smoke.project.snakemake().stdout


def test_a_bundle_says_how_to_make_the_study_again(smoke, tmp_path):
    """Its settings are the study's to the last value: there is nothing to be done."""
    bundle = tmp_path / "bundle"
    bundles.publish(smoke.results, bundle)
    assert list(load_study(bundle).autoencoders) == list(
        load_study(smoke.results).autoencoders
    )
    out = smoke.project.snakemake(preset=bundle / "study.yaml").stdout
    assert "Nothing to be done" in out


def test_every_result_carries_its_record(smoke):
    records = [
        *smoke.results.rglob("record.json"),
        *smoke.results.rglob("predictions/*.json"),
    ]
    assert len(records) > 10
    for path in records:
        record = json.loads(path.read_text())
        assert record["settings"]
        assert record["versions"]["torch"]
        assert record["code"]
        assert record["seconds"] > 0
        assert record["memory_mb"] > 10
    pretraining = smoke.results / "seed-0/autoencoders/pretrained/photos/record.json"
    seen = json.loads(pretraining.read_text())["images_seen"]
    assert seen == "each of 160 images is seen 1×"


def test_predictions_hold_every_image_classifier_and_strength(smoke):
    rows = pd.read_parquet(smoke.results / "seed-0/predictions/original.parquet")
    counts = rows.groupby(["classifier", "noise", "strength"], observed=True).size()
    assert counts.to_dict() == {
        (name, *noise): images
        for name in "LR"
        for noise, images in {
            ("none", 0.0): 60, ("clipped", 0.5): 20, ("unclipped", 0.5): 20,
        }.items()
    }  # fmt: skip
    table = pd.read_csv(smoke.results / "tables/table1.csv")
    clean = rows[(rows.strength == 0) & (rows.classifier == "L")]
    stated = table[(table.classifier == "L") & (table.input == "original")].top1.item()
    assert stated == pytest.approx((clean.class_1 == clean.label).mean())


def test_noise_is_the_same_for_every_source(smoke):
    noisy = [
        pd.read_parquet(smoke.results / f"seed-0/predictions/{source}.parquet")
        .query("strength > 0")
        .image.unique()
        for source in ("original", "pretrained", "decoder-L")
    ]
    assert np.array_equal(noisy[0], noisy[1])
    assert np.array_equal(noisy[0], noisy[2])


def test_only_the_tuned_part_moves(smoke):
    from safetensors.numpy import load_file

    folder = smoke.results / "seed-0/autoencoders"
    before = load_file(folder / "pretrained/photos/weights.safetensors")
    for part, other in (("decoder", "encoder"), ("encoder", "decoder")):
        after = load_file(folder / part / "L/weights.safetensors")
        same = {
            name.split(".")[0]
            for name in before
            if not np.array_equal(before[name], after[name])
        }
        assert same == {part}
        assert other not in same


def test_a_replicate_is_the_same_training_with_images_in_another_order(smoke):
    folders = [smoke.results / "seed-0", smoke.results / "seed-0/replicate-1"]
    first, other = (
        folder / "autoencoders/decoder/L/weights.safetensors" for folder in folders
    )
    assert first.read_bytes() != other.read_bytes()
    records = [
        json.loads(one.with_name("record.json").read_text()) for one in (first, other)
    ]
    assert records[0]["settings"] == records[1]["settings"]
    assert records[0]["seed"] == 0 != records[1]["seed"]
    rows = [
        pd.read_parquet(folder / "predictions/decoder-L.parquet") for folder in folders
    ]
    assert [set(each["replicate"]) for each in rows] == [{0}, {1}]
    keys = ["seed", "source", "image", "classifier", "strength", "label"]
    assert rows[0][keys].equals(rows[1][keys])


def test_another_classifier_plans_its_own_jobs_and_the_sums(smoke):
    project = smoke.project
    preset = project.variant(
        "more", classifiers={"A": {"architecture": "small_alexnet"}}
    )
    plan = project.plan(preset=preset)
    assert plan["train_classifier"] == 1
    assert plan["finetune_autoencoder"] == 2  # its decoder, its encoder
    assert plan["measure_information"] == 1
    assert "pretrain_autoencoder" not in plan
    assert "pack_images" not in plan


def test_another_seed_plans_a_repetition_and_the_sums(smoke):
    plan = smoke.project.plan(preset=smoke.project.variant("seeds", seeds=[0, 1]))
    assert plan["pretrain_autoencoder"] == 2
    assert plan["train_classifier"] == 2
    assert plan["finetune_autoencoder"] == 4
    assert "pack_images" not in plan


def test_a_colour_redraws_and_retrains_nothing(smoke):
    preset = smoke.project.variant("colour", figures={"palette": {"L": "black"}})
    plan = smoke.project.plan(preset=preset)
    assert set(plan) <= {
        name.replace("-", "_") for name in [*FIGURES, "lighter-autoencoders"]
    } | {"report", "all"}
    assert "figure_6" in plan


def test_another_part_trains_only_itself(smoke):
    preset = smoke.project.variant(
        "part", finetune={"parts": ["decoder", "encoder", "both"]}
    )
    plan = smoke.project.plan(preset=preset)
    assert plan["finetune_autoencoder"] == 2
    assert plan["predict"] == 2
    assert "measure_information" not in plan


def test_more_replicates_tune_and_measure_only_themselves(smoke):
    preset = smoke.project.variant("replicates", finetune={"replicates": 3})
    plan = smoke.project.plan(preset=preset)
    assert plan["finetune_replicate"] == plan["predict_replicate"] == 4  # the third's
    assert plan["measure_replicate"] == 2  # of its decoders
    assert plan["survey_lattices"] == 1
    trained = {"finetune_autoencoder", "predict", "measure_information"}
    assert not trained & plan.keys()


def test_a_comment_reruns_nothing(copy):
    path = copy.root / "workflow/s2snets/training/objectives.py"
    text = path.read_text()
    docstring = '"""Return the cross-entropy of'
    assert docstring in text
    path.write_text(
        "# A comment.\n" + text.replace(docstring, '"""Give the cross-entropy of')
    )
    assert copy.plan() == {}


def test_the_loss_reruns_what_it_trained_and_what_follows(copy):
    copy.edit(
        "workflow/s2snets/training/objectives.py",
        "return F.cross_entropy(logits, labels)",
        "return 2 * F.cross_entropy(logits, labels)",
    )
    plan = copy.plan()
    assert plan["finetune_autoencoder"] == 4
    assert plan["tabulate_accuracy"] == 1
    assert "pack_images" not in plan


def test_a_figures_code_redraws_that_figure_alone(copy):
    copy.edit(
        "workflow/s2snets/figures/relative_change.py",
        "PER_PANEL = 36",
        "PER_PANEL = 35",
    )
    assert set(copy.plan()) == {"figure_6", "report", "all"}


def test_the_same_seed_gives_the_same_numbers(smoke, copy):
    copy.snakemake("predictions", "--forcerun", "pretrain_autoencoder")
    for table in ("accuracy", "table2"):
        one, two = (
            (root / f"results/smoke/tables/{table}.csv").read_text()
            for root in (smoke.project.root, copy.root)
        )
        assert one == two
    weights = "results/smoke/seed-0/autoencoders/decoder/L/weights.safetensors"
    assert (smoke.project.root / weights).read_bytes() == (
        copy.root / weights
    ).read_bytes()


def test_given_weights_are_exported_and_used(smoke):
    project = smoke.project
    save_weights(lenet5(10, 32), project.root / "given.safetensors")
    given = {"architecture": "lenet5", "weights": "given.safetensors"}
    preset = project.variant("given", study="smoke", classifiers={"G": given})
    target = "results/smoke/seed-0/classifiers/G/weights.safetensors"
    project.snakemake(target, preset=preset)
    assert (project.root / target).stat().st_size > 60_000 * 4


def command(copy, stage, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "s2snets.stages", stage, *map(str, arguments)],
        cwd=copy.root, text=True, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(copy.root / "workflow")},
    )  # fmt: skip


def pretraining(smoke, out, **changes):
    """Arguments of a pretraining that is long enough to be killed."""
    settings = json.loads(
        (
            smoke.results / "seed-0/autoencoders/pretrained/photos/record.json"
        ).read_text()
    )["settings"]
    settings["pretraining"] |= {"images": 1600} | changes
    data = smoke.results / "data"
    return [
        "--images", data / "photos/index.npz",
        "--validation-photos", data / "photos_validation/index.npz",
        "--validation-labelled", data / "validation/index.npz",
        "--weights", out / "weights.safetensors", "--curve", out / "curve.csv",
        "--record", out / "record.json", "--save-every", "0",
        "--settings", json.dumps(settings),
    ]  # fmt: skip


def test_a_stage_killed_outright_and_restarted_ends_in_the_same_weights(smoke, copy):
    killed, whole = copy.root / "killed", copy.root / "whole"
    process = command(copy, "pretrain_autoencoder", *pretraining(smoke, killed))
    until = time.monotonic() + 60
    while not (killed / "checkpoint.pt").exists() and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (killed / "checkpoint.pt").exists()
    assert not (killed / "weights.safetensors").exists()
    for out in (killed, whole):
        process = command(copy, "pretrain_autoencoder", *pretraining(smoke, out))
        assert process.wait() == 0, process.stderr.read()
        assert not (out / "checkpoint.pt").exists()
    for name in ("weights.safetensors", "curve.csv"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


def test_a_checkpoint_of_other_settings_stops_the_stage_with_one_line(smoke, copy):
    out = copy.root / "out"
    process = command(
        copy, "pretrain_autoencoder", *pretraining(smoke, out, images=10**7)
    )
    until = time.monotonic() + 60
    while not (out / "checkpoint.pt").exists() and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    process = command(
        copy, "pretrain_autoencoder", *pretraining(smoke, out, learning_rate=0.5)
    )
    _, told = process.communicate()
    assert process.returncode == 1
    last = told.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert "another training" in last
    assert "Traceback" not in told


def test_the_papers_table_gives_figure_6_and_the_printed_lattices(smoke, tmp_path):
    def run(stage, *arguments):
        process = command(smoke.project, stage, *arguments)
        _, told = process.communicate()
        assert process.returncode == 0, told

    rrc, lattices = tmp_path / "rrc.csv", tmp_path / "lattices.json"
    run("relate", "--table2", ASSETS / "palacio2018/table2.csv", "--rrc", rrc)
    run("build_lattices", "--rrc", rrc, "--lattices", lattices,
        "--thresholds", 0.1, 0.2, 0.8, 0.9)  # fmt: skip
    table = pd.read_csv(rrc)
    others = table[table.autoencoder != "A_" + table.classifier]
    order = [
        f"{a[2:]}{c}"
        for a, c in zip(others.autoencoder, others.classifier, strict=True)
    ]
    printed = "AV RL AL RV LV AR IL IA IR IV VL LA RA VA AI RI VR VI LI LR"
    assert order == printed.split()
    found = json.loads(lattices.read_text())
    assert [len(one["concepts"]) for one in found] == [2, 4, 5, 6]
    assert [one["chain"] for one in found] == [True, True, True, False]
    assert [round(found[1][side], 3) for side in ("low", "high")] == [0.165, 0.525]
    assert [round(found[2][side], 3) for side in ("low", "high")] == [0.636, 0.841]


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        (
            {"finetun": {"learning_rate": 1}},
            ["finetun: unknown key; did you mean 'finetune'"],
        ),
        ({"lattice": {"thresholds": [1.2]}}, ["lattice.thresholds.0", "1.2"]),
        (
            {"data": {"photos": [{"path": "nowhere"}]}},
            ["data.photos[0].path", "no nowhere", "config/README.md"],
        ),
    ],
)
def test_a_bad_config_is_told_in_one_line(smoke, changes, parts):
    preset = smoke.project.variant("bad", **changes)
    one_line(smoke.project.snakemake("--dry-run", preset=preset, check=False), *parts)


def broken_stage(copy, preset, target):
    """Run one target that must fail; the last line of its stage's log."""
    done = copy.snakemake(target, preset=preset, check=False)
    assert done.returncode != 0
    assert not (copy.root / target).exists()
    log = max(
        copy.root.rglob("results/*/logs/**/*.log"),
        key=lambda path: path.stat().st_mtime,
    )
    assert "Traceback" not in log.read_text()
    return log.read_text().strip().splitlines()[-1]


def test_an_unreadable_image_and_an_empty_folder_are_named(copy):
    photos = copy.root / "photos"
    photos.mkdir()
    source = {"data": {"photos": [{"path": "photos"}]}}
    preset = copy.variant("mine", study="mine", **source)
    target = "results/mine/data/photos/index.npz"
    assert "photos: holds no images" in broken_stage(copy, preset, target)
    Image.new("RGB", (40, 40)).save(photos / "fine.png")
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff junk")
    assert "broken.jpg: unreadable image" in broken_stage(copy, preset, target)


def test_a_users_own_folders_work_by_naming_them(copy):
    random = np.random.default_rng(0)
    for name in ("train", "val"):
        for label in ("cat", "dog"):
            folder = copy.root / "own" / name / label
            folder.mkdir(parents=True)
            for number in range(4):
                pixels = random.integers(0, 256, (50, 40 + number, 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.jpg")
    preset = copy.variant(
        "own",
        study="own",
        data={
            "train": [{"path": "own/train"}],
            "validation": [{"path": "own/val"}],
            "photos": [{"path": "own/train"}],
            "photos_validation": [{"path": "own/val"}],
            "classes": None,
        },
        predict={"noisy_images": None},
    )
    copy.snakemake("lattices", preset=preset, check=False)
    table = pd.read_csv(copy.root / "results/own/tables/table2.csv")
    assert list(table.columns) == ["autoencoder", "L", "R"]
    about = json.loads((copy.root / "results/own/data/train/index.json").read_text())
    assert about["classes"] == ["cat", "dog"]


def test_a_classifier_that_does_not_exist_is_named(copy):
    preset = copy.variant(
        "bad", study="bad", classifiers={"Z": {"architecture": "torchvision/alexnett"}}
    )
    target = "results/bad/seed-0/classifiers/Z/weights.safetensors"
    complaint = "there is no 'torchvision/alexnett'; perhaps torchvision/alexnet"
    assert complaint in broken_stage(copy, preset, target)
