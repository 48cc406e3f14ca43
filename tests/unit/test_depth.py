"""Signal by depth: layers, random weights, what is left, and where it is lost."""

from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from s2snets.config import Information
from s2snets.config.depth import INPUT, RANDOM, TRAINED, Depth
from s2snets.depth import depth_tables, square_distance, variance
from s2snets.measure import depth as measure
from s2snets.measure.spectrum import band_edges, band_powers
from s2snets.networks.architectures import ARCHITECTURES
from s2snets.networks.checkpoints import save_classifier
from s2snets.networks.depths import (
    Activations,
    all_activations,
    choose_depths,
    stage_ends,
    trace_layers,
)
from s2snets.networks.factory import build_classifier, build_network
from s2snets.networks.layers import LOGITS
from s2snets.networks.random_weights import (
    random_classifier,
    redraw_weights,
    settle_norms,
)
from s2snets.networks.segnet import SegNet, Tuned
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json
from s2snets.stages.depth import ChooseLayers, depth_of
from s2snets.training.objectives import activation_error, reconstruction

SIDE = 16


def textures(count, seed):
    """Return images whose channels, frequencies and places are independent."""
    draw = torch.Generator().manual_seed(seed)
    sums = torch.zeros(count, 3, SIDE, SIDE)
    for side in (2, 4, 8, 16):
        noise = torch.rand(count, 3, side, side, generator=draw)
        sums += F.interpolate(noise, SIDE)
    return sums / 4


class Toy(nn.Module):
    """A network whose second layer discards a known part of its input."""

    def __init__(self, discard):
        super().__init__()
        self.whole, self.less = nn.Identity(), discard
        self.head = nn.Sequential(nn.Flatten(), nn.LazyLinear(4))

    def forward(self, x):
        x = self.whole(x * 1.0)  # its own place in the graph
        return self.head(self.less(x))


class Discard(nn.Module):
    """A fixed function of images."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def low_pass(x):
    frequency = torch.fft.fftfreq(SIDE)
    passed = torch.hypot(frequency[:, None], frequency) <= 0.25
    return torch.fft.ifft2(torch.fft.fft2(x) * passed).real


DISCARDED = {
    "colour red": lambda x: x[:, 1:] * 1.0,
    "band 1": low_pass,
    "place": lambda x: x[..., SIDE // 2 :] * 1.0,
}


@pytest.fixture(scope="module")
def pretrained():
    """An autoencoder of textures, in little time."""
    torch.manual_seed(0)
    autoencoder = descend(
        SegNet(8, 1), textures(512, 0), reconstruction("pixels"), 200, 0.005
    )
    return autoencoder.state_dict()


def descend(model, images, loss, steps, rate):
    """Train by Adam, one cycle, in the mode that the model is in."""
    weights = [one for one in model.parameters() if one.requires_grad]
    optimiser = torch.optim.Adam(weights, rate)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    for step in range(steps):
        x = images[torch.arange(step * 16, step * 16 + 16) % len(images)]
        optimiser.zero_grad()
        loss(model, (x, None))[0].backward()
        optimiser.step()
        cycle.step()
    return model.eval()


def tune(state, activations, images):
    """Return an autoencoder tuned for a layer, as ``TuneForLayer`` does."""
    autoencoder = SegNet(8, 1)
    autoencoder.load_state_dict(state)
    loss = activation_error(activations, variance(activations, [images[:128]]))
    model = nn.Sequential(Tuned(autoencoder, "decoder"), activations)
    descend(model.eval(), images, loss, 400, 0.02)  # freeze_norm: 0
    return autoencoder


def look_into(pretrained, discard):
    """Return the tables of losses and pairs of a toy network, by the library's code."""
    torch.manual_seed(1)
    net = Toy(Discard(discard)).eval()
    net(textures(1, 0))
    net.requires_grad_(False)
    layers = ["whole", "less"]
    images, measured = textures(512, 2), textures(300, 3)
    autoencoders = {
        source: tune(pretrained, Activations(net, source), images)
        for source in [INPUT, *layers]
    }
    autoencoders["A_S"] = SegNet(8, 1).eval()
    autoencoders["A_S"].load_state_dict(pretrained)
    batch = (np.arange(300), measured, torch.zeros(300, dtype=torch.long), None)
    (rows,) = depth_tables(
        [[batch]], autoencoders, net, [INPUT, *layers], {},
        own_labels=True, bands=3, information=Information(bins=[32]),
        histogram_bins=21,
    )  # fmt: skip
    rows = rows.assign(seed=0, replicate=0, classifier="C", weights=TRAINED)
    rows = pd.concat([rows, rows.assign(weights=RANDOM)], ignore_index=True)
    draws = measure.Draws(rows, 200, 0)
    return {
        "losses": measure.losses(draws, {"C": layers}),
        "pairs": measure.triangle(draws, {"C": layers}),
        "table": measure.summarise(rows, draws, {"C": layers}),
    }


