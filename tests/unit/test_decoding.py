"""The generator's pretraining; ranked images; means of preferred images' numbers."""

import io
import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from s2snets.config import Decoding, Optimisation
from s2snets.data.class_subset import ClassSubset
from s2snets.data.imageset import ImageSet
from s2snets.measure.modes import summarise
from s2snets.networks.checkpoints import load_weights, save_classifier
from s2snets.networks.factory import build_classifier
from s2snets.networks.generator import Autoencoder
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_arrays
from s2snets.stages.synthesis import RankImages, TabulateSynthesis, TrainGenerator
from s2snets.training.objectives import gaussian_denoising
from s2snets.training.state import OPTIMISERS

SIZE = 16
CLASSES = ("bright", "dark", "red")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Thirty images of three classes; the brightest lies among the dark ones."""
    folder, random = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    lows = {"bright": [128] * 3, "dark": [0] * 3, "red": [128, 0, 0]}
    for number in range(30):
        name = CLASSES[number % 3]
        pixels = random.integers(0, 128, (SIZE, SIZE, 3)) + lows[name]
        if number == 3:
            name, pixels = "dark", np.full_like(pixels, 255)
        path = folder / name / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        buffer = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(buffer, "png")
        path.write_bytes(buffer.getvalue())
    return folder


def given(seen):
    """A network that keeps what it is given."""

    def network(pixels):
        seen.append(pixels)
        return pixels

    return network


def batch():
    torch.manual_seed(0)
    return torch.rand(4, 3, 40, 40), torch.zeros(4)


def test_without_noise_the_objective_is_plain_reconstruction():
    pixels, labels = batch()
    loss, _ = gaussian_denoising(0.0)(lambda x: 0.5 * x, (pixels, labels))
    assert loss.item() == pytest.approx((0.25 * pixels.square()).mean().item())


def test_noise_has_its_deviation_and_is_not_clipped():
    seen, (pixels, labels) = [], batch()
    gaussian_denoising(0.3)(given(seen), (pixels, labels))
    noise = seen[0] - pixels
    assert noise.std().item() == pytest.approx(0.3, rel=0.02)
    assert noise.mean().item() == pytest.approx(0, abs=0.01)
    assert (seen[0] < 0).any()
    assert (seen[0] > 1).any()


def test_the_aim_is_the_clean_image():
    pixels, labels = batch()
    copied, _ = gaussian_denoising(0.3)(given([]), (pixels, labels))
    cleaned, _ = gaussian_denoising(0.3)(lambda x: pixels, (pixels, labels))
    assert copied.item() == pytest.approx(0.09, rel=0.04)
    assert cleaned == 0


def test_adadelta_steps_as_published():
    """Zeiler 2012, algorithm 1, with Keras's constants."""
    settings = Decoding()
    weight = nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    optimiser = OPTIMISERS[settings.optimiser]([weight], settings)
    x, squares, moved = np.array([1.0, -2.0]), 0.0, 0.0
    for _ in range(3):
        optimiser.zero_grad()
        weight.square().sum().backward()
        optimiser.step()
        slope = 2 * x
        squares = 0.95 * squares + 0.05 * slope**2
        move = -np.sqrt(moved + 1e-8) / np.sqrt(squares + 1e-8) * slope
        moved = 0.95 * moved + 0.05 * move**2
        x = x + move
    assert weight.detach().numpy() == pytest.approx(x, rel=1e-9)


def test_adadelta_is_the_generators_alone():
    with pytest.raises(ValueError, match="sgd"):
        Optimisation(images=1, optimiser="adadelta")


def test_a_subset_has_the_images_of_its_classes_and_no_others(folder):
    images = ImageSet(folder, SIZE)
    chosen = ClassSubset(images, ["red", "dark"])
    labels = [label for _, label in chosen]
    assert sorted(labels) == sorted(label for label in images.labels if label != 0)
    assert len(chosen) == chosen.runs == 21
    assert chosen.fingerprint != images.fingerprint
    assert chosen.fingerprint == ClassSubset(images, ["dark", "red"]).fingerprint


def test_a_subset_of_a_set_in_random_order_keeps_its_runs(folder):
    images = ImageSet(folder, SIZE)
    images.runs = np.array([10, 5, 15])
    chosen = ClassSubset(images, ["red"])
    kept = images.labels == images.classes.index("red")
    assert chosen.runs.tolist() == [
        kept[:10].sum(), kept[10:15].sum(), kept[15:].sum()
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "told"), [(["rod"], "such as red"), (["red", "blue"], "'blue' is no")]
)
def test_an_unknown_class_is_named_with_the_nearest(folder, names, told):
    with pytest.raises(UserError, match=told):
        ClassSubset(ImageSet(folder, SIZE), names)


def test_photographs_have_no_classes_to_choose_from():
    with pytest.raises(ValueError, match="photos have none"):
        Decoding(corpus="photos", classes=["red"])


