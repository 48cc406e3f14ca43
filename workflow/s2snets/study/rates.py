"""What this machine needs for an image: the price of a study before it is run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter

import torch
from torch import nn

from s2snets.config import Autoencoder, Classifier
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.frozen import FrozenClassifier, PixelClassifier
from s2snets.networks.segnet import SegNet, Tuned

STEPS, BATCH = 4, 8


@dataclass(frozen=True)
class Rates:
    """Seconds for an image."""

    pretrain: float
    train: dict[str, float]  # by classifier; of those that are trained
    finetune: dict[str, float]  # by classifier
    predict: dict[str, float]  # by classifier, without the autoencoder
    reconstruct: float


def seconds_of(step: Callable[[], object], device: torch.device) -> float:
    """Return the median seconds of a step, after one to warm up."""
    taken = []
    for _ in range(STEPS):
        start = perf_counter()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(perf_counter() - start)
    return median(taken[1:])


def descend(model: nn.Module, pixels: torch.Tensor) -> None:
    """Take the costly part of a step of training: forward and backward."""
    model.zero_grad(set_to_none=True)
    model(pixels).square().mean().backward()


def measure_rates(
    autoencoder: Autoencoder,
    classifiers: dict[str, Classifier],
    side: int,
    classes: int,
    device: torch.device,
) -> Rates:
    """Measure what each training and prediction of a study costs on this machine.

    Networks have random weights, which cost the same. One step has ``BATCH`` images.

    Args:
        autoencoder: SegNet's size.
        classifiers: by name.
        side: of the study's images, pixels.
        classes: number of logits.
        device: where the study will compute.

    Raises:
        UserError: no such architecture, or options that it refuses.
    """
    pixels = torch.rand(BATCH, 3, side, side, device=device)
    pixels = pixels.to(memory_format=torch.channels_last)
    segnet = SegNet(autoencoder.width, autoencoder.stages).to(device)

    def cost(step: Callable[[], object]) -> float:
        return seconds_of(step, device) / BATCH

    def without_gradients(network: nn.Module) -> float:
        with torch.inference_mode():
            return cost(partial(network, pixels))

    segnet.train()
    pretrain = cost(partial(descend, segnet, pixels))
    train, finetune, predict = {}, {}, {}
    for name, one in classifiers.items():
        spec = classifier_spec(one, classes, side)
        frozen = build_classifier(spec, FrozenClassifier).to(device)
        predict[name] = without_gradients(frozen.eval())
        tuned = nn.Sequential(Tuned(segnet, "decoder"), frozen).train()
        finetune[name] = cost(partial(descend, tuned, pixels))
        if one.is_trained:
            net = build_classifier(spec, PixelClassifier).to(device).train()
            train[name] = cost(partial(descend, net, pixels))
    return Rates(pretrain, train, finetune, predict, without_gradients(segnet.eval()))


def total(images: int, rates: Iterable[float]) -> float:
    """Return the seconds of a number of images at each of some rates."""
    return images * sum(rates)
