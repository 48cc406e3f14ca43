"""Layers of a classifier by name, forward passes that stop at one, pooling windows."""

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from s2snets.networks.frozen import PixelClassifier
from s2snets.runtime.errors import UserError

Transform = Callable[[Tensor], Tensor]

LOGITS = "logits"
MAX_POOLS = (
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.MaxPool3d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveMaxPool3d,
)


def split_classifier(
    classifier: nn.Module,
) -> tuple[Transform, Transform, nn.Module, Transform]:
    """Return a classifier's ``prepare``, ``normalise``, ``net`` and ``after``.

    Any other network than a PixelClassifier receives its images as they are.
    """
    if isinstance(classifier, PixelClassifier):
        prepare, normalise = classifier.prepare, classifier.normalise
        return prepare, normalise, classifier.net, classifier.after
    identity = nn.Identity()
    return identity, identity, classifier, identity


@contextmanager
def evaluation_mode(net: nn.Module) -> Iterator[None]:
    """Turn training mode and the parameters' gradients off; restore both on exit."""
    training = [module for module in net.modules() if module.training]
    trainable = [weight for weight in net.parameters() if weight.requires_grad]
    try:
        for module in training:
            module.training = False
        for weight in trainable:
            weight.requires_grad_(False)
        yield
    finally:
        for module in training:
            module.training = True
        for weight in trainable:
            weight.requires_grad_(True)


class LayerReached(Exception):
    """Ends a forward pass at the requested layer, whose output it carries."""

    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = output


def find_layer(net: nn.Module, layer: str) -> nn.Module:
    """Return the module of a name.

    Raises:
        UserError: no such layer; with the nearest names.
    """
    modules = dict(net.named_modules())
    if layer not in modules:
        near = (*difflib.get_close_matches(layer, modules, 3, 0.3), LOGITS)
        raise UserError(
            f"layers: the network has no {layer!r}; perhaps {', '.join(near)}"
        )
    return modules[layer]


def layer_output(net: nn.Module, x: Tensor, layer: str) -> Tensor:
    """Return the output of a module's first call; the forward pass stops there.

    Of the layer ``logits`` it is the network's own output.

    Raises:
        UserError: no such layer, or one that is not called.
    """
    if layer == LOGITS:
        return net(x)

    def stop(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        raise LayerReached(output)

    handle = find_layer(net, layer).register_forward_hook(stop)
    try:
        net(x)
    except LayerReached as reached:
        return reached.output
    finally:
        handle.remove()
    raise UserError(f"layers: {layer!r} does not run in the network's forward pass")


@torch.no_grad()
def pooling_layers(classifier: nn.Module, pixels: Tensor) -> list[str]:
    """Return a network's max-poolings in the order in which they run, then ``logits``.

    A pooling that is not a module, as in torchvision's Inception v3, has no name.

    Args:
        classifier: a classifier of pixels, or a network of images.
        pixels: (N, 3, H, W); one image suffices.
    """
    prepare, _, net, _ = split_classifier(classifier)
    called: list[str] = []
    handles = [
        module.register_forward_pre_hook(lambda *_, name=name: called.append(name))
        for name, module in net.named_modules()
        if isinstance(module, MAX_POOLS)
    ]
    try:
        with evaluation_mode(net):
            net(prepare(pixels))
    finally:
        for handle in handles:
            handle.remove()
    return [*dict.fromkeys(called), LOGITS]


def window_centres(
    size: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int
) -> Tensor:
    """Return the middle position of each pooling window along one axis.

    Of two middle positions the first; of a window that the border cuts, the position
    nearest to its middle.

    Returns:
        int64 (outputs,), in 0 to ``size`` - 1.
    """
    start = torch.arange(outputs) * stride - padding
    first, last = -(start // dilation), (size - 1 - start) // dilation
    step = torch.full_like(start, (kernel - 1) // 2).clamp(min=first).clamp(max=last)
    return start + dilation * step
