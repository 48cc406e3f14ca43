"""Reversed architectures: rules, mode, starts, layers, responses, dense use."""

import functools
import re
import threading
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.functional import jacobian

from s2snets.networks.architectures import ARCHITECTURES as NETWORKS
from s2snets.networks.architectures import caffe_alexnet, lenet5, small_alexnet_lrn
from s2snets.networks.class_logits import SelectLogits
from s2snets.networks.frozen import FrozenClassifier
from s2snets.networks.layers import pooling_layers, split_classifier, window_centres
from s2snets.networks.vision import torchvision
from s2snets.reversal import starts
from s2snets.reversal.mode import graph_nodes, reversed_as
from s2snets.reversal.pools import adaptive_centres
from s2snets.reversal.respond import activation, respond
from s2snets.reversal.variants import (
    ARCHITECTURES,
    LRN_RULES,
    POOL_RULES,
    RELU_RULES,
    VARIANTS,
    Reversal,
)
from s2snets.runtime.errors import UserError

captum = pytest.importorskip("captum.attr")

SIDES = {"alexnet": 79, "inception_v3": 75}
REVERSALS = [
    Reversal(relu, pool, lrn)
    for relu in RELU_RULES
    for pool in POOL_RULES
    for lrn in LRN_RULES
]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@functools.cache
def vision(name):
    """A torchvision network with random weights that let signals through."""
    extra = {"init_weights": False} if name in ("inception_v3", "googlenet") else {}
    net = torchvision.models.get_model(name, weights=None, num_classes=7, **extra)
    for weight in net.parameters():
        if weight.ndim > 1:
            nn.init.kaiming_normal_(weight)
    return net.eval()


def images(name, count=2):
    side = SIDES.get(name, 64)
    return torch.randn(count, 3, side, side)


def reversed_gradient(function, x, reversal, p=None):
    """φ† of a function of one tensor."""
    x = x.clone().requires_grad_()
    with reversed_as(reversal):
        y = function(x.clone())
    return torch.autograd.grad(y, x, torch.ones_like(y) if p is None else p)[0]


def near(a, b, least=1e-6):
    assert (a - b).abs().max() <= least * b.abs().max()


# Oracle: one layer after the other by its Jacobian, the rules written out.


def slope(kind, x):
    """f'(x) of a piecewise-linear unit, 0 at a rectifier's kinks."""
    if kind == "relu6":
        return ((x > 0) & (x < 6)).double()
    if kind == "leaky":
        return (x > 0) + 0.2 * (x <= 0).double()
    return (x > 0).double()


def naive_relu(kind, rule, x, given):
    if rule == "identity":
        return given
    if rule == "relu":
        return torch.stack([max(value, 0 * value) for value in given])
    masked = given * slope(kind, x).flatten()
    return masked if rule == "backprop" else masked * (masked > 0)


