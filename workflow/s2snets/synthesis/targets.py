"""Targets of preferred images: the neurons that an image shall excite.

A target is a layer and some of its neurons, whose activations count together; the
layer's other neurons are their rivals (Despraz et al. 2017, sections 3.2, 5.3 and 5.4).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from s2snets.config import Filters
from s2snets.config.study import missing_class
from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.layers import LOGITS, layer_output, split_classifier
from s2snets.runtime.errors import UserError


class Target(NamedTuple):
    """Neurons of one layer that are sought together."""

    name: str
    kind: str  # class, compound, filter or group
    layer: str  # a module's name, or ``logits``
    neurons: tuple[int, ...]  # numbers of classes or channels


class Sweep(Protocol):
    """The settings that name a sweep's targets: those of ``config.Synthesis``."""

    @property
    def classes(self) -> list[str] | None:
        """Classes by name; None: all."""

    @property
    def compounds(self) -> list[list[str]]:
        """Classes that are sought together."""

    @property
    def filters(self) -> dict[str, list[Filters]]:
        """Filters by network."""


def channel_outputs(
    classifier: PixelClassifier, pixels: Tensor, layer: str = LOGITS
) -> Tensor:
    """Return a layer's output for pixels (N, 3, H, W): (N, K) or (N, K, h, w).

    The layers after it do not run.

    Raises:
        UserError: no such layer, or one without channels.
    """
    prepare, _, net, after = split_classifier(classifier)
    output = layer_output(net, prepare(pixels), layer)
    if not isinstance(output, Tensor) or output.dim() < 2:
        raise UserError(f"layers: {layer!r} has no channels; take one that has")
    return after(output) if layer == LOGITS else output


def activations(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return a layer's activations (N, K), and the values before rectification.

    An activation is the mean over positions of the rectified channel, or a rectified
    logit. The values have a gradient where all of a channel is negative, too.
    """
    planes = outputs.flatten(2) if outputs.dim() > 2 else outputs.unsqueeze(2)
    return planes.relu().mean(2), planes.mean(2)


def class_numbers(
    classes: Sequence[str], wanted: Sequence[str], key: str = "classes"
) -> tuple[int, ...]:
    """Return the numbers of wanted classes, among those in the order of the logits.

    Raises:
        UserError: an unknown name; ``key`` is the setting that holds it.
    """
    if text := missing_class({f"synthesis.{key}": wanted}, classes):
        raise UserError(text)
    return tuple(map(classes.index, wanted))


def filter_targets(
    classifier: PixelClassifier, settings: Filters, side: int
) -> list[Target]:
    """Return the targets for filters of one layer, for images of ``side`` pixels.

    Raises:
        UserError: no such layer, or no such channel in it.
    """
    layer, channels = settings.layer, settings.channels
    pixels = torch.zeros(1, 3, side, side, device=classifier.mean.device)
    with torch.no_grad():
        count = channel_outputs(classifier, pixels, layer).shape[1]
    if isinstance(channels, int):
        wanted = channels
        channels = [place * count // wanted for place in range(min(wanted, count))]
    beyond = [channel for channel in channels if not 0 <= channel < count]
    if beyond:
        raise UserError(
            f"synthesis.filters: layer {layer!r} has no channel {beyond[0]}; its"
            f" channels are 0 to {count - 1}"
        )
    if settings.together:
        name = f"{layer}: {', '.join(map(str, channels))}"
        return [Target(name, "group", layer, tuple(channels))]
    return [
        Target(f"{layer}: {channel}", "filter", layer, (channel,))
        for channel in channels
    ]


def sweep_targets(
    classifier: PixelClassifier,
    classes: Sequence[str] | None,
    settings: Sweep,
    name: str,
    side: int,
) -> list[Target]:
    """Return all targets of a sweep in one network.

    Args:
        classifier: the network.
        classes: names in the order of the logits; None: classes have only numbers.
        settings: which targets.
        name: of the network, in ``settings.filters``.
        side: of the images, pixels.

    Raises:
        UserError: an unknown class, layer or channel; a target that is listed twice; or
            no target.
    """
    if classes is None:
        pixels = torch.zeros(1, 3, side, side, device=classifier.mean.device)
        with torch.no_grad():
            classes = [str(number) for number in range(classifier(pixels).shape[1])]
    wanted = classes if settings.classes is None else settings.classes
    targets = [
        Target(each, "class", LOGITS, class_numbers(classes, [each])) for each in wanted
    ]
    targets += [
        Target(
            " + ".join(parts),
            "compound",
            LOGITS,
            class_numbers(classes, parts, "compounds"),
        )
        for parts in settings.compounds
    ]
    for filters in settings.filters.get(name, []):
        targets += filter_targets(classifier, filters, side)
    if not targets:
        raise UserError(
            "synthesis: there are no targets; name classes, or leave them out for all"
        )
    names = [target.name for target in targets]
    if double := next((each for each in names if names.count(each) > 1), None):
        raise UserError(f"synthesis: {double!r} is listed twice; remove one")
    return targets
