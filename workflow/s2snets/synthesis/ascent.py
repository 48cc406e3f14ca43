"""Images that excite units, many targets at once (Despraz et al. 2017, section 3).

Each target has its own noise and, from scratch, its own generator; all take their
steps side by side in stacked tensors. Norms look at one image, the optimisers at one
number, the losses are added: a target ends as it would alone, up to rounding.
"""

import hashlib
from typing import NamedTuple

import torch
from torch.func import functional_call, vmap

from s2snets.data.order import generator as addressed
from s2snets.networks.generator import Generator
from s2snets.synthesis.targets import activations, output

STREAM = {"weights": 11, "noise": 12}  # apart from the draws for images
DRAWS = 10  # starts that are tried for a positive activation
LAST = 10  # snapshots whose median is a pretrained generator's image
SNAPSHOTS = 30  # in all, as in the published code
BETA2, EPSILON = 0.999, 1e-8  # of AdaMax, table 1


class Found(NamedTuple):
    """The images of some targets, and how their search went."""

    pixels: torch.Tensor  # (T, 3, H, W) in [0, 1]
    draws: list[int]  # starts drawn until all its units were active, or ``DRAWS``
    started: list[bool]  # all its units were active at once, at some step
    active: list[float]  # at what share of the steps


def drawing(seed, target, stream, *more):
    """A random generator that the seed, a target and a stream address."""
    what = f"{target.layer}: {sorted(target.units)}".encode()
    address = int.from_bytes(hashlib.sha256(what).digest()[:8])
    number = addressed(seed, address, STREAM[stream], *more).integers(2**63 - 1)
    return torch.Generator().manual_seed(int(number))


def start(generator, seed, target, draw):
    """What a target's search begins with, by name of the generator's parameters.

    From scratch a fresh generator, whatever the weights of the given one. With a
    pretrained decoder α is 1, as published; further draws are squares of standard
    normal numbers, which are 1 on average.
    """
    random = drawing(seed, target, "weights", draw)
    if not generator.pretrained:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(random.initial_seed())
            return Generator(generator.size).trainable
    alpha = torch.ones(generator.length)
    if draw:
        alpha = torch.randn(generator.length, generator=random).square()
    return {"alpha": alpha}


def images(generator, sought, features):
    """Pixels (T, 3, H, W): target t's generator on its feature vector.

    Args:
        sought: tensors (T, …) by name, in the place of the generator's.
        features: (T, length).
    """
    if generator.pretrained:  # α has a row for each; the decoder is shared
        return functional_call(generator, sought, (features,))

    def one(parameters, feature):
        return functional_call(generator, parameters, (feature[None],))[0]

    return vmap(one)(sought, features)


def disturbed(noises, generator, settings, like):
    """Feature vectors f = 1 with the next of each target's noise: (T, length).

    Additive noise has mean 0, multiplicative mean 1 (table 1): on f = 1, which the
    published code feeds in both modes, they are the same.
    """
    drawn = [torch.randn(generator.length, generator=noise) for noise in noises]
    return 1 + settings.deviation * torch.stack(drawn).to(like)


def membership(targets, count, like):
    """Which of a layer's units each target seeks: (T, count), 1 or 0."""
    rows = torch.zeros(len(targets), count, device=like.device, dtype=like.dtype)
    for row, target in zip(rows, targets, strict=True):
        row[list(target.units)] = 1
    return rows


def regulariser(sought):
    """R(ξ) without its weight: (T,).

    Σ|γ| over the three gains of the image's norm (equation 3); Σα², as the published
    code has equation 4, whose N is the number of its terms.
    """
    if "decoder.norm.weight" in sought:
        return sought["decoder.norm.weight"].abs().sum(1)
    return sought["alpha"].square().sum(1)


def losses(planes, members, sought, settings):
    """Each target's loss (T,), and whether all its units are active.

    1 − Σ a over its units + λ Σ a over their rivals + R (equation 2, with the minus
    that the print lost). A unit that is not active counts with its unrectified value,
    so that it is climbed until it is: rectified, it would have no gradient.
    """
    found, values = activations(planes)
    climbed = torch.where(found > 0, found, values)
    loss = 1 - (members * climbed).sum(1)
    loss = loss + settings.penalty * ((1 - members) * found).sum(1)
    loss = loss + settings.regulariser * regulariser(sought)
    return loss, all_active(found, members)


