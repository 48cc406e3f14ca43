"""Informed inverse networks: mirrors, what they are told, training, errors."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from s2snets.config import Inversion
from s2snets.data.imageset import ImageSet
from s2snets.figures import salient_inversion
from s2snets.measure.inversion import compare, errors
from s2snets.networks.architectures import (
    ARCHITECTURES,
    small_alexnet_lrn,
    small_vgg,
)
from s2snets.networks.checkpoints import save_classifier
from s2snets.networks.factory import DEFAULT_PREPROCESSING, build_network
from s2snets.networks.frozen import FrozenClassifier
from s2snets.networks.inverse import (
    INVERSE_INPUTS,
    Bottleneck,
    Inverse,
    Mirror,
    centre_positions,
    module_chain,
    unpool,
)
from s2snets.networks.segnet import Switches
from s2snets.networks.vision import torchvision
from s2snets.reversal.inversion import inversion_errors
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_csv, read_rows
from s2snets.stages.salient import MeasureInverse, TabulateInverse, TrainInverse
from s2snets.training.batches import resumable_batches
from s2snets.training.engine import create_engine
from s2snets.training.loop import Trainer
from s2snets.training.objectives import inversion

PREPARED = {"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.25, 0.3)}
SHALLOW = ((4, 4), (8,))


def frozen(net, **preparation):
    return FrozenClassifier(net, **PREPARED, **preparation)


def shallow(**preparation):
    """A network of two poolings whose batch norm does something."""
    torch.manual_seed(0)
    net = small_vgg(3, 12, SHALLOW)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    return frozen(net, **preparation)


def inverse(informed, classifier=None):
    bottleneck = Bottleneck(classifier or shallow())
    torch.manual_seed(1)
    return Inverse(bottleneck, informed)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("torchvision/alexnet", 67),
        ("torchvision/vgg11_bn", 64),
        ("small_alexnet", 31),
        ("small_vgg", 33),
    ],
)
def test_a_mirror_comes_back_to_every_size_and_is_as_large_whatever_it_is_told(
    name, side
):
    with torch.device("meta"):  # the head of these networks is large
        net = build_network(name, 10, side)
    net = nn.Sequential(getattr(net, "features", net)).to_empty(device="cpu")
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.05)
    classifier = frozen(net)
    bottleneck = Bottleneck(classifier)
    pools = [one for one in net.modules() if isinstance(one, nn.MaxPool2d)]
    assert bottleneck.steps[-1] is pools[-1]
    seen, code, taken = bottleneck(torch.rand(1, 3, side, side))
    for pool, told in zip(
        pools, [one for one in taken if isinstance(one, Switches)], strict=True
    ):
        assert told.positions.shape[2] == (told.size[0] - pool.kernel_size) // 2 + 1
    counts = set()
    for informed in INVERSE_INPUTS:
        mirror = Mirror(bottleneck.mirrored, informed)
        assert mirror(code, taken).shape == seen.shape
        counts.add(sum(one.numel() for one in mirror.parameters()))
    assert len(counts) == 1


def test_the_layer_is_the_networks_own_output_there():
    classifier, pixels = shallow(), torch.rand(2, 3, 12, 12)
    for layer, end in ((None, 5), ("1", 2), ("1.1", None), ("2", 3)):
        if layer == "1.1":  # before its ReLU
            want = classifier.net[1][:2](classifier.net[:1](classifier.prepare(pixels)))
        else:
            want = classifier.net[:end](classifier.prepare(pixels))
        assert torch.equal(Bottleneck(classifier, layer)(pixels)[1], want)


def test_what_is_told_is_what_the_network_did():
    classifier, pixels = shallow(), torch.rand(2, 3, 12, 12)
    *_, taken = Bottleneck(classifier)(pixels)
    sizes, masks = taken[0::2][:2], taken[1:4:2]
    first = F.relu(classifier.net[0][:2](classifier.prepare(pixels)))
    second = F.relu(classifier.net[1][:2](first))
    assert sizes == [(12, 12)] * 2
    assert torch.equal(masks[0], first > 0)
    assert torch.equal(masks[1], second > 0)
    pooled, index = F.max_pool2d(second, 2, return_indices=True)
    assert torch.equal(taken[4].positions, index)
    assert torch.equal(second.flatten(2).gather(2, index.flatten(2)), pooled.flatten(2))


def test_it_aims_at_the_pixels_that_the_network_saw():
    classifier = shallow(resize=14, crop=12)
    pixels = torch.rand(2, 3, 20, 20)
    seen, *_ = Bottleneck(classifier)(pixels)
    resized = F.interpolate(pixels, (14, 14), mode="bilinear", antialias=True)
    assert torch.allclose(seen, resized[..., 1:13, 1:13], atol=1e-6)


def moved(told):
    """Other switches: each window's first place becomes its second."""
    return Switches(told.positions ^ 1, told.size)


