"""Command line of rule ``export_classifier``: given weights to a frozen classifier."""

from collections.abc import Sequence
from pathlib import Path

from s2snets.config import Classifier, Settings
from s2snets.networks.checkpoints import save_classifier
from s2snets.networks.export import export_classifier
from s2snets.stages.base import arguments, recorded, run


class Job(Settings):
    """The classifier, and the side of the study's images."""

    image_size: int
    classifier: Classifier


def main(argv: Sequence[str] | None = None) -> None:
    """Build the classifier, and write its weights, spec and record."""
    job = arguments(
        __doc__,
        paths=("weights", "spec", "record"),
        model=Job,
        receipt={"type": Path, "help": "what fetch_weights wrote"},
    ).parse_args(argv)
    settings = job.settings
    with recorded(job.record, "s2snets.stages.export_classifier", settings):
        model, spec = export_classifier(
            settings.classifier, settings.image_size, job.receipt
        )
        save_classifier(model, spec, job.weights, job.spec)


if __name__ == "__main__":
    run(main)
