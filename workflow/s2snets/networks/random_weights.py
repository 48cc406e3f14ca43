"""Classifiers with random weights: what an architecture loses before it has learnt."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from s2snets.networks.factory import Spec, build_classifier
from s2snets.networks.frozen import PixelClassifier
from s2snets.runtime.errors import UserError

BatchNorm = nn.modules.batchnorm._BatchNorm


def redraw_weights(net: nn.Module) -> None:
    """Draw a network's weights anew, by each layer's own rule, in place.

    Raises:
        UserError: parameters that no layer has a rule for.
    """
    drawn: set[int] = set()
    for module in net.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
            drawn |= {id(one) for one in module.parameters(recurse=False)}
    for name, parameter in net.named_parameters():
        if id(parameter) not in drawn:
            raise UserError(
                f"depth: no rule draws {name} anew, which a function of yours gives;"
                " let its module have reset_parameters()"
            )


@torch.no_grad()
def settle_norms(classifier: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set batch norm's averages to those over some batches, in place.

    With the averages of an untrained network, 0 and 1, activations of a deep network
    would grow or vanish from layer to layer.

    Args:
        classifier: in evaluation mode.
        batches: pixels (N, 3, H, W).
    """
    norms = [module for module in classifier.modules() if isinstance(module, BatchNorm)]
    momenta = [module.momentum for module in norms]
    for module in norms:
        module.reset_running_stats()
        module.momentum, module.training = None, True  # the mean over all batches
    if norms:
        for pixels in batches:
            classifier(pixels)
    for module, momentum in zip(norms, momenta, strict=True):
        module.momentum, module.training = momentum, False


def random_classifier(
    spec: Spec, batches: Iterable[Tensor], seed: int
) -> PixelClassifier:
    """Return a frozen classifier with random weights, as its training would start.

    Args:
        spec: what rebuilds the classifier.
        batches: pixels (N, 3, H, W) whose statistics batch norm takes.
        seed: of the weights.

    Raises:
        UserError: see ``redraw_weights``.
    """
    torch.manual_seed(seed)
    classifier = build_classifier(spec)
    if ":" in spec["architecture"]:  # a user's function returns weights of its own
        redraw_weights(classifier.net)
    settle_norms(classifier, batches)
    return classifier
