"""Frozen classifiers from existing weights: a library's, a file's, or a function's."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from s2snets.config import Classifier
from s2snets.networks.factory import (
    INPUT_TRANSFORMING,
    TIMM,
    TORCHVISION,
    Spec,
    build_classifier,
    build_network,
    classifier_spec,
    timm_library,
    wrap_network,
)
from s2snets.networks.frozen import FrozenClassifier
from s2snets.networks.published import published_weights
from s2snets.networks.state_dicts import State, load_state, read_state, unwrap_state
from s2snets.networks.user_function import call_user_function, source_digest
from s2snets.runtime.errors import UserError, one_line
from s2snets.runtime.files import sha256

AUXILIARY = ("AuxLogits.", "aux1.", "aux2.")
# DenseNet's layers were once called norm.1 and are now called norm1.
RENAMED = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)")


def update_names(state: State, architecture: str) -> State:
    """Return a state under torchvision's present names, without auxiliary heads."""
    if not architecture.startswith(TORCHVISION):
        return state
    if "densenet" in architecture:
        return {RENAMED.sub(r"\1", name): value for name, value in state.items()}
    if architecture in INPUT_TRANSFORMING:
        return {
            name: value
            for name, value in state.items()
            if not name.startswith(AUXILIARY)
        }
    return state


def state_of(path: Path, net: nn.Module, architecture: str) -> State:
    """Return the state of a file under the names that a network has for it.

    Raises:
        UserError: no such file, or no state in it.
    """
    return update_names(unwrap_state(read_state(path), net, path), architecture)


def load_file(net: nn.Module, architecture: str, path: Path) -> nn.Module:
    """Load the weights of a file into a network and return it.

    Raises:
        UserError: no such file, or another network's.
    """
    try:
        load_state(net, state_of(path, net, architecture))
    except ValueError as error:
        raise UserError(f"weights: {path}: not {architecture}'s ({error})") from None
    return net


def timm_network(
    architecture: str, path: Path, options: Mapping[str, Any]
) -> nn.Module:
    """Return a network of timm's with its published weights, which timm converts.

    Raises:
        UserError: a damaged file, another network's, or options that it refuses.
    """
    overlay = {"file": str(path), "custom_load": path.suffix == ".npz"}
    try:
        return timm_library().create_model(
            architecture.removeprefix(TIMM),
            pretrained=True,
            pretrained_cfg_overlay=overlay,
            **options,
        )
    except TypeError as error:
        if not options:
            raise
        reason = one_line(error)
        raise UserError(
            f"options: {architecture} refuses {dict(options)} ({reason})"
        ) from None
    except (RuntimeError, ValueError, LookupError, SafetensorError) as error:
        reason = str(error).splitlines()[:2][-1].strip()
        raise UserError(f"weights: {path}: not {architecture}'s ({reason})") from None


def classes_in_file(
    path: Path, architecture: str, size: int, options: Mapping[str, Any]
) -> int:
    """Return the number of classes of a file's weights, read off the output layer.

    Raises:
        UserError: it lacks the layer that ends this architecture.
    """
    two, three = (
        build_network(architecture, classes, size, options=options)
        for classes in (2, 3)
    )
    state, other = state_of(path, two, architecture), three.state_dict()
    last = [
        name for name, value in two.state_dict().items()
        if value.shape != other[name].shape
    ][-1]  # fmt: skip
    if last not in state:
        raise UserError(f"weights: {path}: not {architecture}'s (it lacks {last})")
    return len(state[last])


def count_logits(model: nn.Module, size: int, architecture: str) -> int:
    """Return the number of logits that a classifier gives for images of the study.

    Raises:
        UserError: it refuses them, or returns something else.
    """
    try:
        with torch.inference_mode():
            logits = model(torch.zeros(1, 3, size, size))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise UserError(
            f"architecture: {architecture} refuses the study's {size}×{size} images"
            f" ({one_line(error)}); set resize, crop or options"
        ) from None
    if not torch.is_tensor(logits) or logits.ndim != 2 or len(logits) != 1:
        raise UserError(
            f"architecture: {architecture} must give logits (N, classes) for images"
            " (N, 3, H, W)"
        )
    return logits.shape[1]


Loaded = tuple[nn.Module, Spec, Path | None]
"""A network with its weights, its spec, and the weights' file."""


def from_library(classifier: Classifier, size: int, path: Path) -> Loaded:
    """Return a network with the weights of a library, from their file."""
    entry = published_weights(classifier.architecture, str(classifier.weights))
    spec = classifier_spec(classifier, entry.classes, size, True, entry.preprocessing)
    spec |= {"architecture": entry.architecture, "categories": entry.categories}
    if entry.architecture.startswith(TIMM):
        return timm_network(entry.architecture, path, classifier.options), spec, path
    net = load_file(build_classifier(spec).net, entry.architecture, path)
    return net, spec, path


def from_function(classifier: Classifier, size: int) -> Loaded:
    """Return the network of a user's function, with the weights of a file if set."""
    architecture, path = classifier.architecture, None
    net, given, categories = call_user_function(architecture)
    if classifier.weights is not None:
        path = Path(classifier.weights)
        load_file(net, architecture, path)
    spec = classifier_spec(classifier, None, size, given=given)
    code = source_digest(architecture)
    return net, spec | {"categories": categories, "code": code}, path


def from_file(classifier: Classifier, size: int) -> Loaded:
    """Return a network with the weights of a user's file."""
    architecture, path = classifier.architecture, Path(str(classifier.weights))
    classes = classes_in_file(path, architecture, size, classifier.options)
    spec = classifier_spec(classifier, classes, size)
    return load_file(build_classifier(spec).net, architecture, path), spec, path


def export_classifier(
    classifier: Classifier, size: int, fetched: Path | None = None
) -> tuple[FrozenClassifier, Spec]:
    """Return a frozen classifier as its settings describe it, and its spec.

    Args:
        classifier: settings of one that the workflow does not train.
        size: side of the study's images, pixels.
        fetched: file of the weights that a library publishes, where the settings name
            such.

    Raises:
        UserError: weights that do not exist, or are another network's.
    """
    if classifier.is_published:
        assert fetched is not None
        net, spec, path = from_library(classifier, size, fetched)
    elif classifier.is_function:
        net, spec, path = from_function(classifier, size)
    else:
        net, spec, path = from_file(classifier, size)
    model = wrap_network(net, spec, FrozenClassifier)
    spec["classes"] = count_logits(model, size, spec["architecture"])
    names = spec.get("categories")
    if names is not None and len(names) != spec["classes"]:
        raise UserError(
            f"architecture: {spec['architecture']} names {len(names)} categories and"
            f" tells {spec['classes']} apart"
        )
    if path is not None:
        spec["weights"] = {"file": path.name, "sha256": sha256(path)}
    return model, spec
