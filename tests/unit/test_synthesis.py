"""Preferred images: targets, the loss, the ascent of many at once, and the stage."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from s2snets.config import Ascent, Classifier, Filters, PretrainedAscent
from s2snets.measure.synthesis import (
    confidence,
    high_frequency,
    rank,
    sought_activation,
    total_variation,
)
from s2snets.networks.checkpoints import save_classifier, save_weights
from s2snets.networks.class_logits import SelectLogits
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.frozen import FrozenClassifier
from s2snets.networks.generator import Autoencoder, Generator
from s2snets.runtime.errors import UserError
from s2snets.stages.synthesis import Synthesise
from s2snets.synthesis import ascent, preferred
from s2snets.synthesis.ascent import (
    ascend,
    draw_start,
    group_targets,
    losses,
    regulariser,
)
from s2snets.synthesis.targets import (
    Target,
    activations,
    channel_outputs,
    sweep_targets,
)

CLASSES = ["boot", "coat", "dress"]
SIDE = 8


def frozen(net):
    return FrozenClassifier(net, (0.0,) * 3, (1.0,) * 3)


def small(seed=0):
    torch.manual_seed(seed)
    return frozen(
        nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.ReLU(inplace=True), nn.Conv2d(6, 4, 3), nn.Flatten(),
            nn.Linear(4 * 4 * 4, 3),
        )
    )  # fmt: skip


def wanted(classes=None, compounds=(), filters=()):
    return SimpleNamespace(
        classes=classes, compounds=list(compounds), filters={"A": list(filters)}
    )


def of_class(unit, name="it"):
    return Target(name, "class", "logits", (unit,))


# Targets


def test_classes_compounds_filters_and_groups_are_targets_of_one_kind():
    filters = [
        Filters(layer="0", channels=[5, 2]),
        Filters(layer="2", channels=2),
        Filters(layer="2", channels=[1, 3], together=True),
    ]
    found = sweep_targets(
        small(), CLASSES, wanted(["dress"], [["coat", "boot"]], filters), "A", SIDE
    )
    assert [tuple(target) for target in found] == [
        ("dress", "class", "logits", (2,)),
        ("coat + boot", "compound", "logits", (1, 0)),
        ("0: 5", "filter", "0", (5,)),
        ("0: 2", "filter", "0", (2,)),
        ("2: 0", "filter", "2", (0,)),
        ("2: 2", "filter", "2", (2,)),
        ("2: 1, 3", "group", "2", (1, 3)),
    ]


def test_without_names_all_classes_are_sought_by_number():
    found = sweep_targets(small(), None, wanted(), "A", SIDE)
    assert [target.name for target in found] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            wanted(["coaat"]),
            "synthesis.classes: no class 'coaat'; there are 3, such as coat",
        ),
        (
            wanted([], [["boot", "bot"]]),
            "synthesis.compounds: no class 'bot'; there are 3, such as boot",
        ),
        (wanted([], [], [Filters(layer="7")]), "no '7'; perhaps"),
        (wanted([], [], [Filters(layer="0", channels=[6])]), "channels are 0 to 5"),
        (wanted(["coat", "coat"]), "'coat' is listed twice"),
        (wanted([]), "there are no targets"),
    ],
)
def test_what_a_network_lacks_is_told_with_what_it_has(asked, told):
    with pytest.raises(UserError, match=told):
        sweep_targets(small(), CLASSES, asked, "A", SIDE)


def test_a_layer_is_read_before_what_follows_overwrites_it():
    classifier, pixels = small(), torch.rand(2, 3, SIDE, SIDE)
    expected = classifier.net[0](pixels)
    assert expected.min() < 0  # which the ReLU in place would hide
    assert torch.equal(channel_outputs(classifier, pixels, "0"), expected)
    assert torch.equal(channel_outputs(classifier, pixels), classifier(pixels))


def test_a_choice_among_the_logits_is_sought_like_any_other():
    classifier = frozen(nn.Sequential(nn.Flatten(), nn.Linear(48, 5)))
    pixels = torch.rand(2, 3, 4, 4)
    whole = classifier(pixels)
    classifier.after = SelectLogits([3, 1])
    assert torch.equal(channel_outputs(classifier, pixels), whole[:, [3, 1]])


def test_what_follows_the_layer_does_not_run():
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Linear(1, 1))  # does not fit
    assert channel_outputs(frozen(net), torch.rand(1, 3, 4, 4), "0").shape == (
        1,
        2,
        4,
        4,
    )


def test_activations_are_means_of_rectified_channels_or_rectified_logits():
    planes = torch.tensor([[[[2.0, -4.0]], [[-1.0, -3.0]]]])
    found, values = activations(planes)
    assert found.tolist() == [[1.0, 0.0]]
    assert values.tolist() == [[-1.0, -2.0]]
    found, values = activations(torch.tensor([[3.0, -5.0]]))
    assert found.tolist() == [[3.0, 0.0]]
    assert values.tolist() == [[3.0, -5.0]]


# The loss


def test_the_loss_is_equation_2_by_hand():
    logits = torch.tensor([[4.0, 2.0, -3.0], [4.0, 2.0, -3.0], [4.0, 2.0, -3.0]])
    members = torch.tensor([[1.0, 0, 0], [0, 0, 1.0], [1.0, 1.0, 0]])
    gains = torch.tensor([[1.0, -2.0, 0.5]] * 3)
    settings = Ascent(penalty=0.1, regulariser=0.01)
    found, active = losses(
        logits, members, {"decoder.norm.weight": gains}, settings
    )  # fmt: skip
    # The third class is not active: it counts unrectified.
    expected = [1 - 4 + 0.2 + 0.035, 1 + 3 + 0.6 + 0.035, 1 - 6 + 0.035]
    torch.testing.assert_close(found, torch.tensor(expected))
    assert active.tolist() == [True, False, True]


def test_a_unit_that_is_not_active_has_a_gradient_and_its_rivals_have_none():
    logits = torch.tensor([[-1.0, -2.0]], requires_grad=True)
    alpha = {"alpha": torch.zeros(1, 3)}
    losses(logits, torch.tensor([[1.0, 0]]), alpha, Ascent())[0].sum().backward()
    assert logits.grad.tolist() == [[-1.0, 0.0]]


def test_regularisers_are_equations_3_and_4():
    gains = torch.tensor([[1.0, -2.0, 3.0], [0.0, 0.5, 0.0]])
    assert regulariser({"decoder.norm.weight": gains}).tolist() == [6.0, 0.5]
    assert regulariser({"alpha": gains}).tolist() == [14.0, 0.25]


# The ascent


class Nearness(nn.Module):
    """A logit that is greatest for one image, known beforehand, and one for black."""

    def __init__(self):
        super().__init__()
        best = torch.full((3, SIDE, SIDE), 0.3)
        best[:, :, SIDE // 2 :] = 0.7
        best[2] = 1 - best[2]
        self.register_buffer("best", best)

    def forward(self, pixels):
        far = (pixels - self.best).square().mean((1, 2, 3))
        return torch.stack([5 - 100 * far, 1 - pixels.mean((1, 2, 3))], 1)


def test_the_one_image_that_a_network_prefers_is_found_from_scratch():
    torch.manual_seed(1)
    classifier = frozen(Nearness())
    settings = Ascent(steps=300, learning_rate=0.02, deviation=0.02, regulariser=0.0)
    found = ascend(classifier, [of_class(0)], Generator(SIDE), settings)
    assert (found.pixels[0] - classifier.net.best).abs().mean() < 0.05
    assert found.started == [True]


class Paint(nn.Module):
    """A decoder that paints the whole image in the first three numbers of the code."""

    def forward(self, codes):
        return codes[:, :3, None, None].expand(-1, -1, SIDE, SIDE)


class Taste(nn.Module):
    """A logit that is greatest for one color."""

    def forward(self, pixels):
        far = (pixels.mean((2, 3)) - torch.tensor([0.5, 0.75, 0.25])).square().sum(1)
        return torch.stack([5 - far, -far], 1)


def test_the_one_code_that_a_network_and_the_regulariser_prefer_is_found():
    generator = Generator(SIDE, pretrained=True)
    generator.decoder = Paint()
    settings = PretrainedAscent(
        steps=150, learning_rate=0.1, deviation=0, regulariser=0.25
    )
    found = ascend(frozen(Taste()), [of_class(0)], generator, settings)
    # The least of |α − c|² + w·|α|² is at c / (1 + w).
    expected = torch.tensor([0.4, 0.6, 0.2]).view(3, 1, 1).expand(3, SIDE, SIDE)
    torch.testing.assert_close(found.pixels[0], expected)


def double(pretrained, seed=0):
    torch.manual_seed(seed)
    return small().double(), Generator(SIDE, pretrained).double()


@pytest.mark.parametrize("optimiser", ["adamax", "nesterov"])
@pytest.mark.parametrize("pretrained", [False, True])
def test_many_targets_at_once_end_as_each_alone(pretrained, optimiser):
    classifier, generator = double(pretrained)
    settings = Ascent(optimiser=optimiser, steps=36, learning_rate=0.01, deviation=0.3)
    several = [
        *map(of_class, range(3)),
        Target("two", "compound", "logits", (0, 2)),
    ]
    together = ascend(classifier, several, generator, settings, seed=3)
    for place, target in reversed(list(enumerate(several))):
        alone = ascend(classifier, [target], generator, settings, seed=3)
        torch.testing.assert_close(
            together.pixels[place], alone.pixels[0], rtol=1e-7, atol=1e-9
        )
        for now, then in zip(together[1:], alone[1:], strict=True):
            assert now[place] == then[0]
    different = ascend(classifier, several, generator, settings, seed=4).pixels
    assert (different - together.pixels).abs().max() > 0.01


@pytest.mark.parametrize("pretrained", [False, True])
def test_nothing_that_is_given_changes(pretrained):
    classifier, generator = small(), Generator(SIDE, pretrained)
    state = {
        name: value.clone()
        for net in (classifier, generator)
        for name, value in net.state_dict().items()
    }
    ascend(classifier, [of_class(1)], generator, Ascent(steps=3))
    for net in (classifier, generator):
        assert all(parameter.grad is None for parameter in net.parameters())
        for name, value in net.state_dict().items():
            assert torch.equal(value, state[name])


def test_the_global_generator_of_random_numbers_is_left_alone():
    generator = Generator(SIDE)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    draw_start(generator, 0, of_class(0), 0)
    assert torch.equal(torch.rand(3), expected)


def test_the_first_start_of_a_pretrained_search_is_alpha_1_and_others_are_drawn():
    generator = Generator(SIDE, pretrained=True)
    first, second, third = (
        draw_start(generator, 0, of_class(0), draw)["alpha"] for draw in range(3)
    )
    assert torch.equal(first, torch.ones(generator.length))
    assert second.min() >= 0
    assert 0.5 < second.mean() < 1.5
    assert not torch.equal(second, third)


class Redder(nn.Module):
    """Logits that are negative for gray images, or for all."""

    def forward(self, pixels):
        red, green, _ = pixels.mean((2, 3)).unbind(1)
        return torch.stack([20 * (red - green) - 4, -1 - red], 1)


@pytest.mark.parametrize("optimiser", ["adamax", "nesterov"])
def test_a_start_without_activation_is_drawn_anew_and_then_climbed(optimiser):
    classifier, generator = frozen(Redder()), Generator(SIDE)
    settings = Ascent(optimiser=optimiser, steps=120, learning_rate=0.02, deviation=0.5)
    easy, hopeless = of_class(0), of_class(1)
    found = ascend(classifier, [easy, hopeless], generator, settings)
    assert found.draws == [ascent.MAX_DRAWS, ascent.MAX_DRAWS]
    assert found.started == [True, False]
    assert 0 < found.active[0] < 1
    assert classifier(found.pixels)[0, 0] > 0


class Balance(nn.Module):
    """Logits of which one start in two makes each positive."""

    def forward(self, pixels):
        red, green, blue = pixels.mean((2, 3)).unbind(1)
        return torch.stack([red - green, green - blue, blue - red], 1)


def test_the_first_start_that_is_active_is_kept():
    classifier, generator = frozen(Balance()), Generator(SIDE)
    settings, several = Ascent(steps=1, learning_rate=1e-12), [*map(of_class, range(3))]
    found = ascend(classifier, several, generator, settings, seed=2)
    for place, target in enumerate(several):
        noise = ascent.target_generator(2, target, "noise")
        features = ascent.noisy_features([noise], generator, settings, torch.ones(1))
        for draw in range(ascent.MAX_DRAWS):
            begun = draw_start(generator, 2, target, draw)
            begun = {name: value.detach()[None] for name, value in begun.items()}
            seen = ascent.generate(generator, begun, features)
            if classifier(seen)[0, place] > 0:
                break
        assert found.draws[place] == draw + 1
        shown = ascent.generate(generator, begun, torch.ones_like(features))
        torch.testing.assert_close(found.pixels[place], shown[0], atol=1e-5, rtol=0)
    assert 1 < max(found.draws) < ascent.MAX_DRAWS


def test_a_pretrained_image_is_the_median_of_the_last_ten_snapshots(monkeypatch):
    shown, true = [], ascent.generate

    def spy(generator, sought, features):
        made = true(generator, sought, features)
        if (features == 1).all():
            shown.append(made)
        return made

    monkeypatch.setattr(ascent, "generate", spy)
    settings = PretrainedAscent(steps=60, learning_rate=0.5, deviation=0.3)
    generator = Generator(SIDE, pretrained=True)
    found = ascend(small(), [of_class(1)], generator, settings)
    assert len(shown) == ascent.MEDIAN_SNAPSHOTS
    median = np.median(torch.cat(shown).numpy(), axis=0)
    np.testing.assert_allclose(found.pixels[0], median, atol=1e-6)
    assert np.abs(shown[0].numpy() - shown[-1].numpy()).max() > 1e-3


def test_noise_has_the_deviation_of_the_settings_about_1():
    generator = Generator(SIDE)
    noises = [
        ascent.target_generator(0, of_class(unit), "noise") for unit in range(200)
    ]
    made = ascent.noisy_features(noises, generator, Ascent(deviation=2), torch.ones(1))
    assert made.shape == (200, generator.length)
    assert abs(made.mean() - 1) < 0.05
    assert abs(made.std() - 2) < 0.05


def test_filters_are_climbed_too():
    classifier, generator = small(), Generator(SIDE)
    several = [Target(str(unit), "filter", "0", (unit,)) for unit in range(6)]
    found = ascend(classifier, several, generator, Ascent(steps=60, learning_rate=0.02))
    before = activations(
        channel_outputs(classifier, torch.full((1, 3, 8, 8), 0.5), "0")
    )[1][0]
    after = activations(channel_outputs(classifier, found.pixels, "0"))[0]
    assert (after.diagonal() > before + 0.05).all()


def test_groups_are_of_one_layer_and_no_greater_than_a_batch():
    several = [of_class(unit) for unit in range(5)]
    several.insert(2, Target("f", "filter", "0", (1,)))
    made = group_targets(several, 3)
    assert [len(group) for group in made] == [3, 2, 1]
    assert [{target.layer for target in group} for group in made] == [
        {"logits"},
        {"logits"},
        {"0"},
    ]


# Numbers


def test_ranks_count_the_rivals_that_exceed_the_last_of_the_units():
    values = np.array([5.0, 1.0, 3.0, 2.0])
    assert [rank(values, [unit]) for unit in range(4)] == [1, 4, 2, 3]
    assert rank(values, [0, 2]) == 1
    assert rank(values, [0, 1]) == 3


def test_confidence_is_the_softmax_of_the_classes_sought():
    logits = np.log(np.array([1.0, 2.0, 5.0]))
    assert confidence(logits, [1]) == pytest.approx(0.25)
    assert confidence(logits, [0, 2]) == pytest.approx(0.75)
    assert confidence(np.array([1000.0, 0.0]), [0]) == 1


def test_the_activation_of_several_units_is_their_mean():
    assert sought_activation(np.array([1.0, 7.0, 3.0]), (0, 2)) == 2


def test_total_variation_of_known_pictures():
    board = np.indices((4, 4)).sum(0) % 2 * np.ones((3, 1, 1))
    stripes = np.arange(4) % 2 * np.ones((3, 4, 1))
    assert total_variation(board) == 1
    assert total_variation(stripes) == 0.5
    assert total_variation(np.full((3, 4, 4), 0.7)) == 0


def test_high_frequencies_of_known_waves():
    place = np.arange(32)
    low, high = (np.cos(2 * np.pi * turns * place / 32) for turns in (3, 12))
    flat = np.ones((3, 32, 1))
    assert high_frequency(low * flat) == pytest.approx(0)
    assert high_frequency(high * flat + 4) == pytest.approx(1)
    assert high_frequency((low + 3 * high) * flat) == pytest.approx(0.9)
    assert high_frequency(flat * np.ones(32)) == 0


# The stage


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three classes, two networks and an autoencoder."""
    folder, random = tmp_path_factory.mktemp("study"), np.random.default_rng(0)
    for name in CLASSES:
        path = folder / "images" / name / "0.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(path)
    for seed, name in enumerate(("A", "I")):
        torch.manual_seed(seed)
        spec = classifier_spec(Classifier(architecture="small_resnet"), 3, 32)
        weights = folder / name / "weights.safetensors"
        save_classifier(
            build_classifier(spec), spec, weights, weights.with_name("spec.json")
        )
    save_weights(Autoencoder(32), folder / "autoencoder.safetensors")
    return folder


