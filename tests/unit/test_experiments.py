"""What reversed networks are asked: measures, experiments, stages and figures."""

import importlib
import json

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from s2snets.config import Figures
from s2snets.figures import response_sheet
from s2snets.figures import style as look
from s2snets.figures.base import all_figures
from s2snets.measure.contrast import power, remap
from s2snets.measure.phase import grey, recombined
from s2snets.measure.similarity import (
    KEYS,
    cosine,
    magnitude,
    pearson,
    similarities,
    summarise,
)
from s2snets.networks.architectures import lenet5, small_vgg
from s2snets.networks.checkpoints import save_classifier
from s2snets.networks.frozen import FrozenClassifier
from s2snets.reversal import experiments, gallery, starts
from s2snets.reversal.respond import redraw
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_arrays, read_csv, read_rows
from s2snets.stages.salient import ReverseNetwork, TabulateSelectivity

SIDE = 16
SHEETS = ("architectures", "variants", "neurons", "support", "phase")


def tiny(lrn=None, classes=4):
    """Two poolings at 16 pixels, with normalisation where it is given."""
    torch.manual_seed(3)
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), lrn or nn.Identity(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(8 * 16, classes),
    )  # fmt: skip
    return FrozenClassifier(net, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))


def images(count, side=SIDE):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def asked():
    """A network, six images, their layers and rows."""
    classifier, pixels, numbers = tiny(), images(6), [9, 4, 7, 1, 0, 3]
    layers = experiments.start_layers(classifier, pixels[:1])
    return (
        classifier,
        pixels,
        numbers,
        layers,
        experiments.selectivity(classifier, pixels, numbers, layers, 5),
    )


# Contrast


def test_the_dark_tail_becomes_a_hundredth_and_zero_stays_in_the_middle():
    values = np.linspace(-3, 5, 201)  # the 0.5 % quantile is the second
    shown = remap(values[None])[0]
    assert shown[1] == pytest.approx(0.01)
    assert shown[values.searchsorted(0)] == pytest.approx(0.5)
    assert np.interp(-values[1], values, shown) == pytest.approx(0.99, abs=1e-3)


def test_where_most_is_zero_the_least_value_is_the_tail():
    values = np.zeros((1, 1000))
    values[0, :2] = -2, 1
    assert remap(values)[0, :3] == pytest.approx([0.01, 1 / (1 + 99**-0.5), 0.5])


def test_without_negative_values_the_bright_tail_decides():
    values = np.zeros((1, 1000))
    values[0, 0] = 4
    assert remap(values)[0, :2] == pytest.approx([0.99, 0.5])


def test_a_zero_response_is_grey():
    assert (remap(np.zeros((2, 3, 4, 4))) == 0.5).all()


def test_scale_of_a_response_is_not_shown_and_images_have_their_own():
    values = np.random.default_rng(0).normal(size=(2, 3, 8, 8))
    both = remap(values)
    assert remap(values * [[[[1e-9]]], [[[1e6]]]]) == pytest.approx(both)
    assert (remap(values[1:]) == both[1:]).all()


def test_power_keeps_signs_and_lifts_what_is_small():
    assert power(np.array([-1024.0, 0.0, 1e-10])) == pytest.approx([-2, 0, 0.1])


# Phase


def test_inverse_transform_of_the_transform_is_the_image():
    image = np.random.default_rng(0).random((2, 9, 12))
    assert recombined(image) == pytest.approx(image)


@pytest.mark.parametrize("shape", [(8, 8), (9, 7)])
def test_a_random_amplitude_keeps_the_phase(shape):
    random = np.random.default_rng(0)
    image, amplitude = random.random(shape), abs(random.normal(size=shape))
    found, given = np.fft.fft2(recombined(image, amplitude)), np.fft.fft2(image)
    mirrored = np.roll(amplitude[::-1, ::-1], 1, (0, 1))
    assert abs(found) == pytest.approx((amplitude + mirrored) / 2)
    assert found / abs(found) == pytest.approx(given / abs(given))


def test_grey_levels_weigh_the_colours_and_keep_grey():
    assert grey(np.eye(3).reshape(3, 3, 1, 1)).ravel() == pytest.approx(
        [0.299, 0.587, 0.114]
    )
    assert grey(np.full((3, 2, 2), 0.3)) == pytest.approx(np.full((2, 2), 0.3))


# Similarity