def naive_centre(x, given, kernel, stride, padding):
    """Pixel by pixel; kernels of at most the padded plane."""
    result = torch.zeros_like(x[0])
    channels, height, width = result.shape
    rows, columns = (
        (side + 2 * padding - kernel) // stride + 1 for side in (height, width)
    )
    given = given.view(channels, rows, columns)
    for row in range(rows):
        for column in range(columns):
            inside = [
                [
                    place
                    for place in range(
                        at * stride - padding, at * stride - padding + kernel
                    )
                    if 0 <= place < side
                ]
                for at, side in ((row, height), (column, width))
            ]
            aims = (at * stride - padding + (kernel - 1) // 2 for at in (row, column))
            i, j = (
                min(places, key=lambda place, aim=aim: abs(place - aim))
                for places, aim in zip(inside, aims, strict=True)
            )
            result[:, i, j] += given[:, row, column]
    return result.flatten()


def naive(layers, image, p, reversal):
    """φ† by explicit products from the last layer to the first."""
    seen = [image]
    for _, layer in layers:
        seen.append(layer(seen[-1]).detach())
    given = p.flatten()
    for (kind, layer), x in zip(reversed(layers), reversed(seen[:-1]), strict=True):
        if kind in ("relu", "relu6", "leaky"):
            given = naive_relu(kind, reversal.relu, x, given)
        elif kind == "pool" and reversal.pool == "centre":
            given = naive_centre(
                x, given, layer.kernel_size, layer.stride, layer.padding
            )
        elif not (kind == "lrn" and reversal.lrn == "identity"):
            matrix = jacobian(lambda x, layer=layer: layer(x).flatten(), x)
            given = matrix.reshape(len(given), -1).T @ given
    return given.view_as(image)


TINY = {
    "overlapping pools, LRN": lambda: [
        ("affine", nn.Conv2d(3, 4, 3)),
        ("relu", nn.ReLU()),
        ("lrn", nn.LocalResponseNorm(3, 0.5)),
        ("pool", nn.MaxPool2d(3, 2)),
        ("affine", nn.Conv2d(4, 5, 2, bias=False)),
        ("affine", nn.BatchNorm2d(5).eval()),
        ("relu", nn.ReLU()),
        ("pool", nn.MaxPool2d(2)),
        ("affine", nn.Flatten()),
        ("affine", nn.Linear(5, 6)),
    ],
    "padded pool, ReLU6, leaky": lambda: [
        ("affine", nn.Conv2d(3, 4, 2)),
        ("relu6", nn.ReLU6()),
        ("pool", nn.MaxPool2d(3, 2, 1)),
        ("affine", nn.Conv2d(4, 4, 2)),
        ("leaky", nn.LeakyReLU(0.2)),
        ("affine", nn.AvgPool2d(2)),
    ],
}


@pytest.mark.parametrize("reversal", REVERSALS)
@pytest.mark.parametrize("tiny", TINY)
def test_each_rule_is_its_jacobian_written_out(tiny, reversal):
    layers = TINY[tiny]()
    net = nn.Sequential(*(layer for _, layer in layers)).double().eval()
    for module in net:
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            module.running_var.uniform_(0.5, 2)
    image = 4 * torch.randn(1, 3, 10, 9).double()
    p = torch.randn_like(net(image))
    near(
        reversed_gradient(net, image, reversal, p),
        naive(layers, image, p, reversal),
        1e-12,
    )


# Other people's tools.


@pytest.mark.parametrize("name", ["alexnet", "vgg11", "resnet18"])
@pytest.mark.parametrize(
    ("reversal", "method"),
    [
        ("deconvnet", captum.Deconvolution),
        ("desalinet", captum.GuidedBackprop),
        ("salinet", captum.Saliency),
    ],
)
def test_responses_are_captums_where_captum_is_right(name, reversal, method):
    net, x = vision(name), images(name)
    target = net(x).argmax(1)
    more = {"abs": False} if reversal == "salinet" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = method(net).attribute(x.clone().requires_grad_(), target, **more)
    near(respond(net, x, reversal), theirs)


PLAIN = [
    "alexnet", "vgg11_bn", "resnet18", "inception_v3", "googlenet", "densenet121",
    "squeezenet1_1", "mobilenet_v2",
]  # fmt: skip


def networks(name):
    if name in NETWORKS:
        return NETWORKS[name](7).eval(), torch.randn(2, 3, 32, 32)
    return vision(name), images(name)


def rectifier_nodes(net, x):
    """The network's output, and the nodes of its ReLUs."""
    y = net(x)
    kinds = ("ReluBackward", "HardtanhBackward")
    return y, [node for node in graph_nodes(y) if node.name().startswith(kinds)]


@pytest.mark.parametrize("name", [*PLAIN, *sorted(NETWORKS.keys() - {"caffe_alexnet"})])
def test_salinet_is_the_networks_own_gradient(name):
    net, x = networks(name)
    x.requires_grad_()
    y = net(x)
    p = starts.strongest(y)
    near(respond(net, x, "salinet"), torch.autograd.grad(y, x, p)[0])


@pytest.mark.parametrize("name", [*PLAIN, "small_inception", "small_resnet"])
def test_every_rectifier_is_caught_and_only_those(name):
    net, x = networks(name)
    y, relus = rectifier_nodes(net, x.requires_grad_())
    assert relus
    with reversed_as("desalinet") as mode:
        again = net(x)
    assert mode.rectifiers == len(relus)
    assert torch.equal(again, y)


@pytest.mark.parametrize("name", ["inception_v3", "googlenet", "densenet121"])
@pytest.mark.parametrize("reversal", ["desalinet", "deconvnet"])
def test_responses_are_those_of_hooked_nodes_where_modules_do_not_tell(name, reversal):
    net, x = networks(name)
    x.requires_grad_()
    y, relus = rectifier_nodes(net, x)
    for node in relus:
        if reversal == "desalinet":
            node.register_hook(lambda ins, _: (ins[0].relu(), *ins[1:]))
        else:
            node.register_hook(lambda ins, outs: (outs[0].relu(), *ins[1:]))
    (hooked,) = torch.autograd.grad(y, x, starts.strongest(y))
    near(respond(net, x, reversal), hooked)


def test_captum_gives_inceptions_plain_gradient_and_we_do_not():
    net, x = networks("inception_v3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        guided = captum.GuidedBackprop(net).attribute(
            x.clone().requires_grad_(), net(x).argmax(1)
        )
    near(guided, respond(net, x, "salinet"))
    ours = respond(net, x, "desalinet")
    assert (ours - guided).norm() > 0.5 * ours.norm()


# Every way to write a rectifier.

WRITTEN = {
    "F.relu": F.relu,
    "F.relu in place": lambda x: F.relu(x, inplace=True),
    "F.relu by name": lambda x: F.relu(input=x),
    "torch.relu": torch.relu,
    "torch.relu_": torch.relu_,
    "Tensor.relu": lambda x: x.relu(),
    "Tensor.relu_": lambda x: x.relu_(),
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": nn.ReLU(inplace=True),
    "clamp": lambda x: x.clamp(0),
    "clamp by name": lambda x: torch.clamp(x, min=0.0),
    "clamp by tensor": lambda x: x.clamp(min=torch.tensor(0.0)),
    "clamp_": lambda x: x.clamp_(min=0),
    "clip": lambda x: x.clip(0),
    "clamp_min": lambda x: x.clamp_min(0),
    "clamp_min_": lambda x: x.clamp_min_(0),
    "maximum": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "maximum, turned": lambda x: torch.maximum(torch.zeros(()), x),
    "max": lambda x: torch.max(x, torch.zeros(1)),
    "threshold": lambda x: F.threshold(x, 0, 0),
    "nn.Threshold in place": nn.Threshold(0, 0, inplace=True),
    "hardtanh": lambda x: F.hardtanh(x, 0, 100),
    "leaky of slope 0": lambda x: F.leaky_relu(x, 0.0),
    "prelu of slope 0": lambda x: F.prelu(x, torch.zeros(3)),
}
RULED = {
    "identity": lambda x, given: given,
    "backprop": lambda x, given: given * (x > 0),
    "relu": lambda x, given: given.clamp(min=0),
    "hybrid": lambda x, given: (given * (x > 0)).clamp(min=0),
}


@pytest.mark.parametrize("rule", RELU_RULES)
@pytest.mark.parametrize("written", WRITTEN)
def test_a_rectifier_is_reversed_however_it_is_written(written, rule):
    x = torch.randn(2, 3, 5, 5)
    x[:, 0, 0] = 0  # exact zeros, and p of both signs there
    p = torch.randn_like(x)
    ours = reversed_gradient(
        WRITTEN[written], x, Reversal(rule, "switches", "backprop"), p
    )
    assert torch.equal(ours, RULED[rule](x, p))


SLOPED = {
    "relu6": (nn.ReLU6(inplace=True), lambda x: (x > 0) & (x < 6)),
    "F.relu6": (F.relu6, lambda x: (x > 0) & (x < 6)),
    "hardtanh": (nn.Hardtanh(), lambda x: x.abs() < 1),
    "clamp": (lambda x: x.clamp(0, 1), lambda x: (x > 0) & (x < 1)),
    "leaky": (nn.LeakyReLU(0.1, inplace=True), lambda x: torch.where(x > 0, 1, 0.1)),
    "prelu": (
        lambda x: F.prelu(x, torch.tensor([0.1, -0.5, 2])),
        lambda x: torch.where(x > 0, 1, torch.tensor([0.1, -0.5, 2]).view(3, 1, 1)),
    ),
    "rrelu": (nn.RReLU(0.1, 0.3).eval(), lambda x: torch.where(x > 0, 1, 0.2)),
    "jumping": (nn.Threshold(1, 20, inplace=True), lambda x: x > 1),
}  # fmt: skip


@pytest.mark.parametrize("unit", SLOPED)
def test_piecewise_linear_units_pass_their_slope_and_its_positive_part(unit):
    function, slope = SLOPED[unit]
    x = 5 * torch.randn(2, 3, 6, 6)
    x[:, :, 0] = 0
    p = torch.randn_like(x)
    for rule in RELU_RULES:
        ours = reversed_gradient(function, x, Reversal(rule, "switches", "backprop"), p)
        masked = p * slope(x)
        expected = {
            "identity": p, "backprop": masked, "relu": p.clamp(min=0),
            "hybrid": masked.clamp(min=0),
        }  # fmt: skip
        torch.testing.assert_close(ours, expected[rule])


@pytest.mark.parametrize(
    "bound",
    [lambda x: x.clamp(min=1e-6), lambda x: x.clamp(max=3), lambda x: x.amax(1)],
)
def test_bounds_that_do_not_rectify_are_left_alone(bound):
    x = torch.randn(1, 3, 4, 4)
    with reversed_as("desalinet") as mode:
        bound(x)
    assert mode.rectifiers == 0


def test_in_place_rectifiers_stay_in_place():
    with reversed_as("desalinet"):
        x = torch.randn(2, 3, 4, 4, requires_grad=True) * 1
        before = x.data_ptr()
        y = F.relu(x, inplace=True)
    assert y.data_ptr() == before
    assert x is y
    assert x.min() == 0


def test_a_view_is_rectified_in_place_as_a_copy_is():
    x, p = torch.randn(2, 3, 4, 4), torch.randn(2, 48)
    in_place = reversed_gradient(lambda x: x.view(2, -1).relu_(), x, "desalinet", p)
    copied = reversed_gradient(lambda x: x.view(2, -1).relu(), x, "desalinet", p)
    assert torch.equal(in_place, copied)


def test_a_rectifier_keeps_nothing_that_the_next_layer_does_not():
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda x: x):
        for rule, count in zip(RELU_RULES, (0, 1, 0, 1), strict=True):
            kept.clear()
            x = torch.randn(4, requires_grad=True)
            with reversed_as(Reversal(rule, "switches", "backprop")):
                y = F.relu(x)
            assert [one.data_ptr() for one in kept] == [y.data_ptr()] * count


