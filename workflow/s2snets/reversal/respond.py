"""Responses of reversed networks to images: φ†(p, r) of Mahendran & Vedaldi 2016."""

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from s2snets.networks import layers
from s2snets.networks.layers import LOGITS
from s2snets.reversal import starts
from s2snets.reversal.dense import native_side, sliding
from s2snets.reversal.mode import reversed_as
from s2snets.reversal.starts import Seeds, Start
from s2snets.reversal.variants import Reversal

Reverse = Callable[[Tensor], Tensor]
"""Start p, shaped as a layer's output -> responses (N, 3, H, W)."""

MAX_DRAWS = 20  # random neurons that are tried until an image responds


def activation(
    classifier: nn.Module,
    pixels: Tensor,
    reversal: str | Reversal,
    layer: str = LOGITS,
    dense: bool | int = False,
) -> tuple[Tensor, Tensor]:
    """Return a network's input and a layer's output, whose graph is the reversal.

    Args:
        classifier: a classifier of pixels, or any network, which then receives its
            images as they are.
        pixels: (N, 3, H, W) in [0, 1].
        reversal: a name in ``variants.ARCHITECTURES``, or the rules.
        layer: a module's name in the network, or ``logits``.
        dense: True or the side of the network's own images, in pixels: the network is
            applied fully convolutionally to the images as they are, only normalised,
            and y keeps its planes (section 3.5).

    Returns:
        x, the images as the network received them, which gradients reach; and y.

    Raises:
        UserError: see ``reversed_as`` and ``layers.layer_output``.
    """
    prepare, normalise, net, after = layers.split_classifier(classifier)
    with torch.no_grad():
        x = (normalise if dense else prepare)(pixels)
    x = x.detach().requires_grad_()
    side = native_side(classifier, dense) if dense else None
    with (
        layers.evaluation_mode(classifier),
        torch.enable_grad(),
        reversed_as(reversal) as mode,
    ):
        with nullcontext() if side is None else sliding(net, side, x):
            # A copy: a network may begin with an operation in place.
            y = layers.layer_output(net, x.clone(), layer)
        if layer == LOGITS:
            y = after(y)
        else:
            mode.check_output(y)
            if not mode.rectifiers:  # the layers above tell whether there are any
                with torch.no_grad():
                    net(x[:1, :, :side, :side].clone())
    return x, y


def is_blank(values: Tensor) -> Tensor:
    """Return which of (N, ...) are zero throughout: bool (N, 1, ...)."""
    return ~values.flatten(1).any(1).view(-1, *(1,) * (values.ndim - 1))


def redraw(y: Tensor, reverse: Reverse, seed: Seeds) -> Tensor:
    """Return responses to a random neuron, redrawn for images whose response is blank.

    ``reverse`` turns a start p into responses (N, 3, H, W). Of the neurons of the
    layer's output y, but for the most active one, at most ``MAX_DRAWS`` are tried.
    """
    others = starts.central_activations(y).shape[1] - 1
    response = reverse(starts.random_neuron(y, seed))
    for attempt in range(1, min(MAX_DRAWS, others)):
        if not is_blank(response).any():
            break
        another = reverse(starts.random_neuron(y, seed, attempt))
        response = another.where(is_blank(response), response)
    return response


def respond(
    classifier: nn.Module,
    pixels: Tensor,
    reversal: str | Reversal,
    layer: str = LOGITS,
    start: Start = "strongest",
    *,
    seed: Seeds = 0,
    dense: bool | int = False,
) -> Tensor:
    """Return the reversed network's images φ†(p, r) of a batch, in one pass.

    ``start`` is a name, a function y -> p or a tensor that fits y, ``seed`` that of
    random starts; the other arguments are those of ``activation``.

    Returns:
        (N, 3, H, W) in the network's own, normalised, colours, and of the size that
        the network receives, after resizing and cropping.

    Raises:
        UserError: see ``activation`` and ``starts.resolve_start``.
    """
    x, y = activation(classifier, pixels, reversal, layer, dense)
    if isinstance(start, str) and start == "random_neuron":

        def reverse(p: Tensor) -> Tensor:
            return torch.autograd.grad(y, x, p, retain_graph=True)[0]

        return redraw(y, reverse, seed)
    p = starts.resolve_start(start, y.detach(), seed)
    return torch.autograd.grad(y, x, p)[0]