def trained(folder, out, *options, **changes):
    training = {"images": 24, "batch": 4, "check_every": 8, **changes}
    settings = {"image_size": SIZE, "resize_mode": "pad", "training": training}
    TrainGenerator.main(
        [
            *("--images", str(folder), "--weights", str(out / "weights.safetensors")),
            *("--curve", str(out / "curve.csv"), "--record", str(out / "record.json")),
            *("--settings", json.dumps(settings), *options),
        ]
    )
    return load_weights(Autoencoder(SIZE), out / "weights.safetensors").state_dict()


def test_the_generators_decoder_is_trained_by_the_command_line(folder, tmp_path):
    one = trained(folder, tmp_path / "one", classes=["red"])
    curve = pd.read_csv(tmp_path / "one/curve.csv")
    assert curve["images"].tolist() == [8, 16, 24]
    again = trained(folder, tmp_path / "again", classes=["red"])
    assert all(value.equal(again[name]) for name, value in one.items())
    other = trained(folder, tmp_path / "other", classes=["dark"])
    assert any(not value.equal(other[name]) for name, value in one.items())
    assert not (tmp_path / "one/checkpoint.pt").exists()


def test_a_killed_training_goes_on_to_the_same_weights(folder, tmp_path, monkeypatch):
    whole, losses = trained(folder, tmp_path / "whole"), []

    class Killed(Exception):
        pass

    def failing(deviation, share):
        loss = gaussian_denoising(deviation, share)

        def counted(model, batch):
            losses.append(len(batch))
            if len(losses) == 4:
                raise Killed
            return loss(model, batch)

        return counted

    monkeypatch.setattr("s2snets.training.objectives.gaussian_denoising", failing)
    often = ("--save-every", "1e-9")
    with pytest.raises(Killed):
        trained(folder, tmp_path / "again", *often)
    resumed = trained(folder, tmp_path / "again", *often)
    assert len(losses) < 4 + 6
    assert all(value.equal(resumed[name]) for name, value in whole.items())


class ByColour(nn.Module):
    """Logits: brightness, darkness, redness."""

    def forward(self, x):
        red, green, blue = x.mean((2, 3)).T
        bright = red + green + blue
        return torch.stack([bright, -bright, red - green], 1)


@pytest.fixture
def classifier(tmp_path, monkeypatch):
    """A classifier that judges by colour; its weights' path."""
    spec = {"architecture": "lenet5", "classes": 3, "size": 32, "published": False}
    spec |= {"mean": [0.0] * 3, "std": [1.0] * 3, "resize": None, "crop": None}
    spec["categories"] = list(CLASSES)
    path = tmp_path / "C/weights.safetensors"
    save_classifier(build_classifier(spec), spec, path, path.with_name("spec.json"))

    def load(at, device, classes):
        assert classes == list(CLASSES)
        return ByColour()

    monkeypatch.setattr("s2snets.networks.checkpoints.load_classifier", load)
    return path


def ranked(folder, classifier, out, beside=4):
    RankImages.main(
        [
            *("--images", str(folder), "--classifier", str(classifier)),
            *("--name", "C", "--ranked", str(out), "--record", f"{out}.json"),
            "--settings",
            json.dumps(
                {
                    "image_size": SIZE,
                    "resize_mode": "pad",
                    "beside": beside,
                    "size": SIZE,
                }
            ),
        ]
    )
    return read_arrays(out)


def test_ranked_images_are_those_with_the_highest_logits(
    folder, classifier, tmp_path, monkeypatch
):
    monkeypatch.setattr("s2snets.evaluation.GROUP_SIZE", 8)
    monkeypatch.setattr("s2snets.synthesis.ranking.BATCH", 4)
    found = ranked(folder, classifier, tmp_path / "ranked.npz")
    images = ImageSet(folder, SIZE)
    pixels, labels = images.batch(range(30))
    logits = ByColour()(pixels).numpy()
    for place, name in enumerate(CLASSES):
        own = found["target"] == name
        order = np.argsort(-logits[:, place], kind="stable")[:4]
        assert found["image"][own].tolist() == order.tolist()
        assert found["rank"][own].tolist() == [1, 2, 3, 4]
        assert found["score"][own] == pytest.approx(logits[order, place], rel=1e-5)
        expected = [CLASSES[labels[number]] for number in order]
        assert found["label"][own].tolist() == expected
        shown = (255 * pixels[order]).round().byte().permute(0, 2, 3, 1).numpy()
        assert (found["pictures"][own] == shown).all()
    assert found["label"][found["target"] == "bright"][0] == "dark"
    assert set(found["classifier"]) == {"C"}
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert left == []


def test_a_killed_ranking_goes_on_and_ends_alike(
    folder, classifier, tmp_path, monkeypatch
):
    monkeypatch.setattr("s2snets.evaluation.GROUP_SIZE", 8)
    monkeypatch.setattr("s2snets.synthesis.ranking.BATCH", 4)
    whole = ranked(folder, classifier, tmp_path / "whole.npz")
    passes = []

    class Killed(Exception):
        pass

    def failing(self, x):
        passes.append(len(x))
        if len(passes) == 5:
            raise Killed
        return logits_of(self, x)

    logits_of = ByColour.forward
    monkeypatch.setattr(ByColour, "forward", failing)
    with pytest.raises(Killed):
        ranked(folder, classifier, tmp_path / "again.npz")
    assert not (tmp_path / "again.npz").exists()
    resumed = ranked(folder, classifier, tmp_path / "again.npz")
    assert sum(passes[5:]) < 30
    assert all((whole[name] == resumed[name]).all() for name in whole)


