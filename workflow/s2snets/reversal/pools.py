"""Max pooling and local response normalisation with gradients of other rules."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from s2snets.networks.layers import window_centres
from s2snets.reversal.call_mode import Args, Kwargs

# As in rectifiers: operators that a mode does not intercept.
aten = torch.ops.aten

Size = int | Sequence[int]
Centres = Callable[[torch.Size, torch.Size], list[Tensor]]
"""Shapes before and after a pool -> its windows' centres along each axis."""


def per_axis(value: Size, axes: int) -> tuple[int, ...]:
    """Return a pool's argument as one number for each axis."""
    return (value,) * axes if isinstance(value, int) else tuple(value)


def adaptive_centres(size: int, outputs: int) -> Tensor:
    """Return the centres of windows from ⌊i·size/outputs⌋ to ⌈(i+1)·size/outputs⌉."""
    number = torch.arange(outputs)
    start, stop = number * size // outputs, -(-(number + 1) * size // outputs)
    return start + (stop - start - 1) // 2


class CentredMaxPool(torch.autograd.Function):
    """Max pooling with gradient ŷ at the windows' centres, added where these meet."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, run: Callable, centres: Centres) -> Any:
        """Run the pool on x; return its output, with the indices if it gives them."""
        ctx.shape = x.shape
        result = run()
        y, *indices = result if isinstance(result, tuple) else (result,)
        ctx.centres = [centre.to(y.device) for centre in centres(x.shape, y.shape)]
        ctx.mark_non_differentiable(*indices)
        return (y, *indices) if indices else y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of x."""
        grad = grads[0]
        for axis, centre in zip(range(-len(ctx.centres), 0), ctx.centres, strict=True):
            shape = list(grad.shape)
            shape[axis] = ctx.shape[axis]
            empty = aten.new_zeros(grad, shape)
            grad = aten.index_add(empty, axis, centre, grad)
        return grad, None, None


Binder = Callable[..., tuple[Tensor, Centres]]
"""A pool's own arguments -> its input and its windows' centres."""


def max_pool(axes: int) -> Binder:
    """Return the binder of max pooling over so many axes."""

    def bind(
        input: Tensor,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> tuple[Tensor, Centres]:
        windows = [
            per_axis(value, axes)
            for value in (kernel_size, stride or kernel_size, padding, dilation)
        ]

        def centres(before: torch.Size, after: torch.Size) -> list[Tensor]:
            sides = zip(before[-axes:], after[-axes:], *windows, strict=True)
            return [window_centres(*side) for side in sides]

        return input, centres

    return bind


def adaptive_max_pool(axes: int) -> Binder:
    """Return the binder of adaptive max pooling over so many axes."""

    def bind(
        input: Tensor, output_size: Any, return_indices: bool = False
    ) -> tuple[Tensor, Centres]:
        def centres(before: torch.Size, after: torch.Size) -> list[Tensor]:
            sides = zip(before[-axes:], after[-axes:], strict=True)
            return [adaptive_centres(*side) for side in sides]

        return input, centres

    return bind


def functions_named(name: str) -> set[Callable]:
    """Return the functions that PyTorch has by a name, with and without indices."""
    return {
        getattr(module, full)
        for module in (F, torch)
        for full in (name, f"{name}_with_indices")
        if hasattr(module, full)
    }


POOLS = {
    function: bind(axes)
    for bind, name in ((max_pool, "max_pool"), (adaptive_max_pool, "adaptive_max_pool"))
    for axes in (1, 2, 3)
    for function in functions_named(f"{name}{axes}d")
}


def pool_to_centres(function: Callable, args: Args, kwargs: Kwargs) -> Any:
    """Return a max pooling's output, whose gradient is at the windows' centres."""
    x, centres = POOLS[function](*args, **kwargs)
    return CentredMaxPool.apply(x, partial(function, *args, **kwargs), centres)


class IdentityGradient(torch.autograd.Function):
    """A layer whose gradient is the identity's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, run: Callable[[], Tensor]) -> Tensor:
        """Run the layer on x."""
        return run()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of x."""
        return grads[0], None


def with_identity_gradient(function: Callable, args: Args, kwargs: Kwargs) -> Tensor:
    """Return a layer's output, whose gradient is the identity's."""
    x = args[0] if args else kwargs["input"]
    return IdentityGradient.apply(x, partial(function, *args, **kwargs))
