"""Networks as files: safetensors for the weights, JSON for what they are."""

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from s2snets.networks.build import build
from s2snets.networks.class_subset import restricted
from s2snets.networks.segnet import SegNet
from s2snets.networks.state_dicts import fill
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, replacing, write_json

CHANNELS_LAST = torch.channels_last


def save_weights(module, path):
    """A module's state as safetensors."""
    state = {  # copies: the format refuses tensors that share memory
        name: value.clone(memory_format=torch.contiguous_format)
        for name, value in module.state_dict().items()
    }
    with replacing(path) as draft:
        save_file(state, draft)


def load_weights(module, path):
    """Fill a module from safetensors.

    Raises:
        UserError: no such file, a damaged one, or weights of another network.
    """
    try:
        return fill(module, load_file(path))
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


def load_autoencoder(path, settings, device="cpu"):
    """A trained SegNet in evaluation mode.

    Args:
        settings: a ``config.Autoencoder``.
    """
    module = load_weights(SegNet(settings.width, settings.stages), path)
    return module.eval().requires_grad_(False).to(device, memory_format=CHANNELS_LAST)


def save_classifier(classifier, spec, weights, about):
    """A classifier's weights, and the ``spec.json`` that rebuilds it around them."""
    save_weights(classifier.net, weights)
    write_json(about, spec)


def load_classifier(folder, device="cpu", classes=None):
    """The frozen classifier of a folder with ``weights.safetensors``, ``spec.json``.

    Args:
        classes: the study's; the logits are theirs alone, in their order. None: all.

    Raises:
        UserError: missing or damaged files, or a class that the classifier lacks.
    """
    spec = read_json(folder / "spec.json")
    classifier = build(spec)
    load_weights(classifier.net, folder / "weights.safetensors")
    if classes is not None:
        try:
            classifier = restricted(
                classifier, spec["classes"], spec.get("categories"), classes
            )
        except UserError as mistake:
            raise UserError(f"classifier {folder.name}: {mistake}") from None
    return classifier.to(device, memory_format=CHANNELS_LAST)
