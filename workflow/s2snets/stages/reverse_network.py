"""Command line of rule ``reverse_network``: what one network's reversals show."""

from pathlib import Path

import numpy as np

from s2snets.config import Reference, Salient, Settings
from s2snets.data.examples import choose_examples, choose_large, class_names
from s2snets.data.imageset import READERS, ImageSet
from s2snets.data.order import sample
from s2snets.evaluation import to_uint8
from s2snets.networks.checkpoints import load_classifier
from s2snets.reversal.experiments import KEYS, exhibits, places, seen, selectivity
from s2snets.runtime.chunked_parquet import ChunkedParquet, remove_chunks
from s2snets.runtime.device import use_device
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing, sha256
from s2snets.runtime.fingerprint import fingerprint
from s2snets.runtime.progress import Progress
from s2snets.stages.base import SEED, THREADS, arguments, recorded, run

MODULE = "s2snets.stages.reverse_network"
SAMPLE = 0  # which images are measured: the same for every network and seed


class Job(Settings):
    image_size: int
    resize_mode: str
    salient: Salient
    layers: list[str] | None
    reference: Reference = "labels"


def gallery(classifier, shows, layers, seed):
    """The arrays of long form that the figures select from.

    Args:
        shows: set -> pixels (N, 3, H, W), numbers and names of N images, and what
            ``exhibits`` takes as ``dense``.

    Returns:
        Of each set ``pictures_SET`` uint8 (P, H, W, 3) and P texts each:
        ``image_SET``, ``name_SET``, and ``KEYS`` with the same ending.
    """
    arrays, report, done = {}, Progress(unit="pictures"), 0
    for kind, (pixels, numbers, titles, dense) in shows.items():
        pictures, columns = [], []
        for keys, shown in exhibits(classifier, pixels, numbers, layers, seed, dense):
            pictures.append(to_uint8(shown))
            report(done := done + len(numbers))
            columns += [
                (str(number), title, *keys)
                for number, title in zip(numbers, titles, strict=True)
            ]
        arrays[f"pictures_{kind}"] = np.concatenate(pictures)
        for name, texts in zip(
            ("image", "name", *KEYS), zip(*columns, strict=True), strict=True
        ):
            arrays[f"{name}_{kind}"] = np.array(texts)
    return arrays


def chunks(job, classifier, layers, images, numbers, missing):
    """Yield the selectivity of each missing batch of images.

    The image before a batch, of the last one for the first, comes first in it.
    """
    count = job.settings.salient.batch
    batches = -(-len(numbers) // count)
    report = Progress(len(numbers), count * (batches - len(missing)))
    for first in (number * count for number in missing):
        last = min(first + count, len(numbers))
        shown = [numbers[first - 1], *numbers[first:last]]
        pixels = images.batch(shown)[0].to(classifier.mean.device)
        rows = selectivity(classifier, pixels, shown, layers, job.seed)
        rows.insert(0, "seed", job.seed)
        rows.insert(1, "classifier", Path(job.classifier).parent.name)
        report(last)
        yield rows


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "photos", "classifier", "responses", "selectivity", "record"),
        model=Job,
        seed=SEED,
        threads=THREADS,
    ).parse_args(argv)
    chosen, (device, _) = job.settings, use_device(job.threads)
    salient, folder = chosen.salient, Path(job.classifier).parent
    with recorded(job.record, MODULE, chosen, job.seed):
        images = READERS[chosen.reference](
            job.images, chosen.image_size, chosen.resize_mode
        )
        classifier = load_classifier(folder, device, images.classes)
        numbers = sample(len(images), salient.measured, SAMPLE).tolist()
        if len(numbers) < 2:
            raise UserError("salient.measured: one image; the null needs two, raise it")
        first, _ = images.batch(numbers[:1])
        first = first.to(device)
        layers = places(classifier, first, chosen.layers)
        own = seen(classifier, first).shape[-1]
        side = salient.side or max(chosen.image_size, own)
        photos = ImageSet(job.photos, side, "crop")
        # First what takes seconds and refuses what cannot be reversed.
        shows = {}
        examples = choose_examples(images.labels, salient.examples)
        for kind, source, picked, dense in (
            ("validation", images, examples, False),
            ("photos", photos, choose_large(photos, salient.examples), own),
        ):
            pixels, _ = source.batch(picked)
            titles = [f"photo {place}" for place, _ in enumerate(picked, 1)]
            if kind == "validation":
                titles = class_names(source, picked)
            shows[kind] = pixels.to(device), picked, titles, dense
        arrays = gallery(classifier, shows, layers, job.seed)
        cache_key = {
            "settings": chosen.model_dump(mode="json"),
            "seed": job.seed,
            "images": images.fingerprint,
            "classifier": sha256(job.classifier),
            "code": fingerprint(MODULE),
        }
        starts = range(0, len(numbers), salient.batch)
        table = ChunkedParquet(job.selectivity, len(starts), cache_key)
        table.write(chunks(job, classifier, layers, images, numbers, table.missing))
        with replacing(job.responses) as draft:
            np.savez_compressed(draft, classifier=np.array(folder.name), **arrays)
    remove_chunks(job.selectivity)


if __name__ == "__main__":
    run(main)
