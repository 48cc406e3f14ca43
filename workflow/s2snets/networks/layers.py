"""Layers of a classifier by name, forward passes that end at one, windows of pools."""

import difflib
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from s2snets.networks.frozen import Prepared
from s2snets.runtime.errors import UserError

LOGITS = "logits"
POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
ADAPTIVE = (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)


def identity(x):
    return x


def normalised(classifier, pixels):
    """Pixels in the colours that a Prepared's network sees, at their own size."""
    return (pixels - classifier.mean) / classifier.std


def split(classifier):
    """A classifier's parts: ``(prepare, normalise, net, after)``.

    Any other network than a Prepared takes its images as they come.
    """
    if not isinstance(classifier, Prepared):
        return identity, identity, classifier, identity
    normalise = partial(normalised, classifier)
    return classifier.prepare, normalise, classifier.net, classifier.after


@contextmanager
def still(net):
    """A network in evaluation mode, its parameters without gradients, for a while."""
    trained = [module for module in net.modules() if module.training]
    learnt = [weight for weight in net.parameters() if weight.requires_grad]
    try:
        for module in trained:
            module.training = False
        for weight in learnt:
            weight.requires_grad_(False)
        yield
    finally:
        for module in trained:
            module.training = True
        for weight in learnt:
            weight.requires_grad_(True)


class Reached(Exception):
    """A forward pass has come to the layer that was asked for."""

    def __init__(self, output):
        super().__init__()
        self.output = output


def upto(net, x, layer):
    """The output of a layer's first run, where the forward pass ends.

    Args:
        layer: a module's name in ``net``, or ``logits``: the network's own output.

    Raises:
        UserError: no such layer, or one that does not run.
    """
    if layer == LOGITS:
        return net(x)
    modules = dict(net.named_modules())
    if layer not in modules:
        near = (*difflib.get_close_matches(layer, modules, 3, 0.3), LOGITS)
        raise UserError(
            f"layers: the network has no {layer!r}; perhaps {', '.join(near)}"
        )

    def reach(_, __, output):
        raise Reached(output)

    handle = modules[layer].register_forward_hook(reach)
    try:
        net(x)
    except Reached as reached:
        return reached.output
    finally:
        handle.remove()
    raise UserError(f"layers: {layer!r} does not run in the network's forward pass")


@torch.no_grad()
def depths(classifier, pixels):
    """The max-poolings of a network in the order in which they run, then ``logits``.

    A pooling that is no module, as in torchvision's Inception v3, has no name.

    Args:
        classifier: a classifier of pixels, or a network of images.
        pixels: (N, 3, H, W); one image will do.
    """
    prepare, _, net, _ = split(classifier)
    met = []
    handles = [
        module.register_forward_pre_hook(lambda _, __, name=name: met.append(name))
        for name, module in net.named_modules()
        if isinstance(module, POOLS + ADAPTIVE)
    ]
    try:
        with still(net):
            net(prepare(pixels))
    finally:
        for handle in handles:
            handle.remove()
    return [*dict.fromkeys(met), LOGITS]


def centres(size, outputs, kernel, stride, padding, dilation):
    """Along one axis: where each pooling window has its middle pixel, the first of two.

    Of a window that the border cuts, the pixel nearest to its middle.

    Returns:
        int64 (outputs,), in 0 to ``size`` - 1.
    """
    start = torch.arange(outputs) * stride - padding
    first, last = -(start // dilation), (size - 1 - start) // dilation
    step = torch.full_like(start, (kernel - 1) // 2).clamp(min=first).clamp(max=last)
    return start + dilation * step
