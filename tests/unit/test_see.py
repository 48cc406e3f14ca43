"""``s2snets see``: one image through a fabricated study of two classifiers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from finished import CLASSES, SIZE, fabricate
from PIL import Image
from torch import nn

import s2snets
from s2snets import cli
from s2snets.config import Autoencoder, Figures
from s2snets.figures import network_view as figure
from s2snets.networks.checkpoints import save_weights
from s2snets.runtime.errors import UserError
from s2snets.study.finished import load_classifier, load_study
from s2snets.study.view import amplify_differences, read_pixels, view_image


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return fabricate(tmp_path_factory.mktemp("results") / "tiny")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with a picture in it, and no display."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "can_show", lambda: False)
    Image.effect_mandelbrot((70, 40), (-2, -1, 1, 1), 30).save("picture.png")
    return tmp_path


def run(*arguments):
    cli.main(["see", *map(str, arguments)])


def test_the_picture_is_written_and_its_path_told(study, here, capsys):
    run("picture.png", "--study", study)
    assert capsys.readouterr().out == "picture-seen.png\n"
    with Image.open("picture-seen.png") as image:
        assert image.width > image.height > 300


def test_no_file_is_lost_unsaid(study, here, capsys):
    for _ in range(3):
        run("picture.png", "--study", study)
    assert len(list(here.glob("picture-seen*.png"))) == 3
    for _ in range(2):
        run("picture.png", "--study", study, "--out", "new/mine.png")
    told = capsys.readouterr().out.split("\n")
    assert told[1:5] == [
        "picture-seen-2.png",
        "picture-seen-3.png",
        "new/mine.png",
        "new/mine.png, replaced",
    ]


def test_every_source_and_classifier_agrees_with_its_networks(study, here):
    finished = load_study(study)
    pixels = read_pixels("picture.png", finished.settings)
    seen = view_image(pixels, finished)
    assert list(seen.pictures) == ["image", "A_S", "A_L", "A_R"]
    assert list(seen.differences) == ["A_S", "A_L", "A_R"]
    assert np.array_equal(
        seen.pictures["image"], (pixels[0].permute(1, 2, 0) * 255).round()
    )
    weights = study / "seed-0/autoencoders/decoder/R/weights.safetensors"
    from s2snets.networks.checkpoints import load_autoencoder, load_classifier

    passed = load_autoencoder(weights, Autoencoder(width=4, stages=2))(pixels)
    truth = load_classifier(study / "seed-0/classifiers/L")(passed).softmax(1)[0]
    best = seen.top["L"]["A_R"]
    assert dict(best) == pytest.approx(dict(zip(CLASSES, truth.tolist(), strict=True)))
    assert [share for _, share in best] == sorted(truth.tolist(), reverse=True)


@pytest.mark.parametrize(
    ("error", "gain"), [(0, 64), (1, 64), (3, 32), (30, 4), (63, 2), (64, 1), (200, 1)]
)
def test_differences_are_amplified_as_far_as_they_fit(error, gain):
    image = np.full((4, 4, 3), 20, np.uint8)
    shown, found = amplify_differences({"image": image, "A_S": image + np.uint8(error)})
    assert found == gain
    assert (shown["A_S"] == min(255, 128 + gain * error)).all()


def test_orientation_is_respected(study, here):
    settings = load_study(study).settings
    upright = Image.open("picture.png").convert("RGB").resize((SIZE, SIZE // 2))
    upright.save("upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save("turned.png", exif=exif)
    assert torch.equal(
        read_pixels("upright.png", settings), read_pixels("turned.png", settings)
    )


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "1", "P", "I;16", "CMYK"])
@pytest.mark.parametrize("size", [(1, 1), (16, 16), (3, 900)])
def test_any_mode_and_size_becomes_the_studys_pixels(study, here, mode, size):
    suffix = "tif" if mode == "CMYK" else "png"
    Image.new(mode, size, 0).save(f"odd.{suffix}")
    pixels = read_pixels(f"odd.{suffix}", load_study(study).settings)
    assert pixels.shape == (1, 3, SIZE, SIZE)


def test_transparency_is_laid_on_black(study, here):
    Image.new("RGBA", (SIZE, SIZE), (255, 255, 255, 0)).save("clear.png")
    assert not read_pixels("clear.png", load_study(study).settings).any()


def test_a_loaded_study_has_its_networks_classes_and_tables_by_name(tmp_path):
    tables = fabricate(tmp_path) / "tables"
    tables.mkdir()
    (tables / "rrc.csv").write_text("network,rrc\nL,0.5\n")
    study = load_study(str(tmp_path))
    assert (study.folder, study.seed) == (tmp_path, 0)
    assert (study.settings.image_size, study.settings.resize_mode) == (SIZE, "pad")
    assert list(study.autoencoders) == ["A_S", "A_L", "A_R"]
    assert list(study.classifiers) == ["L", "R"]
    assert study.classes == {"L": CLASSES, "R": CLASSES}
    assert study.tables == ["rrc"]
    assert study.table("rrc").to_dict("list") == {"network": ["L"], "rrc": [0.5]}
    with pytest.raises(UserError, match=r"table2\.csv: no such table"):
        study.table("table2")


def test_the_first_seed_is_taken_and_others_can_be(tmp_path):
    for seed in (10, 2):
        fabricate(tmp_path, seed)
    assert load_study(tmp_path).seed == 2
    assert load_study(tmp_path, 10).seed == 10
    with pytest.raises(UserError, match=r"no seed 3, only 2, 10"):
        load_study(tmp_path, 3)


def test_with_several_parts_every_label_names_its_own(tmp_path):
    study = load_study(fabricate(tmp_path, parts=("encoder", "decoder")))
    labels = ["image", *study.autoencoders]
    assert labels[2:] == [
        "A_L (decoder)",
        "A_R (decoder)",
        "A_L (encoder)",
        "A_R (encoder)",
    ]
    assert (
        figure.order_labels(
            Figures(palette={"R": "red", "L": "blue"}), reversed(labels)
        )
        != labels
    )
    assert figure.order_labels(Figures(palette={"R": "red", "L": "blue"}), labels)[
        2:4
    ] == [
        "A_R (decoder)",
        "A_L (decoder)",
    ]


def test_long_names_stay_on_the_page(tmp_path, here):
    fabricate(
        tmp_path / "study",
        parts=("decoder", "both"),
        classifiers=("squeezenet1_1", "R"),
    )
    finished = load_study(tmp_path / "study")
    seen = view_image(read_pixels("picture.png", finished.settings), finished)
    with matplotlib.rc_context(cli.THEME):
        page = figure.draw(seen, "title", Figures())
        page.savefig("page.png")
        box = page.get_window_extent()
        for text in page.findobj(matplotlib.text.Text):
            if text.get_text() and text.get_visible():
                drawn = text.get_window_extent()
                assert box.x0 <= drawn.x0, text
                assert drawn.x1 <= box.x1, text


@pytest.mark.parametrize("name", ["US$ 5^$ $x^$", "caf\udce9 a\nb"])
def test_any_name_of_a_file_or_class_is_drawn_as_it_is_written(tmp_path, here, name):
    folder = name.encode(errors="replace").decode()  # safetensors opens no other
    study = fabricate(tmp_path / folder)
    (study / "data/validation/index.json").write_text(
        json.dumps({"classes": [name, "tent", "sea"]})
    )
    Path("picture.png").rename(f"{name}.png")
    done = subprocess.run(
        [sys.executable, "-m", "s2snets.cli", "see", f"{name}.png", "--study", study],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(f"{name}-seen.png").stat().st_size


FUNCTION = """from pathlib import Path
from torch import nn

