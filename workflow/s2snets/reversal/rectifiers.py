"""Rectifiers: every way in which PyTorch writes one, and its backpropagation.

A binder takes a function's own arguments and returns a ``Binding``, or None where these
arguments make no rectifier.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from s2snets.reversal.call_mode import Args, Kwargs

# Gradients are computed by the operators themselves: a mode that is still active in the
# backward pass would take functions for rectifiers of the network.
aten = torch.ops.aten


class Binding(NamedTuple):
    """A rectifier f applied to a tensor."""

    x: Tensor
    backpropagate: Callable[[Tensor, Tensor], Tensor]
    """ŷ and the kept tensor -> ŷ ⊙ f'(x)."""

    keep: str
    """The tensor that is kept for this: ``output`` (the next layer saves it as well),
    ``input``, or ``copy`` of an input that the function may overwrite."""


def threshold_gradient(grad: Tensor, kept: Tensor, least: float) -> Tensor:
    """Return ŷ where the kept tensor is greater than ``least``."""
    return aten.threshold_backward(grad, kept, least)


def hardtanh_gradient(grad: Tensor, kept: Tensor, low: float, high: float) -> Tensor:
    """Return ŷ where the kept tensor lies between the bounds."""
    return aten.hardtanh_backward(grad, kept, low, high)


def leaky_gradient(grad: Tensor, kept: Tensor, slope: float | Tensor) -> Tensor:
    """Return ŷ where the kept tensor is positive, ŷ times the slope elsewhere."""
    return aten.where(aten.gt(kept, 0), grad, aten.mul(grad, slope))


def relu(input: Tensor, inplace: bool = False) -> Binding:
    """Bind a ReLU."""
    return Binding(input, partial(threshold_gradient, least=0), "output")


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Binding:
    """Bind a hard tanh."""
    gradient = partial(hardtanh_gradient, low=min_val, high=max_val)
    return Binding(input, gradient, "output")


def relu6(input: Tensor, inplace: bool = False) -> Binding:
    """Bind a ReLU that ends at 6."""
    return hardtanh(input, 0.0, 6.0)


def is_zero(value: object) -> bool:
    """Return whether a bound is 0, as a number or as a tensor of zeros."""
    if isinstance(value, Tensor):
        return not value.requires_grad and not value.any()
    return value is not None and value == 0


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Binding | None:
    """Bind a clamp from 0 on."""
    if not is_zero(min) or isinstance(max, Tensor):
        return None
    return relu(input) if max is None else hardtanh(input, 0.0, max)


def maximum(
    input: Tensor, other: Any = None, *rest: Any, **named: Any
) -> Binding | None:
    """Bind a maximum of a tensor and zeros."""
    if rest or named or not isinstance(other, Tensor):
        return None
    rectified = input if is_zero(other) else other if is_zero(input) else None
    if rectified is None or rectified.shape != torch.broadcast_shapes(
        input.shape, other.shape
    ):
        return None
    return relu(rectified)


def threshold(
    input: Tensor, threshold: float, value: float, inplace: bool = False
) -> Binding:
    """Bind a threshold, below which the output is ``value``."""
    # Above a higher value the output does not tell on which side the input was.
    keep = "output" if value <= threshold else "copy"
    return Binding(input, partial(threshold_gradient, least=threshold), keep)


def leaky_relu(
    input: Tensor, negative_slope: float = 0.01, inplace: bool = False
) -> Binding:
    """Bind a leaky ReLU."""
    keep = "output" if negative_slope >= 0 else "copy"
    return Binding(input, partial(leaky_gradient, slope=negative_slope), keep)


def prelu(input: Tensor, weight: Tensor) -> Binding:
    """Bind a leaky ReLU with a learnt slope for all channels or for each."""
    if weight.numel() > 1:
        weight = weight.detach().view(-1, *(1,) * (input.ndim - 2))
    return Binding(input, partial(leaky_gradient, slope=weight.detach()), "input")


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Binding | None:
    """Bind a randomised leaky ReLU in evaluation mode."""
    return None if training else leaky_relu(input, (lower + upper) / 2)


Binder = Callable[..., Binding | None]

FUNCTIONS: dict[Binder, tuple[Callable, ...]] = {
    relu: (F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_),
    relu6: (F.relu6,),
    hardtanh: (F.hardtanh, F.hardtanh_),
    clamp: (
        torch.clamp, torch.clamp_, Tensor.clamp, Tensor.clamp_,
        torch.clip, torch.clip_, Tensor.clip, Tensor.clip_,
        torch.clamp_min, torch.clamp_min_, Tensor.clamp_min, Tensor.clamp_min_,
    ),
    maximum: (
        torch.maximum, Tensor.maximum, torch.max, Tensor.max, torch.fmax, Tensor.fmax,
    ),
    threshold: (
        F.threshold, torch.threshold, torch.threshold_,
        F.threshold_,  # type: ignore[attr-defined]  # absent from the stubs
    ),
    leaky_relu: (F.leaky_relu, F.leaky_relu_),
    prelu: (F.prelu, torch.prelu, Tensor.prelu),
    rrelu: (F.rrelu, F.rrelu_, torch.rrelu, torch.rrelu_),
}  # fmt: skip

RECTIFIERS = {
    function: binder
    for binder, functions in FUNCTIONS.items()
    for function in functions
}

ZERO_AT_KINKS = (relu, relu6, hardtanh)
"""Binders of functions whose own gradient is 0 at the kinks, as that of RU^BP is."""


class RuleRectifier(torch.autograd.Function):
    """A rectifier whose gradient is the rule's; in place where the function is."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, run: Callable[[], Tensor], bound: Binding, rule: str
    ) -> Tensor:
        """Run the rectifier on x."""
        masked = rule in ("backprop", "hybrid")
        copy = x.clone() if masked and bound.keep == "copy" else None
        y = run()
        if y is x:
            ctx.mark_dirty(x)
        ctx.backpropagate, ctx.rule = bound.backpropagate, rule
        if masked:
            ctx.save_for_backward({"output": y, "input": x, "copy": copy}[bound.keep])
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        """Return the gradient of x by the rule."""
        grad = grads[0]
        if ctx.saved_tensors:
            grad = ctx.backpropagate(grad, *ctx.saved_tensors)
        if ctx.rule in ("relu", "hybrid"):
            grad = aten.relu(grad)
        return grad, None, None, None


def rectify(rule: str, function: Callable, args: Args, kwargs: Kwargs) -> Tensor | None:
    """Return a rectifier's output, whose gradient is the rule's.

    Returns None where the arguments make no rectifier.
    """
    binder = RECTIFIERS[function]
    if rule == "backprop" and binder in ZERO_AT_KINKS:
        return function(*args, **kwargs)
    if (bound := binder(*args, **kwargs)) is None:
        return None
    run = partial(function, *args, **kwargs)
    return RuleRectifier.apply(bound.x, run, bound, rule)
