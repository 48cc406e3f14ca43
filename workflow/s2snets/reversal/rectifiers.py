"""Rectifiers: every way in which PyTorch writes one, and what each backpropagates.

A binder takes a function's own arguments and gives ``(x, pull, keep)``, or None where
these arguments make no rectifier: the tensor that is rectified; ŷ and what is kept ->
ŷ ⊙ f'(x); and which tensor is kept for it, ``output`` (the next layer saves it as
well), ``input``, or ``copy`` of an input that the function may write over.
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

# Their gradients by the operators themselves: in the backward pass nothing may look
# like a rectifier of the network to a mode that is still on.
aten = torch.ops.aten


def above(grad, kept, least):
    return aten.threshold_backward(grad, kept, least)


def between(grad, kept, low, high):
    return aten.hardtanh_backward(grad, kept, low, high)


def leaking(grad, kept, slope):
    return aten.where(aten.gt(kept, 0), grad, aten.mul(grad, slope))


def relu(input, inplace=False):
    return input, partial(above, least=0), "output"


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    return input, partial(between, low=min_val, high=max_val), "output"


def relu6(input, inplace=False):
    return hardtanh(input, 0.0, 6.0)


def zero(value):
    """Whether a bound is 0, as a number or as a tensor of nothing else."""
    if isinstance(value, Tensor):
        return not value.requires_grad and not value.any()
    return value is not None and value == 0


def clamp(input, min=None, max=None):
    if not zero(min) or isinstance(max, Tensor):
        return None
    return relu(input) if max is None else hardtanh(input, 0.0, max)


def maximum(input, other=None, *rest, **named):
    if rest or named or not isinstance(other, Tensor):
        return None
    rectified = input if zero(other) else other if zero(input) else None
    if rectified is None or rectified.shape != torch.broadcast_shapes(
        input.shape, other.shape
    ):
        return None
    return relu(rectified)


def threshold(input, threshold, value, inplace=False):
    # Above a higher value the output does not tell on which side the input was.
    keep = "output" if value <= threshold else "copy"
    return input, partial(above, least=threshold), keep


def leaky_relu(input, negative_slope=0.01, inplace=False):
    keep = "output" if negative_slope >= 0 else "copy"
    return input, partial(leaking, slope=negative_slope), keep


def prelu(input, weight):
    if weight.numel() > 1:
        weight = weight.detach().view(-1, *(1,) * (input.ndim - 2))
    return input, partial(leaking, slope=weight.detach()), "input"


def rrelu(input, lower=1 / 8, upper=1 / 3, training=False, inplace=False):
    return None if training else leaky_relu(input, (lower + upper) / 2)


RECTIFIERS = {
    function: binder
    for binder, functions in {
        relu: (
            F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_,
        ),
        relu6: (F.relu6,),
        hardtanh: (F.hardtanh, F.hardtanh_),
        clamp: (
            torch.clamp, torch.clamp_, Tensor.clamp, Tensor.clamp_,
            torch.clip, torch.clip_, Tensor.clip, Tensor.clip_,
            torch.clamp_min, torch.clamp_min_, Tensor.clamp_min, Tensor.clamp_min_,
        ),
        maximum: (
            torch.maximum, Tensor.maximum, torch.max, Tensor.max,
            torch.fmax, Tensor.fmax,
        ),
        threshold: (F.threshold, F.threshold_, torch.threshold, torch.threshold_),
        leaky_relu: (F.leaky_relu, F.leaky_relu_),
        prelu: (F.prelu, torch.prelu, Tensor.prelu),
        rrelu: (F.rrelu, F.rrelu_, torch.rrelu, torch.rrelu_),
    }.items()
    for function in functions
}  # fmt: skip


STRICT = (relu, relu6, hardtanh)
"""Binders of functions whose own gradient is 0 at the kinks, as RU^BP has it."""


class Rectified(torch.autograd.Function):
    """A rectifier whose gradient is the rule's; in place where the function is."""

    @staticmethod
    def forward(ctx, x, run, pull, keep, rule):
        masked = rule in ("backprop", "hybrid")
        copy = x.clone() if masked and keep == "copy" else None
        y = run()
        if y is x:
            ctx.mark_dirty(x)
        ctx.pull, ctx.rule = pull, rule
        if masked:
            ctx.save_for_backward({"output": y, "input": x, "copy": copy}[keep])
        return y

    @staticmethod
    def backward(ctx, grad):
        if ctx.saved_tensors:
            grad = ctx.pull(grad, *ctx.saved_tensors)
        if ctx.rule in ("relu", "hybrid"):
            grad = aten.relu(grad)
        return grad, None, None, None, None


def rectify(rule, function, args, named):
    """A rectifier's output with the rule's gradient; None where it is no rectifier."""
    binder = RECTIFIERS[function]
    if rule == "backprop" and binder in STRICT:
        return function(*args, **named)
    if (bound := binder(*args, **named)) is None:
        return None
    x, pull, keep = bound
    run = partial(function, *args, **named)
    return Rectified.apply(x, run, pull, keep, rule)
