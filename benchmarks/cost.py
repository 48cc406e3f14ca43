"""The paper's study in GPU-hours: its arithmetic over measured or assumed rates.

    PYTHONPATH=workflow python benchmarks/cost.py

Counts the operations of every stage of `config/paper.yaml` and divides them by what
`training.py` last measured on a GPU; where it ran on a CPU, by an assumption that the
table states. Writes the tables of `docs/cost.md`.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
import yaml
from common import RESULTS, with_tables

from s2snets.config import Study, load
from s2snets.networks.cost import count_operations
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.segnet import SegNet, Tuned
from s2snets.runtime.files import replacing
from s2snets.training.objectives import classification, reconstruction

ROOT = Path(__file__).parents[1]
STUDY, DOC = ROOT / "config/paper.yaml", ROOT / "docs/cost.md"
TRAIN, VALIDATION, CLASSES = 1_281_167, 50_000, 1000  # ImageNet, ILSVRC 2012
# Operations per second that large matrix products may reach on a GPU such as the H100,
# and the share of them that a training is expected to reach.
ASSUMED = {"32-true": (50e12, 0.5), "bf16-mixed": (600e12, 0.5)}
PRECISIONS = {"32-true": "float32", "bf16-mixed": "bfloat16"}


class Stage(NamedTuple):
    """The work of one stage of a study, once for each seed."""

    name: str
    images: int  # through the network, forward and perhaps backward
    operations: int
    reduced: bool = True  # may have another precision than float32

    def hours(self, rates: dict[str, float], precision: str) -> float:
        """Return the GPU-hours at some operations per second by precision."""
        rate = rates[precision if self.reduced else "32-true"]
        return self.operations / rate / 3600


class Networks(NamedTuple):
    """A study's networks without weights, and their operations per image."""

    segnet: SegNet
    classifiers: dict[str, PixelClassifier]
    forward: int  # the autoencoder
    training: int  # a step of it
    classifying: int  # all classifiers


