"""Settings: closed, documented, read."""

import re
from pathlib import Path

import pytest
import yaml

from s2snets.config import Study, check_paths, documents, load
from s2snets.config.data import Source
from s2snets.config.networks import OWN_ARCHITECTURES
from s2snets.config.study import class_folders
from s2snets.networks.architectures import ARCHITECTURES
from s2snets.runtime.errors import UserError
from s2snets.stages.classifiers import TrainClassifier
from s2snets.stages.data import PackImages

ROOT = Path(__file__).parents[2]
PRESETS = sorted((ROOT / "config").glob("*.yaml"))


def demo():
    return yaml.safe_load((ROOT / "config/demo.yaml").read_text())


def network(name, architecture="lenet5", **keys):
    """The demo's classifiers and one more."""
    one = {"architecture": architecture} | keys
    return {"classifiers": demo()["classifiers"] | {name: one}}


def keys():
    return [
        row for model in documents.sections() for row in documents.setting_rows(model)
    ]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_presets_are_valid(preset):
    assert load(yaml.safe_load(preset.read_text())).study == preset.stem


def test_schema_and_readme_are_written_from_the_models(tmp_path):
    remedy = "run: PYTHONPATH=workflow python -m s2snets.config.documents"
    readme = tmp_path / documents.README
    readme.parent.mkdir()
    readme.write_text((ROOT / documents.README).read_text())
    documents.main(["--root", str(tmp_path)])
    for path in (documents.SCHEMA, documents.README):
        assert (ROOT / path).read_text() == (tmp_path / path).read_text(), remedy


def test_every_key_is_described():
    assert all(len(text or "") > 5 for *_, text in keys())


def test_every_key_is_read():
    code = "".join(
        path.read_text()
        for folder, suffix in (("workflow/s2snets", "py"), ("workflow/rules", "smk"))
        for path in (ROOT / folder).rglob(f"*.{suffix}")
        if path.parent.name != "config"
    )
    for key, *_ in keys():
        assert re.search(rf'\.{key}\b|"{key}"', code), f"nothing reads {key}"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"finetun": {}}, "finetun: unknown key; did you mean 'finetune'"),
        ({"fit": "pad"}, "fit: was renamed, write 'resize_mode'"),
        (
            {"pretrain": {"photos": {"units": "pixels"}}},
            r"pretrain\.photos\.units: was renamed, write 'loss_space'",
        ),
        ({"train": {"rate": 1}}, r"train\.rate: was renamed, write 'learning_rate'"),
        ({"lattice": {"units": 1}}, r"lattice\.units: unknown key; known here: thresh"),
        (
            {"finetune": {"learning_rat": 1}},
            r"finetune\.learning_rat: .* mean \'learning_rate\'",
        ),
        ({"lattice": {"thresholds": [1.5]}}, r"lattice\.thresholds\.0: .*1\.5"),
        ({"predict": {"strengths": [0.5]}}, "predict: strengths: 0 must be among"),
        (
            {"predict": {"strengths": [0, 0]}},
            r"predict\.strengths: 0\.0 is there twice",
        ),
        ({"predict": {"clip": True}}, r"predict\.clip: must be a list, write \[true\]"),
        (
            {"gallery": {"histogram_bins": 50}},
            "histogram_bins: must be odd, such as 51",
        ),
        ({"finetune": {"parts": ["head"]}}, r"finetune\.parts\.0: .*'head'"),
        (
            {"classifiers": {"L": {}}},
            "classifiers: .*at least 2|architecture: is missing",
        ),
        ({"figures": {"noise_example": "Z"}}, "figures.noise_example: 'Z' is none of"),
        ({"denoise": {"methods": ["mean"]}}, r"denoise\.methods\.0: .*'mean'"),
        (
            {"denoise": {"methods": ["nlm"] * 2}},
            r"denoise\.methods: 'nlm' is there twi",
        ),
        (
            {"finetune": {"parts": ["both"] * 2}},
            r"finetune\.parts: 'both' is there twi",
        ),
        ({"information": {"bins": [32, 32]}}, r"information\.bins: 32 is there twice"),
        (
            {"lattice": {"thresholds": [0.1, 0.1]}},
            r"lattice\.thresholds: 0\.1 is there",
        ),
        (
            {"gallery": {"strengths": [0, 0]}},
            r"gallery\.strengths: 0\.0 is there twice",
        ),
        (
            {"salient": {"classifiers": ["L", "L"]}},
            r"salient\.classifiers: 'L' is there",
        ),
        (
            {"salient": {"classifiers": ["L"], "measured": 1}},
            r"salient\.measured: .*, not 1",
        ),
        (
            {"synthesis": {"classifiers": ["L"], "classes": ["bag", "bag"]}},
            r"synthesis\.classes: 'bag' is there twice",
        ),
        ({"seeds": [3, 3]}, "seeds: 3 is there twice; give each once"),
        ({"seeds": [2**64]}, r"seeds\.0: .*18446744073709551616"),
        (
            {"figures": {"palette": {"L": "ret"}}},
            r"figures\.palette\.L: no colour.*'ret'",
        ),
        (
            {"figures": {"palette": {"L": "#12"}}},
            r"figures\.palette\.L: no colour.*'#12'",
        ),
        ({"figures": {"width": float("inf")}}, r"figures\.width: .*finite.*inf"),
        (
            {"train": {"augment": {"scale": [1.5, 0.8]}}},
            r"train\.augment: scale: give the least first, not \[1\.5, 0\.8\]",
        ),
        (
            {"data": demo()["data"] | {"photos": [{"path": ""}]}},
            r"data\.photos\.0\.path: .* at least 1 character",
        ),
        (
            {"data": demo()["data"] | {"photos": [{"path": "a/{set}"}]}},
            r"data\.photos\.0\.path: no path may contain '{'.*rename.*'a/{set}'",
        ),
        (
            {"data": demo()["data"] | {"photos": [{"path": "a/<b>"}]}},
            r"data\.photos\.0\.path: no path may contain '<b>'",
        ),
        (network("18"), r"classifiers\.18: tables would take it for a number; rename"),
        (network("1e5"), r"classifiers\.1e5: tables would take it for a number"),
        (network("inf"), r"classifiers\.inf: tables would take it for a number"),
        (network("True"), r"classifiers\.True: tables would take it for a number"),
        (network("accuracy"), r"classifiers\.accuracy: is a column of"),
        (network("S"), r"classifiers\.S: A_S is the pretrained"),
        (network("X", crop=40), r"classifiers\.X\.crop: 40 is more than the 32 pixels"),
        (
            network("X", architecture="caffe_alexnet", resize=60),
            r"classifiers\.X\.resize: caffe_alexnet needs 67 pixels, not 60",
        ),
        (
            {"salient": {"classifiers": ["L"], "side": 31}},
            r"salient\.side: 31 pixels are too few for L, which sees 32; set 32 or",
        ),
        (
            {
                "salient": {
                    "classifiers": ["L"],
                    "segmentation": {"path": "a", "side": 31},
                }
            },
            r"salient\.segmentation\.side: 31 pixels are too few for L, which sees 32",
        ),
        (network("X", architecture="lenet"), r"architecture: .*'lenet'"),
        ({"a\nb": 1}, r"'a\\nb': unknown key"),
        ({"study": "x" * 9999}, r"study: .*'x+\.\.\.x+'"),
        ({"lighter": [{"width": 16, "stages": 1}]}, "lighter: each size once, and not"),
        (
            {"lighter": [{"width": 8, "stages": 5}], "image_size": 16},
            "lighter: too many",
        ),
        ({"seeds": []}, "seeds: "),
        ({"image_size": "big"}, "image_size: .*'big'"),
        (
            {"autoencoder": {"stages": 5}, "image_size": 16},
            "autoencoder.stages: 5 stages",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(change, complaint):
    with pytest.raises(UserError, match=complaint) as caught:
        load(demo() | change, "mine.yaml")
    assert str(caught.value).startswith("mine.yaml: ")
    assert "\n" not in str(caught.value)


def test_a_source_that_is_not_there_is_named():
    values = demo()
    values["data"]["photos"][0]["path"] = "nowhere/photos"
    with pytest.raises(
        UserError, match=r"data\.photos\[0\]\.path: there is no nowhere/ph"
    ):
        check_paths(load(values))


def test_class_folders_are_what_packing_will_find(tmp_path, monkeypatch):
    for name in ("cat", "dog", ".git", "__MACOSX"):
        (tmp_path / name).mkdir()
    sources = [Source(path=str(tmp_path))]
    assert class_folders(sources) == ["cat", "dog"]

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refused)
    assert class_folders(sources) is None