# Pools.


def test_centres_are_the_first_of_the_middle_pixels():
    assert window_centres(8, 4, 2, 2, 0, 1).tolist() == [0, 2, 4, 6]
    assert window_centres(7, 3, 3, 2, 0, 1).tolist() == [1, 3, 5]
    assert window_centres(8, 4, 3, 2, 1, 1).tolist() == [0, 2, 4, 6]
    assert adaptive_centres(7, 3).tolist() == [1, 3, 5]
    assert adaptive_centres(8, 2).tolist() == [1, 5]


def test_centres_of_windows_that_a_border_cuts_are_there():
    # ceil_mode: the last window of 5 pixels by 2/2 holds the fifth alone
    assert window_centres(5, 3, 3, 2, 0, 1).tolist() == [1, 3, 4]
    # five wide, two of padding: the first window begins at -2, its middle is 0
    assert window_centres(3, 1, 5, 1, 1, 1).tolist() == [1]
    # dilated by 2: windows {-2, 0, 2}, {-1, 1, 3}, …
    assert window_centres(4, 4, 3, 1, 2, 2).tolist() == [0, 1, 2, 3]
    assert window_centres(2, 1, 4, 1, 1, 1).tolist() == [0]


@pytest.mark.parametrize("return_indices", [False, True])
@pytest.mark.parametrize(
    "pool",
    [
        functools.partial(F.max_pool2d, kernel_size=3, stride=2, ceil_mode=True),
        functools.partial(F.max_pool2d, kernel_size=(2, 3)),
        functools.partial(F.adaptive_max_pool2d, output_size=(2, 3)),
    ],
)
def test_unpooling_to_centres_keeps_mass_and_switches_are_autograds(
    pool, return_indices
):
    x = torch.randn(2, 3, 8, 9)

    def function(x):
        y = pool(x, return_indices=return_indices)
        return y[0] if return_indices else y

    p = torch.rand_like(function(x))
    centre = reversed_gradient(function, x, Reversal("relu", "centre", "identity"), p)
    assert centre.sum().item() == pytest.approx(p.sum().item(), rel=1e-5)
    plain = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(function(plain), plain, p)
    switches = Reversal("relu", "switches", "identity")
    assert torch.equal(reversed_gradient(function, x, switches, p), expected)
    assert not torch.equal(centre, expected)