def read_table(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the benchmarks' results."""
    with (RESULTS / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def build_networks(study: Study) -> Networks:
    """Return the networks of a study, on the meta device."""
    side = study.image_size
    with torch.device("meta"):
        segnet = SegNet(study.autoencoder.width, study.autoencoder.stages)
        classifiers = {
            name: build_classifier(
                classifier_spec(
                    settings, CLASSES, side, published=settings.is_published
                )
            )
            for name, settings in study.classifiers.items()
        }
    return Networks(
        segnet,
        classifiers,
        count_operations(segnet, None, side),
        count_operations(segnet, reconstruction("normalised"), side),
        sum(count_operations(net, None, side) for net in classifiers.values()),
    )


def trainings(study: Study, networks: Networks) -> Iterator[Stage]:
    """Yield the trainings of classifiers and autoencoders."""
    for name, settings in study.classifiers.items():
        if settings.is_trained:
            net = networks.classifiers[name].net.requires_grad_(True)
            side = settings.crop or settings.resize or study.image_size
            step = count_operations(net, classification, side)
            net.requires_grad_(False)
            images = study.train.images
            yield Stage(f"classifier {name}, trained", images, images * step, False)
    for corpus in ("photos", "labelled"):
        training = getattr(study.pretrain, corpus)
        checks = -(-training.images // training.check_every)
        seen = 2 * study.pretrain.validation_images * checks  # of each corpus
        total = training.images * networks.training + seen * networks.forward
        yield Stage(f"pretraining, {corpus}", training.images + seen, total)
    images, count = study.finetune.images, len(networks.classifiers)
    images *= study.finetune.replicates
    for part in study.finetune.parts:
        tuned = Tuned(networks.segnet, part)
        step = count_operations(tuned, reconstruction("pixels"), study.image_size)
        # A frozen classifier passes gradients on, which costs as much as going forward.
        total = count * step + 2 * networks.classifying
        name = f"fine-tuning, {part}, {count} classifiers"
        yield Stage(name, images * count, images * total)


def depths(study: Study, networks: Networks) -> Iterator[Stage]:
    """Yield the trainings for layers, as if each went through the whole network."""
    if (depth := study.depth) is None:
        return
    tuned = Tuned(networks.segnet, "decoder")
    step = count_operations(tuned, reconstruction("pixels"), study.image_size)
    total, trainings = 0, 0
    for name in depth.classifiers:
        # The input's; and each layer's, with own and with random weights.
        times = (1 + 2 * depth.count(name)) * depth.replicates
        net = networks.classifiers[name]
        classified = 2 * count_operations(net, None, study.image_size)
        total += times * (step + classified)
        trainings += times
    name = f"signal by depth, {trainings} trainings (at most)"
    yield Stage(name, depth.images * trainings, depth.images * total)


def stages(study: Study) -> Iterator[Stage]:
    """Yield the stages that need a GPU, once for each seed."""
    networks = build_networks(study)
    yield from trainings(study, networks)
    yield from depths(study, networks)
    noisy = study.predict.noisy_images or VALIDATION
    noisy *= len(study.predict.noises) - 1
    images = VALIDATION + noisy
    count = len(networks.classifiers)
    repeats = len(study.finetune.parts) * study.finetune.replicates
    sources = 1 + repeats * count
    # All classifiers see the originals and A_S, and every A_i without noise.
    classified = VALIDATION * (1 + sources) + noisy * (2 + repeats)
    yield Stage(
        f"predictions, {1 + sources} sources × {count} classifiers",
        images * (1 + sources),
        images * sources * networks.forward + classified * networks.classifying,
        reduced=False,
    )
    if "autoencoder" in study.denoise.methods:
        images = study.denoise.training.images
        yield Stage("denoiser, trained", images, images * networks.training)
    images = (study.information.images or VALIDATION) * sources
    operations = images * networks.forward
    yield Stage("mutual information", images, operations, reduced=False)


def measured_rates(rows: list[dict[str, str]]) -> dict[str, float]:
    """Return the best operations per second of a pretraining, by precision."""
    return {
        precision: max(
            float(row["product_tflops"]) * float(row["share_of_product"]) * 1e12
            for row in rows
            if row["what"].startswith("pretraining") and precision in row["what"]
        )
        for precision in ASSUMED
    }


def rates() -> tuple[dict[str, float], str]:
    """Return operations per second by precision, and a sentence on their source."""
    rows = [row for row in read_table("training") if "s2snets, " in row["what"]]
    if rows[0]["device"].endswith("one core"):
        peaks = {precision: peak for precision, (peak, _) in ASSUMED.items()}
        share = ASSUMED["32-true"][1]
        return {
            precision: peak * part for precision, (peak, part) in ASSUMED.items()
        }, (
            f"**Assumed, not measured**: a GPU whose large matrix products reach"
            f" {in_words(peaks, ', ')}; every stage, {share:.0%} of that."
        )
    found = measured_rates(rows)
    text = in_words(found, " and ")
    return found, f"Measured on {rows[0]['device']}, pretraining: {text}."


def in_words(rates: dict[str, float], separator: str) -> str:
    """Return rates as text, such as ``50 Tflop/s in float32``."""
    return separator.join(
        f"{rate / 1e12:.0f} Tflop/s in {PRECISIONS[precision]}"
        for precision, rate in rates.items()
    )


def stage_table(found: list[Stage], by_precision: dict[str, float]) -> list[str]:
    """Return the lines of the table of stages."""
    heads = " | ".join(f"GPU-hours, {name}" for name in PRECISIONS.values())
    lines = [f"| stage | million images | 10¹⁸ operations | {heads} |"]
    lines += ["|---|--:|--:|--:|--:|"]
    totals = [0.0] * len(by_precision)
    for stage in found:
        hours = [stage.hours(by_precision, precision) for precision in by_precision]
        totals = [total + one for total, one in zip(totals, hours, strict=True)]
        lines += [
            f"| {stage.name} | {stage.images / 1e6:,.2f} |"
            f" {stage.operations / 1e18:,.2f} |"
            f" {' | '.join(f'{one:,.1f}' for one in hours)} |"
        ]
    cells = " | ".join(f"**{one:,.0f}**" for one in totals)
    return [*lines, f"| **all** | | | {cells} |"]


def tables() -> str:
    """Return the tables of `docs/cost.md` as Markdown."""
    found = list(stages(load(yaml.safe_load(STUDY.read_text()))))
    by_precision, source = rates()
    lines = [source, "", *stage_table(found, by_precision)]
    (pretraining,) = (stage for stage in found if stage.name == "pretraining, photos")
    per_core = {
        row["what"].partition(": ")[2]: float(row["images_a_second_median"])
        for row in read_table("loader")
        if row["what"].startswith("a process")
    }["s2snets"]
    lines += ["", "Pretraining on photographs then sees, with cores that read them:"]
    lines += ["", "| precision | images/s | cores |", "|---|--:|--:|"]
    for precision, name in PRECISIONS.items():
        needed = by_precision[precision] * pretraining.images / pretraining.operations
        lines += [f"| {name} | {needed:,.0f} | {needed / per_core:.1f} |"]
    lines += ["", "Measured, in steps of the trainings:"]
    lines += ["", "| step | device | images/s | times the plain loop | GB | share |"]
    lines += ["|---|---|--:|--:|--:|--:|"]
    lines += [
        f"| {row['what']} | {row['device']} | {row['images_a_second_median']} |"
        f" {row['ratio']} | {row['peak_gigabytes']} |"
        f" {float(row['share_of_product']):.0%} |"
        for row in read_table("training")
    ]
    return "\n".join(lines) + "\n"


def document(text: str) -> str:
    """Return a text with the tables between its two marks written anew."""
    return with_tables(text, tables())


def main() -> None:
    """Write and print the document."""
    text = document(DOC.read_text())
    with replacing(DOC) as draft:
        draft.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
