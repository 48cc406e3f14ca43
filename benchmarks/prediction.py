"""Evaluation through autoencoders by five classifiers, on one core of Linux.

    PYTHONPATH=workflow python benchmarks/prediction.py

The first table evaluates five sources at eleven strengths with five networks of fresh
weights, at the demo's scale (32 px) and the paper's (256 px; one image, one turn): with
a loop for each of the 25 pairs, with a loop for each source that keeps every row, and
as the project's stage, which writes them. The ways take turns, measured in the
process's own seconds, so that other load on the machine affects all; they must find the
same classes. An image counts once for each source and noise; the ratio, to the loops
for pairs, is the median over the turns. The second table splits one source's time.

The third table is of the rows of 50,000 images: writing one source's, reading seven
sources'. Each runs in a process of its own, whose peak memory is measured.
"""

import os
from collections import defaultdict
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from common import alone, highest, in_turn, ratio, record
from PIL import Image

from s2snets.config import Classifier, Predict
from s2snets.data.imageset import ImageSet
from s2snets.data.noise import add_noise, unit_noise
from s2snets.evaluation import (
    EvaluationBatches,
    combine_predictions,
    iterate_batches,
    prediction_tables,
    top_classes,
)
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.segnet import SegNet
from s2snets.runtime.chunked_parquet import ChunkedParquet
from s2snets.runtime.files import remove_chunks
from s2snets.runtime.tables import SCORED_COLUMNS, read_rows


class Scale(NamedTuple):
    side: int
    segnet: tuple[int, int]  # width, stages
    classifiers: dict[str, dict]
    images: int
    turns: int
    settings: Predict


DEMO = Scale(
    32,
    (16, 2),
    {
        "L": {"architecture": "lenet5"},
        "A": {"architecture": "small_alexnet"},
        "V": {"architecture": "small_vgg"},
        "I": {"architecture": "small_inception"},
        "R": {"architecture": "small_resnet"},
    },
    64,
    3,
    Predict(batch=64, clip=[True]),
)
PAPER = Scale(
    256,
    (64, 5),
    {
        "L": {"architecture": "lenet5", "crop": 224},
        "A": {"architecture": "torchvision/alexnet", "crop": 224},
        "V": {"architecture": "torchvision/vgg16_bn", "crop": 224},
        "I": {"architecture": "torchvision/inception_v3", "resize": 299},
        "R": {"architecture": "torchvision/resnet50", "crop": 224},
    },
    1,
    1,
    Predict(batch=1, clip=[True]),
)
SCALES = {"demo": DEMO, "paper": PAPER}
CLASSES, NOISES = 10, DEMO.settings.noises
CPU = torch.device("cpu")
TURNS = 3
TUNED = 5  # autoencoders, one a classifier
SOURCES, ROWS_OF, GROUP = 7, 50_000, 512