def test_lrn_is_reversed_by_either_rule_in_the_networks_that_have_it():
    net, x = small_alexnet_lrn().eval(), torch.randn(2, 3, 32, 32)
    identity, backprop = (
        respond(net, x, Reversal("hybrid", "switches", lrn)) for lrn in LRN_RULES[::-1]
    )
    assert not torch.equal(identity, backprop)


def test_caffes_alexnet_is_the_published_one():
    net = caffe_alexnet()
    assert sum(weight.numel() for weight in net.parameters()) == 60_965_224
    kinds = [type(module).__name__ for module in net]
    assert kinds[:4] == ["Conv2d", "ReLU", "ResponseNorm", "MaxPool2d"]
    assert kinds.count("ResponseNorm") == 2
    assert caffe_alexnet(3, 67)(torch.rand(1, 3, 67, 67)).shape == (1, 3)
    with pytest.raises(UserError, match="67 at least"):
        caffe_alexnet(10, 66)


# What is an error.


class Written(nn.Module):
    """A convolution and a rectifier of one's own."""

    def __init__(self, rectifier):
        super().__init__()
        self.conv, self.rectifier = nn.Conv2d(3, 4, 3), rectifier

    def forward(self, x):
        return self.rectifier(self.conv(x))


@pytest.mark.parametrize("seen", [False, True])
def test_a_rectifier_that_escapes_is_an_error(seen):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.trace(nn.ReLU(), torch.randn(1, 4, 6, 6))
    net = Written(nn.Sequential(scripted, nn.ReLU() if seen else nn.Identity()))
    x = torch.randn(1, 3, 8, 8, requires_grad=True)
    with (
        pytest.raises(UserError, match="ReluBackward0 was not intercepted"),
        reversed_as("deconvnet"),
    ):
        net(x)
    with pytest.raises(UserError, match="ReluBackward0 was not intercepted"):
        respond(net, x, "desalinet", "rectifier.0")
    with reversed_as("salinet"):
        net(x)  # whose own gradient it is


