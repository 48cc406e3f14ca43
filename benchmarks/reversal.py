"""Reversed networks against captum, on one core of Linux.

    PYTHONPATH=workflow python benchmarks/reversal.py

VGG-16 and ResNet-50 with random weights at 224 pixels: captum's methods and the same
reversals here. First single images, in turn, in seconds of the processor, so that
other load on the machine affects both; both must give equal images. The ratio of
captum's time to ours is the median over turns. Then the peak of memory of a batch
beyond the network's, each in a process of its own. Last the batch's time per image,
and its ratio to that of single images.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

import torch
from captum.attr import Deconvolution, GuidedBackprop, Saliency
from common import alone, highest, in_turn, ratio, record
from torch import Tensor

from s2snets.networks.frozen import FrozenClassifier
from s2snets.networks.vision import torchvision
from s2snets.reversal.respond import respond

NETWORKS = ("vgg16", "resnet50")
METHODS = {
    "guided backpropagation": (GuidedBackprop, {}, "desalinet"),
    "deconvolution": (Deconvolution, {}, "deconvnet"),
    "saliency": (Saliency, {"abs": False}, "salinet"),
}
SIDE, BATCH, TURNS = 224, 4, 5
EQUAL = 1e-5  # of the greatest value

Way = Callable[[FrozenClassifier, Tensor, str], Tensor]


def network(name: str) -> FrozenClassifier:
    """Return a frozen network: nothing is kept for gradients of its weights."""
    torch.manual_seed(0)
    net = torchvision.models.get_model(name, weights=None)
    return FrozenClassifier(net, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def images(count: int) -> Tensor:
    """Return random images."""
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def theirs(net: FrozenClassifier, pixels: Tensor, method: str) -> Tensor:
    """Return captum's response to the most active neuron, as its users write it."""
    kind, more, _ = METHODS[method]
    with torch.no_grad():
        target = net(pixels).argmax(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = pixels.clone().requires_grad_()
        return kind(net).attribute(x, target, **more)


def known(net: FrozenClassifier, pixels: Tensor, method: str) -> Tensor:
    """Return captum's response to a given neuron: no forward pass to find it."""
    kind, more, _ = METHODS[method]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = pixels.clone().requires_grad_()
        return kind(net).attribute(x, 0, **more)


def ours(net: FrozenClassifier, pixels: Tensor, method: str) -> Tensor:
    """Return our response to the most active neuron."""
    return respond(net, pixels, METHODS[method][2])


def ours_known(net: FrozenClassifier, pixels: Tensor, method: str) -> Tensor:
    """Return our response to a given neuron."""
    return respond(net, pixels, METHODS[method][2], start=first)


def first(y: Tensor) -> Tensor:
    """Return 1 at class 0."""
    return torch.eye(1, y.shape[1]).expand_as(y)


def seconds(way: Way, net: FrozenClassifier, pixels: Tensor, method: str) -> float:
    """Return the processor's time per image."""
    start = process_time()
    way(net, pixels, method)
    return (process_time() - start) / len(pixels)


def peak(way: Way, name: str, method: str) -> float:
    """Return the megabytes that a batch adds to the peak after a single image."""
    torch.set_num_threads(1)
    net, pixels = network(name), images(BATCH)
    with torch.no_grad():
        net(pixels[:1])
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = highest()
    way(net, pixels, method)
    return (highest() - before) / 2**20


def rows() -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table."""
    for name in NETWORKS:
        net, one, many = network(name), images(1), images(BATCH)
        for method in METHODS:
            a, b = known(net, one, method), ours_known(net, one, method)
            # ours is the gradient of the network's input, theirs of the pixels
            difference = (a * net.std - b).abs().max() / b.abs().max()
            assert difference < EQUAL, f"{name}, {method}: {difference:.1g}"
            ways = {
                way.__name__: partial(seconds, way, net, one, method)
                for way in (known, ours_known, theirs, ours)
            }
            ways["batch"] = partial(seconds, ours, net, many, method)
            taken = in_turn(ways, TURNS)
            captum, s2snets = (alone(peak, way, name, method) for way in (known, ours))
            ratios = (
                ratio(taken[slow], taken[fast])
                for slow, fast in (
                    ("known", "ours_known"), ("theirs", "ours"), ("ours", "batch"),
                )
            )  # fmt: skip
            yield (
                name,
                method,
                *(f"{value:.3f}" for value in (*map(median, taken.values()), *ratios)),
                f"{captum / BATCH:.0f}",
                f"{s2snets / BATCH:.0f}",
            )


def main() -> None:
    """Measure, and write the table."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # Freed memory is returned at once, so that peaks are the same in every run.
    os.environ["MALLOC_MMAP_THRESHOLD_"] = str(2**16)
    torch.set_num_threads(1)
    header = [
        "network", "method",
        "captum_given_seconds", "s2snets_given_seconds",
        "captum_strongest_seconds", "s2snets_strongest_seconds",
        "s2snets_batch_seconds",
        "ratio_given", "ratio_strongest", "ratio_batch",
        "captum_megabytes", "s2snets_megabytes",
    ]  # fmt: skip
    record("reversal", header, rows())


if __name__ == "__main__":
    main()