def test_weights_that_are_not_there_are_named():
    given = network("X", weights="nowhere/x.pth")
    with pytest.raises(
        UserError, match=r"classifiers\.X\.weights: there is no nowhere/"
    ):
        check_paths(load(demo() | given))


def test_the_networks_own_names_are_known():
    assert set(OWN_ARCHITECTURES) == set(ARCHITECTURES)


def test_a_path_may_begin_at_home():
    values = demo()
    values["data"]["photos"] = [{"path": "~/Pictures"}]
    assert load(values).data.photos[0].path == str(Path.home() / "Pictures")


def test_reordered_yaml_means_the_same():
    values = demo()
    turned = {key: values[key] for key in reversed(values)}
    turned["train"] = dict(reversed(values["train"].items()))
    for stage, wildcards in (
        (TrainClassifier, {"classifier": "L"}),
        (PackImages, {"set": "train"}),
    ):
        one, two = (
            stage.settings_json(load(each), wildcards) for each in (values, turned)
        )
        assert one == two


def test_defaults_are_the_papers():
    values = {"pretrain": {}, "autoencoder": {}, "image_size": 256, "salient": None}
    study = load(demo() | values)
    photos = study.pretrain.photos
    assert (photos.optimiser, photos.momentum, photos.learning_rate) == (
        "sgd",
        0.9,
        0.01,
    )
    assert (photos.schedule, photos.factor, photos.patience) == ("plateau", 0.2, 2)
    assert photos.check_every == 1_000_000
    assert (study.autoencoder.width, study.autoencoder.stages) == (64, 5)
    fields = Study.model_fields
    assert fields["lattice"].default.thresholds == [0.1, 0.2, 0.8, 0.9]
    assert fields["image_size"].default == 256
    assert fields["finetune"].default.parts == ["decoder"]
