"""Pictures of a reversed network's responses (Mahendran & Vedaldi 2016, section 3)."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from s2snets.data.order import seeded_generator
from s2snets.evaluation import to_uint8
from s2snets.measure.contrast import power, remap
from s2snets.measure.phase import grey, recombined
from s2snets.networks.frozen import PixelClassifier
from s2snets.reversal import starts
from s2snets.reversal.experiments import (
    OTHER_LRN_RULE,
    compare_neurons,
    has_lrn,
    image_seeds,
    reverse_layer,
    spread_centre,
)
from s2snets.reversal.variants import ARCHITECTURES, VARIANTS, Reversal
from s2snets.runtime.progress import Progress

STREAM_AMPLITUDE, STREAM_WEIGHTS = 11, 12  # random streams
UNINFORMED = Reversal("identity", "centre", "identity")
WEIGHT_DEVIATION = 0.01  # of random weights: figure 5, by the published code
KEYS = ("panel", "architecture", "layer", "start")

Key = tuple[str, str, str, str]
"""A value for each of ``KEYS``."""


class ImageGroup(NamedTuple):
    """Images of one kind that the figures show."""

    pixels: Tensor  # (N, 3, H, W) in [0, 1]
    numbers: list[int]  # of the images in their set
    titles: list[str]
    dense: bool | int  # False for images of the network's own size, else that side


def network_view(
    classifier: PixelClassifier, pixels: Tensor, dense: bool | int = False
) -> Tensor:
    """Return the pixels that the network receives: resized and cropped unless dense."""
    if dense:
        return pixels
    prepared = classifier.prepare(pixels)
    return (prepared * classifier.std + classifier.mean).clamp(0, 1)


def to_pixels(response: Tensor) -> Tensor:
    """Return responses (N, 3, H, W) as pixels, the contrast remapped for each image."""
    return torch.from_numpy(remap(response.cpu().numpy()))


def response_pictures(
    classifier: PixelClassifier,
    group: ImageGroup,
    layers: Mapping[str, str],
    seed: int,
) -> Iterator[tuple[Key, Tensor]]:
    """Yield everything that the figures show of some images: keys and pixels.

    Args:
        classifier: the network.
        group: of images.
        layers: modules by title, shallowest first.
        seed: of random numbers, which depend on the images' numbers, too.
    """
    pixels, numbers, _, dense = group
    *_, last = list(layers)[:-1] or layers
    *_, deepest = layers
    yield ("original", "", "", ""), network_view(classifier, pixels, dense)
    for depth, (title, layer) in enumerate(layers.items(), 1):
        seeds = image_seeds(seed, numbers, depth)
        for name in ARCHITECTURES:
            y, reverse = reverse_layer(classifier, pixels, name, layer, dense)
            responses = compare_neurons(y, reverse, seeds, bool(dense))
            for start, response in responses.items():
                yield ("responses", name, title, start), to_pixels(response)
    for panel, name, rules, title in rule_comparisons(classifier, last, deepest):
        y, reverse = reverse_layer(classifier, pixels, rules, layers[title], dense)
        p = starts.channel(y) if dense else starts.strongest(y)
        yield (panel, name, title, "maximum"), to_pixels(reverse(p))
    for name, picture in support_pictures(
        classifier, pixels, layers[last], seed, dense
    ):
        yield ("support", name, last, "neuron"), picture
    seeds, layer = image_seeds(seed, numbers, len(layers)), layers[deepest]
    for name, levels in phase_pictures(classifier, pixels, layer, seeds, dense):
        picture = torch.from_numpy(levels)[:, None].expand(-1, 3, -1, -1)
        yield ("phase", name, deepest, "mixture"), picture


def rule_comparisons(
    classifier: PixelClassifier, last: str, deepest: str
) -> Iterator[tuple[str, str, Reversal, str]]:
    """Yield reversals that differ in one rule: panel, name, rules, title of the layer.

    The eight variants (figure 3), and both reversals of LRN (section 3.1).
    """
    for rules in VARIANTS:
        yield "variants", f"{rules.relu}-{rules.pool}", rules, last
    if has_lrn(classifier):
        for title in dict.fromkeys((last, deepest)):
            for name in ("deconvnet", "desalinet"):
                for lrn in OTHER_LRN_RULE:
                    rules = ARCHITECTURES[name]._replace(lrn=lrn)
                    yield "lrn", f"{name}-{lrn}", rules, title


def with_random_weights(classifier: PixelClassifier, seed: int) -> PixelClassifier:
    """Return a copy whose affine layers have weights N(0, 0.01²) and no bias."""
    random, randomised = (
        seeded_generator(seed, STREAM_WEIGHTS),
        copy.deepcopy(classifier),
    )
    for module in randomised.net.modules():
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            weight = random.standard_normal(module.weight.shape) * WEIGHT_DEVIATION
            module.weight.data.copy_(torch.from_numpy(weight))
            if module.bias is not None:
                module.bias.data.zero_()
    return randomised


def support_pictures(
    classifier: PixelClassifier,
    pixels: Tensor,
    layer: str,
    seed: int,
    dense: bool | int = False,
) -> Iterator[tuple[str, Tensor]]:
    """Yield what of a response is the neuron's finite support (figure 5), by name."""
    y, reverse = reverse_layer(classifier, pixels, "desalinet", layer, dense)
    neuron = starts.strongest_central(y)
    response = reverse(neuron)
    yield "desalinet", to_pixels(response)
    yield "power", to_pixels(torch.from_numpy(power(response.cpu().numpy())))
    randomised = with_random_weights(classifier, seed)
    for name, network in (("uninformed", classifier), ("random", randomised)):
        _, reverse = reverse_layer(network, pixels, UNINFORMED, layer, dense)
        yield name, to_pixels(reverse(neuron))


