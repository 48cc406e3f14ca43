"""Networks as files: safetensors for the weights, JSON for what rebuilds them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from s2snets.config import Autoencoder
from s2snets.networks.class_logits import restrict_classes
from s2snets.networks.factory import Spec, build_classifier
from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.segnet import SegNet
from s2snets.networks.state_dicts import load_state
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, replacing, sha256, write_json

Network = TypeVar("Network", bound=nn.Module)
Device = torch.device | str


def to_channels_last(module: Network, device: Device) -> Network:
    """Move a network to a device, in the memory format of the faster convolutions."""
    # torch's overloads lack the argument.
    return module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def save_weights(module: nn.Module, path: Path) -> None:
    """Write a module's state as safetensors."""
    state = {  # copies: the format refuses tensors that share memory
        name: value.clone(memory_format=torch.contiguous_format)
        for name, value in module.state_dict().items()
    }
    with replacing(path) as draft:
        save_file(state, draft)


def load_weights(module: Network, path: Path) -> Network:
    """Load safetensors into a module and return it.

    Raises:
        UserError: no such file, a damaged one, or weights of another network.
    """
    try:
        load_state(module, load_file(path))
    except FileNotFoundError:
        raise UserError(f"{path}: no such weights") from None
    except SafetensorError as error:
        raise UserError(
            f"{path}: damaged weights ({error}); delete and rerun"
        ) from None
    except ValueError as error:
        raise UserError(
            f"{path}: weights of another network ({error}); delete and rerun"
        ) from None
    return module


def load_autoencoder(
    path: Path, settings: Autoencoder, device: Device = "cpu"
) -> SegNet:
    """Return a trained SegNet in evaluation mode, without gradients."""
    segnet = load_weights(SegNet(settings.width, settings.stages), path)
    segnet.eval().requires_grad_(False)
    return to_channels_last(segnet, device)


def save_classifier(
    classifier: PixelClassifier, spec: Spec, weights_path: Path, spec_path: Path
) -> None:
    """Write a classifier's weights, and the spec that rebuilds it around them."""
    save_weights(classifier.net, weights_path)
    write_json(spec_path, spec)


def load_classifier(
    folder: Path, device: Device = "cpu", classes: Sequence[str] | None = None
) -> PixelClassifier:
    """Return the frozen classifier of ``weights.safetensors`` and ``spec.json``.

    Given a study's classes, its logits are restricted to them, in their order.

    Raises:
        UserError: missing or damaged files, or a class that the classifier lacks.
    """
    spec = read_json(folder / "spec.json")
    classifier = build_classifier(spec)
    load_weights(classifier.net, folder / "weights.safetensors")
    if classes is not None:
        try:
            restrict_classes(
                classifier, spec["classes"], spec.get("categories"), classes
            )
        except UserError as error:
            raise UserError(f"classifier {folder.name}: {error}") from None
    return to_channels_last(classifier, device)


def classifier_digest(weights: Path) -> list[str]:
    """Return the digests of a classifier's weights and of the spec beside them."""
    return [sha256(weights), sha256(weights.with_name("spec.json"))]
