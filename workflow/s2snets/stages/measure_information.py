"""Command line of rule ``measure_information``: nMI of one source (section 3.5)."""

from pathlib import Path

import numpy as np
import pandas as pd

from s2snets.config import Autoencoder, Information, Settings
from s2snets.data.imageset import ImageSet
from s2snets.data.order import sample
from s2snets.evaluation import (
    EvaluationBatches,
    identity,
    iterate_batches,
    reconstructions,
)
from s2snets.measure.information import nmi, shuffled
from s2snets.networks.checkpoints import load_autoencoder
from s2snets.runtime.chunked_parquet import ChunkedParquet, remove_chunks
from s2snets.runtime.device import use_device
from s2snets.runtime.files import sha256
from s2snets.runtime.fingerprint import fingerprint
from s2snets.stages.base import SEED, THREADS, arguments, recorded, run

MODULE = "s2snets.stages.measure_information"
SAMPLE = 0  # which images are measured: the same for every source and seed
BATCH = 64  # even, so that a pair never straddles two batches


class Job(Settings):
    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    information: Information


def rows(numbers, originals, reconstructions, settings):
    """Per-image and per-pair nMI of one batch, whose neighbours are the pairs."""
    count = len(numbers) // 2 * 2
    null = shuffled(reconstructions, [(SAMPLE, int(number)) for number in numbers])
    compared = {
        "intra": (originals, reconstructions, numbers, np.full(len(numbers), -1)),
        "inter": (
            reconstructions[0:count:2],
            reconstructions[1:count:2],
            numbers[0:count:2],
            numbers[1:count:2],
        ),
        "null": (originals, null, numbers, np.full(len(numbers), -1)),
    }
    for bins in settings.bins:
        for measure, (first, second, image, other) in compared.items():
            if len(image) == 0:
                continue
            value = nmi(
                first,
                second,
                bins=bins,
                channels=settings.channels,
                average_method=settings.average_method,
            )
            yield pd.DataFrame({
                "image": image,
                "other": other,
                "measure": measure,
                "bins": bins,
                "nmi": value,
            })  # fmt: skip


def chunks(groups, autoencoder, job):
    """Yield the table of each group of batches."""
    for group in groups:
        tables = [
            part
            for batch in reconstructions(group, autoencoder)
            for part in rows(*batch, job.settings.information)
        ]
        table = pd.concat(tables, ignore_index=True)
        table.insert(0, "seed", job.seed)
        table.insert(1, "source", job.source)
        yield table


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "information", "record"),
        model=Job,
        autoencoder={
            "type": Path,
            "nargs": "?",
            "help": "weights; none: the original images",
        },
        source={"required": True, "help": "the source's name in the table"},
        seed=SEED,
        threads=THREADS,
    ).parse_args(argv)
    chosen, (device, workers) = job.settings, use_device(job.threads)
    with recorded(job.record, MODULE, chosen, job.seed):
        images = ImageSet(job.images, chosen.image_size, chosen.resize_mode)
        numbers = sample(len(images), chosen.information.images, SAMPLE)
        autoencoder = identity
        if job.autoencoder is not None:
            autoencoder = load_autoencoder(job.autoencoder, chosen.autoencoder, device)
        batches = EvaluationBatches(images, numbers, BATCH)
        cache_key = {
            "settings": chosen.model_dump(mode="json"),
            "seed": job.seed,
            "source": job.source,
            "images": images.fingerprint,
            "autoencoder": job.autoencoder and sha256(job.autoencoder),
            "code": fingerprint(MODULE),
        }

        table = ChunkedParquet(job.information, len(batches.groups()), cache_key)
        groups = iterate_batches(batches, table.missing, device=device, workers=workers)
        table.write(chunks(groups, autoencoder, job))
    remove_chunks(job.information)


if __name__ == "__main__":
    run(main)