@pytest.mark.parametrize("informed", INVERSE_INPUTS)
def test_an_inverse_uses_what_it_is_told_and_nothing_else(informed):
    model = inverse(informed).eval()
    _, code, taken = model.bottleneck(torch.rand(2, 3, 12, 12))
    plain = model.mirror(code, taken)
    masks, switches = INVERSE_INPUTS[informed]
    for place, told in enumerate(taken):
        if isinstance(told, torch.Size):
            continue
        is_mask = not isinstance(told, Switches)
        other = list(taken)
        other[place] = ~told if is_mask else moved(told)
        same = torch.equal(model.mirror(code, other), plain)
        assert same is not (masks if is_mask else switches)


def test_overlapping_windows_add_up():
    x = torch.zeros(1, 1, 5, 5)
    x[..., 2, 2] = 1
    x.requires_grad_()
    pooled, index = F.max_pool2d(x, 3, 2, return_indices=True)
    values = torch.rand_like(pooled)
    (want,) = torch.autograd.grad(pooled, x, values)  # the pooling's own backward pass
    assert torch.allclose(unpool(values, index, (5, 5)), want)
    assert want.nonzero().tolist() == [[0, 0, 2, 2]]  # all four windows' maximum


@pytest.mark.parametrize(
    ("pool", "rows", "columns"),
    [
        (nn.MaxPool2d(2), [0, 2, 4], [0, 2]),
        (nn.MaxPool2d(3, 2), [1, 3, 5], [1, 3]),
        (nn.MaxPool2d(3, 2, padding=1), [0, 2, 4, 6], [0, 2, 4]),
        (nn.MaxPool2d((2, 3), (3, 1)), [0, 3], [1, 2, 3]),
        (nn.MaxPool2d(3, 2, ceil_mode=True), [1, 3, 5], [1, 3]),
    ],
)
def test_without_switches_values_go_to_the_windows_centres(pool, rows, columns):
    size = (6, 5) if pool.ceil_mode else (7, 5)
    shape = pool(torch.rand(1, 1, *size)).shape
    index = centre_positions(pool, shape, size)[0, 0]
    assert (index // size[1])[:, 0].tolist() == rows
    assert (index % size[1])[0].tolist() == columns


def test_a_linear_network_is_inverted_by_its_own_transpose():
    """A shift by a pixel, weights ±1, and no pooling."""
    conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)
    with torch.no_grad():
        conv.weight.zero_()
        for channel, sign in enumerate((1, -1, 1)):
            conv.weight[channel, channel, 1, 0] = sign
    classifier = FrozenClassifier(nn.Sequential(conv), (0.0,) * 3, (1.0,) * 3)
    model = Inverse(Bottleneck(classifier, "0"), "neither")
    with torch.no_grad():
        model.mirror.learnt[0].conv.weight.copy_(conv.weight)
        model.mirror.learnt[0].conv.bias.zero_()
    pixels = torch.rand(2, 3, 8, 8)
    found, seen = model(pixels)
    assert torch.equal(seen, pixels)
    assert torch.equal(found[..., :-1], pixels[..., :-1])  # the last column was lost


class Functional(nn.Sequential):
    def forward(self, x):
        return F.relu(super().forward(x), inplace=True)