@pytest.fixture(scope="module")
def looked(pretrained):
    return {
        name: look_into(pretrained, function) for name, function in DISCARDED.items()
    }


@pytest.mark.parametrize("part", DISCARDED)
def test_a_known_part_is_found_where_it_is_discarded(looked, part):
    losses = looked[part]["losses"].query("weights == 'trained'")
    found = losses[losses["greatest"]].iloc[0]
    assert (found["layer"], found["before"]) == ("less", "whole")
    assert found["low"] > 0
    assert found["share"] == 1
    assert found["reached"]
    assert found["part"].startswith(part)
    if part == "place":
        assert found["part"].endswith("left")
    assert found["kept"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("part", DISCARDED)
def test_an_identity_loses_nothing(looked, part):
    """Its loss is the input's, and so is every number of its training."""
    table = looked[part]["table"].query("weights == 'trained'")
    of = {
        source: table[table["source"] == source]["mean"].to_numpy()
        for source in ("input", "whole")
    }
    assert of["whole"] == pytest.approx(of["input"], nan_ok=True)
    losses = looked[part]["losses"].query("weights == 'trained'").set_index("layer")
    assert losses.loc["whole", "lost"] == 0


def test_its_autoencoder_loses_what_the_layer_discards(looked):
    """Its error grows there, and not in what the layer uses."""
    for part, kept in (("colour red", "colour green"), ("band 1", "band 0.125")):
        table = looked[part]["table"].query("weights == 'trained'")
        table = table[table["measure"] == part.split()[0]]
        error = table.pivot(index="at", columns="source", values="mean")
        growth = error["less"] / error["input"]
        assert growth[part.split()[1]] > 1.15 * growth[kept.split()[1]]


def test_what_was_not_discarded_is_noticed_as_before(looked):
    table = looked["place"]["table"].query("weights == 'trained'")
    noticed = table[table["measure"] == "noticed"].pivot(
        index="source", columns="at", values="mean"
    )
    assert noticed["whole"].to_numpy() == pytest.approx(noticed["input"].to_numpy())
    right = noticed.loc[["place top right", "place bottom right"]]
    assert right["less"].sum() == pytest.approx(1)
    assert noticed.loc["place top left", "less"] == 0
    for kind in ("place", "colour"):
        parts = noticed[noticed.index.str.startswith(kind)]["whole"]
        assert parts.sum() == pytest.approx(1)


def test_shallow_signal_serves_the_deep_layer_and_not_the_other_way(looked):
    for each in looked.values():
        pair = each["pairs"].query("weights == 'trained'").iloc[0]
        assert pair["serves"] == "yes"
        assert pair["shallow_for_deep"] < pair["deep_for_shallow"]


def rows_of(values, source, measure_name=measure.SIGNAL, at="", **keys):
    """Return rows of one autoencoder: value by image."""
    origin = {"seed": 0, "replicate": 0, "weights": TRAINED, "classifier": "C"}
    return measure.measured(
        np.arange(len(values)), measure_name, at, np.asarray(values, float)
    ).assign(source=source, **(origin | keys))


def nothing_to_find(seed, images=200):
    """Rows of a network of three layers that lose and notice alike, but for chance."""
    draw, layers = np.random.default_rng(seed), ["a", "b", "c"]
    parts = ("colour red", "colour green", "colour blue", "place top left")
    tables = []
    for weights in (TRAINED, RANDOM):
        sources = ("input", *layers, "A_S")
        tables += [
            rows_of(draw.normal(0.4, 0.1, images), source, weights=weights)
            for source in sources
        ]
        tables += [
            rows_of(np.ones(images), source, "response", at, weights=weights)
            for source in sources
            for at in layers
        ]
        tables += [
            rows_of(
                draw.normal(0.4, 0.1, images),
                part,
                measure.NOTICED,
                at,
                weights=weights,
            )
            for part in parts
            for at in ("input", *layers)
        ]
    return measure.Draws(pd.concat(tables, ignore_index=True), 300, 0), {"C": layers}


def test_where_nothing_is_lost_nothing_is_established():
    """Layers of equal signal: the greatest loss is seldom certain, nor what is lost."""
    tables = []
    for seed in range(25):
        draws, layers = nothing_to_find(seed)
        losses = measure.losses(draws, layers)
        assert losses.groupby("weights")["greatest"].sum().eq(1).all()
        shares = losses.groupby("weights")["share"].sum().to_numpy()
        assert shares == pytest.approx(1)
        assert not losses["reached"].any()  # 1 is not below 1
        assert set(measure.triangle(draws, layers)["serves"]) == {"open"}
        tables.append(losses)
    losses = pd.concat(tables)
    most = losses[losses["greatest"]]
    assert len(most) == 50
    assert (most["verdict"] == "certain").mean() <= 0.1
    assert (losses["part_share"] >= 0.95).mean() <= 0.1
    assert losses.loc[~losses["greatest"], "verdict"].isna().all()


@pytest.mark.parametrize(
    ("low", "share", "verdict"),
    [(-0.01, 1.0, "open"), (0.01, 0.94, "likely"), (0.01, 0.95, "certain")],
)
def test_a_step_loses_most_for_certain_or_not(low, share, verdict):
    assert measure.judge(low, share) == verdict


@pytest.mark.parametrize(
    ("then", "now", "found"),
    [
        ((0.4, 0.4), (0.4, 0.1), ("colour blue", 0.25)),
        ((0.4, 0.0), (0.2, 0.0), ("colour red", 1.0)),  # blue went before
        ((0.4, 0.0), (0.1, 0.3), ("colour red", 1.0)),  # a layer that is bypassed
        ((0.0, 0.0), (0.0, 0.0), ("colour red", 1.0)),  # nothing is noticed at all
        ((0.4, 0.2), (0.0, 0.2), ("colour red", 0.0)),
    ],
)
def test_the_part_that_a_layer_ceases_to_notice(then, now, found):
    rows = pd.concat(
        rows_of([value] * 5, f"colour {name}", measure.NOTICED, at)
        for at, values in (("before", then), ("layer", now))
        for name, value in zip(("red", "blue"), values, strict=True)
    )
    draws = measure.Draws(rows, 10, 0)
    part, kept, share = measure.least_kept(draws, TRAINED, "C", "before", "layer")
    assert (part, kept) == (found[0], pytest.approx(found[1]))
    assert share == 1  # every image is the same


def test_ratios_are_of_sums_and_intervals_hold_trainings():
    one = rows_of([1, 3], "a").assign(scale=[1, 3])
    other = one.assign(seed=1, value=[2.0, 6.0])
    draws = measure.Draws(pd.concat([one, other]), 400, 0)
    mean, drawn = draws.get(TRAINED, "C", "a", measure.SIGNAL, "")
    assert mean == pytest.approx(1.5)  # 4 / 4 and 8 / 4
    assert np.quantile(drawn, 0.975) > 2  # two trainings, a t of one degree


def test_networks_are_ordered_at_each_depth():
    values = {("B", "x"): 0.5, ("C", "y"): 0.3}
    rows = pd.concat(
        rows_of(np.full(50, value), source, classifier=name, weights=weights)
        for (name, source), value in values.items()
        for weights in (TRAINED, RANDOM)
    )
    table = measure.orders(measure.Draws(rows, 100, 0), {"C": ["y"], "B": ["x"]})
    first = table.iloc[0]
    assert (first["network"], first["other"]) == ("B", "C")
    assert (first["layer"], first["other_layer"]) == ("x", "y")
    assert first["difference"] == pytest.approx(0.2)
    assert first["established"]


def test_bands_add_up_to_the_variance():
    images = textures(5, 4).numpy()
    centred = images - images.mean(axis=(2, 3), keepdims=True)
    for bands in (2, 5):
        powers = band_powers(images, bands)
        total = np.square(centred).sum(axis=(1, 2, 3))
        assert powers.sum(axis=1) == pytest.approx(total, rel=1e-5)


def test_a_wave_lies_in_the_band_of_its_frequency():
    edges = band_edges(3)
    assert edges.tolist() == [0, 0.125, 0.25, 1]
    place = np.arange(16)
    for band, cycles in enumerate((1, 3, 7)):  # of 16 pixels
        wave = np.cos(2 * np.pi * cycles * place / 16)
        powers = band_powers(np.broadcast_to(wave, (1, 1, 16, 16)), 3)
        assert powers.argmax() == band
        assert powers[0, band] == pytest.approx(powers.sum())


def test_a_loss_of_one_is_what_the_mean_activations_give():
    activations, images = nn.Flatten(), textures(256, 5)
    scale = variance(activations, images.split(50))
    assert scale == pytest.approx(float(images.var(0).sum()), rel=0.05)
    mean = images.mean(0, keepdim=True).expand(256, -1, -1, -1)
    loss, _ = activation_error(activations, scale)(
        lambda x: activations(mean), (images, None)
    )
    assert float(loss) == pytest.approx(1, rel=0.05)


def test_activations_of_one_pass_are_those_of_each_layer():
    """Also where a later layer works in place."""
    net = ARCHITECTURES["small_vgg"](10, 32).eval().requires_grad_(False)
    pixels, layers = textures(3, 6), [INPUT, "0.0", "0.1", "1", LOGITS]
    pixels = F.interpolate(pixels, 32)
    together = all_activations(net, pixels, layers)
    for layer in layers:
        alone = Activations(net, layer)(pixels)
        assert square_distance(together[layer], alone).max() == 0


def test_a_bypassed_layer_is_none_that_all_signal_passes():
    net = ARCHITECTURES["small_resnet"](10, 32).eval()
    traced = {one.name: one for one in trace_layers(net, torch.rand(1, 3, 32, 32))}
    assert traced["1"].passed_by_all  # a whole block
    inside = [one for name, one in traced.items() if name.startswith("1.")]
    assert inside
    assert not any(one.passed_by_all for one in inside)


@pytest.mark.parametrize("name", ["lenet5", "small_alexnet", "small_vgg"])
def test_a_chain_is_passed_by_all(name):
    net = ARCHITECTURES[name](10, 32).eval()
    layers = trace_layers(net, torch.rand(1, 3, 32, 32))
    assert all(one.passed_by_all for one in layers)
    ends = [one.sides for one in stage_ends(layers)]
    assert len(set(ends)) == len(ends)  # one for each resolution


ZOO = {
    "torchvision/vgg11_bn": {},
    "torchvision/resnet18": {},
    "torchvision/googlenet": {},
    "torchvision/densenet121": {},
    "torchvision/vit_b_16": {"image_size": 32},
    "torchvision/swin_t": {},
}


@pytest.mark.parametrize("architecture", ZOO)
def test_layers_of_torchvisions_networks(architecture):
    net = build_network(architecture, 10, 32, options=ZOO[architecture]).eval()
    side = 32 if "vit" in architecture else 64
    pixels = torch.rand(2, 3, side, side)
    layers = choose_depths(net, pixels, 5)
    assert list(layers)[-1] == LOGITS
    assert len(layers) == 5
    assert all(layers.values())
    named = choose_depths(net, pixels, 2, list(layers))  # the same by name
    assert named == layers
    found = all_activations(net, pixels, list(layers))
    assert all(one.isfinite().all() and len(one) == 2 for one in found.values())


def test_layers_of_timms_networks():
    pytest.importorskip("timm")
    options = {"img_size": 32, "patch_size": 8, "depth": 5, "embed_dim": 48}
    net = build_network(
        "timm/vit_tiny_patch16_224", 10, 32, options=options | {"num_heads": 3}
    ).eval()
    layers = choose_depths(net, torch.rand(1, 3, 32, 32), 4)
    assert list(layers)[-1] == LOGITS
    named = choose_depths(net, torch.rand(1, 3, 32, 32), 3, ["blocks.1", "blocks.3"])
    assert named == {"blocks.1": True, "blocks.3": True}


def chain(**modules):
    return nn.Sequential(OrderedDict(modules)).eval()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["convolution"], "the network has no 'convolution'; perhaps conv"),
        (["last", "conv"], "'conv' runs before 'last'"),
        (["unused"], "'unused' has no output of its own"),
    ],
)
def test_layers_that_cannot_be_are_refused(given, complaint):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.last = nn.Conv2d(3, 2, 3), nn.Conv2d(2, 2, 3)
            self.unused = nn.Conv2d(3, 2, 3)

        def forward(self, x):
            return self.last(self.conv(x)).mean((2, 3))

    with pytest.raises(UserError, match="layers") as raised:
        choose_depths(Net().eval(), textures(1, 0), 2, given)
    assert complaint in str(raised.value)


