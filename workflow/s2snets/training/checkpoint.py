"""A training's state between two steps on disk: the newest checkpoint and the last."""

import os
import pickle
import struct
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from s2snets.runtime.errors import UserError, one_line
from s2snets.runtime.files import replacing

FORMAT = 2

# What torch.load raises on files that are cut or are no checkpoint at all.
DAMAGED: tuple[type[Exception], ...] = (RuntimeError, EOFError, LookupError)
DAMAGED += (AttributeError, TypeError, ValueError)
DAMAGED += (pickle.UnpicklingError, struct.error, zipfile.BadZipFile)


def previous_path(path: Path) -> Path:
    """Return where the checkpoint before the newest is kept."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def save(path: Path, identity: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Write a checkpoint whole, or not at all; keep the one before it.

    Args:
        path: of the newest checkpoint.
        identity: plain values that tell this training from every other.
        state: plain values, tensors and state dicts.
    """
    identity = {"format": FORMAT, **identity}
    with replacing(path) as draft:
        # Given a path, torch would not say why it could not write.
        with draft.open("wb") as file:
            torch.save({"identity": identity, "state": state}, file)
        if path.exists():
            # Killed here, only the older one is left, and load resumes from it.
            os.replace(path, previous_path(path))


def remove(path: Path) -> None:
    """Remove both checkpoints, once the training has written its results."""
    for file in (previous_path(path), path):
        file.unlink(missing_ok=True)


def load(path: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the saved state; None where there is no checkpoint.

    If the newest is damaged, by a crash of the file system say, the one before it is
    read, with a line on standard error.

    Raises:
        UserError: both are damaged, or of another training; names the settings that
            differ.
    """
    damages = []
    for file in (path, previous_path(path)):
        if not file.exists():
            continue
        try:
            verify_checksums(file)
            saved = torch.load(file, weights_only=True, map_location="cpu")
            found, state = dict(saved["identity"]), saved["state"]
        except DAMAGED as error:
            damages.append(f"{file}: damaged checkpoint ({one_line(error)})")
            continue
        check_identity(file, found, {"format": FORMAT, **identity})
        if damages:
            print(f"{damages[0]}; going on from {file.name}", file=sys.stderr)
        return state
    if damages:
        raise UserError(f"{'; '.join(damages)}; delete it to start anew")
    return None


def verify_checksums(path: Path) -> None:
    """Compare a checkpoint's content with its checksums, which torch.load does not.

    Raises:
        zipfile.BadZipFile: it is damaged.
    """
    with zipfile.ZipFile(path) as file:
        if (member := file.testzip()) is not None:
            raise zipfile.BadZipFile(f"{member} has another checksum")


def check_identity(
    path: Path, found: Mapping[str, Any], identity: Mapping[str, Any]
) -> None:
    """Raise a UserError if a checkpoint belongs to another training."""
    differing = [
        f"{key} was {found.get(key)!r}, is {identity.get(key)!r}"
        for key in sorted(found.keys() | identity.keys())
        if found.get(key) != identity.get(key)
    ]
    if differing:
        raise UserError(
            f"{path}: a checkpoint of another training ({'; '.join(differing)});"
            f" restore what differs, or delete {path.parent}/checkpoint*.pt to start"
            " anew"
        )
