"""Experiments on reversed networks (Mahendran & Vedaldi 2016, section 3).

Images of the network's own size are treated as in the paper: a response starts from the
central position of a layer. To images of any other size the network is applied densely,
and a response starts from every position at once, as in section 3.5. Random numbers
depend on (seed, image, layer) alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from s2snets.data.imageset import ImageSet
from s2snets.data.order import seeded_generator
from s2snets.measure.similarity import similarities
from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.layers import LOGITS, pooling_layers
from s2snets.reversal import starts
from s2snets.reversal.respond import Reverse, activation, is_blank, redraw
from s2snets.reversal.variants import ARCHITECTURES, Reversal
from s2snets.runtime.progress import Progress

STREAM_STARTS = 10  # random stream of the images' seeds
OTHER_LRN_RULE = {"identity": "backprop", "backprop": "identity"}


def start_layers(
    classifier: PixelClassifier, pixels: Tensor, names: Sequence[str] | None = None
) -> dict[str, str]:
    """Return the layers from which responses start, by title, shallowest first.

    They are the modules ``names``, or every max pooling and the logits. One image of
    pixels (N, 3, H, W) suffices.
    """
    if names is not None:
        return {name if name == LOGITS else f"layer {name}": name for name in names}
    *pools, logits = pooling_layers(classifier, pixels)
    return {f"pool {n}": pool for n, pool in enumerate(pools, 1)} | {logits: logits}


def reverse_layer(
    classifier: PixelClassifier,
    pixels: Tensor,
    reversal: str | Reversal,
    layer: str,
    dense: bool | int = False,
) -> tuple[Tensor, Reverse]:
    """Return a layer's output for a batch, and the function p -> responses."""
    x, y = activation(classifier, pixels, reversal, layer, dense)

    def reverse(p: Tensor) -> Tensor:
        return torch.autograd.grad(y, x, p, retain_graph=True)[0]

    return y.detach(), reverse


def spread_centre(y: Tensor, p: Tensor) -> Tensor:
    """Return a start's central values at every position of y (N, C, ...)."""
    values = starts.central_activations(p)
    return values.reshape(*values.shape, *(1,) * (y.ndim - 2)).expand_as(y)


def spread_neuron(y: Tensor, p: Tensor) -> Tensor:
    """Return 1 wherever the channel of p's neuron is positive; everywhere if nowhere.

    ``starts.channel`` does so for the strongest, which is positive where any is.
    """
    p = spread_centre(y, p)
    positive = p * (y > 0)
    return torch.where(is_blank(positive), p, positive)


def image_seeds(seed: int, numbers: Sequence[int], depth: int) -> list[int]:
    """Return a seed for each image at a depth of the network."""
    return [
        int(seeded_generator(seed, number, STREAM_STARTS, depth).integers(2**63))
        for number in numbers
    ]


def compare_neurons(
    y: Tensor, reverse: Reverse, seeds: Sequence[int], spread: bool = False
) -> dict[str, Tensor]:
    """Return responses of the same images to different neurons (figure 4), by start.

    The starts are the most active neuron, a random other one, and a positive random
    mixture of all: all at one position, so that they differ in the neuron alone; with
    ``spread`` at every position of a dense output y.
    """
    best = starts.channel if spread else starts.strongest_central
    mixture = starts.mixture(y, seeds)

    def reverse_neuron(p: Tensor) -> Tensor:
        return reverse(spread_neuron(y, p) if spread else p)

    return {
        "strongest": reverse(best(y)),
        "random": redraw(y, reverse_neuron, seeds),
        "mixture": reverse(spread_centre(y, mixture) if spread else mixture),
    }


def has_lrn(classifier: nn.Module) -> bool:
    """Return whether the network has local response normalisation."""
    return any(isinstance(m, nn.LocalResponseNorm) for m in classifier.modules())


def selectivity(
    classifier: PixelClassifier,
    pixels: Tensor,
    numbers: Sequence[int],
    layers: Mapping[str, str],
    seed: int,
) -> pd.DataFrame:
    """Measure how much of a response the neuron decides, and how much the image.

    Pairs of responses to one image are compared: for the most active neuron, a random
    one and a mixture at the central position; for the most active neuron with LRN
    reversed by either rule (``lrn``), if the network has any. The null (``image``)
    compares the response for the most active neuron with that for the same neuron on
    the bottleneck information of the image before.

    Pixels (N + 1, 3, H, W) in [0, 1] and ``numbers`` are those of the image before the
    first, and of N images; ``layers`` are modules by title, shallowest first.

    Returns:
        One row per image, layer, architecture and pair: image, depth, layer, module,
        architecture, pair, and the measures of ``similarity.similarities``.
    """
    tables = []
    for depth, (title, layer) in enumerate(layers.items(), 1):
        seeds = image_seeds(seed, numbers, depth)
        for name, reversal in ARCHITECTURES.items():
            pairs = response_pairs(classifier, pixels, reversal, layer, seeds)
            keys = {
                "image": np.asarray(numbers[1:], np.int32),
                "depth": depth,
                "layer": title,
                "module": layer,
                "architecture": name,
            }
            for pair, (first, second) in pairs.items():
                measures = similarities(first.cpu().numpy(), second.cpu().numpy())
                tables.append(pd.DataFrame(keys | {"pair": pair} | measures))
    return pd.concat(tables, ignore_index=True)


def response_pairs(
    classifier: PixelClassifier,
    pixels: Tensor,
    reversal: Reversal,
    layer: str,
    seeds: Sequence[int],
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return the pairs of responses that ``selectivity`` compares, by name."""
    y, reverse = reverse_layer(classifier, pixels, reversal, layer)
    responses = compare_neurons(y, reverse, seeds)
    neuron, response = starts.strongest_central(y), responses["strongest"][1:]
    pairs = {
        f"{first}-{second}": (responses[first][1:], responses[second][1:])
        for first, second in combinations(responses, 2)
    }
    pairs["image"] = response, reverse(neuron.roll(-1, 0))[:-1]
    if has_lrn(classifier):
        rules = reversal._replace(lrn=OTHER_LRN_RULE[reversal.lrn])
        _, reverse = reverse_layer(classifier, pixels, rules, layer)
        pairs["lrn"] = response, reverse(neuron)[1:]
    return pairs


def selectivity_tables(
    name: str,
    classifier: PixelClassifier,
    images: ImageSet,
    numbers: Sequence[int],
    layers: Mapping[str, str],
    batches: Sequence[int],
    batch: int,
    seed: int,
) -> Iterator[pd.DataFrame]:
    """Yield the ``selectivity`` of batches of images.

    The image before a batch, the last image for the first batch, serves as the null.
    ``name`` is the network's in the table, ``numbers`` are those of all measured
    images, ``batch`` of which are a batch, and ``batches`` the batches to measure.
    """
    done = len(range(0, len(numbers), batch)) - len(batches)
    report = Progress(len(numbers), batch * done)
    for first in (number * batch for number in batches):
        last = min(first + batch, len(numbers))
        measured = [numbers[first - 1], *numbers[first:last]]
        pixels = images.batch(measured)[0].to(classifier.mean.device)
        table = selectivity(classifier, pixels, measured, layers, seed)
        table.insert(0, "seed", seed)
        table.insert(1, "classifier", name)
        report(last)
        yield table
