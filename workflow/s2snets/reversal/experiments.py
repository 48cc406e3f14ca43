"""What reversed networks are asked (Mahendran & Vedaldi 2016, section 3).

A network sees an image of its own size as in the paper, and a response starts from
the central position of a layer. A photograph of any size it sees wherever it fits, and
a response starts from every position at once, as in section 3.5. What is drawn depends
on (seed, image, layer) alone.
"""

import copy
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from torch import nn

from s2snets.data.order import generator
from s2snets.measure.contrast import power, remap
from s2snets.measure.phase import grey, recombined
from s2snets.measure.similarity import similarities
from s2snets.networks.layers import LOGITS, depths
from s2snets.reversal import starts
from s2snets.reversal.respond import activation, blank, redraw
from s2snets.reversal.variants import ARCHITECTURES, VARIANTS, Reversal

START, AMPLITUDE, WEIGHTS = range(10, 13)  # streams of random numbers
UNINFORMED = Reversal("identity", "centre", "identity")
DEVIATION = 0.01  # of random weights: figure 5, by the published code
LRN = {"identity": "backprop", "backprop": "identity"}  # a rule -> the other
KEYS = ("panel", "architecture", "layer", "start")


def places(classifier, pixels, chosen=None):
    """Where responses start, from the shallowest on: title -> module.

    Args:
        chosen: names of modules; None: every max pooling and the logits.
    """
    if chosen is not None:
        return {one if one == LOGITS else f"layer {one}": one for one in chosen}
    *pools, logits = depths(classifier, pixels)
    return {f"pool {n}": pool for n, pool in enumerate(pools, 1)} | {logits: logits}


def reversing(classifier, pixels, reversal, layer, dense=False):
    """A layer's output for a batch, and the function p -> response (N, 3, H, W)."""
    x, y = activation(classifier, pixels, reversal, layer=layer, dense=dense)

    def reverse(p):
        return torch.autograd.grad(y, x, p, retain_graph=True)[0]

    return y.detach(), reverse


def seen(classifier, pixels, dense=False):
    """The pixels that the network sees, resized and cropped by it unless ``dense``."""
    if dense:
        return pixels
    prepared = classifier.prepare(pixels)
    return (prepared * classifier.std + classifier.mean).clamp(0, 1)


def everywhere(y, p):
    """A start's central values at every position: (N, C, ...) -> the same."""
    values = starts.at_centre(p)
    return values.reshape(*values.shape, *(1,) * (y.ndim - 2)).expand_as(y)


def one_channel(y, p, spread):
    """A start of one neuron; if spread, wherever its channel is positive, or all over.

    As ``starts.channel`` spreads the strongest, which is positive where any is.
    """
    if not spread:
        return p
    p = everywhere(y, p)
    positive = p * (y > 0)
    return torch.where(blank(positive), p, positive)


def addresses(seed, numbers, depth):
    """A seed for every image at a depth of the network."""
    return [int(generator(seed, n, START, depth).integers(2**63)) for n in numbers]


def responses(y, reverse, seeds, spread=False):
    """Figure 4: start -> response, bottleneck information fixed.

    The most active neuron; another at random; a positive random mixture of all: all at
    one position, so that they differ in the neuron alone.

    Args:
        seeds: one an image.
        spread: start from every position of a dense output.
    """
    best = starts.channel if spread else starts.strongest_central
    mixture = starts.mixture(y, seeds)
    others = starts.at_centre(y).shape[1] - 1  # neurons but the most active
    return {
        "strongest": reverse(best(y)),
        "random": redraw(
            y, lambda p: reverse(one_channel(y, p, spread)), seeds, others
        ),
        "mixture": reverse(everywhere(y, mixture) if spread else mixture),
    }


def normalises(classifier):
    """Whether the network has local response normalisation."""
    return any(isinstance(one, nn.LocalResponseNorm) for one in classifier.modules())


def selectivity(classifier, pixels, numbers, layers, seed):
    """How much of a response the neuron decides, and how much the image.

    Pairs of responses to one image: for the most active, a random neuron and a mixture
    at the central position; for the most active alone with LRN reversed by BP and by
    the identity (``lrn``), where the network has any. And their converse, the null
    (``image``): the response for the most active neuron and that for the very same
    neuron on the bottleneck information of the image before.

    Args:
        pixels: (N + 1, 3, H, W) in [0, 1]: of N images, and the one before the first.
        numbers: theirs, N + 1.
        layers: title -> module.

    Returns:
        DataFrame: image, depth, layer, module, architecture, pair, and the measures of
        ``similarity.similarities``; a row an image, layer, architecture and pair.
    """
    tables = []
    for depth, (title, layer) in enumerate(layers.items(), 1):
        seeds = addresses(seed, numbers, depth)
        for name, reversal in ARCHITECTURES.items():
            y, reverse = reversing(classifier, pixels, reversal, layer)
            found = responses(y, reverse, seeds)
            best, own = starts.strongest_central(y), found["strongest"][1:]
            pairs = {
                f"{one}-{other}": (found[one][1:], found[other][1:])
                for one, other in combinations(found, 2)
            }
            pairs["image"] = own, reverse(best.roll(-1, 0))[:-1]
            if normalises(classifier):
                rules = reversal._replace(lrn=LRN[reversal.lrn])
                _, reverse = reversing(classifier, pixels, rules, layer)
                pairs["lrn"] = own, reverse(best)[1:]
            keys = {
                "image": np.asarray(numbers[1:], np.int32),
                "depth": depth,
                "layer": title,
                "module": layer,
                "architecture": name,
            }
            for pair, both in pairs.items():
                measured = similarities(*(one.cpu().numpy() for one in both))
                tables.append(pd.DataFrame(keys | {"pair": pair} | measured))
    return pd.concat(tables, ignore_index=True)


