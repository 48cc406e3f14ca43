"""Command line of rule ``fetch_weights``: published weights on this machine, once."""

import http.client
import socket

import torch

from s2snets.config import Settings
from s2snets.networks.published import HASH, local, published, stated_hash, verified
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import disk_error, write_json
from s2snets.stages.base import arguments, run

SILENCE = 60  # seconds after which a connection counts as none


class Job(Settings):
    architecture: str
    weights: str


def fetch(entry):
    """Bring the file of published weights from where its library has it.

    Raises:
        UserError: offline, with what to put where; a full disk; a damaged file.
    """
    try:
        entry.file.parent.mkdir(parents=True, exist_ok=True)
        if entry.hub and not HASH.search(entry.address):
            from huggingface_hub import hf_hub_download

            hf_hub_download(*entry.hub)
        else:
            torch.hub.download_url_to_file(
                entry.address, str(entry.file), stated_hash(entry.file), progress=False
            )
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise disk_error(error, entry.file) or UserError(
            f"weights: {entry.file} is not there and cannot be fetched ({reason}); on a"
            f" machine with internet get {entry.address} and put it there under that"
            " name, or point TORCH_HOME at a folder that has it in hub/checkpoints"
        ) from None


def receipt(entry):
    """Where the weights lie, and what they are; fetched where they are missing.

    Raises:
        UserError: they cannot be had, or are damaged.
    """
    if local(entry) is None:
        fetch(entry)
    path = local(entry).absolute()
    return {
        "architecture": entry.architecture,
        "address": entry.address,
        "file": str(path),
        "sha256": verified(path),
    }


def main(argv=None):
    job = arguments(__doc__, paths=("receipt",), model=Job).parse_args(argv)
    socket.setdefaulttimeout(SILENCE)
    chosen = job.settings
    write_json(job.receipt, receipt(published(chosen.architecture, chosen.weights)))


if __name__ == "__main__":
    run(main)