def test_what_made_the_image_is_not_the_networks():
    net, x = networks("small_alexnet")
    made = F.relu(x.requires_grad_())
    with reversed_as("desalinet"):
        y = net(made)
    p = starts.strongest(y)
    (ours,) = torch.autograd.grad(y, x, p)
    assert torch.equal(
        ours, respond(net, made.detach(), "desalinet", start=p) * (x > 0)
    )


@pytest.mark.parametrize("reversal", ["deconvnet", "desalinet", VARIANTS[0]])
@pytest.mark.parametrize("layer", ["logits", "3"])
def test_rules_for_rectifiers_need_a_network_with_rectifiers(reversal, layer):
    net, x = lenet5().eval(), torch.randn(1, 3, 32, 32)
    with pytest.raises(UserError, match="no piecewise-linear rectifier"):
        respond(net, x, reversal, layer)
    with pytest.raises(UserError, match="salinet"), reversed_as(reversal):
        net(x)
    assert respond(net, x, "salinet", layer).any()


def test_a_layer_below_the_first_rectifier_responds():
    net, x = networks("small_alexnet")
    salient = respond(net, x, "salinet", "0")
    assert torch.equal(respond(net, x, "deconvnet", "0"), salient)


def test_training_mode_is_an_error_in_the_context():
    net, x = networks("small_vgg")
    with pytest.raises(UserError, match=r"eval\(\)"), reversed_as("desalinet"):
        net.train()(x)
    with pytest.raises(UserError, match="dropout"), reversed_as("desalinet"):
        F.dropout(torch.rand(3))