def scores():
    """Two networks' made-up scores: classes in both modes and seeds, some filters."""
    random, rows = np.random.default_rng(0), []
    for name in "AV":
        for mode in ("scratch", "pretrained"):
            for seed in (0, 1):
                for number in range(12):
                    rows.append(
                        (name, mode, seed, f"class {number}", "class", "logits")
                    )
                for number in range(3):
                    rows.append((name, mode, seed, f"0: {number}", "filter", "0"))
    keys = ["classifier", "mode", "seed", "target", "kind", "layer"]
    table = pd.DataFrame(rows, columns=keys)
    count = len(table)
    table["activation"] = random.gamma(2, 5, count)
    table["rank"] = random.integers(1, 4, count)
    table["confidence"] = random.uniform(0, 1, count)
    table["agrees"] = random.integers(0, 2, count).astype(float)
    table["total_variation"] = random.uniform(0, 0.2, count)
    table["high_frequency"] = random.uniform(0, 0.1, count)
    table["started"] = True
    filters = table["kind"] == "filter"
    table.loc[filters, ["confidence", "agrees"]] = np.nan
    # One class never starts, in one mode of one network.
    lost = (table["classifier"] == "A") & (table["mode"] == "scratch")
    table.loc[lost & (table["target"] == "class 3"), "started"] = False
    return table


def cell(table, *key):
    names = ["classifier", "kind", "mode", "against", "measure"]
    return table.set_index(names).sort_index().loc[key]


def test_means_are_over_targets_that_started():
    rows, table = scores(), summarise(scores(), 200, 0)
    own = rows[(rows["classifier"] == "A") & (rows["mode"] == "scratch")]
    own = own[(own["kind"] == "class") & own["started"]]
    found = cell(table, "A", "class", "scratch", "", "activation")
    assert found["targets"] == 11
    expected = own.groupby("target")["activation"].mean().mean()
    assert found["mean"] == pytest.approx(expected)
    first = cell(table, "A", "class", "scratch", "", "first")["mean"]
    assert first == pytest.approx((own["rank"] == 1).mean())
    started = cell(table, "A", "class", "scratch", "", "started")
    assert (started["targets"], started["mean"]) == (12, pytest.approx(11 / 12))


def test_a_difference_of_modes_is_paired():
    rows = scores()
    both = rows[rows["mode"] == "scratch"].assign(mode="pretrained")
    both["activation"] += 2.0
    rows = pd.concat([rows[rows["mode"] == "scratch"], both])
    table = summarise(rows, 200, 0)
    found = cell(table, "V", "class", "pretrained", "scratch", "activation")
    assert found[["mean", "low", "high"]].tolist() == pytest.approx([2.0] * 3)
    assert cell(table, "A", "class", "pretrained", "scratch", "activation")[
        "targets"
    ] == 11  # fmt: skip


def test_intervals_are_those_of_resampled_targets():
    rows, table = scores(), summarise(scores(), 4000, 0)
    own = rows[(rows["classifier"] == "V") & (rows["mode"] == "scratch")]
    values = own[own["kind"] == "class"].groupby("target")["activation"].mean()
    draws = np.random.default_rng(5).choice(values, (4000, len(values))).mean(1)
    found = cell(table, "V", "class", "scratch", "", "activation")
    expected = np.quantile(draws, [0.025, 0.975])
    assert found[["low", "high"]].tolist() == pytest.approx(expected, rel=0.03)


def test_what_a_kind_of_target_lacks_is_left_out():
    table = summarise(scores(), 100, 0)
    filters = set(table.loc[table["kind"] == "filter", "measure"])
    assert filters == {
        "activation", "first", "total_variation", "high_frequency", "started"
    }  # fmt: skip


def test_one_target_has_no_interval():
    table = summarise(scores().query("target == '0: 1'"), 100, 0)
    assert table[["low", "high"]].isna().all(axis=None)
    assert table["mean"].notna().all()


def test_scores_are_tabulated_by_the_command_line(tmp_path):
    rows, paths = scores(), []
    for key, part in rows.groupby(["classifier", "mode"]):
        paths.append(tmp_path / f"{'-'.join(key)}.parquet")
        part.to_parquet(paths[-1], index=False)
    TabulateSynthesis.main(
        [
            *("--scores", *map(str, paths), "--table", str(tmp_path / "t.csv")),
            *("--settings", '{"resamples": 100, "seed": 0}'),
        ]
    )
    keys = ["classifier", "kind", "mode", "measure"]
    table, expected = (
        one[one["against"].isna() | (one["against"] == "")].set_index(keys)["mean"]
        for one in (pd.read_csv(tmp_path / "t.csv"), summarise(rows, 100, 0))
    )
    assert table.to_dict() == pytest.approx(expected.to_dict())


def test_no_scores_are_told():
    with pytest.raises(UserError, match="no targets"):
        summarise(scores().head(0), 100, 0)