def test_more_layers_than_there_are_is_refused():
    net = chain(flat=nn.Flatten(), head=nn.Linear(3 * SIDE * SIDE, 2))
    with pytest.raises(UserError, match=r"depth.number: 5 layers are wanted"):
        choose_depths(net, textures(1, 0), 5)


def spec_of(architecture, **values):
    return {
        "architecture": architecture, "classes": 4, "size": 32, "published": False,
        "options": {}, "resize": None, "crop": None, "interpolation": "bilinear",
        "mean": [0.5] * 3, "std": [0.5] * 3, **values,
    }  # fmt: skip


def test_random_weights_follow_from_the_seed_and_stay_in_range():
    batches = [F.interpolate(textures(64, seed), 32) for seed in range(3)]
    first, again, other = (
        random_classifier(spec_of("small_resnet"), batches, seed) for seed in (0, 0, 1)
    )
    states = [one.net.state_dict() for one in (first, again, other)]
    assert all(states[0][name].equal(states[1][name]) for name in states[0])
    assert not all(states[0][name].equal(states[2][name]) for name in states[0])
    assert first.frozen
    assert not any(module.training for module in first.modules())
    spread = all_activations(first, batches[0], ["1", "2", "3"])
    assert all(0.1 < float(one.std()) < 10 for one in spread.values())


