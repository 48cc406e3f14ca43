"""A mode that intercepts calls of PyTorch's functions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.overrides import TorchFunctionMode

Args = Sequence[Any]
Kwargs = Mapping[str, Any]


class CallMode(TorchFunctionMode):
    """A mode whose ``call`` stands in for each call of a function."""

    def call(self, function: Callable, args: Args, kwargs: Kwargs) -> Any:
        """Return the result of the function with these arguments."""
        raise NotImplementedError

    def __torch_function__(
        self, func: Callable, types: Any, args: Args = (), kwargs: Any = None
    ) -> Any:
        """Pass PyTorch's call on to ``call``."""
        return self.call(func, args, kwargs or {})
