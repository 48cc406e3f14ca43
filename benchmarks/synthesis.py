"""Preferred images of many targets at once, against one after the other, on one core.

    PYTHONPATH=workflow python benchmarks/synthesis.py

The demo's networks at 32 px with ten classes, and VGG-16 at 224 px with four; weights
are random, which changes no time. Targets are sought as one group and as groups of one,
in both modes; and without a generator, by as many steps of Adam on the pixels of the
same targets. One start is drawn, so that all ways do the same work. They are measured
in turn, in seconds of the processor, so that other load on the machine affects all;
the ratio to "one by one" is the median over turns. Targets a minute are for the
settings' steps: the demo's, and at 224 px the published ones.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import process_time
from typing import NamedTuple

import torch
from common import in_turn, processor, ratio, record

from s2snets.config import Ascent, Classifier, PretrainedAscent
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.generator import Generator
from s2snets.synthesis import ascent
from s2snets.synthesis.targets import Target, activations, channel_outputs


class Scale(NamedTuple):
    """A network, its images and targets, and what is measured."""

    architecture: str
    side: int
    classes: int
    targets: int
    steps: int  # that are timed
    turns: int
    settings: dict[str, int]  # steps of a whole search, by mode


DEMO = {"scratch": 120, "pretrained": 120}
PUBLISHED = {"scratch": Ascent().steps, "pretrained": PretrainedAscent().steps}
SCALES = {
    "A": Scale("small_alexnet", 32, 10, 10, 30, 3, DEMO),
    "V": Scale("small_vgg", 32, 10, 10, 30, 3, DEMO),
    "VGG-16": Scale("torchvision/vgg16", 224, 1000, 4, 4, 1, PUBLISHED),
}
MODES = {"scratch": Ascent, "pretrained": PretrainedAscent}


def at_once(
    classifier: PixelClassifier,
    targets: list[Target],
    generator: Generator,
    settings: Ascent,
) -> None:
    """Seek all targets as one group."""
    ascent.ascend(classifier, targets, generator, settings)


def one_by_one(
    classifier: PixelClassifier,
    targets: list[Target],
    generator: Generator,
    settings: Ascent,
) -> None:
    """Seek each target alone."""
    for target in targets:
        ascent.ascend(classifier, [target], generator, settings)


def pixels(
    classifier: PixelClassifier,
    targets: list[Target],
    generator: Generator,
    settings: Ascent,
) -> None:
    """Minimise the same loss without the regulariser over the pixels themselves."""
    side = generator.size
    logits = (0.1 * torch.randn(len(targets), 3, side, side)).requires_grad_()
    optimiser = torch.optim.Adam([logits], 0.05)
    for _ in range(settings.steps):
        active, values = activations(channel_outputs(classifier, logits.sigmoid()))
        members = ascent.membership(targets, active.shape[1], active)
        rivals = settings.penalty * ((1 - members) * active).sum()
        loss = rivals - (members * torch.where(active > 0, active, values)).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


WAYS = {"one by one": one_by_one, "at once": at_once, "pixels, at once": pixels}


def seconds(function: Callable[..., object], *arguments: object) -> float:
    """Return the processor's time that a call takes."""
    start = process_time()
    function(*arguments)
    return process_time() - start


def rows() -> Iterator[tuple[object, ...]]:
    """Yield the rows of the table."""
    device = f"{processor()}, one core"
    for network, scale in SCALES.items():
        architecture = Classifier(architecture=scale.architecture)
        spec = classifier_spec(architecture, scale.classes, scale.side)
        classifier = build_classifier(spec)
        targets = [
            Target(str(number), "class", "logits", (number,))
            for number in range(scale.targets)
        ]
        for mode, kind in MODES.items():
            generator = Generator(scale.side, pretrained=mode == "pretrained")
            subject = classifier, targets, generator
            for way in WAYS.values():  # the first use of a shape costs more
                way(classifier, targets[:1], generator, kind(steps=1))
            settings = kind(steps=scale.steps)
            ways = {
                name: partial(seconds, way, *subject, settings)
                for name, way in WAYS.items()
            }
            measured = in_turn(ways, scale.turns)
            for name, taken in measured.items():
                rate = scale.targets * scale.steps / median(taken)
                yield (
                    f"{network}, {scale.side} px, {mode}: {name}",
                    device,
                    scale.targets,
                    f"{rate:.3g}",
                    f"{60 * rate / scale.settings[mode]:.3g}",
                    f"{ratio(measured['one by one'], taken):.2f}",
                )


def main() -> None:
    """Measure, and write the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ascent.MAX_DRAWS = 1
    header = ["what", "device", "targets", "steps_a_second_median"]
    header += ["targets_a_minute", "ratio"]
    record("synthesis", header, rows())


if __name__ == "__main__":
    main()