def net():
    Path("ran").touch()
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3)), {}
"""


@pytest.fixture
def naming_a_function(tmp_path, here, monkeypatch):
    """A study of somebody else's, one of whose classifiers is a function."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    study = fabricate(tmp_path / "study")
    (here / "mine.py").write_text(FUNCTION)
    spec = study / "seed-0/classifiers/L/spec.json"
    described = json.loads(spec.read_text()) | {"architecture": "mine:net"}
    spec.write_text(json.dumps(described | {"resize": None}))
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3))
    save_weights(network, spec.with_name("weights.safetensors"))
    yield study
    sys.modules.pop("mine", None)


def test_a_function_that_a_study_names_runs_only_if_trusted(naming_a_function, capsys):
    with pytest.raises(SystemExit, match=r"mine:net \(.*spec\.json\).*--trust") as told:
        run("picture.png", "--study", naming_a_function)
    assert "\n" not in str(told.value)
    for load in (
        lambda **trust: s2snets.load_study(naming_a_function, **trust),
        lambda **trust: s2snets.load_classifier(
            naming_a_function / "seed-0/classifiers/L", **trust
        ),
    ):
        with pytest.raises(UserError, match="mine:net"):
            load()
        assert not Path("ran").exists()
        load(trust=True)
        Path("ran").unlink()
    run("picture.png", "--study", naming_a_function, "--trust")
    assert capsys.readouterr().out == "picture-seen.png\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": 5},
        {"architecture": "lenet"},
        {"classes": 0},
        {"classes": "3"},
        {"classes": 10**30},
        {"size": -1},
        {"size": 2, "resize": None},
        {"resize": 0},
        {"crop": 1.5},
        {"mean": [1]},
        {"std": [0, 0, 0]},
        {"std": [float("nan")] * 3},
        {"interpolation": "cubic"},
        {"categories": ["a"]},
        {"categories": "abc"},
        {"published": None},
        {"architecture": None},
    ],
)
def test_a_crafted_spec_is_told_in_one_line(tmp_path, changes):
    folder = fabricate(tmp_path / "study") / "seed-0/classifiers/L"
    spec = json.loads((folder / "spec.json").read_text())
    (folder / "spec.json").write_text(json.dumps(spec | changes))
    with pytest.raises(UserError, match=r"spec\.json|architecture: |weights") as told:
        load_classifier(folder)
    assert "\n" not in str(told.value)


