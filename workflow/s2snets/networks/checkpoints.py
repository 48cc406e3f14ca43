"""Networks as files: safetensors for the weights, JSON for what rebuilds them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import torch
from pydantic import ConfigDict, Field, ValidationError, model_validator
from safetensors.torch import save_file
from torch import nn

from s2snets.config import Autoencoder, Count, Settings, explain
from s2snets.config.base import Positive, Triple
from s2snets.networks.class_logits import restrict_classes
from s2snets.networks.factory import Spec, build_classifier
from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.segnet import SegNet
from s2snets.networks.state_dicts import load_state, read_tensors
from s2snets.runtime.errors import UserError, one_line
from s2snets.runtime.files import read_json, replacing, sha256, write_json

Network = TypeVar("Network", bound=nn.Module)
Device = torch.device | str


class SpecFile(Settings):
    """What ``spec.json`` must hold, so that a classifier can be rebuilt from it."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    architecture: str
    classes: Count
    size: Count
    published: bool
    options: dict[str, Any] = Field({})
    resize: Count | None = None
    crop: Count | None = None
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    mean: Triple = (0, 0, 0)
    std: tuple[Positive, Positive, Positive] = (1, 1, 1)
    categories: list[str] | None = None

    @model_validator(mode="after")
    def check_categories(self) -> Self:
        """Require one name for each logit, if there are names."""
        if self.categories is not None and len(self.categories) != self.classes:
            raise ValueError(f"{len(self.categories)} categories of {self.classes}")
        return self


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
        state = read_tensors(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such weights") from None
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: damaged weights ({error}); delete and rerun"
        ) from None
    try:
        load_state(module, state)
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


def read_spec(path: Path) -> Spec:
    """Return what rebuilds a classifier, from the file that ``save_classifier`` wrote.

    Raises:
        UserError: no such file, or one without it.
    """
    spec = read_json(path)
    try:
        SpecFile.model_validate_json(json.dumps(spec), strict=True)
    except ValidationError as error:
        raise UserError(f"{explain(error, str(path))}; make it anew") from None
    return spec


def load_classifier(
    folder: Path, device: Device = "cpu", classes: Sequence[str] | None = None
) -> PixelClassifier:
    """Return the frozen classifier of ``weights.safetensors`` and ``spec.json``.

    Given a study's classes, its logits are restricted to them, in their order. If the
    spec names a user's function, that is called: of files from elsewhere,
    ``study.finished.load_classifier`` asks first.

    Raises:
        UserError: missing or damaged files, or a class that the classifier lacks.
    """
    spec = read_spec(folder / "spec.json")
    try:
        classifier = build_classifier(spec)
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        if ":" in spec["architecture"]:  # the user's function, whose traceback helps
            raise
        reason = f"gives no network ({one_line(error)})"
        raise UserError(f"{folder / 'spec.json'}: {reason}; make it anew") from None
    load_weights(classifier.net, folder / "weights.safetensors")
    restrict(classifier, spec, folder.name, classes)
    return to_channels_last(classifier, device)


def restrict(
    classifier: PixelClassifier,
    spec: Spec,
    name: str,
    classes: Sequence[str] | None,
) -> None:
    """Restrict a classifier's logits to a study's classes, in place; None: to none.

    Raises:
        UserError: a class that it lacks, with the classifier's name.
    """
    if classes is None:
        return
    try:
        restrict_classes(classifier, spec["classes"], spec.get("categories"), classes)
    except UserError as error:
        raise UserError(f"classifier {name}: {error}") from None


def classifier_digest(weights: Path) -> list[str]:
    """Return the digests of a classifier's weights and of the spec beside them."""
    return [sha256(weights), sha256(weights.with_name("spec.json"))]
