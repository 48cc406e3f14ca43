"""Command line of rule ``measure_inverse``: errors of inverse networks (3.3)."""

from pathlib import Path

import pandas as pd
import torch

from s2snets.config import Settings
from s2snets.data.imageset import ImageSet
from s2snets.data.order import sample
from s2snets.evaluation import EvaluationBatches, iterate_batches
from s2snets.measure.inversion import ERRORS, errors
from s2snets.networks.checkpoints import load_classifier, load_weights
from s2snets.networks.inverse import INFORMED, Bottleneck, Mirror
from s2snets.runtime.chunked_parquet import ChunkedParquet, remove_chunks
from s2snets.runtime.device import use_device
from s2snets.runtime.files import sha256
from s2snets.runtime.fingerprint import fingerprint
from s2snets.stages.base import SEED, THREADS, arguments, recorded, run

MODULE = "s2snets.stages.measure_inverse"
SAMPLE = 0  # which images are measured: the same for every seed


class Job(Settings):
    image_size: int
    resize_mode: str
    layer: str | None  # inversion.layer
    batch: int
    images: int | None = None  # so many; all where it is left out


@torch.inference_mode()
def measured(batches, bottleneck, mirrors, seed):
    """Return the rows of one group of batches: seed, informed, image and errors."""
    rows = []
    for numbers, pixels, _, _ in batches:
        seen, code, taken = bottleneck(pixels)
        for informed, mirror in mirrors.items():
            found = dict(zip(ERRORS, errors(mirror(code, taken), seen), strict=True))
            found = {name: value.cpu().numpy() for name, value in found.items()}
            rows.append(pd.DataFrame({"informed": informed, "image": numbers, **found}))
    table = pd.concat(rows, ignore_index=True)
    table.insert(0, "seed", seed)
    return table


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "classifier", "errors", "record"),
        lists=("inverses",),
        model=Job,
        informed={
            "choices": INFORMED,
            "nargs": "+",
            "required": True,
            "help": "what each inverse is told",
        },
        seed=SEED,
        threads=THREADS,
    ).parse_args(argv)
    chosen, (device, workers) = job.settings, use_device(job.threads)
    with recorded(job.record, MODULE, chosen, job.seed):
        images = ImageSet(job.images, chosen.image_size, chosen.resize_mode)
        classifier = load_classifier(job.classifier.parent, device)
        bottleneck = Bottleneck(classifier, chosen.layer)
        mirrors = {
            informed: load_weights(Mirror(bottleneck.mirrored, informed), weights)
            .eval()
            .to(device, memory_format=torch.channels_last)
            for informed, weights in zip(job.informed, job.inverses, strict=True)
        }
        numbers = sample(len(images), chosen.images, SAMPLE)
        batches = EvaluationBatches(images, numbers, chosen.batch)
        cache_key = {
            "settings": chosen.model_dump(mode="json"),
            "seed": job.seed,
            "images": images.fingerprint,
            "classifier": [
                sha256(job.classifier),
                sha256(job.classifier.with_name("spec.json")),
            ],
            "inverses": {
                informed: sha256(Path(weights))
                for informed, weights in zip(job.informed, job.inverses, strict=True)
            },
            "code": fingerprint(MODULE),
        }

        table = ChunkedParquet(job.errors, len(batches.groups()), cache_key)
        groups = iterate_batches(batches, table.missing, device=device, workers=workers)
        table.write(measured(group, bottleneck, mirrors, job.seed) for group in groups)
    remove_chunks(job.errors)


if __name__ == "__main__":
    run(main)
