"""What a network costs: its parameters, and its multiply-adds for one image."""

import torch
from torch import nn


def multiply_adds(model, side):
    """Multiply-adds of a model's convolutions for one image of ``side`` pixels.

    Norms, activations and pools are left out, as is customary.
    """
    counted = []

    def count(layer, _, output):
        counted.append(layer.weight.numel() * output.shape[-2] * output.shape[-1])

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
    return sum(counted)


def parameters(model):
    """Learnt numbers of a model."""
    return sum(weight.numel() for weight in model.parameters())