@pytest.mark.parametrize(
    ("reversal", "says"),
    [
        ("deconv", "no 'deconv'.*desalinet"),
        (("relu", "middle", "identity"), "pool has no rule 'middle'"),
        (("guided", "centre", "identity"), "relu has no rule 'guided'"),
    ],
)
def test_an_unknown_reversal_is_named(reversal, says):
    with pytest.raises(UserError, match=says), reversed_as(reversal):
        pass


def test_an_unknown_layer_or_start_is_named():
    net, x = networks("small_alexnet")
    with pytest.raises(UserError, match="no '40'"):
        respond(net, x, "salinet", "40")
    with pytest.raises(UserError, match="no 'weakest'; choose strongest"):
        respond(net, x, "salinet", start="weakest")
    with pytest.raises(UserError, match=r"\(2, 3\) for a layer's \(2, 7\)"):
        respond(net, x, "salinet", start=torch.ones(2, 3))
    with pytest.raises(UserError, match="outside"):
        starts.neuron(net(x), [7])


# No trace.


def everything(net):
    return (
        [module.training for module in net.modules()],
        [weight.requires_grad for weight in net.parameters()],
        [weight.grad for weight in net.parameters()],
        [len(m._forward_hooks) + len(m._backward_hooks) for m in net.modules()],
    )


@pytest.mark.parametrize("fails", [False, True])
def test_a_network_is_left_as_it_was(fails):
    net, x = deepcopy(vision("resnet18")).train(), images("resnet18")
    net.layer1.eval()
    next(net.parameters()).requires_grad_(False)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    before, hooks = everything(net), len(nn.modules.module._global_forward_hooks)
    if fails:
        with pytest.raises(RuntimeError):
            respond(net, x[:, :2], "desalinet", "layer2")
    else:
        respond(net, x, "desalinet", "layer2")
    assert everything(net) == before
    assert len(nn.modules.module._global_forward_hooks) == hooks
    assert all(torch.equal(state[k], v) for k, v in net.state_dict().items())
    plain = torch.ones(1, requires_grad=True)
    assert F.relu(plain).grad_fn.name() == "ReluBackward0"


def test_other_threads_are_left_alone():
    x, found = torch.ones(1, requires_grad=True), []
    with reversed_as("desalinet"):
        thread = threading.Thread(target=lambda: found.append(nn.ReLU()(x)))
        thread.start()
        thread.join()
    assert found[0].grad_fn.name() == "ReluBackward0"


# Responses.


@pytest.mark.parametrize("reversal", [*ARCHITECTURES, VARIANTS[1], VARIANTS[7]])
@pytest.mark.parametrize("start", [*starts.FIXED_STARTS, *starts.RANDOM_STARTS])
def test_an_image_responds_in_a_batch_as_alone(reversal, start):
    net, x = networks("small_alexnet")
    together = respond(net, x, reversal, "6", start, seed=[4, 9])
    for image, seed, response in zip(x, (4, 9), together, strict=True):
        alone = respond(net, image[None], reversal, "6", start, seed=seed)[0]
        near(alone, response, 1e-5)


def test_a_loaded_classifier_responds_as_its_network_does_to_what_it_sees():
    net = NETWORKS["small_vgg"](7)
    frozen = FrozenClassifier(net, (0.4,) * 3, (0.2,) * 3, 40, 32)
    pixels = torch.rand(2, 3, 50, 50)
    seen = frozen.prepare(pixels)
    ours = respond(frozen, pixels, "desalinet")
    assert torch.equal(ours, respond(net, seen, "desalinet"))
    assert ours.shape == (2, 3, 32, 32)
    frozen.after = SelectLogits([3, 1])
    _, y = activation(frozen, pixels, "desalinet")
    assert torch.equal(y, net(seen)[:, [3, 1]])
    assert split_classifier(frozen)[2] is net