def test_similarities_are_those_computed_by_hand():
    assert cosine([[1, 0, 0]], [[1, 1, 0]]) == pytest.approx([0.5**0.5])
    assert pearson([[1, 2, 3]], [[1, 2, 4]]) == pytest.approx([3 / (2 * 14 / 3) ** 0.5])
    assert magnitude([[1, -2, 3]], [[-1, 2, -4]]) == pytest.approx(
        pearson([[1, 2, 3]], [[1, 2, 4]])
    )


def test_polarity_shows_in_the_cosine_and_not_in_the_magnitudes():
    one = np.random.default_rng(0).normal(size=(1, 3, 4, 4))
    found = similarities(one, -7 * one)
    assert found["cosine"] == pytest.approx(-1)
    assert found["pearson"] == pytest.approx(-1)
    assert found["magnitude"] == pytest.approx(1)


@pytest.mark.parametrize("measure", [cosine, pearson, magnitude])
def test_a_response_without_anything_resembles_nothing(measure):
    assert measure(np.zeros((1, 5)), np.arange(5.0)[None]) == 0
    assert measure(np.zeros((1, 5)), np.zeros((1, 5))) == 0


def test_a_constant_response_has_no_correlation():
    assert pearson(np.full((1, 3), 0.1), [[1, 2, 3]]) == 0


def test_means_average_seeds_and_images_and_lie_in_their_intervals():
    keys = {"classifier": "A", "depth": 1, "layer": "pool 1"}
    rows = pd.DataFrame(
        keys
        | {
            "architecture": architecture, "pair": "image", "seed": seed,
            "image": image, "cosine": low + image / 10 + seed, "pearson": 0.25,
            "magnitude": 1.0,
        }
        for architecture, low in (("salinet", 0.1), ("deconvnet", 0.2))
        for seed in (0, 1)
        for image in range(5)
    )  # fmt: skip
    table = summarise(rows, 200, 0)
    assert table["architecture"].tolist() == ["salinet", "deconvnet"]
    assert table["cosine"].to_numpy() == pytest.approx([0.8, 0.9])
    assert table["cosine_sd"].to_numpy() == pytest.approx([0.5**0.5] * 2)
    assert (table["cosine_low"] < table["cosine"]).all()
    assert (table["cosine"] < table["cosine_high"]).all()
    assert table["pearson_low"].tolist() == table["pearson_high"].tolist() == [0.25] * 2
    assert table["images"].tolist() == [5, 5]


# Experiments


def test_layers_are_the_poolings_by_depth_and_the_logits():
    assert experiments.start_layers(tiny(), images(1)) == {
        "pool 1": "3",
        "pool 2": "6",
        "logits": "logits",
    }
    chosen = experiments.start_layers(tiny(), images(1), ["4", "logits"])
    assert chosen == {"layer 4": "4", "logits": "logits"}


def test_strongest_by_backpropagation_is_the_gradient_of_the_greatest_logit():
    classifier, pixels = tiny(), images(3)
    y, reverse = experiments.reverse_layer(classifier, pixels, "salinet", "logits")
    found = experiments.compare_neurons(y, reverse, [0, 1, 2])["strongest"]
    x = classifier.prepare(pixels).requires_grad_()
    (expected,) = torch.autograd.grad(classifier.net(x).amax(1).sum(), x)
    torch.testing.assert_close(found, expected)


def test_a_random_neuron_is_redrawn_until_it_responds():
    y = torch.tensor([[5.0, 1, 1, 1, 1], [1, 1, 9, 1, 1], [9, 1, 1, 1, 1]])
    deaf = torch.tensor([[1.0, 0, 0, 1, 0], [0, 1, 0, 0, 0], [1, 0, 0, 0, 0]])

    def reverse(p):
        return (p * deaf).view(3, 1, 1, 5)

    found = redraw(y, reverse, [1, 2, 3])[:, 0, 0]
    assert found[0].tolist() == [0, 0, 0, 1, 0]  # never the strongest, which responds
    assert found[1].tolist() == [0, 1, 0, 0, 0]
    assert not found[2].any()


def test_what_responds_at_once_is_not_redrawn_for_anothers_sake():
    y, asked = torch.rand(2, 6), []

    def reverse(p):
        asked.append(p)
        shut = torch.tensor([True, len(asked) > 3])
        return (p * shut[:, None]).view(2, 1, 1, 6)

    found = redraw(y, reverse, [4, 5]).view(2, 6)
    assert len(asked) == 4
    assert (found[0] == asked[0][0]).all()
    assert (found[1] == asked[3][1]).all()


def test_what_never_responds_is_drawn_twenty_times():
    y, asked = torch.rand(1, 64), []

    def reverse(p):
        asked.append(int(p.argmax()))
        return torch.zeros(1, 3, 2, 2)

    assert not redraw(y, reverse, [0]).any()
    assert len(set(asked)) == len(asked) == 20