def phase_pictures(
    classifier: PixelClassifier,
    pixels: Tensor,
    layer: str,
    seeds: Sequence[int],
    dense: bool | int = False,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield grey images made of noise and a phase, or switches and masks (figure 7).

    They are names and levels, float64 (N, H, W).
    """
    levels = torch.from_numpy(grey(pixels.cpu().numpy())).to(pixels)
    given = levels[:, None].expand(-1, 3, -1, -1).contiguous()
    images = network_view(classifier, given, dense)[:, 0].cpu().double().numpy()
    noise = [
        seeded_generator(seed, STREAM_AMPLITUDE).standard_normal(images.shape[1:])
        for seed in seeds
    ]
    yield "original", images
    yield "inverse", recombined(images)
    yield "random", remap(recombined(images, np.abs(noise)))
    for name in ("desalinet", "deconvnet"):
        y, reverse = reverse_layer(classifier, given, name, layer, dense)
        p = spread_centre(y, starts.mixture(y, seeds))
        yield name, remap(reverse(p).cpu().numpy()).mean(1)


def gallery_arrays(
    classifier: PixelClassifier,
    groups: Mapping[str, ImageGroup],
    layers: Mapping[str, str],
    seed: int,
) -> dict[str, np.ndarray]:
    """Return the pictures of groups of images, by set, and their keys in long form.

    Returns:
        For each SET ``pictures_SET`` uint8 (P, H, W, 3) and texts (P,): ``image_SET``,
        ``name_SET``, and ``KEYS`` with the same ending.
    """
    arrays: dict[str, np.ndarray] = {}
    report, done = Progress(unit="pictures"), 0
    for kind, group in groups.items():
        images = list(zip(map(str, group.numbers), group.titles, strict=True))
        pictures, rows = [], []
        for key, pixels in response_pictures(classifier, group, layers, seed):
            pictures.append(to_uint8(pixels))
            rows += [(*image, *key) for image in images]
            done += len(images)
            report(done)
        arrays[f"pictures_{kind}"] = np.concatenate(pictures)
        columns = zip(*rows, strict=True)
        for name, texts in zip(("image", "name", *KEYS), columns, strict=True):
            arrays[f"{name}_{kind}"] = np.array(texts)
    return arrays