def stage(study, out, mode="scratch", generator=(), **changed):
    sought = {
        "scratch": {"steps": 3},
        "pretrained": {"steps": 3},
        "classes": None,
        "filters": {"A": [{"layer": "0", "channels": 2}]},
        "compounds": [["boot", "coat"]],
        "batch": 2,
    } | changed
    settings = {"image_size": 32, "synthesis": sought}
    Synthesise.main([
        *("--images", f"{study}/images", "--mode", mode, "--name", "A"),
        *("--classifier", f"{study}/A/weights.safetensors"),
        *("--judge", f"{study}/I/weights.safetensors"),
        *("--generator", *generator, "--settings", json.dumps(settings)),
        *("--preferred", f"{out}/A.npz", "--scores", f"{out}/A.parquet"),
        *("--record", f"{out}/A.json"),
    ])  # fmt: skip


@pytest.mark.parametrize("mode", ["scratch", "pretrained"])
def test_the_stage_writes_images_and_numbers_of_every_target(study, tmp_path, mode):
    weights = [f"{study}/autoencoder.safetensors"] if mode == "pretrained" else []
    stage(study, tmp_path, mode, weights)
    arrays = np.load(tmp_path / "A.npz")
    names = [*CLASSES, "boot + coat", "0: 0", "0: 8"]
    assert arrays["target"].tolist() == names
    assert arrays["kind"].tolist() == ["class"] * 3 + ["compound"] + ["filter"] * 2
    assert arrays["layer"].tolist() == ["logits"] * 4 + ["0"] * 2
    assert set(arrays["mode"]) == {mode}
    assert arrays["pictures"].shape == (6, 32, 32, 3)
    table = pd.read_parquet(tmp_path / "A.parquet")
    assert table.target.tolist() == names
    assert "picture" not in table
    assert table.loc[:3, "confidence"].between(0, 1).all()
    assert table.loc[4:, ["confidence", "agrees"]].isna().all(axis=None)
    assert table.judged.isin(CLASSES).all()
    assert (table["rank"] <= table.units).all()
    agreed = table.judged[:3].astype(str) == table.target[:3].astype(str)
    assert (table.agrees[:3] == agreed).all()
    assert {path.name for path in tmp_path.iterdir()} == {
        "A.npz",
        "A.parquet",
        "A.json",
    }


