"""SegNet, the classifiers, their wrappers, and classifiers by name."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from s2snets.config import Classifier
from s2snets.networks.architectures import (
    ARCHITECTURES,
    Branches,
    Residual,
    ResponseNorm,
    lenet5,
)
from s2snets.networks.factory import build_classifier, build_network, classifier_spec
from s2snets.networks.frozen import FrozenClassifier, PixelClassifier
from s2snets.networks.segnet import TRAINED_HALVES, SegNet, Tuned, scaled_plan
from s2snets.networks.vision import torchvision
from s2snets.runtime.errors import UserError


def parameters(module):
    return sum(weight.numel() for weight in module.parameters())


def test_segnet_has_the_published_number_of_parameters():
    model = SegNet()
    assert parameters(model.encoder) == 14_723_136
    assert parameters(model.decoder) == 14_757_123
    assert parameters(model) == 29_480_259


def test_segnet_is_thirteen_plain_convolutions_twice_and_a_linear_one():
    kinds = [type(module) for module in SegNet(8).modules()]
    assert kinds.count(nn.Conv2d) == 13 + 13 + 1
    assert kinds.count(nn.BatchNorm2d) == kinds.count(nn.ReLU) == 13 + 13
    assert nn.ConvTranspose2d not in kinds


@pytest.mark.parametrize("size", [32, 33, 47, 61])
@pytest.mark.parametrize("stages", [1, 3, 5])
def test_segnet_restores_any_size(size, stages):
    model = SegNet(4, stages).eval()
    pixels = torch.rand(2, 3, size, size + 3)
    code, switches = model.encode(pixels)
    assert code.shape[-2:] == (size // 2**stages, (size + 3) // 2**stages)
    assert len(switches) == stages
    assert model(pixels).shape == pixels.shape


@pytest.mark.parametrize("channels", [2, 3, 24])
def test_response_norm_is_torchs_while_training_too(channels):
    ours, torchs = ResponseNorm(0.3), nn.LocalResponseNorm(5, 0.3, 0.75, 1)
    pixels = torch.randn(2, channels, 4, 5, dtype=torch.float64, requires_grad=True)
    weights = torch.randn_like(pixels)
    expected = torchs(pixels)
    gradient = torch.autograd.grad((expected * weights).sum(), pixels)
    assert ours.training
    for _ in range(2):
        y = ours(pixels)
        torch.testing.assert_close(y, expected)
        torch.testing.assert_close(
            torch.autograd.grad((y * weights).sum(), pixels), gradient
        )
        ours.eval()
    assert torch.equal(y, expected)


def test_unpooling_puts_each_maximum_where_it_stood():
    model = SegNet(4, 1).eval()
    seen = []
    model.decoder.stages[0].register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    pixels = torch.rand(1, 3, 6, 6)
    with torch.no_grad():
        before = model.encoder.stages[0]((pixels - model.mean) / model.std)
        model(pixels)
    for plane, unpooled in zip(before[0], seen[0][0], strict=True):
        for row in range(0, 6, 2):
            for column in range(0, 6, 2):
                window = plane[row : row + 2, column : column + 2].flatten()
                there = unpooled[row : row + 2, column : column + 2].flatten()
                slow = torch.zeros(4)
                slow[window.argmax()] = window.max()
                assert torch.equal(there, slow)


def test_a_plan_outside_vgg_is_refused():
    assert scaled_plan(16, 2) == ((16, 16), (32, 32))
    with pytest.raises(ValueError, match="6 stages"):
        scaled_plan(64, 6)


def moved(module, before):
    return {
        name
        for name, value in module.state_dict().items()
        if not value.equal(before[name])
    }


@pytest.mark.parametrize("part", TRAINED_HALVES)
def test_what_is_frozen_does_not_move(part):
    torch.manual_seed(0)
    classifier = FrozenClassifier(lenet5(), (0.5,) * 3, (0.5,) * 3)
    autoencoder = SegNet(4, 2)
    model = nn.Sequential(Tuned(autoencoder, part), classifier)
    before = {
        name: {key: value.clone() for key, value in module.state_dict().items()}
        for name, module in (("autoencoder", autoencoder), ("classifier", classifier))
    }
    optimiser = torch.optim.SGD(model.parameters(), 0.1, weight_decay=0.1)
    model.train()
    for _ in range(2):
        loss = F.cross_entropy(model(torch.rand(4, 3, 32, 32)), torch.arange(4))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert not moved(classifier, before["classifier"])
    touched = moved(autoencoder, before["autoencoder"])
    assert {name.split(".")[0] for name in touched} == set(TRAINED_HALVES[part])
    for name in TRAINED_HALVES[part]:  # live batch norm where something learns
        assert any(key.startswith(name) and "running_mean" in key for key in touched)


def test_a_frozen_encoder_gives_the_same_code_and_switches_in_training():
    autoencoder = SegNet(4, 2)
    model, pixels = Tuned(autoencoder, "decoder").train(), torch.rand(4, 3, 16, 16)
    code, switches = autoencoder.encode(pixels)
    model(pixels).sum().backward()
    again, switches_again = autoencoder.encode(pixels)
    assert torch.equal(code, again)
    assert all(
        torch.equal(a.positions, b.positions)
        for a, b in zip(switches, switches_again, strict=True)
    )


def test_a_frozen_classifier_stays_in_evaluation_and_passes_gradients():
    classifier = FrozenClassifier(
        ARCHITECTURES["small_alexnet"](), (0.5,) * 3, (0.25,) * 3
    )
    parent = nn.Sequential(classifier).train()
    assert not any(module.training for module in classifier.modules())
    pixels = torch.rand(1, 3, 32, 32, requires_grad=True)
    parent(pixels).sum().backward()
    assert pixels.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in classifier.parameters())


def test_the_wrapper_prepares_pixels_as_torchvision_does():
    transforms = torchvision.transforms.functional
    pixels, mean, std = torch.rand(2, 3, 40, 40), (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    for resize, crop in ((None, None), (24, None), (None, 30), (64, 33), (32, 28)):
        wrapped = FrozenClassifier(nn.Identity(), mean, std, resize, crop).prepare(
            pixels
        )
        truth = pixels
        if resize:
            truth = transforms.resize(truth, [resize, resize], antialias=True)
        if crop:
            truth = transforms.center_crop(truth, [crop, crop])
        truth = transforms.normalize(truth, mean, std)
        assert wrapped.shape == truth.shape
        assert (wrapped - truth).abs().max() < 1e-5


def test_a_crop_larger_than_the_image_is_refused():
    with pytest.raises(UserError, match="crop 33 is larger"):
        FrozenClassifier(nn.Identity(), (0,) * 3, (1,) * 3, crop=33)(
            torch.rand(1, 3, 32, 32)
        )


def test_lenet_is_lecuns():
    grey = parameters(lenet5()) - 2 * 6 * 25  # two of three colour channels
    assert grey == 61_706
    assert [m.out_channels for m in lenet5() if isinstance(m, nn.Conv2d)] == [6, 16]


@pytest.mark.parametrize("name", sorted(ARCHITECTURES.keys() - {"caffe_alexnet"}))
@pytest.mark.parametrize(("classes", "size"), [(10, 32), (3, 41), (7, 64)])
def test_small_classifiers_take_any_size_and_number_of_classes(name, classes, size):
    net = ARCHITECTURES[name](classes, size).eval()
    assert net(torch.rand(2, 3, size, size)).shape == (2, classes)


def test_small_classifiers_have_their_authors_defining_elements():
    def found(name, kind):
        return [m for m in ARCHITECTURES[name]().modules() if isinstance(m, kind)]

    pools = found("small_alexnet", nn.MaxPool2d)
    assert all((pool.kernel_size, pool.stride) == (3, 2) for pool in pools)
    assert len(found("small_alexnet", nn.Conv2d)) == 5
    assert len(found("small_alexnet", nn.Dropout)) == 2
    assert {m.kernel_size for m in found("small_vgg", nn.Conv2d)} == {(3, 3)}
    assert found("small_vgg", nn.BatchNorm2d)
    assert all(len(m.branches) == 4 for m in found("small_inception", Branches))
    assert len(found("small_resnet", Residual)) == 3


def test_a_classifier_that_does_not_exist_is_named_with_its_neighbours():
    with pytest.raises(UserError, match=r"no 'lenet'.*lenet5"):
        build_network("lenet", 10, 32)
    with pytest.raises(
        UserError, match=r"no 'torchvision/resnet51'.*torchvision/resnet50"
    ):
        build_network("torchvision/resnet51", 10, 32)


@pytest.mark.parametrize("name", ["torchvision/resnet18", "torchvision/squeezenet1_1"])
def test_torchvision_models_go_through_the_same_wrapper(name):
    spec = classifier_spec(Classifier(architecture=name, resize=64), 5, 32)
    model = build_classifier(spec, PixelClassifier).eval()
    assert model(torch.rand(2, 3, 32, 32)).shape == (2, 5)


def test_torchvision_imports_in_a_fresh_interpreter():
    code = "import s2snets.networks.vision as v; print(v.torchvision.models.alexnet)"
    workflow = Path(__file__).parents[2] / "workflow"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(workflow)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "alexnet" in done.stdout, done.stderr