def study(folder, scale):
    """Return images, autoencoders and classifiers."""
    draw, folder = np.random.default_rng(0), folder / str(scale.side)
    folder.mkdir(exist_ok=True)
    for number in range(scale.images):
        pixels = draw.integers(0, 256, (scale.side, scale.side, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03d}.png")
    torch.manual_seed(0)
    autoencoders = [
        SegNet(*scale.segnet).eval().to(memory_format=torch.channels_last)
        for _ in range(TUNED)
    ]
    classifiers = {
        name: build_classifier(
            classifier_spec(Classifier(**one), CLASSES, scale.side)
        ).to(memory_format=torch.channels_last)
        for name, one in scale.classifiers.items()
    }
    return ImageSet(folder, scale.side), autoencoders, classifiers


def combined(parts, names):
    """Return predictions, each with its classifier's name first, as one table."""
    by_name = {}
    for name, *part in parts:
        by_name.setdefault(name, []).append(part)
    tables = [
        combine_predictions(own).assign(classifier=name)
        for name, own in by_name.items()
    ]
    return pd.concat(tables).astype({"classifier": pd.CategoricalDtype(sorted(names))})


@torch.inference_mode()
def loop(images, autoencoders, classifiers, settings):
    """Return the rows of a loop over sources that keeps every row."""
    numbers, found = np.arange(len(images)), []
    for source, autoencoder in enumerate(autoencoders):
        parts = []
        for first in range(0, len(images), settings.batch):
            chosen = numbers[first : first + settings.batch]
            clean, labels = images.batch(chosen)
            noise = unit_noise(chosen, 0, images.side)
            for kind, strength in settings.noises:
                pixels = add_noise(clean, noise, strength, kind == "clipped")
                seen = autoencoder(pixels.to(memory_format=torch.channels_last))
                for name, net in classifiers.items():
                    parts.append(
                        (name, kind, strength, chosen, labels, *top_classes(net(seen)))
                    )
        found.append(combined(parts, classifiers).assign(source=source))
    return pd.concat(found)


def pairs(images, autoencoders, classifiers, settings):
    """Return the rows of a loop for each pair of source and classifier."""
    rows = [
        loop(images, autoencoders, {key: net}, settings)
        for key, net in classifiers.items()
    ]
    return pd.concat(rows)


def stage(images, autoencoders, classifiers, settings):
    """Return the rows as the stage writes them, without its start and loading."""
    batches = EvaluationBatches(
        images, np.arange(len(images)), settings.batch, noisy=len(images)
    )
    paths = []
    for source, autoencoder in enumerate(autoencoders):
        paths.append(images.path.parent / f"rows-{source}.parquet")
        table = ChunkedParquet(paths[-1], len(batches.groups()), {})
        groups = iterate_batches(batches, table.missing, device=CPU)
        chunks = prediction_tables(groups, autoencoder, classifiers, settings)
        table.write(
            pd.concat(rows.assign(classifier=name) for name, rows in one.items())
            .astype({"classifier": pd.CategoricalDtype(sorted(classifiers))})
            .assign(source=source)
            for one in chunks
        )
        remove_chunks(paths[-1])
    return read_rows(paths)


def classes(rows):
    """Return the best class by source, image, classifier and noise."""
    keys = ["source", "image", "noise", "strength", "classifier"]
    return (
        rows.astype({"classifier": str, "noise": str})
        .set_index(keys)["class_1"]
        .sort_index()
    )


def timed(way, *given):
    """Return the seconds that a function takes, and its result."""
    start = process_time()
    rows = way(*given)
    return process_time() - start, rows


WAYS = {
    "a loop a pair": pairs,
    "a loop a source, rows kept": loop,
    "s2snets, rows written": stage,
}


def evaluate(folder):
    """Yield rows of images per second, and ratios to the loops for pairs."""
    for kind, scale in SCALES.items():
        given = *study(folder, scale), scale.settings
        ways = {name: partial(timed, way, *given) for name, way in WAYS.items()}
        found = in_turn(ways, scale.turns)
        first, *others = (classes(turns[-1][1]) for turns in found.values())
        assert all(first.equals(other) for other in others), "the classes differ"
        count = scale.images * TUNED * len(scale.settings.noises)
        taken = {name: [turn[0] for turn in turns] for name, turns in found.items()}
        for name, own in taken.items():
            times = ratio(taken["a loop a pair"], own)
            yield f"{kind}: {name}", f"{count / median(own):.3g}", f"{times:.2f}"


def shares(folder):
    """Yield rows of the milliseconds per image of each step of one source."""
    images, (autoencoder, *_), classifiers = study(folder, DEMO)
    taken = defaultdict(list)

    def step(name, function, *args):
        seconds, value = timed(function, *args)
        taken[name][-1] += seconds
        return value

    batches = EvaluationBatches(images, np.arange(len(images)), len(images))
    numbers = batches.image_numbers(0)
    steps = ["reading", "drawing noise", "adding noise", "autoencoder"]
    steps += [f"classifier {name}" for name in classifiers] + ["top 5", "writing"]
    with torch.inference_mode():
        for _ in range(TURNS):
            for name in steps:
                taken[name].append(0)
            parts = []
            pixels, labels, _ = step("reading", batches.__getitem__, 0)
            noise = step("drawing noise", unit_noise, numbers, 0, images.side)
            clean, noise = (
                one.contiguous(memory_format=torch.channels_last)
                for one in (pixels.float() / 255, noise)
            )
            for kind, strength in NOISES:
                clip = kind == "clipped"
                noisy = step("adding noise", add_noise, clean, noise, strength, clip)
                seen = step("autoencoder", autoencoder, noisy)
                for name, net in classifiers.items():
                    logits = step(f"classifier {name}", net, seen)
                    found = step("top 5", top_classes, logits)
                    parts.append((name, kind, strength, numbers, labels, *found))

            def write(parts=parts):
                rows = combined(parts, classifiers)
                ChunkedParquet(folder / "x.parquet", 1, {}).write([rows])
                remove_chunks(folder / "x.parquet")

            step("writing", write)
    medians = {name: median(values) for name, values in taken.items()}
    for name, seconds in medians.items():
        share = seconds / sum(medians.values())
        yield name, f"{seconds / len(images) * 1e3:.3g}", f"{share:.3f}"


def random_predictions(first):
    """Return a group's random predictions of networks with 1,000 classes."""
    draw = np.random.default_rng(first)
    numbers = np.arange(first, min(first + GROUP, ROWS_OF))
    labels = torch.from_numpy(draw.integers(0, 1000, len(numbers)))
    parts = []
    for noise in NOISES:
        for name in DEMO.classifiers:
            logits = torch.from_numpy(draw.random((len(numbers), 1000), np.float32))
            parts.append((name, *noise, numbers, labels, *top_classes(logits)))
    return parts


def rows_of(parts, source):
    return combined(parts, DEMO.classifiers).assign(seed=0, source=source)


def write_kept(folder):
    parts = [
        one for first in range(0, ROWS_OF, GROUP) for one in random_predictions(first)
    ]
    rows_of(parts, "kept").to_parquet(folder / "kept.parquet", index=False)


def write_streamed(folder):
    path, firsts = folder / "streamed.parquet", range(0, ROWS_OF, GROUP)
    table = ChunkedParquet(path, len(firsts), {})
    table.write(
        rows_of(random_predictions(firsts[n]), "streamed") for n in table.missing
    )
    remove_chunks(path)


def read_kept(folder):
    paths = [folder / "kept.parquet"] * SOURCES
    return pd.concat(map(pd.read_parquet, paths), ignore_index=True)


def read_streamed(folder):
    return read_rows([folder / "streamed.parquet"] * SOURCES, SCORED_COLUMNS)


def cost(function, folder):
    """Return the seconds of a call, and the process's peak memory in megabytes."""
    torch.set_num_threads(1)
    start = perf_counter()
    kept = function(folder)
    seconds = perf_counter() - start
    megabytes = highest() / 2**20
    del kept
    return seconds, megabytes


def rows(folder):
    """Yield rows of seconds and megabytes, each of a process of its own."""
    million = ROWS_OF * len(DEMO.classifiers) * len(NOISES) / 1e6
    for name, function in (
        (f"{million:.3g} M rows kept, then written", write_kept),
        (f"{million:.3g} M rows written by parts, s2snets", write_streamed),
        (f"{million * SOURCES:.3g} M rows read, pandas", read_kept),
        (f"{million * SOURCES:.3g} M rows read, s2snets", read_streamed),
    ):
        seconds, megabytes = alone(cost, function, folder)
        yield name, f"{seconds:.3g}", f"{megabytes:.0f}"


TABLES = {
    "prediction": (evaluate, ["what", "images_a_second_median", "ratio"]),
    "prediction-shares": (shares, ["what", "milliseconds_an_image", "share"]),
    "prediction-rows": (rows, ["what", "seconds", "peak_megabytes"]),
}


def main():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    for name, (measure, header) in TABLES.items():
        with TemporaryDirectory() as root:
            folder = Path(root) / "images"
            folder.mkdir()
            record(name, header, measure(folder))


if __name__ == "__main__":
    main()
