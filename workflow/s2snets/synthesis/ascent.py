"""Preferred images of neurons, many targets at once (Despraz et al. 2017, section 3).

Each target has its own noise and, from scratch, its own generator; all take their
steps side by side in stacked tensors. Norms use one image's statistics, optimisers
treat each number by itself, and the losses are added: a target ends as it would alone,
up to rounding.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from s2snets.config import Ascent
from s2snets.data.order import seeded_generator
from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.generator import Generator
from s2snets.synthesis.targets import Target, activations, channel_outputs

STREAMS = {"weights": 11, "noise": 12}  # apart from the random streams of images
MAX_DRAWS = 10  # starts that are tried for a positive activation
MEDIAN_SNAPSHOTS = 10  # last snapshots, whose median is a pretrained generator's image
SNAPSHOTS = 30  # in all, as in the published code
BETA2, EPSILON = 0.999, 1e-8  # of AdaMax, table 1

Parameters = dict[str, Tensor]
"""Tensors (T, …), one row for each target, by name of the generator's parameters."""


class AscentResult(NamedTuple):
    """The preferred images of some targets, and the course of their search."""

    pixels: Tensor  # (T, 3, H, W) in [0, 1]
    draws: list[int]  # starts drawn until all neurons were active, or ``MAX_DRAWS``
    started: list[bool]  # whether all neurons were active at once, at some step
    active: list[float]  # the share of such steps


def target_generator(
    seed: int, target: Target, stream: str, *more: int
) -> torch.Generator:
    """Return a random generator that depends on the seed, a target and a stream."""
    text = f"{target.layer}: {sorted(target.neurons)}".encode()
    key = int.from_bytes(hashlib.sha256(text).digest()[:8])
    number = seeded_generator(seed, key, STREAMS[stream], *more).integers(2**63 - 1)
    return torch.Generator().manual_seed(int(number))


def draw_start(
    generator: Generator, seed: int, target: Target, draw: int
) -> Mapping[str, Tensor]:
    """Return the parameters from which a target's search starts, by name.

    From scratch they are those of a fresh generator; the given one's weights do not
    count. With a pretrained decoder α is 1, as published; further draws are squares of
    standard normal numbers, which are 1 on average.
    """
    random = target_generator(seed, target, "weights", draw)
    if not generator.pretrained:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(random.initial_seed())
            return Generator(generator.size).trainable
    alpha = torch.ones(generator.length)
    if draw:
        alpha = torch.randn(generator.length, generator=random).square()
    return {"alpha": alpha}


def generate(generator: Generator, parameters: Parameters, features: Tensor) -> Tensor:
    """Return pixels (T, 3, H, W): each target's generator on its features (T, length).

    The parameters take the place of the generator's.
    """
    if generator.pretrained:  # α has a row for each target; the decoder is shared
        return functional_call(generator, parameters, (features,))

    def generate_one(single: Parameters, feature: Tensor) -> Tensor:
        return functional_call(generator, single, (feature[None],))[0]

    return vmap(generate_one)(parameters, features)


def noisy_features(
    noises: Sequence[torch.Generator],
    generator: Generator,
    settings: Ascent,
    like: Tensor,
) -> Tensor:
    """Return feature vectors f = 1 with the next noise of each target: (T, length).

    Additive noise has mean 0, multiplicative noise mean 1 (table 1): on f = 1, which
    the published code uses in both modes, they are the same.
    """
    drawn = [torch.randn(generator.length, generator=noise) for noise in noises]
    return 1 + settings.deviation * torch.stack(drawn).to(like)


def membership(targets: Sequence[Target], count: int, like: Tensor) -> Tensor:
    """Return which of a layer's neurons each target seeks: (T, count), 1 or 0."""
    members = torch.zeros(len(targets), count, device=like.device, dtype=like.dtype)
    for row, target in zip(members, targets, strict=True):
        row[list(target.neurons)] = 1
    return members


def regulariser(parameters: Parameters) -> Tensor:
    """Return R(ξ) without its weight: (T,).

    Σ|γ| over the three gains of the image's norm (equation 3); Σα², as the published
    code has equation 4, whose N is the number of its terms.
    """
    if "decoder.norm.weight" in parameters:
        return parameters["decoder.norm.weight"].abs().sum(1)
    return parameters["alpha"].square().sum(1)


def losses(
    outputs: Tensor, members: Tensor, parameters: Parameters, settings: Ascent
) -> tuple[Tensor, Tensor]:
    """Return each target's loss (T,), and whether all its neurons are active.

    1 − Σ a over its neurons + λ Σ a over their rivals + R (equation 2, with the minus
    that is lost in print). A neuron that is not active counts with its unrectified
    value, which has a gradient, so that it is raised until it is active.
    """
    active, values = activations(outputs)
    raised = torch.where(active > 0, active, values)
    loss = 1 - (members * raised).sum(1)
    loss = loss + settings.penalty * ((1 - members) * active).sum(1)
    loss = loss + settings.regulariser * regulariser(parameters)
    return loss, all_active(active, members)


