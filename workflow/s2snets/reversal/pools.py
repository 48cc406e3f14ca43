"""Max pooling and local response normalisation with other gradients than their own."""

from functools import partial

import torch
import torch.nn.functional as F

from s2snets.networks.layers import centres

# As in units: the operators themselves, unseen by a mode.
aten = torch.ops.aten


def per_axis(value, axes):
    return (value,) * axes if isinstance(value, int) else tuple(value)


def adaptive_centres(size, outputs):
    """The centres of windows from ⌊i·size/outputs⌋ to ⌈(i+1)·size/outputs⌉."""
    number = torch.arange(outputs)
    start, stop = number * size // outputs, -(-(number + 1) * size // outputs)
    return start + (stop - start - 1) // 2


class Centred(torch.autograd.Function):
    """Max pooling that passes ŷ to its windows' centres, added where these meet."""

    @staticmethod
    def forward(ctx, x, run, places):
        ctx.shape = x.shape
        result = run()
        y, *indices = result if isinstance(result, tuple) else (result,)
        ctx.places = [place.to(y.device) for place in places(x.shape, y.shape)]
        ctx.mark_non_differentiable(*indices)
        return (y, *indices) if indices else y

    @staticmethod
    def backward(ctx, grad, *_):
        for axis, place in zip(range(-len(ctx.places), 0), ctx.places, strict=True):
            shape = list(grad.shape)
            shape[axis] = ctx.shape[axis]
            empty = aten.new_zeros(grad, shape)
            grad = aten.index_add(empty, axis, place, grad)
        return grad, None, None


def max_pool(axes):
    def bind(
        input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
        return_indices=False,
    ):  # fmt: skip
        windows = [
            per_axis(value, axes)
            for value in (kernel_size, stride or kernel_size, padding, dilation)
        ]

        def places(before, after):
            sides = zip(before[-axes:], after[-axes:], *windows, strict=True)
            return [centres(*side) for side in sides]

        return input, places

    return bind


def adaptive_max_pool(axes):
    def bind(input, output_size, return_indices=False):
        def places(before, after):
            sides = zip(before[-axes:], after[-axes:], strict=True)
            return [adaptive_centres(*side) for side in sides]

        return input, places

    return bind


def named(name):
    """The functions that PyTorch has by a name."""
    homes = (F, torch)
    return {
        getattr(home, full)
        for home in homes
        for full in (name, f"{name}_with_indices")
        if hasattr(home, full)
    }


POOLS = {
    function: bind(axes)
    for bind, name in ((max_pool, "max_pool"), (adaptive_max_pool, "adaptive_max_pool"))
    for axes in (1, 2, 3)
    for function in named(f"{name}{axes}d")
}


def centre(function, args, named):
    """A max pooling's output with its gradient in the windows' centres."""
    x, places = POOLS[function](*args, **named)
    return Centred.apply(x, partial(function, *args, **named), places)


class Straight(torch.autograd.Function):
    """A layer whose gradient is the identity's."""

    @staticmethod
    def forward(ctx, x, run):
        return run()

    @staticmethod
    def backward(ctx, grad):
        return grad, None


def straight(function, args, named):
    """A layer's output with the identity's gradient."""
    x = args[0] if args else named["input"]
    return Straight.apply(x, partial(function, *args, **named))