class Deciding(nn.Sequential):
    def forward(self, x):
        return super().forward(x if x.sum() > 0 else -x)


@pytest.mark.parametrize(
    ("net", "layer", "why"),
    [
        (lambda: ARCHITECTURES["small_resnet"](), None, "no max-pooling"),
        (lambda: ARCHITECTURES["small_inception"](), None, "convolutions follow"),
        (lambda: ARCHITECTURES["small_inception"](), "3", "no link of a chain"),
        (lambda: ARCHITECTURES["lenet5"](), "3", "no link of a chain"),
        (lambda: ARCHITECTURES["small_vgg"](), "pool9", "has no 'pool9'"),
        (lambda: torchvision.models.resnet18(), None, "convolutions follow"),
        (lambda: torchvision.models.resnet18(), "layer1", "no link of a chain"),
        (
            lambda: nn.Sequential(
                Functional(nn.Conv2d(3, 4, 3)), nn.Conv2d(4, 4, 3), nn.MaxPool2d(2)
            ),
            None,
            "no link of a chain",
        ),
        (lambda: Deciding(nn.Conv2d(3, 4, 3)), "0", "cannot be traced"),
        (lambda: nn.Sequential(nn.ReLU(), nn.Conv2d(3, 4, 3)), "0", "no convolution"),
    ],
)
def test_what_is_no_chain_is_told_with_what_can_be_inverted(net, layer, why):
    with pytest.raises(UserError, match=why) as caught:
        module_chain(net(), layer)
    assert str(caught.value).startswith("salient.inversion.")
    assert "\n" not in str(caught.value)


def test_the_stem_of_another_network_can_be_inverted():
    net = torchvision.models.resnet18()
    bottleneck = Bottleneck(frozen(net), "maxpool")
    assert bottleneck.steps == [net.conv1, net.bn1, net.relu, net.maxpool]
    seen, code, taken = bottleneck(torch.rand(1, 3, 45, 45))
    assert Mirror(bottleneck.mirrored, "both")(code, taken).shape == seen.shape


def test_alexnet_with_its_own_response_norms_is_a_chain():
    net = small_alexnet_lrn()
    kinds = [type(step).__name__ for step in Bottleneck(frozen(net)).steps]
    assert kinds.count("ResponseNorm") == 2
    assert kinds.count("Conv2d") == 5


@pytest.mark.parametrize("side", [37, 40, 42])
def test_response_norm_groups_strides_and_partial_windows_are_mirrored(side):
    net = nn.Sequential(
        nn.Conv2d(3, 8, 7, 3, 2), nn.ReLU(inplace=True), nn.LocalResponseNorm(5),
        nn.MaxPool2d(3, 2, ceil_mode=True), nn.Dropout(),
        nn.Conv2d(8, 4, (3, 5), padding=(1, 2), groups=2), nn.ReLU(),
        nn.MaxPool2d((2, 3), ceil_mode=True),
    )  # fmt: skip
    classifier = frozen(net)
    bottleneck = Bottleneck(classifier)
    pixels = torch.rand(2, 3, side, side + 1)
    seen, code, taken = bottleneck(pixels)
    assert torch.equal(code, classifier(pixels))
    for informed in INVERSE_INPUTS:
        found = Mirror(bottleneck.mirrored, informed)(code, taken)
        assert found.shape == seen.shape


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder, random = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for number in range(12):
        coarse = random.integers(0, 256, (3, 3, 3), np.uint8)
        image = Image.fromarray(coarse).resize((12, 12), Image.Resampling.BILINEAR)
        image.save(folder / f"{number:02}.png")
    return ImageSet(folder, 12)


SETTINGS = Inversion(images=40, batch=4, check_every=12, learning_rate=0.01)


class Killed(Exception):
    pass


