"""Command line of rule ``compare_with_paper``: tables -> what holds of the paper."""

from math import prod

from safetensors import SafetensorError, safe_open

from s2snets.claims.claims import compare, printed_tables, published
from s2snets.claims.evidence import PRINTED_THRESHOLDS, Tables, roles
from s2snets.config import Classifier, Information, Lattice, Reference, Settings
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_csv, write_csv
from s2snets.stages.base import arguments, run

TABLES = {
    "table1": ["classifier", "input", "images", "top1", "top5"],
    "table2": ["autoencoder"],
    "rrc": ["autoencoder", "classifier", "rrc"],
    "parts": ["part", "classifier", "top1"],
    "noise": ["input", "classifier", "strength", "top1"],
    "information": ["label", "measure", "bins", "images", "mean"],
    "curves": ["corpus", "images", "training", "validation_photos"],
    "lab": ["image", "label", "channel", "low", "high", "fraction"],
    "accuracy": ["label", "classifier", "strength", "top1"],
}
"""Table -> columns that must be there."""

PRINTED = ASSETS / "palacio2018"

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


class Job(Settings):
    image_size: int
    classifiers: dict[str, Classifier]
    information: Information
    lattice: Lattice
    reference: Reference = "labels"


def parameters(path):
    """Number of a network's parameters, from the head of its safetensors."""
    try:
        with safe_open(path, "numpy") as file:
            return sum(
                prod(file.get_slice(name).get_shape())
                for name in file.keys()  # noqa: SIM118 (no mapping)
                if not name.endswith(BUFFERS)
            )
    except FileNotFoundError:
        raise UserError(f"{path}: no such weights") from None
    except SafetensorError as error:
        raise UserError(
            f"{path}: damaged weights ({error}); delete and rerun"
        ) from None


def main(argv=None):
    job = arguments(
        __doc__,
        paths=(*TABLES, "comparison"),
        lists=("weights",),
        model=Job,
    ).parse_args(argv)
    chosen = job.settings
    found, absent = roles(
        {name: one.architecture for name, one in chosen.classifiers.items()}
    )
    sizes = zip(chosen.classifiers, map(parameters, job.weights), strict=True)
    thresholds = tuple(sorted(chosen.lattice.thresholds))
    tables = Tables(
        roles=found,
        absent=absent,
        sizes=dict(sizes),
        thresholds=thresholds if len(thresholds) == 4 else PRINTED_THRESHOLDS,
        bins=chosen.information.bins[0],
        labelled=chosen.reference == "labels",
        **{
            name: read_csv(getattr(job, name), columns)
            for name, columns in TABLES.items()
        },
    )
    printed = printed_tables(
        read_csv(PRINTED / "table1.csv", ["classifier", "input", "top1", "top5"]),
        read_csv(PRINTED / "table2.csv", ["autoencoder"]),
    )
    weights = {
        letter: chosen.classifiers[name].weights for letter, name in found.items()
    }
    comparable = published(weights, chosen.image_size)
    write_csv(compare(tables, printed, comparable), job.comparison)


if __name__ == "__main__":
    run(main)
