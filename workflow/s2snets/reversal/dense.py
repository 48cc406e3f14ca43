"""Networks applied fully convolutionally, to images of any size (section 3.5).

A forward pass at the native size tells which pools see all there is, and which planes a
linear layer flattens. In passes over larger images these pools slide, planes stay
planes and linear layers become convolutions: a network of planes (N, K, h, w), each
position of which sees one window of the native size. No module is touched.
"""

from contextlib import contextmanager
from itertools import pairwise
from math import prod
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from s2snets.networks.layers import still
from s2snets.reversal.pools import per_axis
from s2snets.runtime.errors import UserError

FLATTENING = {
    torch.flatten, Tensor.flatten, torch.reshape, Tensor.reshape, Tensor.view,
    torch.squeeze, Tensor.squeeze, torch.unsqueeze, Tensor.unsqueeze,
}  # fmt: skip
MEAN = {torch.mean, Tensor.mean}
ADAPTIVE = {F.adaptive_avg_pool2d: F.avg_pool2d, F.adaptive_max_pool2d: F.max_pool2d}
FOLLOWED = {*FLATTENING, *MEAN, *ADAPTIVE, F.avg_pool2d, F.linear}


class Call(NamedTuple):
    """A call in the pass at the native size, whose tensors had these shapes."""

    function: object
    before: torch.Size
    after: torch.Size


def seen(args, named):
    return args[0] if args else named["input"]


class Recording(TorchFunctionMode):
    """Writes down the calls that depend on the size of the images."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        if function in FOLLOWED:
            shapes = seen(args, kwargs).shape, result.shape
            self.calls.append(Call(function, *shapes))
        return result


RECORDED = WeakKeyDictionary()


def recorded(net, side):
    """The calls of a network that sees an image of ``side`` pixels."""
    plans = RECORDED.setdefault(net, {})
    if side not in plans:
        some = next(net.parameters(), torch.zeros(()))
        image = some.new_zeros(1, 3, side, side)
        with torch.no_grad(), still(net), Recording() as recording:
            net(image)
        plans[side] = recording.calls
    return plans[side]


def kernel(input, kernel_size, *_, **__):
    """The window (h, w) of an average pool."""
    return per_axis(kernel_size, 2)


def stuck(what):
    return UserError(f"dense: the network does not slide over larger images: {what}")


def window(size, outputs):
    """(kernel, stride) of an adaptive pool along one axis, if one for all windows.

    Raises:
        UserError: its windows differ.
    """
    starts = [number * size // outputs for number in range(outputs)]
    stops = [-(-(number + 1) * size // outputs) for number in range(outputs)]
    kernels = {stop - start for start, stop in zip(starts, stops, strict=True)}
    strides = {after - before for before, after in pairwise(starts)} or {1}
    if len(kernels) > 1 or len(strides) > 1 or 0 in strides:
        raise stuck(f"it pools {size} pixels into {outputs}, by windows that differ")
    return kernels.pop(), strides.pop()


def slide(pool, x, call):
    """An adaptive pool with the windows it has at the native size."""
    sides = zip(call.before[2:], call.after[2:], strict=True)
    kernel, stride = zip(*(window(*side) for side in sides), strict=True)
    if set(kernel) == set(stride) == {1}:
        return x
    return pool(x, kernel, stride)


class Sliding(TorchFunctionMode):
    """Applies what a Recording wrote down to larger images."""

    def __init__(self, calls):
        super().__init__()
        self.calls = iter(calls)
        self.planes = {}

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function not in FOLLOWED:
            return function(*args, **kwargs)
        call = next(self.calls, None)
        if call is None or call.function is not function:
            raise stuck("its course depends on the image's size")
        x = seen(args, kwargs)
        if x.ndim != 4:
            return function(*args, **kwargs)
        if function in FLATTENING:
            return self.flatten(call, x, function, args, kwargs)
        if function is F.linear:
            return self.linear(call, x, *args[1:], **kwargs)
        if len(call.before) != 4:
            raise stuck(f"{function.__name__} of what was flattened")
        whole = tuple(call.before[2:])
        if function in ADAPTIVE:
            return slide(ADAPTIVE[function], x, call)
        kept = call.after[:2] == call.before[:2] and call.after.numel()
        if kept == prod(call.before[:2]) and (
            function in MEAN or kernel(*args, **kwargs) in (whole, tuple(x.shape[2:]))
        ):
            return F.avg_pool2d(x, whole, 1)
        return function(*args, **kwargs)

    def flatten(self, call, x, function, args, kwargs):
        if len(call.before) == len(call.after) == 4 or len(call.after) > 4:
            return function(*args, **kwargs)
        if len(call.before) == 4:
            self.planes[prod(call.before[1:])] = call.before[1:]
        return x

    def linear(self, call, x, weight, bias=None, input=None):
        if len(call.before) != 2:
            raise stuck("a linear layer sees more than vectors")
        features = weight.shape[1]
        plane = self.planes.get(features, (features, 1, 1))
        return F.conv2d(x, weight.view(-1, *plane), bias)


def native_side(classifier, dense):
    """Side of the images that a network is made for, pixels.

    Args:
        dense: the side, or True: what the classifier says.

    Raises:
        UserError: it does not say.
    """
    if dense is not True:
        return dense
    if side := getattr(classifier, "native", None):
        return side
    raise UserError("dense: the network's own size is not known; give it, dense=224")


@contextmanager
def sliding(net, side, x):
    """Inside, ``net`` takes images x of any size from ``side`` on.

    Raises:
        UserError: the images are smaller, or the network does not slide, as with
            attention or gates that pool whole images.
    """
    if min(x.shape[2:]) < side:
        raise UserError(
            f"dense: images of {x.shape[2]}×{x.shape[3]} are smaller than the"
            f" network's own {side}; enlarge them"
        )
    calls = recorded(net, side)
    try:
        with Sliding(calls):
            yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise stuck(str(error).splitlines()[0]) from error
