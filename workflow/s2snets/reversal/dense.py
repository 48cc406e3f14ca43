"""Networks applied fully convolutionally, to images of any size (section 3.5).

A forward pass at the network's own size records which pools cover a whole plane, and
which planes a linear layer flattens. In passes over larger images these pools slide,
planes stay planes and linear layers become convolutions: the output has planes
(N, K, h, w), each position of which depends on one window of the network's own size.
The modules themselves are not changed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2snets.networks.layers import evaluation_mode
from s2snets.reversal.call_mode import Args, CallMode, Kwargs
from s2snets.reversal.pools import per_axis
from s2snets.runtime.errors import UserError, one_line

FLATTENING = {
    torch.flatten, Tensor.flatten, torch.reshape, Tensor.reshape, Tensor.view,
    torch.squeeze, Tensor.squeeze, torch.unsqueeze, Tensor.unsqueeze,
}  # fmt: skip
MEAN = {torch.mean, Tensor.mean}
ADAPTIVE: dict[Callable, Callable] = {
    F.adaptive_avg_pool2d: F.avg_pool2d,
    F.adaptive_max_pool2d: F.max_pool2d,
}
RECORDED = {*FLATTENING, *MEAN, *ADAPTIVE, F.avg_pool2d, F.linear}
"""Functions whose effect depends on the size of the images."""


class Call(NamedTuple):
    """A call in the pass at the network's own size, and its tensors' shapes."""

    function: Callable
    before: torch.Size
    after: torch.Size


def first_argument(args: Args, kwargs: Kwargs) -> Tensor:
    """Return the tensor that a function is applied to."""
    return args[0] if args else kwargs["input"]


class RecordingMode(CallMode):
    """A mode that records the calls whose effect depends on the images' size."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def call(self, function: Callable, args: Args, kwargs: Kwargs) -> Any:
        """Call the function, and record it."""
        result = function(*args, **kwargs)
        if function in RECORDED:
            shapes = first_argument(args, kwargs).shape, result.shape
            self.calls.append(Call(function, *shapes))
        return result


CALLS: WeakKeyDictionary[nn.Module, dict[int, list[Call]]] = WeakKeyDictionary()


def recorded_calls(net: nn.Module, side: int) -> list[Call]:
    """Return a network's calls on an image of ``side`` pixels, recorded once."""
    by_side = CALLS.setdefault(net, {})
    if side not in by_side:
        image = next(net.parameters(), torch.zeros(())).new_zeros(1, 3, side, side)
        with torch.no_grad(), evaluation_mode(net), RecordingMode() as recording:
            net(image)
        by_side[side] = recording.calls
    return by_side[side]


def pool_kernel(
    input: Tensor, kernel_size: int | Sequence[int], *_: Any, **__: Any
) -> tuple[int, ...]:
    """Return the window (h, w) of an average pool, given the pool's arguments."""
    return per_axis(kernel_size, 2)


def not_dense(reason: str) -> UserError:
    """Return the error that a network cannot be applied to larger images."""
    return UserError(f"dense: the network does not slide over larger images: {reason}")


def adaptive_window(size: int, outputs: int) -> tuple[int, int]:
    """Return the kernel and stride of an adaptive pool along one axis.

    Raises:
        UserError: its windows differ.
    """
    starts = [number * size // outputs for number in range(outputs)]
    stops = [-(-(number + 1) * size // outputs) for number in range(outputs)]
    kernels = {stop - start for start, stop in zip(starts, stops, strict=True)}
    strides = {after - before for before, after in pairwise(starts)} or {1}
    if len(kernels) > 1 or len(strides) > 1 or 0 in strides:
        raise not_dense(
            f"it pools {size} pixels into {outputs}, by windows that differ"
        )
    return kernels.pop(), strides.pop()


def slide_adaptive_pool(pool: Callable, x: Tensor, call: Call) -> Tensor:
    """Apply an adaptive pool with the windows that it has at the network's own size."""
    sides = zip(call.before[2:], call.after[2:], strict=True)
    kernel, stride = zip(*(adaptive_window(*side) for side in sides), strict=True)
    if set(kernel) == set(stride) == {1}:
        return x
    return pool(x, kernel, stride)


class SlidingMode(CallMode):
    """A mode that applies recorded calls to larger images.

    Args:
        calls: of the network at its own size.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        super().__init__()
        self.calls = iter(calls)
        self.planes: dict[int, Sequence[int]] = {}  # shapes (C, h, w) by their length

    def call(self, function: Callable, args: Args, kwargs: Kwargs) -> Any:
        """Call the function in its sliding form, if it has one."""
        if function not in RECORDED:
            return function(*args, **kwargs)
        call = next(self.calls, None)
        if call is None or call.function is not function:
            raise not_dense("its course depends on the image's size")
        x = first_argument(args, kwargs)
        if x.ndim != 4:
            return function(*args, **kwargs)
        if function in FLATTENING:
            if len(call.before) == len(call.after) == 4 or len(call.after) > 4:
                return function(*args, **kwargs)
            if len(call.before) == 4:
                self.planes[prod(call.before[1:])] = call.before[1:]
            return x
        if function is F.linear:
            return self.convolve(call, x, *args[1:], **kwargs)
        if len(call.before) != 4:
            raise not_dense(f"{function.__name__} of what was flattened")
        whole = tuple(call.before[2:])
        if function in ADAPTIVE:
            return slide_adaptive_pool(ADAPTIVE[function], x, call)
        channels = prod(call.before[:2])
        pools_planes = (
            call.after[:2] == call.before[:2] and call.after.numel() == channels
        )
        if pools_planes and (
            function in MEAN
            or pool_kernel(*args, **kwargs) in (whole, tuple(x.shape[2:]))
        ):
            return F.avg_pool2d(x, whole, 1)
        return function(*args, **kwargs)

    def convolve(
        self,
        call: Call,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        input: Tensor | None = None,
    ) -> Tensor:
        """Apply a linear layer as a convolution, given the layer's arguments."""
        if len(call.before) != 2:
            raise not_dense("a linear layer sees more than vectors")
        features = weight.shape[1]
        plane = self.planes.get(features, (features, 1, 1))
        return F.conv2d(x, weight.view(-1, *plane), bias)


def native_side(classifier: nn.Module, dense: bool | int) -> int:
    """Return the side of a network's own images, in pixels.

    ``dense`` is that side, or True: the side that a classifier of pixels knows.

    Raises:
        UserError: it is not known.
    """
    if dense is not True:
        return dense
    if side := getattr(classifier, "input_side", None):
        return side
    raise UserError("dense: the network's own size is not known; give it, dense=224")


@contextmanager
def sliding(net: nn.Module, side: int, x: Tensor) -> Iterator[None]:
    """Apply a network with images of ``side`` pixels densely to larger images x.

    Raises:
        UserError: the images are smaller, or the network does not slide, as with
            attention or gates that pool whole images.
    """
    if min(x.shape[2:]) < side:
        raise UserError(
            f"dense: images of {x.shape[2]}×{x.shape[3]} are smaller than the"
            f" network's own {side}; enlarge them"
        )
    calls = recorded_calls(net, side)
    try:
        with SlidingMode(calls):
            yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise not_dense(one_line(error)) from error
