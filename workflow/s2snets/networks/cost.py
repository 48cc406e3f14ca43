"""The cost of a network: its parameters, and its arithmetic for one image."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def count_multiply_adds(model: nn.Module, side: int) -> int:
    """Return the multiply-adds of a model's convolutions for one ``side``-pixel image.

    Norms, activations and pools are left out, as is customary.
    """
    counts: list[int] = []

    def count(layer: nn.Module, _inputs: object, output: Tensor) -> None:
        weights = layer.get_parameter("weight").numel()
        counts.append(weights * output.shape[-2] * output.shape[-1])

    hooks = [
        layer.register_forward_hook(count)
        for layer in model.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, 3, side, side))
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts)


def count_parameters(model: nn.Module) -> int:
    """Return the number of a model's parameters."""
    return sum(weight.numel() for weight in model.parameters())


def count_operations(
    model: nn.Module, loss: Callable[..., tuple[Tensor, Any]] | None, side: int
) -> int:
    """Return the additions and products of a training step for one image.

    Convolutions and matrix products are counted, forward and backward as far as the
    model's parameters need gradients, with two operations per multiply-add. The model
    is traced on the meta device: nothing is computed.

    Args:
        model: takes pixels; a copy of it is traced.
        loss: as for ``loop.fit``; None: the forward pass alone.
        side: of the image, pixels.
    """
    model = deepcopy(model).to("meta").train(loss is not None)
    pixels = torch.empty(1, 3, side, side, device="meta")
    labels = torch.empty(1, dtype=torch.long, device="meta")
    with FlopCounterMode(display=False) as counter:
        if loss is None:
            with torch.no_grad():
                model(pixels)
        else:
            loss(model, (pixels, labels))[0].backward()
    return counter.get_total_flops()