@pytest.mark.parametrize("values", [[-1.0, 2.0], [-1.0, -2.0]])
def test_a_spread_channel_starts_where_it_is_positive_or_all_over(values):
    y = torch.tensor(values).view(1, 1, 1, 2).repeat(1, 2, 1, 1)
    p = experiments.spread_neuron(y, starts.neuron(y, torch.tensor([[1, 0, 1]])))
    assert p[0, 0].tolist() == [[0, 0]]
    assert p[0, 1].tolist() == ([[0, 1]] if max(values) > 0 else [[1, 1]])


def test_batching_does_not_change_a_row(asked):
    classifier, pixels, numbers, layers, rows = asked
    parts = [
        experiments.selectivity(classifier, pixels[part], numbers[part], layers, 5)
        for part in (slice(0, 3), slice(2, 6))
    ]
    order = ["depth", "architecture", "pair", "image"]
    one, other = (
        table.sort_values(order, ignore_index=True)
        for table in (rows, pd.concat(parts))
    )
    assert len(one) == 5 * 3 * 3 * 4
    pd.testing.assert_frame_equal(one, other, rtol=1e-4, atol=1e-5)


def test_the_seed_changes_the_random_starts_alone(asked):
    classifier, pixels, numbers, layers, rows = asked
    other = experiments.selectivity(classifier, pixels, numbers, layers, 6)
    fixed = rows["pair"] == "image"
    assert (rows["cosine"] == other["cosine"])[fixed].all()
    assert not (rows["cosine"] == other["cosine"])[~fixed].all()


def test_the_same_neuron_on_the_same_image_is_no_null():
    classifier = tiny()
    pixels = images(1).repeat(3, 1, 1, 1)
    rows = experiments.selectivity(classifier, pixels, [0, 1, 2], {"pool 1": "3"}, 0)
    assert rows.loc[rows["pair"] == "image", "cosine"].to_numpy() == pytest.approx(1)


@pytest.mark.parametrize(("alpha", "alike"), [(0.0, True), (3.0, False)])
def test_both_reversals_of_normalisation_agree_only_where_it_does_nothing(alpha, alike):
    classifier = tiny(nn.LocalResponseNorm(3, alpha))
    layers = {"logits": "logits"}
    rows = experiments.selectivity(classifier, images(4), [0, 1, 2, 3], layers, 0)
    found = rows.loc[rows["pair"] == "lrn", "cosine"]
    assert len(found) == 3 * 3
    assert (found > 1 - 1e-6).all() == alike


def test_a_network_without_normalisation_has_no_such_rows(asked):
    assert "lrn" not in set(asked[-1]["pair"])


def test_random_weights_are_those_of_a_copy():
    classifier = FrozenClassifier(small_vgg(5), (0.5,) * 3, (0.5,) * 3)
    before = {k: v.clone() for k, v in classifier.state_dict().items()}
    strange = gallery.with_random_weights(classifier, 1)
    assert all((before[k] == v).all() for k, v in classifier.state_dict().items())
    linear = [one for one in strange.modules() if isinstance(one, nn.Linear)]
    for one in linear:
        assert one.weight.std().item() == pytest.approx(0.01, rel=0.2)
        assert not one.bias.any()
    again = gallery.with_random_weights(classifier, 1).state_dict()
    assert all((again[k] == v).all() for k, v in strange.state_dict().items())


def test_support_is_the_neurons_without_the_image():
    classifier, pixels = tiny(), images(1).repeat(2, 1, 1, 1)
    pixels[1] = pixels[1] * 0.999  # the same neuron is the strongest, masks may differ
    found = dict(gallery.support_pictures(classifier, pixels, "6", 0))
    assert list(found) == ["desalinet", "power", "uninformed", "random"]
    for name in ("uninformed", "random"):
        torch.testing.assert_close(found[name][0], found[name][1])


@pytest.mark.parametrize("dense", [False, SIDE])
def test_exhibits_are_pixels_each_with_a_name_of_its_own(dense):
    classifier = tiny(nn.LocalResponseNorm(3))
    pixels = images(2, 24 if dense else SIDE)
    layers = experiments.start_layers(classifier, images(1))
    group = gallery.ImageGroup(pixels, [3, 8], ["3", "8"], dense)
    found = list(gallery.response_pictures(classifier, group, layers, 0))
    keys = [key for key, _ in found]
    assert len(set(keys)) == len(keys) == 1 + 3 * 3 * 3 + 8 + 8 + 4 + 5
    for key, picture in found:
        assert picture.shape == pixels.shape, key
        assert picture.min() >= 0, key
        assert picture.max() <= 1, key
    torch.testing.assert_close(found[0][1], pixels)


