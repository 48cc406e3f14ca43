"""Responses of reversed networks to images: φ†(p, r) of Mahendran & Vedaldi 2016."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from s2snets.networks.layers import LOGITS, split, still, upto
from s2snets.reversal import starts
from s2snets.reversal.dense import native_side, sliding
from s2snets.reversal.mode import reversed_as

DRAWS = 20  # random neurons that ``respond`` tries until an image responds


def activation(classifier, pixels, reversal, layer=LOGITS, dense=False):
    """A layer's output, with the reversed network as its graph.

    Args:
        classifier: as ``store.load_classifier`` gives it, or any network, which takes
            its images as they come.
        pixels: (N, 3, H, W) in [0, 1].
        reversal: a name of ``rules.ARCHITECTURES`` or a ``Reversal``.
        layer: a module's name in the network, or ``logits``.
        dense: True or the network's own side in pixels: it is applied fully
            convolutionally to the images as they are, only normalised, and y keeps
            its planes (section 3.5).

    Returns:
        x, the images as the network saw them, which gradients reach; and y.

    Raises:
        UserError: see ``reversed_as`` and ``layers.upto``.
    """
    prepare, normalise, net, after = split(classifier)
    with torch.no_grad():
        x = (normalise if dense else prepare)(pixels)
    x = x.detach().requires_grad_()
    side = native_side(classifier, dense) if dense else None
    with still(classifier), torch.enable_grad(), reversed_as(reversal) as mode:
        with sliding(net, side, x) if dense else nullcontext():
            # A copy: a network may begin with an operation in place.
            y = upto(net, x.clone(), layer)
        if layer == LOGITS:
            y = after(y)
        else:
            mode.check(y)
            if not mode.rectifiers:  # the layers above tell whether there are any
                with torch.no_grad():
                    net(x[:1, :, :side, :side].clone())
    return x, y


def blank(values: Tensor) -> Tensor:
    """Return which of (N, ...) are zero throughout: bool (N, 1, ...)."""
    return ~values.flatten(1).any(1).view(-1, *(1,) * (values.ndim - 1))


def redraw(
    y: Tensor,
    reverse: Callable[[Tensor], Tensor],
    seed: int | Sequence[int],
    attempts: int,
) -> Tensor:
    """Return responses to a random neuron, redrawn for images whose response is blank.

    Args:
        y: a layer's output.
        reverse: start p, shaped as y -> responses (N, 3, H, W).
        seed: an integer, or one an image.
        attempts: how many neurons are tried at most.
    """
    response = reverse(starts.random_neuron(y, seed))
    for attempt in range(1, attempts):
        if not blank(response).any():
            break
        another = reverse(starts.random_neuron(y, seed, attempt))
        response = another.where(blank(response), response)
    return response


def respond(
    classifier, pixels, reversal, layer=LOGITS, start="strongest", *, seed=0,
    dense=False,
):  # fmt: skip
    """The reversed network's images φ†(p, r), of a batch in one pass.

    Args:
        start: a name of ``starts``, a function y -> p, or a tensor that fits y.
        seed: of starts that are drawn; an integer, or one an image.

    Returns:
        (N, 3, H, W), in the network's own, normalised, colours; of the size that
        the network sees, after resizing and cropping.

    Raises:
        UserError: see ``activation`` and ``starts.resolved``.
    """
    x, y = activation(classifier, pixels, reversal, layer, dense)
    if start == "random_neuron":

        def reverse(p: Tensor) -> Tensor:
            return torch.autograd.grad(y, x, p, retain_graph=True)[0]

        return redraw(y, reverse, seed, min(DRAWS, y.shape[1]))
    p = starts.resolved(start, y.detach(), seed)
    return torch.autograd.grad(y, x, p)[0]