def trained(images, informed, path, *, kill=None, settings=SETTINGS):
    """The trained model and its curve; killed after so many batches."""
    model = inverse(informed)
    start = resumable_batches(images, settings, seed=0, device=torch.device("cpu"))

    def cut(seen):
        for number, batch in enumerate(start(seen)):
            if number == kill:
                raise Killed
            yield batch

    trainer = Trainer(
        model, inversion, settings, create_engine(settings), seed=0, identity={},
        checkpoint_path=path, save_every=0,
    )  # fmt: skip
    return model, trainer.fit(cut)


@pytest.mark.parametrize("kill", [1, 7])
def test_a_killed_training_resumes_to_the_same_weights(images, tmp_path, kill):
    whole, curve = trained(images, "both", tmp_path / "whole.pt")
    with pytest.raises(Killed):
        trained(images, "both", tmp_path / "killed.pt", kill=kill)
    again, again_curve = trained(images, "both", tmp_path / "killed.pt")
    assert again_curve == curve
    for name, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_the_classifier_does_not_move_and_its_inverse_does(images, tmp_path):
    before = inverse("both").state_dict()
    model, _ = trained(images, "both", tmp_path / "c.pt")
    for name, value in model.state_dict().items():
        stays = name.startswith("bottleneck.")
        assert torch.equal(value, before[name]) is stays, name


def test_training_brings_images_back(images, tmp_path):
    settings = SETTINGS.model_copy(
        update={"images": 1200, "check_every": 400, "learning_rate": 0.02}
    )
    _, curve = trained(images, "both", tmp_path / "c.pt", settings=settings)
    variance = images.batch(range(12))[0].var().item()
    assert curve[-1]["loss"] < 0.5 * variance


def test_errors_are_those_computed_by_hand():
    seen = torch.zeros(3, 3, 1, 2)
    seen[0, 0, 0] = torch.tensor([3.0, 4.0])
    seen[1] = 0.5
    found = seen.clone()
    found[0, 2, 0, 1] = 2.5
    found[2] = 0.1
    relative, mse = errors(found, seen)
    assert relative[:2].tolist() == [0.5, 0.0]
    assert relative[2].isnan()  # black all over
    assert mse.tolist() == pytest.approx([6.25 / 6, 0, 0.01])


PRINTED = pd.DataFrame(
    [("both", "switches", 15), ("both", "masks", 46), ("switches", "masks", 36)],
    columns=["informed", "against", "lower"],
)
AS_PRINTED = {"neither": 0.9, "masks": 0.5, "switches": 0.32, "both": 0.272}


def measured(means=AS_PRINTED, seeds=2, images=40):
    """Rows whose means are known: an image's error is the mean times its own factor."""
    factor = np.random.default_rng(0).uniform(0.5, 1.5, images)
    factor /= factor.mean()
    rows = [
        (seed, name, image, value * factor[image], value**2 * factor[image])
        for seed in range(seeds)
        for name, value in means.items()
        for image in range(images)
    ]
    return pd.DataFrame(rows, columns=["seed", "informed", "image", "relative", "mse"])


def compared(rows, resamples=200):
    table = compare(rows, PRINTED, resamples=resamples, seed=0)
    return table.set_index(["error", "informed", table["against"].fillna("")])


def test_reductions_are_ratios_of_mean_errors_paired_over_images():
    table = compared(measured())
    for name, value in AS_PRINTED.items():
        row = table.loc["relative", name, ""]
        assert row.value == pytest.approx(value)
        assert row.low < value < row.high
        assert (row.images, row.seeds) == (40, 2)
    for key, value in {
        ("both", "switches"): 0.15,
        ("both", "masks"): 0.456,
        ("switches", "masks"): 0.36,
    }.items():
        row = table.loc[("relative", *key)]
        assert row.value == pytest.approx(value)
        # Errors are in proportion image by image: nothing is left to resampling.
        assert row.low == pytest.approx(row.high)
        assert row.printed == pytest.approx(value, abs=0.005)
        squared = table.loc[("mse", *key)]
        assert squared.value == pytest.approx(1 - (1 - value) ** 2)


