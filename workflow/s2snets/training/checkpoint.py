"""A training's state between two steps, on disk: the newest, and the one before."""

import os
import pickle
import struct
import sys
import zipfile

import torch

from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing

FORMAT = 2

# What torch.load raises on files that are cut or are no checkpoint at all.
DAMAGED = (RuntimeError, pickle.UnpicklingError, EOFError, LookupError, struct.error)
DAMAGED += (zipfile.BadZipFile,)


def previous(path):
    """Where the checkpoint before the newest is kept."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def save(path, identity, state):
    """Write a checkpoint whole, or not at all; keep the one before it.

    Args:
        identity: dict of plain values: everything that makes this training this one.
        state: dict of plain values, tensors and state dicts.
    """
    identity = {"format": FORMAT, **identity}
    with replacing(path) as draft:
        torch.save({"identity": identity, "state": state}, draft)
        if path.exists():
            # Killed here, the older one is all there is, and load goes on from it.
            os.replace(path, previous(path))


def remove(path):
    """Drop both, once the training has left what it was for."""
    for one in (previous(path), path):
        one.unlink(missing_ok=True)


def load(path, identity):
    """The saved state; None where there is no checkpoint.

    Where the newest was damaged, by a crash of the file system say, the one before it;
    standard error tells so.

    Raises:
        UserError: damaged checkpoints, or one of another training; with the settings in
            which it differs.
    """
    damages = []
    for one in (path, previous(path)):
        if not one.exists():
            continue
        try:
            whole(one)
            saved = torch.load(one, weights_only=True, map_location="cpu")
            found, state = saved["identity"], saved["state"]
        except DAMAGED as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            damages.append(f"{one}: damaged checkpoint ({reason})")
            continue
        refuse_other(one, found, {"format": FORMAT, **identity})
        if damages:
            print(f"{damages[0]}; going on from {one.name}", file=sys.stderr)
        return state
    if damages:
        raise UserError(f"{'; '.join(damages)}; delete it to start anew")
    return None


def whole(path):
    """Compare a checkpoint's content with its checksums, which torch.load does not.

    Raises:
        zipfile.BadZipFile: it is damaged.
    """
    with zipfile.ZipFile(path) as file:
        if (member := file.testzip()) is not None:
            raise zipfile.BadZipFile(f"{member} has another checksum")


def refuse_other(path, found, identity):
    """Complain of a checkpoint of another training."""
    differing = [
        f"{key} was {found.get(key)!r}, is {identity.get(key)!r}"
        for key in sorted(found.keys() | identity.keys())
        if found.get(key) != identity.get(key)
    ]
    if differing:
        raise UserError(
            f"{path}: a checkpoint of another training ({'; '.join(differing)});"
            f" restore the setting, or delete {path.parent}/checkpoint*.pt to start"
            " anew"
        )