def all_active(found, members):
    """Whether each target's units are all active: (T, K), (T, K) -> (T,)."""
    return ((found > 0) | (members == 0)).all(1)


def optimiser(parameters, settings):
    """AdaMax or Nesterov SGD (table 1); both treat each number by itself."""
    if settings.optimiser == "adamax":
        betas = (settings.momentum, BETA2)
        return torch.optim.Adamax(parameters, settings.rate, betas, EPSILON)
    momentum = settings.momentum
    return torch.optim.SGD(
        parameters, settings.rate, momentum=momentum, nesterov=momentum > 0
    )


@torch.no_grad()
def active_start(classifier, targets, generator, settings, seed, features):
    """Starts whose units are all active under the first step's noise.

    Returns:
        Tensors (T, …) by name; the number of starts drawn for each target, of which
        the first that is active is kept, or else the one whose unit that is farthest
        from it is nearest; and their ``membership``.
    """
    layer, like, draws = targets[0].layer, features, [0] * len(targets)
    sought, pending = {}, list(range(len(targets)))
    for draw in range(DRAWS):
        drawn = [start(generator, seed, targets[place], draw) for place in pending]
        fresh = {
            name: torch.stack([one[name].detach() for one in drawn]).to(like)
            for name in drawn[0]
        }
        pixels = images(generator, fresh, features[pending])
        found, values = activations(output(classifier, pixels, layer))
        members = membership(targets, found.shape[1], like)
        active = all_active(found, members[pending])
        least = values.masked_fill(members[pending] == 0, torch.inf).amin(1)
        if draw == 0:
            sought, best = fresh, least
        else:
            better = active | (least > best[pending])
            places = torch.tensor(pending, device=like.device)[better]
            best[places] = least[better]
            for name, tensor in fresh.items():
                sought[name][places] = tensor[better]
        for place in pending:
            draws[place] = draw + 1
        on = active.tolist()
        pending = [place for place, done in zip(pending, on, strict=True) if not done]
        if not pending:
            break
    return sought, draws, members


def ascend(classifier, targets, generator, settings, *, seed=0, after=None):
    """The preferred images of some targets of one layer.

    A unit that is not active at the start makes it be drawn anew, ten times at most;
    then its unrectified value is climbed.

    Args:
        classifier: a ``models.frozen.Frozen``.
        generator: a ``Generator``: pretrained, with its weights, or the form of fresh
            ones. Decides device and type.
        settings: a ``config.Ascent``.
        after: called after each step, with the number of targets.

    Returns:
        ``Found``. Images are made without noise: the last one from scratch; from a
        pretrained generator the median of the last ten snapshots of thirty, as in the
        published code.
    """
    layer, like = targets[0].layer, generator.alpha
    noises = [drawing(seed, target, "noise") for target in targets]
    features = disturbed(noises, generator, settings, like)
    sought, draws, members = active_start(
        classifier, targets, generator, settings, seed, features
    )
    for tensor in sought.values():
        tensor.requires_grad_()
    descent = optimiser(list(sought.values()), settings)
    every, kept = max(1, settings.steps // SNAPSHOTS), []
    last = LAST if generator.pretrained else 1
    count = torch.zeros(len(targets), device=like.device)
    for left in reversed(range(settings.steps)):
        planes = output(classifier, images(generator, sought, features), layer)
        loss, active = losses(planes, members, sought, settings)
        descent.zero_grad()
        loss.sum().backward()
        descent.step()
        count += active
        if left % every == 0 and left < last * every:
            with torch.no_grad():
                kept.append(images(generator, sought, torch.ones_like(features)))
        if left:
            features = disturbed(noises, generator, settings, like)
        if after is not None:
            after(len(targets))
    ordered = torch.stack(kept).sort(0).values
    pixels = (ordered[(len(kept) - 1) // 2] + ordered[len(kept) // 2]) / 2
    active = (count / settings.steps).tolist()
    return Found(pixels, draws, [share > 0 for share in active], active)


def groups(targets, batch):
    """Targets that are sought together: of one layer, at most ``batch``."""
    layers = dict.fromkeys(target.layer for target in targets)
    return [
        alike[first : first + batch]
        for alike in (
            [target for target in targets if target.layer == layer] for layer in layers
        )
        for first in range(0, len(alike), batch)
    ]