def test_seeds_are_averaged_and_their_spread_is_told():
    rows = measured()
    rows.loc[rows["seed"] == 1, "relative"] *= 1.5
    table = compared(rows)
    row = table.loc["relative", "masks", ""]
    assert row.value == pytest.approx(0.5 * 1.25)
    assert row.sd == pytest.approx(np.std([0.5, 0.75], ddof=1))
    assert table.loc["relative", "both", "masks"].sd == pytest.approx(0, abs=1e-12)


def test_black_images_do_not_count():
    rows = measured()
    rows.loc[rows["image"] == 3, "relative"] = np.nan
    assert set(compared(rows)["images"]) == {39}


def test_a_network_that_was_not_measured_is_told():
    rows = measured({"masks": 0.5, "both": 0.3})
    with pytest.raises(UserError, match="none of the inverse informed by switches"):
        compared(rows)


def test_stages_go_from_a_classifier_to_the_table_and_the_figure(
    images, tmp_path, monkeypatch
):
    classifier = frozen(small_vgg(3, 32))
    spec = {
        "architecture": "small_vgg", "classes": 3, "size": 32, "published": False,
        **(DEFAULT_PREPROCESSING | PREPARED | {"resize": 32}),
    }  # fmt: skip
    weights = tmp_path / "V/weights.safetensors"
    save_classifier(classifier, spec, weights, tmp_path / "V/spec.json")
    shared = ["--images", str(images.path), "--classifier", str(weights)]
    inverses = {
        name: tmp_path / name / "weights.safetensors" for name in INVERSE_INPUTS
    }
    settings = {"image_size": 12, "resize_mode": "squash"}
    learning = {"images": 8, "batch": 4}
    for name, path in inverses.items():
        TrainInverse.main([
            *shared, "--informed", name, "--weights", str(path), "--seed", "1",
            "--curve", str(path.with_name("curve.csv")),
            "--record", str(path.with_name("record.json")),
            "--settings", json.dumps(settings | {"inversion": learning}),
        ])  # fmt: skip
        assert {one.name for one in path.parent.iterdir()} == {
            "weights.safetensors", "curve.csv", "record.json", "events",
        }  # fmt: skip
    # 12 images in groups of one batch: killed in the third, gone on with
    monkeypatch.setattr("s2snets.evaluation.GROUP_SIZE", 4)

    def measure(name, **changes):
        MeasureInverse.main([
            *shared, "--inverses", *map(str, inverses.values()),
            "--informed", *inverses, "--seed", "1",
            "--errors", str(tmp_path / name), "--record", str(tmp_path / "record.json"),
            "--settings", json.dumps(settings | {"layer": None, "batch": 4} | changes),
        ])  # fmt: skip

    measure("whole.parquet")
    calls, whole = [], inversion_errors

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        return whole(*arguments)

    monkeypatch.setattr("s2snets.reversal.inversion.inversion_errors", killed)
    with pytest.raises(Killed):
        measure("errors.parquet")
    measure("errors.parquet")
    assert len(calls) == 4
    path = tmp_path / "errors.parquet"
    assert path.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    rows = read_rows([path])
    assert rows.groupby("informed", observed=True).size().to_dict() == dict.fromkeys(
        INVERSE_INPUTS, 12
    )
    assert set(rows["seed"]) == {1}
    measure("fewer.parquet", images=5)
    assert len(read_rows([tmp_path / "fewer.parquet"])) == 20
    printed, table = tmp_path / "printed.csv", tmp_path / "inversion.csv"
    PRINTED.to_csv(printed, index=False)
    TabulateInverse.main([
        "--errors", str(path), "--printed", str(printed), "--table", str(table),
        "--settings", '{"resamples": 20}',
    ])  # fmt: skip
    made = read_csv(table)
    assert len(made) == 2 * (4 + 3)
    drawn = [tmp_path / f"f.{ending}" for ending in ("pdf", "png", "csv")]
    salient_inversion.InverseErrors.main([
        "--inversion", str(table), "--settings", "{}",
        *(word for one in drawn for word in (f"--{one.suffix[1:]}", str(one))),
    ])  # fmt: skip
    assert read_csv(drawn[2]).equals(made)
    assert Image.open(drawn[1]).size[0] > 500