def test_inverse_transform_is_shown_as_the_grey_image_itself():
    found = dict(gallery.phase_pictures(tiny(), images(2), "logits", [1, 2]))
    assert found["inverse"] == pytest.approx(found["original"])
    assert found["original"] == pytest.approx(grey(images(2).numpy()), abs=1e-6)


def test_a_network_of_one_layer_is_shown_from_there():
    group = gallery.ImageGroup(images(1), [0], ["0"], False)
    found = gallery.response_pictures(tiny(), group, {"logits": "logits"}, 0)
    assert {key[2] for key, _ in found} == {"", "logits"}


def test_a_network_without_rectifiers_is_told():
    classifier = FrozenClassifier(lenet5(3), (0.5,) * 3, (0.5,) * 3)
    pixels = images(2, 32)
    with pytest.raises(UserError):
        experiments.selectivity(classifier, pixels, [0, 1], {"logits": "logits"}, 0)


# Stages


def picture(path, side, seed):
    path.parent.mkdir(exist_ok=True, parents=True)
    smooth = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    Image.fromarray(smooth).resize((side, side)).save(path)


def options(folder, network, **changes):
    salient = {"classifiers": ["V"], "examples": 2, "side": 40, "measured": 5}
    settings = {"image_size": 32, "resize_mode": "squash", "layers": None}
    settings |= {"salient": salient | {"batch": 3} | changes}
    return [
        f"--images={folder}/images", f"--photos={folder}/photos",
        f"--classifier={folder}/{network}/weights.safetensors",
        f"--responses={folder}/{network}.npz", f"--record={folder}/{network}.json",
        f"--selectivity={folder}/{network}.parquet",
        f"--settings={json.dumps(settings)}",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Images, photographs, a network and all that the stages make of them."""
    folder = tmp_path_factory.mktemp("study")
    for number in range(8):
        picture(folder / "images" / "ab"[number % 2] / f"{number}.png", 32, number)
        picture(folder / "photos" / f"{number}.png", 30 + 4 * number, 50 + number)
    preparation = {"mean": [0.5] * 3, "std": [0.25] * 3, "resize": None, "crop": None}
    for name, architecture in (("V", "small_vgg"), ("N", "small_alexnet_lrn")):
        torch.manual_seed(0)
        build = importlib.import_module("s2snets.networks.architectures").ARCHITECTURES
        spec = {"architecture": architecture, "classes": 2, "size": 32}
        spec |= {"published": False} | preparation
        save_classifier(
            FrozenClassifier(build[architecture](2), [0.5] * 3, [0.25] * 3), spec,
            folder / name / "weights.safetensors", folder / name / "spec.json",
        )  # fmt: skip
        ReverseNetwork.main(options(folder, name))
    TabulateSelectivity.main(
        [
            "--selectivity", f"{folder}/V.parquet", f"{folder}/N.parquet",
            f"--table={folder}/selectivity.csv", '--settings={"resamples": 50}',
        ]
    )  # fmt: skip
    return folder


def test_stage_measures_each_image_once_a_layer_architecture_and_pair(study):
    rows = read_rows([study / "V.parquet"])
    assert len(rows) == 5 * 4 * 3 * 4
    assert not rows.duplicated(["image", *KEYS]).any()
    assert set(rows["classifier"]) == {"V"}
    assert json.loads((study / "V.json").read_text())["seed"] == 0


def test_stage_shows_images_as_the_network_sees_them_and_photographs_at_their_side(
    study,
):
    arrays = read_arrays(study / "V.npz")
    assert arrays["pictures_validation"].shape[1:] == (32, 32, 3)
    assert arrays["pictures_photos"].shape[1:] == (40, 40, 3)
    for kind in response_sheet.SETS:
        count = len(arrays[f"pictures_{kind}"])
        assert {len(arrays[f"{key}_{kind}"]) for key in response_sheet.KEYS} == {count}


def test_stage_gives_the_same_numbers_by_other_batches(study, tmp_path):
    again = options(study, "V", batch=32)
    again[5] = f"--selectivity={tmp_path}/again.parquet"
    ReverseNetwork.main(again)
    order = ["depth", "architecture", "pair", "image"]
    one, other = (
        read_rows([path]).sort_values(order, ignore_index=True)
        for path in (study / "V.parquet", tmp_path / "again.parquet")
    )
    pd.testing.assert_frame_equal(one, other, rtol=1e-4, atol=1e-4)


def test_table_has_both_networks_and_normalisation_where_there_is_some(study):
    table = read_csv(study / "selectivity.csv")
    assert set(table["classifier"]) == {"V", "N"}
    assert set(table.loc[table["pair"] == "lrn", "classifier"]) == {"N"}
    assert (table["images"] == 5).all()


@pytest.mark.parametrize(
    ("changes", "told"), [({"measured": 1}, "salient.measured"), ({"side": 20}, "20")]
)
def test_settings_that_cannot_be_are_told(study, tmp_path, changes, told):
    lines = options(study, "V", **changes)
    lines[3:6] = [f"--{flag}={tmp_path}/x" for flag in ("responses", "record")] + [
        f"--selectivity={tmp_path}/y"
    ]
    with pytest.raises(UserError, match=told):
        ReverseNetwork.main(lines)
    assert not list(tmp_path.iterdir())


# Figures


@pytest.fixture
def theme():
    with matplotlib.rc_context(look.THEME):
        yield


def sheet(name):
    return all_figures()[f"salient-{name}"]


@pytest.fixture(scope="module")
def responses(study):
    return response_sheet.read_responses([study / "V.npz", study / "N.npz"])


@pytest.mark.parametrize("name", SHEETS)
def test_table_of_a_sheet_holds_every_picture_that_is_drawn(name, responses, theme):
    style = Figures(dpi=50)
    table = sheet(name).rows(responses, style)
    drawn = sheet(name).draw(responses, style).axes[0].get_images()
    assert len(drawn) == len(table)
    for picture, row in zip(drawn, table.itertuples(), strict=True):
        found = responses[
            (responses["classifier"] == row.classifier)
            & (responses["set"] == row.set)
            & (responses["image"] == row.image)
            & (responses["panel"] == row.panel)
            & (responses["architecture"] == row.architecture)
            & (responses["layer"] == row.layer)
            & (responses["start"] == row.start)
        ]
        assert (np.asarray(picture.get_array()) == found["pixels"].iloc[0]).all()


@pytest.mark.parametrize("name", [*SHEETS, "lrn", "selectivity"])
def test_command_line_writes_the_same_bytes_twice(name, study, tmp_path):
    tables = [f"--responses={study}/V.npz", f"--selectivity={study}/selectivity.csv"]
    used = {"lrn": tables, "selectivity": tables[1:]}.get(name, tables[:1])
    used = [part for flag in used for part in flag.split("=")]
    made = []
    for turn in ("1", "2"):
        files = [tmp_path / f"{turn}.{form}" for form in ("pdf", "png", "csv")]
        flags = [f"--{file.suffix[1:]}={file}" for file in files]
        sheet(name).main([*used, *flags, '--settings={"dpi": 50}'])
        made.append([file.read_bytes() for file in files])
    assert made[0] == made[1]


def texts(figure):
    figure.draw_without_rendering()
    return [
        (text.get_text(), text.get_window_extent())
        for text in figure.axes[0].texts
        if text.get_text()
    ]


@pytest.mark.parametrize("name", SHEETS)
def test_no_text_leaves_a_sheet_and_no_two_overlap(name, responses, theme):
    figure = sheet(name).draw(responses, Figures(dpi=100))
    found = texts(figure)
    wide, tall = figure.bbox.size
    for text, box in found:
        assert min(box.x0, box.y0, wide - box.x1, tall - box.y1) >= 0, text
    for place, (text, box) in enumerate(found):
        for other, beside in found[:place]:
            assert not box.overlaps(beside), (text, other)


def test_only_networks_with_normalisation_stand_in_its_figure(study, responses, theme):
    table, style = read_csv(study / "selectivity.csv"), Figures(dpi=50)
    shown = sheet("lrn").rows(responses, table, style)
    assert set(shown["classifier"]) == {"N"}
    without = responses[responses["classifier"] == "V"]
    assert sheet("lrn").rows(without, table, style).empty
    told = sheet("lrn").draw(without, table, style).texts
    assert "No local response normalisation" in told[0].get_text()


def test_the_null_of_selectivity_is_dashed_and_others_are_not(study, theme):
    table = read_csv(study / "selectivity.csv")
    figure = sheet("selectivity").draw(table, Figures(dpi=50))
    drawn = figure.axes[0].containers
    assert {one.get_label(): one.lines[0].is_dashed() for one in drawn} == {
        "strongest and random neuron": False,
        "strongest and mixture": False,
        "random neuron and mixture": False,
        "same neuron, another image": True,
    }


def test_responses_of_something_else_are_told(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(UserError, match="lacks"):
        response_sheet.read_responses([tmp_path / "other.npz"])