def randomised(classifier, seed):
    """A copy whose convolutions and linear layers have weights N(0, 0.01²), no bias."""
    draw, strange = generator(seed, WEIGHTS), copy.deepcopy(classifier)
    for module in strange.net.modules():
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            weight = draw.standard_normal(module.weight.shape) * DEVIATION
            module.weight.data.copy_(torch.from_numpy(weight))
            if module.bias is not None:
                module.bias.data.zero_()
    return strange


def shown(response):
    """Responses (N, 3, H, W), a tensor, as pixels: contrast remapped image by image."""
    return torch.from_numpy(remap(response.cpu().numpy()))


def exhibits(classifier, pixels, numbers, layers, seed, dense=False):
    """Everything that the figures show of some images.

    Args:
        pixels: (N, 3, H, W) in [0, 1].
        numbers: the images', for what is drawn at random.
        layers: title -> module.
        dense: the network's own side, for images of any size from there on, which it
            sees wherever it fits; False: of its own size.

    Yields:
        What it is, a value for each of ``KEYS``, and pixels (N, 3, H, W).
    """
    *_, last = list(layers)[:-1] or layers
    *_, deepest = layers
    yield ("original", "", "", ""), seen(classifier, pixels, dense)
    for depth, (title, layer) in enumerate(layers.items(), 1):
        seeds = addresses(seed, numbers, depth)
        for name in ARCHITECTURES:
            y, reverse = reversing(classifier, pixels, name, layer, dense)
            for start, response in responses(y, reverse, seeds, bool(dense)).items():
                yield ("responses", name, title, start), shown(response)
    for panel, name, rules, title in comparisons(classifier, last, deepest):
        y, reverse = reversing(classifier, pixels, rules, layers[title], dense)
        p = starts.channel(y) if dense else starts.strongest(y)
        yield (panel, name, title, "maximum"), shown(reverse(p))
    for name, picture in support(classifier, pixels, layers[last], seed, dense):
        yield ("support", name, last, "neuron"), picture
    seeds, layer = addresses(seed, numbers, len(layers)), layers[deepest]
    for name, levels in phase(classifier, pixels, layer, seeds, dense):
        picture = torch.from_numpy(levels)[:, None].expand(-1, 3, -1, -1)
        yield ("phase", name, deepest, "mixture"), picture


def comparisons(classifier, last, deepest):
    """Reversals that differ in one rule: panel, name, reversal, title of the layer.

    The eight variants (figure 3), and both reversals of LRN (section 3.1).
    """
    for rules in VARIANTS:
        yield "variants", f"{rules.relu}-{rules.pool}", rules, last
    if normalises(classifier):
        for title in dict.fromkeys((last, deepest)):
            for name in ("deconvnet", "desalinet"):
                for lrn in LRN:
                    rules = ARCHITECTURES[name]._replace(lrn=lrn)
                    yield "lrn", f"{name}-{lrn}", rules, title


def support(classifier, pixels, layer, seed, dense=False):
    """Figure 5, what of a response is the neuron's finite support: name, pixels."""
    y, reverse = reversing(classifier, pixels, "desalinet", layer, dense)
    neuron = starts.strongest_central(y)
    response = reverse(neuron)
    yield "desalinet", shown(response)
    yield "power", shown(torch.from_numpy(power(response.cpu().numpy())))
    networks = {"uninformed": classifier, "random": randomised(classifier, seed)}
    for name, network in networks.items():
        _, reverse = reversing(network, pixels, UNINFORMED, layer, dense)
        yield name, shown(reverse(neuron))


def phase(classifier, pixels, layer, seeds, dense=False):
    """Figure 7, grey images from their phase, or switches and masks, and noise.

    Yields:
        Name and levels, float64 (N, H, W).
    """
    levels = torch.from_numpy(grey(pixels.cpu().numpy())).to(pixels)
    given = levels[:, None].expand(-1, 3, -1, -1).contiguous()
    images = seen(classifier, given, dense)[:, 0].cpu().double().numpy()
    noise = [
        generator(seed, AMPLITUDE).standard_normal(images.shape[1:]) for seed in seeds
    ]
    yield "original", images
    yield "inverse", recombined(images)
    yield "random", remap(recombined(images, np.abs(noise)))
    for name in ("desalinet", "deconvnet"):
        y, reverse = reversing(classifier, given, name, layer, dense)
        p = everywhere(y, starts.mixture(y, seeds))
        yield name, remap(reverse(p).cpu().numpy()).mean(1)
