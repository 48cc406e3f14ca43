"""Preferred images of many targets at once, against one after the other, on one core.

    PYTHONPATH=workflow python benchmarks/synthesis.py

The demo's networks at 32 px, ten classes, and VGG-16 at 224 px, four; fresh weights,
which change no time. Each as one group of targets and as groups of one, in both modes;
and as one would without a generator, climbing the pixels of the same targets by as many
steps of Adam. A start is drawn once, so that all do the same work. All in turn, in the
processor's seconds, so that whatever else the machine does falls on all; the ratio, to
one after the other, is the median of the turns'. Targets a minute are those of the
settings' steps: the demo's, and at 224 px the published ones.
"""

import os
from functools import partial
from statistics import median
from time import process_time
from typing import NamedTuple

import torch
from common import in_turn, processor, ratio, record

from s2snets.config import Ascent, Classifier, PretrainedAscent
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.generator import Generator
from s2snets.synthesis import ascent
from s2snets.synthesis.targets import Target, activations, channel_outputs


class Scale(NamedTuple):
    architecture: str
    side: int
    classes: int
    targets: int
    steps: int  # that are timed
    turns: int
    settings: dict[str, int]  # a mode -> the steps of a whole search


DEMO = {"scratch": 120, "pretrained": 120}
PUBLISHED = {"scratch": Ascent().steps, "pretrained": PretrainedAscent().steps}
SCALES = {
    "A": Scale("small_alexnet", 32, 10, 10, 30, 3, DEMO),
    "V": Scale("small_vgg", 32, 10, 10, 30, 3, DEMO),
    "VGG-16": Scale("torchvision/vgg16", 224, 1000, 4, 4, 1, PUBLISHED),
}
MODES = {"scratch": Ascent, "pretrained": PretrainedAscent}


def at_once(classifier, targets, generator, settings):
    ascent.ascend(classifier, targets, generator, settings)


def one_by_one(classifier, targets, generator, settings):
    for target in targets:
        ascent.ascend(classifier, [target], generator, settings)


def pixels(classifier, targets, generator, settings):
    """The same loss, save the regulariser, as a function of the pixels themselves."""
    side = generator.size
    sought = (0.1 * torch.randn(len(targets), 3, side, side)).requires_grad_()
    descent = torch.optim.Adam([sought], 0.05)
    for _ in range(settings.steps):
        found, values = activations(channel_outputs(classifier, sought.sigmoid()))
        members = ascent.membership(targets, found.shape[1], found)
        rivals = settings.penalty * ((1 - members) * found).sum()
        loss = rivals - (members * torch.where(found > 0, found, values)).sum()
        descent.zero_grad()
        loss.backward()
        descent.step()


WAYS = {"one by one": one_by_one, "at once": at_once, "pixels, at once": pixels}


def seconds(function, *given):
    begun = process_time()
    function(*given)
    return process_time() - begun


def rows():
    device = f"{processor()}, one core"
    for network, scale in SCALES.items():
        architecture = Classifier(architecture=scale.architecture)
        classifier = build_classifier(classifier_spec(architecture, scale.classes, scale.side))
        targets = [
            Target(str(unit), "class", "logits", (unit,))
            for unit in range(scale.targets)
        ]
        for mode, kind in MODES.items():
            generator = Generator(scale.side, pretrained=mode == "pretrained")
            given = classifier, targets, generator
            for way in WAYS.values():  # the first use of a shape costs more
                way(classifier, targets[:1], generator, kind(steps=1))
            settings = kind(steps=scale.steps)
            ways = {
                name: partial(seconds, way, *given, settings)
                for name, way in WAYS.items()
            }
            found = in_turn(ways, scale.turns)
            for way, taken in found.items():
                rate = scale.targets * scale.steps / median(taken)
                yield (
                    f"{network}, {scale.side} px, {mode}: {way}",
                    device,
                    scale.targets,
                    f"{rate:.3g}",
                    f"{60 * rate / scale.settings[mode]:.3g}",
                    f"{ratio(found['one by one'], taken):.2f}",
                )


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ascent.MAX_DRAWS = 1
    header = ["what", "device", "targets", "steps_a_second_median"]
    header += ["targets_a_minute", "ratio"]
    record("synthesis", header, rows())


if __name__ == "__main__":
    main()
