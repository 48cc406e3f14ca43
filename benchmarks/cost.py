"""The paper's study in GPU-hours: its arithmetic over measured or assumed rates.

    PYTHONPATH=workflow python benchmarks/cost.py

Counts the operations of every stage of `config/paper.yaml` and divides them by what
`training.py` last measured on a GPU; where it ran on a CPU, by an assumption that the
table states. Writes the tables of `docs/cost.md`.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import torch
import yaml
from common import RESULTS
from torch import nn

from s2snets.config import load
from s2snets.networks.build import build, spec_of
from s2snets.networks.cost import operations
from s2snets.networks.segnet import SegNet, Tuned
from s2snets.runtime.files import replacing
from s2snets.training.objectives import classification, reconstruction

ROOT = Path(__file__).parents[1]
STUDY, DOC = ROOT / "config/paper.yaml", ROOT / "docs/cost.md"
TRAIN, VALIDATION, CLASSES = 1_281_167, 50_000, 1000  # ImageNet, ILSVRC 2012
# Operations a second of a GPU such as the H100, as its large matrix products may reach
# them, and the share of it that a training is meant to reach.
ASSUMED = {"32-true": (50e12, 0.5), "bf16-mixed": (600e12, 0.5)}
PRECISIONS = {"32-true": "float32", "bf16-mixed": "bfloat16"}
START, END = "<!-- tables -->\n", "<!-- /tables -->"


class Stage(NamedTuple):
    name: str
    images: int  # through the network, forth and perhaps back
    operations: int
    trains: bool = True  # and so has a precision; others have float32

    def hours(self, rates, kind):
        return self.operations / rates[kind if self.trains else "32-true"] / 3600


def read(name):
    with (RESULTS / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def checks(training, validation):
    """Images that its checks look at: two validation sets each time."""
    return 2 * validation * -(-training.images // training.check_every)


def stages(study):
    """The stages that need a GPU, once for each seed."""
    side, clean = study.image_size, study.predict.strengths.count(0.0)
    with torch.device("meta"):  # networks without weights
        segnet = SegNet(study.autoencoder.width, study.autoencoder.stages)
        nets = {
            name: build(spec_of(one, CLASSES, side, published=one.named))
            for name, one in study.classifiers.items()
        }
    forward = operations(segnet, None, side)
    classified = [operations(net, None, side) for net in nets.values()]
    reconstructed = operations(segnet, reconstruction("normalised"), side)

    for name, one in study.classifiers.items():
        if one.trained:
            learning = nets[name].net.requires_grad_(True)
            net = nn.Sequential(learning)
            step = operations(net, classification, one.crop or one.resize or side)
            learning.requires_grad_(False)
            images = study.train.images
            yield Stage(f"classifier {name}, trained", images, images * step)
    for corpus in ("photos", "labelled"):
        training = getattr(study.pretrain, corpus)
        seen = checks(training, study.pretrain.validation_images)
        total = training.images * reconstructed + seen * forward
        yield Stage(f"pretraining, {corpus}", training.images + seen, total)
    images = study.finetune.images
    for part in study.finetune.parts:
        step = operations(Tuned(segnet, part), reconstruction("pixels"), side)
        # A frozen classifier passes gradients on, each at the price of going forward.
        total = len(nets) * step + 2 * sum(classified)
        name = f"fine-tuning, {part}, {len(nets)} classifiers"
        yield Stage(name, images * len(nets), images * total)
    noisy = study.predict.noisy_images or VALIDATION
    shown = VALIDATION * clean + noisy * (len(study.predict.strengths) - clean)
    sources = 1 + len(study.finetune.parts) * len(nets)
    yield Stage(
        f"predictions, {1 + sources} sources × {len(nets)} classifiers",
        shown * (1 + sources),
        shown * (sources * forward + (1 + sources) * sum(classified)),
        trains=False,
    )
    if "autoencoder" in study.denoise.methods:
        training = study.denoise.training
        images = training.images
        yield Stage("denoiser, trained", images, images * reconstructed)
    images = study.information.images or VALIDATION
    seen = images * sources
    yield Stage("mutual information", seen, seen * forward, trains=False)


def rates():
    """Operations a second by precision, and a sentence on where they come from."""
    rows = [row for row in read("training") if "s2snets, " in row["what"]]
    if rows[0]["device"].endswith("one core"):
        text = ", ".join(
            f"{peak / 1e12:.0f} Tflop/s in {PRECISIONS[kind]}"
            for kind, (peak, _) in ASSUMED.items()
        )
        share = ASSUMED["32-true"][1]
        return {kind: peak * part for kind, (peak, part) in ASSUMED.items()}, (
            f"**Assumed, not measured**: a GPU whose large matrix products reach"
            f" {text}; every stage, {share:.0%} of that."
        )
    found = {}
    for kind in ASSUMED:
        best = [
            float(row["product_tflops"]) * float(row["share_of_product"]) * 1e12
            for row in rows
            if row["what"].startswith("pretraining") and kind in row["what"]
        ]
        found[kind] = max(best)
    text = " and ".join(
        f"{rate / 1e12:.0f} Tflop/s in {PRECISIONS[kind]}"
        for kind, rate in found.items()
    )
    return found, f"Measured on {rows[0]['device']}, pretraining: {text}."


def tables():
    """What `docs/cost.md` carries, as Markdown."""
    found = list(stages(load(yaml.safe_load(STUDY.read_text()))))
    by_kind, source = rates()
    heads = " | ".join(f"GPU-hours, {name}" for name in PRECISIONS.values())
    lines = [source, "", f"| stage | million images | 10¹⁸ operations | {heads} |"]
    lines += ["|---|--:|--:|--:|--:|"]
    totals = [0.0] * len(by_kind)
    for stage in found:
        hours = [stage.hours(by_kind, kind) for kind in by_kind]
        totals = [total + one for total, one in zip(totals, hours, strict=True)]
        lines += [
            f"| {stage.name} | {stage.images / 1e6:,.2f} |"
            f" {stage.operations / 1e18:,.2f} |"
            f" {' | '.join(f'{one:,.1f}' for one in hours)} |"
        ]
    lines += [f"| **all** | | | {' | '.join(f'**{one:,.0f}**' for one in totals)} |"]
    (pretraining,) = (one for one in found if one.name == "pretraining, photos")
    ready = {
        row["what"].partition(": ")[2]: float(row["images_a_second_median"])
        for row in read("loader")
        if row["what"].startswith("a process")
    }["s2snets"]
    lines += ["", "Pretraining on photographs then sees, with cores that read them:"]
    lines += ["", "| precision | images/s | cores |", "|---|--:|--:|"]
    for kind, name in PRECISIONS.items():
        needed = by_kind[kind] * pretraining.images / pretraining.operations
        lines += [f"| {name} | {needed:,.0f} | {needed / ready:.1f} |"]
    lines += ["", "Measured, in steps of the trainings:"]
    lines += ["", "| step | device | images/s | times the plain loop | GB | share |"]
    lines += ["|---|---|--:|--:|--:|--:|"]
    lines += [
        f"| {row['what']} | {row['device']} | {row['images_a_second_median']} |"
        f" {row['ratio']} | {row['peak_gigabytes']} |"
        f" {float(row['share_of_product']):.0%} |"
        for row in read("training")
    ]
    return "\n".join(lines) + "\n"


def document(text):
    """A text with the tables between its two marks made anew."""
    head, _, rest = text.partition(START)
    return head + START + "\n" + tables() + "\n" + END + rest.partition(END)[2]


def main():
    text = document(DOC.read_text())
    with replacing(DOC) as draft:
        draft.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