def test_poolings_are_named_in_the_order_in_which_they_run():
    net = nn.ModuleDict({"b": nn.MaxPool2d(2), "a": nn.MaxPool2d(2)})
    net.forward = lambda x: net["b"](net["a"](net["b"](x)))
    assert pooling_layers(net, torch.rand(1, 3, 16, 16)) == ["b", "a", "logits"]
    assert pooling_layers(*networks("small_alexnet")) == ["2", "5", "12", "logits"]
    assert pooling_layers(*networks("small_resnet")) == ["logits"]


# Starts.


def planes():
    return torch.randn(3, 5, 4, 3)


def test_the_strongest_neuron_is_the_maximum():
    y = planes()
    p = starts.strongest(y)
    assert torch.equal(p.flatten(1).sum(1), torch.ones(3))
    assert torch.equal((p * y).flatten(1).sum(1), y.flatten(1).amax(1))
    assert torch.equal(starts.strongest(torch.tensor([[1.0, 1.0]])), torch.eye(2)[:1])


@pytest.mark.parametrize(
    "start", [*starts.RANDOM_STARTS.values(), lambda y, _: starts.strongest_central(y)]
)
def test_central_starts_stand_at_the_centre(start):
    p = start(planes(), 0)
    assert p[:, :, 2, 1].any(1).all()
    p[:, :, 2, 1] = 0
    assert not p.any()


def test_a_given_neuron_is_one_for_all_or_one_an_image():
    y = planes()
    p = starts.neuron(y, [4, 3, 2])
    assert p[:, 4, 3, 2].eq(1).all()
    assert p.sum() == 3
    own = starts.neuron(y, [[0, 1, 2], [1, 1, 1], [4, 0, 0]])
    assert own[0, 0, 1, 2] == own[1, 1, 1, 1] == own[2, 4, 0, 0] == 1
    assert own.sum() == 3
    assert torch.equal(
        starts.neuron(torch.rand(2, 5), [3, 1]).argmax(1), torch.tensor([3, 1])
    )


def test_random_neurons_are_active_ones_first_and_never_the_strongest():
    y = torch.tensor([[0.0, 3.0, -1.0, 2.0, 1.0]]).expand(2, -1)
    drawn = [starts.random_neuron(y, 5, k).argmax(1) for k in range(5)]
    assert {int(one[0]) for one in drawn[:2]} == {3, 4}
    assert {int(one[0]) for one in drawn[2:4]} == {0, 2}
    assert drawn[4][0] == 1
    assert all(one[0] == one[1] for one in drawn)  # one seed, one draw


def test_random_neurons_are_drawn_until_the_image_responds():
    class Half(nn.Module):
        def forward(self, x):
            return F.relu(x.flatten(1)[:, :8]) * torch.tensor([1.0] + 6 * [0.0] + [1.0])

    x = torch.ones(1, 3, 2, 2)
    for seed in range(5):
        # The first is the strongest of equals: of the others only the last responds.
        assert (
            respond(Half(), x, "salinet", start="random_neuron", seed=seed).sum() == 1
        )


def test_mixtures_are_positive_and_half_normal():
    p = starts.mixture(torch.zeros(1, 20_000), 3)
    assert p.min() > 0
    assert p.mean().item() == pytest.approx((2 / np.pi) ** 0.5, rel=0.02)
    assert not torch.equal(p, starts.mixture(torch.zeros(1, 20_000), 4))


def test_a_channel_starts_wherever_it_is_positive():
    y = planes()
    y[:, 2, 1, 1] = 9
    expected = torch.zeros_like(y)
    expected[:, 2] = (y[:, 2] > 0).float()
    assert torch.equal(starts.channel(y), expected)


