"""What an image shall excite: classes, filters, several of either.

A target is a layer and some of its units, whose activations count together; the
layer's other units are its rivals (Despraz et al. 2017, sections 3.2, 5.3 and 5.4).
"""

from difflib import get_close_matches
from typing import NamedTuple

import torch

from s2snets.networks.layers import LOGITS, split, upto
from s2snets.runtime.errors import UserError


class Target(NamedTuple):
    """Units of one layer that are sought together."""

    name: str
    kind: str  # class, compound, filter or group
    layer: str  # a module's name, or ``logits``
    units: tuple[int, ...]  # classes or channels, by number


def output(classifier, pixels, layer=LOGITS):
    """A layer's output for pixels (N, 3, H, W): (N, K) or (N, K, h, w).

    What comes after the layer is not computed.

    Raises:
        UserError: no such layer, or one without channels.
    """
    prepare, _, net, after = split(classifier)
    found = upto(net, prepare(pixels), layer)
    if not isinstance(found, torch.Tensor) or found.dim() < 2:
        raise UserError(f"layers: {layer!r} has no channels; take one that has")
    return after(found) if layer == LOGITS else found


def activations(planes):
    """A layer's activations (N, K), and the values they come from.

    An activation is the mean over positions of the rectified channel, or a rectified
    logit. The values are not rectified; they have a gradient where all of a channel is
    negative.
    """
    planes = planes.flatten(2) if planes.dim() > 2 else planes.unsqueeze(2)
    return planes.relu().mean(2), planes.mean(2)


def numbered(known, wanted):
    """Places of classes by name.

    Raises:
        UserError: an unknown one, with the nearest that are known.
    """
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, 3, 0.3) or known[:3]
            raise UserError(f"synthesis: no class {name!r}; say {', '.join(near)}")
    return tuple(map(known.index, wanted))


def filters(classifier, settings, side):
    """Targets for filters of one layer.

    Args:
        settings: a ``config.Filters``.
        side: of the images, pixels.

    Raises:
        UserError: no such layer, or no such channel in it.
    """
    layer, chosen = settings.layer, settings.channels
    device = classifier.mean.device
    with torch.no_grad():
        count = output(classifier, torch.zeros(1, 3, side, side, device=device), layer)
    count = count.shape[1]
    if isinstance(chosen, int):
        chosen = [place * count // chosen for place in range(min(chosen, count))]
    beyond = [channel for channel in chosen if not 0 <= channel < count]
    if beyond:
        raise UserError(
            f"synthesis.filters: layer {layer!r} has no channel {beyond[0]}; its"
            f" channels are 0 to {count - 1}"
        )
    if settings.together:
        name = f"{layer}: {', '.join(map(str, chosen))}"
        return [Target(name, "group", layer, tuple(chosen))]
    return [Target(f"{layer}: {one}", "filter", layer, (one,)) for one in chosen]


def targets(classifier, known, settings, name, side):
    """All that a sweep shall seek in one network.

    Args:
        known: the classes, in the order of the logits; None: they have but numbers.
        settings: with the fields ``classes``, ``compounds`` and ``filters`` of a
            ``config.Synthesis``.
        name: the network's, in ``settings.filters``.
        side: of the images, pixels.

    Raises:
        UserError: an unknown class, layer or channel; or a target that is there twice;
            or none at all.
    """
    if known is None:
        with torch.no_grad():
            blank = torch.zeros(1, 3, side, side, device=classifier.mean.device)
            known = [str(place) for place in range(classifier(blank).shape[1])]
    known = list(known)
    wanted = known if settings.classes is None else settings.classes
    found = [Target(one, "class", LOGITS, numbered(known, [one])) for one in wanted] + [
        Target(" + ".join(several), "compound", LOGITS, numbered(known, several))
        for several in settings.compounds
    ]
    for one in settings.filters.get(name, []):
        found += filters(classifier, one, side)
    if not found:
        raise UserError("synthesis: nothing is sought; name classes, or leave them out")
    names = [target.name for target in found]
    if again := next((one for one in names if names.count(one) > 1), None):
        raise UserError(f"synthesis: {again!r} is sought twice; take one away")
    return found
