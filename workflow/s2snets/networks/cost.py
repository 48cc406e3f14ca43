"""What a network costs: its parameters, and its arithmetic for one image."""

from copy import deepcopy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


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


def operations(model, loss, side):
    """Operations of a training step for one image: additions and products.

    Those of convolutions and matrix products, forward and back, as the gradients that
    the model needs have it: two a multiply-add. Nothing is computed.

    Args:
        loss: as ``loop.fit`` takes it; None: the forward pass alone.
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