def broken(study):
    """A complaint's text, and how a study comes to deserve it."""

    def replace(path, text):
        (study / path).write_text(text)

    record, pretrained = "record.json", "seed-0/autoencoders/pretrained/photos"
    yield (
        "no record of a pretraining",
        lambda: replace(f"{pretrained}/{record}", '{"settings": {}}'),
    )
    yield "not JSON", lambda: replace(f"{pretrained}/{record}", "{")
    yield "damaged weights", lambda: replace(f"{pretrained}/weights.safetensors", "no")
    yield (
        "classifier L: tells 7 classes apart, but the data has 3",
        lambda: fabricate(study, classes=7),
    )
    yield (
        "no fine-tuned autoencoder yet",
        lambda: (study / "seed-0/autoencoders/decoder").rename(study / "away"),
    )
    yield (
        "no classifier yet",
        lambda: (study / "seed-0/classifiers").rename(study / "away"),
    )
    yield "no such file", lambda: (study / "data/validation/index.json").unlink()
    yield "no record of an image", lambda: replace("data/validation/index.json", "[]")
    yield "spec.json: ", lambda: replace("seed-0/classifiers/L/spec.json", "[]")
    yield "not JSON", lambda: replace("seed-0/classifiers/L/spec.json", "[" * 100_000)
    yield "damaged weights", lambda: replace(f"{pretrained}/weights.safetensors", "")


@pytest.mark.parametrize("number", range(11))
def test_a_broken_study_is_told_in_one_line(tmp_path, here, number):
    complaint, damage = list(broken(fabricate(tmp_path / "study")))[number]
    damage()
    with pytest.raises(SystemExit) as told:
        run("picture.png", "--study", tmp_path / "study")
    assert str(told.value).startswith("error: ")
    assert complaint in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["missing.png"], "missing.png: no such file or directory"),
        (["."], "is a directory"),
        (["text.jpg"], "text.jpg: unreadable image"),
        (["half.png"], "half.png: unreadable image"),
        (["picture.png", "--study", "nowhere"], "nowhere: no such folder"),
        (["picture.png", "--seed", "4"], "has no seed 4, only 0"),
        (["picture.png", "--out", "picture.jpg"], "must end in .png"),
        (["picture.png", "--show"], "finds no display"),
    ],
)
def test_bad_arguments_are_told_in_one_line(study, here, arguments, complaint):
    Path("text.jpg").write_text("no image")
    Path("half.png").write_bytes(Path("picture.png").read_bytes()[:60])
    with pytest.raises(SystemExit) as told:
        run("--study", study, *arguments)
    assert complaint in str(told.value)
    assert "\n" not in str(told.value)
    assert not list(here.glob("*-seen*"))


def test_without_a_display_the_command_only_writes(study, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "black.png")
    bare = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    }
    done = subprocess.run(
        [sys.executable, "-m", "s2snets.cli", "see", "black.png", "--study", study],
        cwd=tmp_path, env=bare, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "black-seen.png\n"), done.stderr
    assert json.dumps(done.stderr) == '""'


def test_with_a_display_the_window_shows_what_was_written(study, here, monkeypatch):
    from matplotlib import pyplot

    monkeypatch.setattr(cli, "can_show", lambda: True)
    shown = []
    monkeypatch.setattr(pyplot, "show", lambda: shown.extend(pyplot.get_fignums()))
    run("picture.png", "--study", study)
    run("picture.png", "--study", study, "--no-show")
    assert len(shown) == 1
    pyplot.close("all")
