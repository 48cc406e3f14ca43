"""Command line of rule ``fetch_weights``: download published weights once."""

import socket
from collections.abc import Sequence

from s2snets.config import Settings
from s2snets.networks.fetch import fetch
from s2snets.networks.published import published_weights
from s2snets.runtime.files import write_json
from s2snets.stages.base import arguments, run

TIMEOUT = 60  # seconds of silence after which a connection has failed


class Job(Settings):
    """The published weights that are fetched."""

    architecture: str
    weights: str


def main(argv: Sequence[str] | None = None) -> None:
    """Fetch the weights and write their receipt."""
    job = arguments(__doc__, paths=("receipt",), model=Job).parse_args(argv)
    socket.setdefaulttimeout(TIMEOUT)
    settings = job.settings
    weights = published_weights(settings.architecture, settings.weights)
    write_json(job.receipt, fetch(weights))


if __name__ == "__main__":
    run(main)
