"""The cost of a network: its parameters, and its arithmetic for one image."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def count_parameters(model: nn.Module) -> int:
    """Return the number of a model's parameters."""
    return sum(weight.numel() for weight in model.parameters())


def count_operations(
    model: nn.Module, loss: Callable[..., tuple[Tensor, Any]] | None, side: int
) -> int:
    """Return the operations of a training step for one image of ``side`` pixels.

    Convolutions and matrix products are counted, forward and backward as far as the
    model's parameters need gradients, with two operations per multiply-add. A copy of
    the model is traced on the meta device: nothing is computed.
    Without a loss, as trainings take it, only the forward pass counts.
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


def count_multiply_adds(model: nn.Module, side: int) -> int:
    """Return the multiply-adds of a forward pass for one image of ``side`` pixels.

    Norms, activations and pools are left out, as is customary.
    """
    return count_operations(model, None, side) // 2