def test_a_killed_sweep_goes_on_and_ends_as_an_uninterrupted_one(
    study, tmp_path, monkeypatch
):
    whole, cut, calls = tmp_path / "whole", tmp_path / "cut", []
    stage(study, whole)

    def dying(classifier, group, *more, **named):
        calls.append(group)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return ascend(classifier, group, *more, **named)

    monkeypatch.setattr(preferred, "ascend", dying)
    with pytest.raises(KeyboardInterrupt):
        stage(study, cut)
    assert not (cut / "A.npz").exists()
    stage(study, cut)
    assert [len(group) for group in calls] == [2, 2, 2, 2]
    assert calls[1] == calls[2]  # the first group is not sought again
    for name in ("A.npz", "A.parquet"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()


def test_groups_of_other_settings_are_not_taken_over(study, tmp_path, monkeypatch):
    def dying(classifier, group, *more, **named):
        if group[0].layer != "logits":
            raise KeyboardInterrupt
        return ascend(classifier, group, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(preferred, "ascend", dying)
        with pytest.raises(KeyboardInterrupt):
            stage(study, tmp_path / "cut")
    stage(study, tmp_path / "cut", scratch={"steps": 5})
    stage(study, tmp_path / "whole", scratch={"steps": 5})
    table, other = (
        (tmp_path / name / "A.npz").read_bytes() for name in ("cut", "whole")
    )
    assert table == other


def test_a_target_that_never_starts_is_told_and_the_rest_go_on(
    study, tmp_path, monkeypatch, capsys
):
    def cold(*given, **named):
        found = ascend(*given, **named)
        return found._replace(started=[False, *found.started[1:]])

    monkeypatch.setattr(preferred, "ascend", cold)
    stage(study, tmp_path, filters={}, compounds=[])
    assert "A, scratch: 'boot' was never active" in capsys.readouterr().err
    assert len(pd.read_parquet(tmp_path / "A.parquet")) == 3


@pytest.mark.parametrize(("mode", "count"), [("scratch", 1), ("pretrained", 0)])
def test_a_generator_goes_with_the_pretrained_mode_alone(study, tmp_path, mode, count):
    weights = [f"{study}/autoencoder.safetensors"] * count
    with pytest.raises(UserError, match="--generator"):
        stage(study, tmp_path, mode, weights)


def test_weights_of_another_network_are_told(study, tmp_path):
    with pytest.raises(UserError, match="weights of another network"):
        stage(study, tmp_path, "pretrained", [f"{study}/A/weights.safetensors"])
