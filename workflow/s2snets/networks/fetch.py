"""Files of published weights on this machine: found, downloaded and verified.

A receipt is what ``fetch`` returns, written as JSON by the stage of that name.
"""

import http.client
import re
from pathlib import Path

import torch

from s2snets.networks.published import HASH, PublishedWeights
from s2snets.runtime.errors import UserError, one_line
from s2snets.runtime.files import disk_error, read_json, sha256

BLOB = re.compile(r"[0-9a-f]{64}")


def stated_hash(path: Path) -> str:
    """Return how the SHA-256 of a published file begins by its name; "": not stated.

    In the cache of timm's hub a file is a link to one that is named by its whole hash.
    """
    target = path.resolve().name
    if BLOB.fullmatch(target):
        return target
    found = HASH.search(path.name)
    return found[1] if found else ""


def verified_hash(path: Path) -> str:
    """Return the SHA-256 of a published file.

    Raises:
        UserError: it is not what the file's name states.
    """
    digest, stated = sha256(path), stated_hash(path)
    if not digest.startswith(stated):
        raise UserError(
            f"weights: {path}: its SHA-256 does not begin with {stated}; delete it and"
            " fetch it anew"
        )
    return digest


def local_file(weights: PublishedWeights) -> Path | None:
    """Return the file of published weights on this machine, if it is there."""
    if weights.file.is_file():
        return weights.file
    if weights.hub:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(**weights.hub)
        return Path(found) if isinstance(found, str) else None
    return None


def download(weights: PublishedWeights) -> None:
    """Download the file of published weights from the library's address.

    Raises:
        UserError: offline, with what to put where; a full disk; a damaged file.
    """
    try:
        weights.file.parent.mkdir(parents=True, exist_ok=True)
        if weights.hub and not HASH.search(weights.address):
            from huggingface_hub import hf_hub_download

            hf_hub_download(**weights.hub)
        else:
            file, prefix = str(weights.file), stated_hash(weights.file)
            torch.hub.download_url_to_file(
                weights.address, file, prefix, progress=False
            )
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        reason = one_line(error)
        raise disk_error(error, weights.file) or UserError(
            f"weights: {weights.file} is not there and cannot be fetched ({reason}); on"
            f" a machine with internet get {weights.address} and put it there under"
            " that name, or point TORCH_HOME at a folder that has it in hub/checkpoints"
        ) from None


def hub_commit(path: Path) -> dict[str, str]:
    """Return the commit that a file in the cache of timm's hub is of, if it is there.

    With it, as ``TAG@COMMIT``, the very same file can be asked for again.
    """
    *_, folder, commit, _ = ("", "", *path.parts)
    return {"revision": commit} if folder == "snapshots" else {}


def fetch(weights: PublishedWeights) -> dict[str, str]:
    """Return the receipt of published weights, downloaded if they are missing.

    Raises:
        UserError: they cannot be downloaded, or are damaged.
    """
    if local_file(weights) is None:
        download(weights)
    path = (local_file(weights) or weights.file).absolute()
    return {
        "architecture": weights.architecture,
        "address": weights.address,
        "file": str(path),
        "sha256": verified_hash(path),
        **hub_commit(path),
    }


def fetched_file(receipt_path: Path) -> Path:
    """Return the file of published weights that a receipt names.

    Raises:
        UserError: it is gone, or has changed since.
    """
    receipt = read_json(receipt_path)
    file = Path(receipt["file"])
    if not file.is_file() or sha256(file) != receipt["sha256"]:
        raise UserError(
            f"weights: {file} is gone or changed since it was fetched; delete"
            f" {receipt_path} and rerun"
        )
    return file
