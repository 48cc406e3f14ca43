"""A training's state between two steps, on disk."""

import pickle
import struct

import torch

from s2snets.errors import Mistake
from s2snets.files import replacing

# What torch.load raises on files that are cut or are no checkpoint at all.
DAMAGED = (RuntimeError, pickle.UnpicklingError, EOFError, LookupError, struct.error)


def save(path, identity, state):
    """Write a checkpoint whole, or not at all.

    Args:
        identity: dict of plain values: everything that makes this training this one.
        state: dict of plain values, tensors and state dicts.
    """
    with replacing(path) as draft:
        torch.save({"identity": identity, "state": state}, draft)


def load(path, identity):
    """The saved state; None where there is no checkpoint.

    Raises:
        Mistake: a damaged checkpoint, or one of another training; with the settings in
            which it differs.
    """
    if not path.exists():
        return None
    mend = f"restore the setting, or delete {path} to start anew"
    try:
        saved = torch.load(path, weights_only=True, map_location="cpu")
        found, state = saved["identity"], saved["state"]
    except DAMAGED as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise Mistake(f"{path}: damaged checkpoint ({reason}); delete it") from None
    differing = [
        f"{key} was {found.get(key)!r}, is {identity.get(key)!r}"
        for key in sorted(found.keys() | identity.keys())
        if found.get(key) != identity.get(key)
    ]
    if differing:
        raise Mistake(
            f"{path}: a checkpoint of another training ({'; '.join(differing)}); {mend}"
        )
    return state