def test_norms_settle_on_the_images():
    norm = nn.BatchNorm2d(3).eval()
    batches = [3 + 2 * textures(32, seed) for seed in range(4)]
    settle_norms(chain(norm=norm), batches)
    mean = torch.stack([each.mean((0, 2, 3)) for each in batches]).mean(0)
    assert norm.running_mean.tolist() == pytest.approx(mean.tolist())
    assert norm.momentum == 0.1
    assert not norm.training


def test_weights_that_no_rule_draws_are_refused():
    class Given(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

    with pytest.raises(UserError, match=r"depth: no rule draws 1\.scale anew"):
        redraw_weights(nn.Sequential(nn.Linear(3, 3), Given()))
    layer = nn.Linear(3, 3)
    before = layer.weight.clone()
    redraw_weights(layer)
    assert not layer.weight.equal(before)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"layers": {"V": ["1"]}}, "is none of depth.classifiers L"),
        ({"layers": {"L": []}}, "names no layer"),
        ({"layers": {"L": ["input", "1"]}}, "the input is measured in any case"),
        ({"number": 1}, "greater than or equal to 2"),
    ],
)
def test_settings_are_checked(values, complaint):
    with pytest.raises(ValueError, match=complaint):
        Depth(classifiers=["L"], **values)


@pytest.mark.parametrize(
    ("layers", "outcome"),
    [
        (None, {"2": True, "5": True, "logits": True}),
        (["5"], {"5": True}),
        (["convolution"], "classifier L: layers: the network has no 'convolution'"),
    ],
)
def test_the_stage_chooses_layers_or_names_the_network(tmp_path, layers, outcome):
    spec = spec_of("lenet5", categories=None)
    weights = tmp_path / "L/weights.safetensors"
    weights.parent.mkdir()
    save_classifier(build_classifier(spec), spec, weights, tmp_path / "L/spec.json")
    stage = ChooseLayers(
        classifier=weights,
        chosen=tmp_path / "layers.json",
        settings={"image_size": 32, "number": 3, "layers": layers},
    )
    if isinstance(outcome, str):
        with pytest.raises(UserError, match=outcome):
            stage.execute()
    else:
        stage.execute()
        assert read_json(tmp_path / "layers.json") == outcome


def test_one_image_alone_has_no_distance_to_another():
    from s2snets.depth import half_distance

    assert half_distance(textures(1, 0)).tolist() == [0]


def test_settings_of_one_network_do_not_depend_on_others():
    section = Depth(classifiers=["L", "R"], layers={"R": ["1"]}, replicates=3)
    study = SimpleNamespace(depth=section)
    alone = Depth(classifiers=["L"], replicates=1)
    assert depth_of(study, "L") == alone