def all_active(activations: Tensor, members: Tensor) -> Tensor:
    """Return whether each target's neurons are all active: (T, K), (T, K) -> (T,)."""
    return ((activations > 0) | (members == 0)).all(1)


def create_optimiser(
    parameters: Sequence[Tensor], settings: Ascent
) -> torch.optim.Optimizer:
    """Return AdaMax or Nesterov SGD (table 1); both treat each number by itself."""
    rate, momentum = settings.learning_rate, settings.momentum
    if settings.optimiser == "adamax":
        return torch.optim.Adamax(parameters, rate, (momentum, BETA2), EPSILON)
    return torch.optim.SGD(parameters, rate, momentum=momentum, nesterov=momentum > 0)


@torch.no_grad()
def active_starts(
    classifier: PixelClassifier,
    targets: Sequence[Target],
    generator: Generator,
    settings: Ascent,
    seed: int,
    features: Tensor,
) -> tuple[Parameters, list[int], Tensor]:
    """Draw starts until all neurons are active under the first step's noise.

    Returns:
        Each target's parameters: of the first start that is active, or else of the one
        whose least active neuron is the most active; the number of starts drawn for
        each target; and the targets' ``membership``.
    """
    layer, draws = targets[0].layer, [0] * len(targets)
    parameters: Parameters = {}
    pending, best = list(range(len(targets))), features.new_empty(0)
    for draw in range(MAX_DRAWS):
        drawn = [draw_start(generator, seed, targets[place], draw) for place in pending]
        fresh = {
            name: torch.stack([each[name].detach() for each in drawn]).to(features)
            for name in drawn[0]
        }
        pixels = generate(generator, fresh, features[pending])
        rectified, values = activations(channel_outputs(classifier, pixels, layer))
        members = membership(targets, rectified.shape[1], features)
        active = all_active(rectified, members[pending])
        least = values.masked_fill(members[pending] == 0, torch.inf).amin(1)
        if draw == 0:
            parameters, best = fresh, least
        else:
            better = active | (least > best[pending])
            places = torch.tensor(pending, device=features.device)[better]
            best[places] = least[better]
            for name, tensor in fresh.items():
                parameters[name][places] = tensor[better]
        for place in pending:
            draws[place] = draw + 1
        done = active.tolist()
        pending = [place for place, on in zip(pending, done, strict=True) if not on]
        if not pending:
            break
    return parameters, draws, members


def ascend(
    classifier: PixelClassifier,
    targets: Sequence[Target],
    generator: Generator,
    settings: Ascent,
    *,
    seed: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> AscentResult:
    """Return the preferred images of some targets of one layer.

    Where a neuron is not active at the start, another start is drawn, ten times at
    most; then its unrectified value is raised.

    Args:
        classifier: a frozen network.
        targets: of one layer.
        generator: a pretrained one, or the form of fresh ones; its device and dtype are
            used.
        settings: of the search.
        seed: of the starts and the noise.
        on_step: called after each step with the number of targets.

    Returns:
        Images are made without noise: the last one from scratch; from a pretrained
        generator the median of the last ten snapshots of thirty, as in the published
        code.
    """
    layer, like = targets[0].layer, generator.alpha
    noises = [target_generator(seed, target, "noise") for target in targets]
    features = noisy_features(noises, generator, settings, like)
    parameters, draws, members = active_starts(
        classifier, targets, generator, settings, seed, features
    )
    for tensor in parameters.values():
        tensor.requires_grad_()
    optimiser = create_optimiser(list(parameters.values()), settings)
    every, snapshots = max(1, settings.steps // SNAPSHOTS), []
    last = MEDIAN_SNAPSHOTS if generator.pretrained else 1
    active_steps = torch.zeros(len(targets), device=like.device)
    for left in reversed(range(settings.steps)):
        pixels = generate(generator, parameters, features)
        outputs = channel_outputs(classifier, pixels, layer)
        loss, active = losses(outputs, members, parameters, settings)
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
        active_steps += active
        if left % every == 0 and left < last * every:
            with torch.no_grad():
                still = torch.ones_like(features)
                snapshots.append(generate(generator, parameters, still))
        if left:
            features = noisy_features(noises, generator, settings, like)
        if on_step is not None:
            on_step(len(targets))
    share = (active_steps / settings.steps).tolist()
    return AscentResult(median(snapshots), draws, [each > 0 for each in share], share)


def median(snapshots: Sequence[Tensor]) -> Tensor:
    """Return the median of tensors of one shape, number by number."""
    ordered, count = torch.stack(list(snapshots)).sort(0).values, len(snapshots)
    return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def group_targets(targets: Sequence[Target], batch: int) -> list[list[Target]]:
    """Return groups of targets that are sought together: one layer, at most a batch."""
    by_layer: dict[str, list[Target]] = {}
    for target in targets:
        by_layer.setdefault(target.layer, []).append(target)
    return [
        alike[first : first + batch]
        for alike in by_layer.values()
        for first in range(0, len(alike), batch)
    ]
