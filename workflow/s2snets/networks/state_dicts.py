"""State dicts from any source: read without running code, unwrapped, and loaded."""

import pickle
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from s2snets.runtime.errors import UserError, one_line

State = Mapping[str, Tensor]

WRAPPING_KEYS = ("state_dict", "model_state_dict", "model", "net")
"""Keys under which training scripts' checkpoints keep the network's tensors."""


def read_tensors(path: Path) -> Any:
    """Return the content of a ``.safetensors`` file or torch checkpoint; run nothing.

    Raises:
        OSError: no such file, or one that cannot be read.
        ValueError: a damaged file, or one with pickled objects; the reason.
    """
    path.open("rb").close()  # the readers below word this in their own ways
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # whatever a reader meets in damaged or crafted bytes
        text = one_line(error)
        if isinstance(error, pickle.UnpicklingError):  # torch advises to run them
            text = "damaged, or pickled objects, which are not loaded; save the"
            text += " network's state_dict() alone"
        raise ValueError(text) from error


def read_state(path: Path) -> Any:
    """Return the content of a user's file of weights; see ``read_tensors``.

    Raises:
        UserError: no such file, a damaged one, or pickled objects.
    """
    try:
        return read_tensors(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"weights: {path}: {reason}") from None
    except ValueError as error:
        raise UserError(f"weights: {path}: holds no state dict ({error})") from None


def prefixes(state: Iterable[str]) -> set[str]:
    """Return what the names of a state begin with, up to the first dot."""
    return {name.partition(".")[0] for name in state}


def unwrap_state(content: object, net: nn.Module, path: Path) -> State:
    """Return a checkpoint's tensors under the names that the network has for them.

    The state dict may be inside a training script's checkpoint, and every name may
    have a prefix (``module.``, ``model.``). The path is for the error message.

    Raises:
        UserError: it holds something other than tensors.
    """
    for _ in WRAPPING_KEYS:  # a crafted checkpoint may wrap itself
        if isinstance(content, Mapping):
            inside = [content.get(key) for key in WRAPPING_KEYS]
            maps = [one for one in inside if isinstance(one, Mapping)]
            content = maps[0] if maps else content
    if not (
        isinstance(content, Mapping)
        and all(isinstance(name, str) for name in content)
        and all(map(torch.is_tensor, content.values()))
    ):
        raise UserError(f"weights: {path}: holds no state dict: not only named tensors")
    own = prefixes(net.state_dict())
    while (
        len(prefixes(content)) == 1
        and not prefixes(content) <= own
        and all("." in name for name in content)
    ):
        content = {name.partition(".")[2]: value for name, value in content.items()}
    return content


def abbreviated(names: Sequence[str]) -> str:
    """Return the first of some names, and the number of the others."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"


def shape_text(tensor: Tensor) -> str:
    """Return a tensor's shape, such as 64×3×7×7."""
    return "×".join(map(str, tensor.shape))


def state_differences(state: State, net: nn.Module) -> str:
    """Return in a few words how a state does not fit a network; "": by name it does."""
    own = net.state_dict()
    found = {
        # Older versions of torch had no counters of batches and need none.
        "it lacks": [
            name
            for name in own
            if name not in state and not name.endswith("num_batches_tracked")
        ],
        "it has": [name for name in state if name not in own],
        "of another shape:": [
            f"{name} ({shape_text(tensor)}, not {shape_text(own[name])})"
            for name, tensor in state.items()
            if name in own and tensor.shape != own[name].shape
        ],
    }
    return "; ".join(
        f"{how} {abbreviated(names)}" for how, names in found.items() if names
    )


def check_values(state: State, own: State) -> None:
    """Raise where torch would load values that are no weights without a word.

    Raises:
        ValueError: a tensor of integers in the place of weights, or with NaN in it.
    """
    for name, tensor in state.items():
        if name in own and own[name].is_floating_point():
            if not tensor.is_floating_point():
                kind = str(tensor.dtype).removeprefix("torch.")
                raise ValueError(f"{name} holds {kind}, no weights")
            if tensor.isnan().any():
                raise ValueError(f"{name} holds NaN")


def load_state(net: nn.Module, state: State) -> None:
    """Load a state, every tensor of it, into a network.

    Raises:
        ValueError: it is another network's, or damaged; the reason.
    """
    own = net.state_dict()
    if not hasattr(state, "_metadata") and state.keys() == own.keys():
        # safetensors keeps no versions, and MNASNet refuses to load without.
        state = OrderedDict(state)
        vars(state).update(_metadata=vars(own)["_metadata"])
    try:
        check_values(state, own)
        net.load_state_dict(state)
    except (RuntimeError, ValueError) as error:
        reason = state_differences(state, net) or str(error).splitlines()[-1].strip()
        raise ValueError(reason) from None
