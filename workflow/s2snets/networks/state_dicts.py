"""State dicts from anywhere: read safely, unwrapped, and filled in or refused."""

import pickle
from collections import OrderedDict
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from s2snets.runtime.errors import UserError

# Under which a training script's checkpoint keeps the network's tensors.
WITHIN = ("state_dict", "model_state_dict", "model", "net")


def state_at(path):
    """What a ``.safetensors`` file or a torch checkpoint holds; no code is run.

    Raises:
        UserError: no such file, a damaged one, or pickled objects.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, weights_only=True, map_location="cpu")
    except OSError as error:
        raise UserError(f"weights: {path}: {error.strerror.lower()}") from None
    except pickle.UnpicklingError:
        raise UserError(
            f"weights: {path}: holds no state dict but objects, which are not loaded;"
            " save the network's state_dict() alone"
        ) from None
    except (RuntimeError, SafetensorError, EOFError) as error:
        first = str(error).splitlines()[0]
        raise UserError(f"weights: {path}: holds no state dict ({first})") from None


def tops(state):
    """What the names of a state begin with, up to the first dot."""
    return {name.partition(".")[0] for name in state}


def unwrapped(state, net, path):
    """A checkpoint's tensors under the names that the network has for them.

    Args:
        state: as from ``state_at``: a state dict, perhaps inside a checkpoint, perhaps
            with one prefix before every name (``module.``, ``model.``).
        net: the network that it is for.
        path: where it came from.

    Raises:
        UserError: there are other things than tensors in it.
    """
    while isinstance(state, Mapping) and (
        inside := [state[key] for key in WITHIN if isinstance(state.get(key), Mapping)]
    ):
        state = inside[0]
    if not isinstance(state, Mapping) or not all(map(torch.is_tensor, state.values())):
        raise UserError(f"weights: {path}: holds no state dict: not only named tensors")
    own = tops(net.state_dict())
    while len(tops(state)) == 1 and not tops(state) <= own:
        if not all("." in name for name in state):
            break
        state = {name.partition(".")[2]: value for name, value in state.items()}
    return state


def several(names):
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"


def differences(state, net):
    """How a state does not fit a network, in a few words."""
    own = net.state_dict()
    shape = {
        name: ("×".join(map(str, there.shape)), "×".join(map(str, own[name].shape)))
        for name, there in state.items()
        if name in own and there.shape != own[name].shape
    }
    # Counters of batches came with later versions and are made up where missing.
    found = {
        "it lacks": [
            name
            for name in own
            if name not in state and not name.endswith("num_batches_tracked")
        ],
        "it has": [name for name in state if name not in own],
        "of another shape:": [
            f"{name} ({there}, not {here})" for name, (there, here) in shape.items()
        ],
    }
    return "; ".join(f"{how} {several(one)}" for how, one in found.items() if one)


def fill(net, state):
    """Load a state, every tensor of it, into a network.

    Raises:
        ValueError: it is another network's; how the two differ.
    """
    own = net.state_dict()
    if not hasattr(state, "_metadata") and state.keys() == own.keys():
        # safetensors keeps no versions, and MNASNet refuses to load without.
        state = OrderedDict(state)
        state._metadata = own._metadata
    try:
        net.load_state_dict(state)
    except (RuntimeError, ValueError) as error:
        told = differences(state, net) or str(error).splitlines()[-1].strip()
        raise ValueError(told) from None
    return net