# Dense use.


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("alexnet", 224), ("resnet18", 64), ("squeezenet1_1", 64),
        ("mobilenet_v2", 64), ("shufflenet_v2_x0_5", 64), ("mnasnet0_5", 64),
        *((name, 32) for name in sorted(NETWORKS.keys() - {"caffe_alexnet"})),
    ],
)  # fmt: skip
def test_dense_networks_are_themselves_at_their_own_size(name, side):
    # float64: rounding to float32 can turn a switch or mask of one network alone.
    net = NETWORKS[name](7).eval() if name in NETWORKS else deepcopy(vision(name))
    net, x = net.double(), torch.randn(2, 3, side, side, dtype=torch.float64)
    _, y = activation(net, x, "salinet", dense=side)
    assert y.shape == (2, 7, 1, 1)
    near(y.flatten(1), net(x), 1e-12)
    near(respond(net, x, "salinet", dense=side), respond(net, x, "salinet"), 1e-11)


class Sizes(nn.Module):
    """No padding; every way to come from planes to vectors."""

    def __init__(self, end):
        super().__init__()
        self.conv, self.end = nn.Conv2d(3, 4, 3), end
        self.first = nn.Linear(4 if end in ("mean", "adaptive", "average") else 36, 6)
        self.last = nn.Linear(6, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        if self.end == "view":
            x = x.view(x.size(0), -1)
        elif self.end == "reshape":
            x = x.reshape(-1, 36)
        elif self.end == "flatten":
            x = torch.flatten(x, 1)
        elif self.end == "mean":
            x = x.mean([2, 3])
        elif self.end == "adaptive":
            x = F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)
        else:
            x = F.avg_pool2d(x, x.shape[2:]).flatten(1)
        return self.last(F.relu(self.first(x)))


@pytest.mark.parametrize(
    "end", ["view", "reshape", "flatten", "mean", "adaptive", "average"]
)
def test_dense_networks_slide_over_larger_images(end):
    net, x = Sizes(end).eval(), torch.randn(2, 3, 14, 12)
    _, y = activation(net, x, "desalinet", dense=8)
    assert y.shape == (2, 5, 4, 3)
    for row in range(4):
        for column in range(3):
            window = x[..., 2 * row : 2 * row + 8, 2 * column : 2 * column + 8]
            torch.testing.assert_close(y[..., row, column], net(window))
    one = torch.zeros_like(y)
    one[:, 3, 2, 1] = 1
    ours = respond(net, x, "desalinet", start=one, dense=8)
    window = ours[..., 4:12, 2:10]
    torch.testing.assert_close(
        window,
        respond(net, x[..., 4:12, 2:10], "desalinet", start=one[:, :, 2, 1]),
    )
    assert ours.count_nonzero() == window.count_nonzero()


def test_dense_use_takes_the_classifiers_own_size_and_its_normalisation_alone():
    net = NETWORKS["small_vgg"](7)
    frozen = FrozenClassifier(net, (0.4,) * 3, (0.2,) * 3, 40, 32)
    pixels = torch.rand(1, 3, 48, 64)
    x, y = activation(frozen, pixels, "salinet", dense=True)
    assert torch.allclose(x, (pixels - 0.4) / 0.2)
    assert y.shape == (1, 7, 3, 5)
    assert respond(frozen, pixels, "desalinet", start="channel", dense=True).any()


@pytest.mark.parametrize(
    ("name", "dense", "side", "says"),
    [
        ("resnet18", True, 64, "own size is not known"),
        ("resnet18", 64, 63, "smaller than the network's own 64"),
        ("mobilenet_v3_small", 64, 96, "does not slide"),
        ("alexnet", 79, 128, "windows that differ"),
    ],
)
def test_networks_that_do_not_slide_say_so(name, dense, side, says):
    net, x = vision(name), torch.randn(1, 3, side, side)
    with pytest.raises(UserError, match=says):
        respond(net, x, "salinet", dense=dense)


def test_the_documented_examples_run():
    text = (Path(__file__).parents[2] / "docs/reversal.md").read_text()
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        exec(block, names)
        if "image" in names:
            assert names["image"].any()
            assert names["image"].shape[:2] == (1, 3)
    assert names["image"].shape[2:] == (256, 320)
