"""Weights that libraries publish: their networks, classes, preprocessing and files.

All of it is the libraries' own metadata; nothing is downloaded here.
"""

import math
import re
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import torch

from s2snets.networks.factory import (
    TIMM,
    known_architecture,
    timm_library,
    torchvision_models,
)
from s2snets.runtime.errors import UserError

# Both libraries end a file's name with the first digits of its SHA-256.
HASH = re.compile(r"-([0-9a-f]{8,})\.(?:pth|pt|tar|safetensors)$")


class HubFile(TypedDict):
    """A file on the hub of timm's weights, as ``huggingface_hub`` names its keys."""

    repo_id: str
    filename: str
    revision: str  # a commit, or a branch


class PublishedWeights(NamedTuple):
    """One set of weights."""

    architecture: str  # what ``factory.build_network`` takes
    address: str
    file: Path  # in torch's folder
    hub: HubFile | None
    classes: int
    categories: list[str] | None  # names, in the order of the logits
    preprocessing: dict[str, Any]


def checkpoint_folder() -> Path:
    """Return where torch keeps weights; TORCH_HOME moves it."""
    return Path(torch.hub.get_dir(), "checkpoints")


def no_classes(weights: str) -> UserError:
    """Return the complaint about weights that end before the output layer."""
    return UserError(f"weights: {weights} gives features, no classes; choose others")


def torchvision_weights(architecture: str, name: str) -> PublishedWeights:
    """Return weights of torchvision's; see ``published_weights``."""
    models = torchvision_models()
    table = models.get_model_weights(known_architecture(architecture).partition("/")[2])
    if name not in table.__members__:
        raise UserError(
            f"weights: {architecture} has no {name!r}; it has"
            f" {', '.join(table.__members__) or 'none'}"
        )
    entry = table[name]
    if not entry.meta["categories"]:
        raise no_classes(f"{architecture} {name}")
    transforms = entry.transforms()
    return PublishedWeights(
        architecture,
        entry.url,
        checkpoint_folder() / entry.url.rpartition("/")[2],
        None,
        len(entry.meta["categories"]),
        list(entry.meta["categories"]),
        {
            "resize": transforms.resize_size[0],
            "crop": transforms.crop_size[0],
            "interpolation": transforms.interpolation.value,
            "mean": list(transforms.mean),
            "std": list(transforms.std),
        },
    )


def timm_weights(architecture: str, name: str) -> PublishedWeights:
    """Return weights of timm's; see ``published_weights``.

    A name is a tag; DEFAULT is the network's own tag, or the library's first. After it
    may follow @ and the commit of the hub's repository.
    """
    timm = timm_library()
    from huggingface_hub import hf_hub_url

    model = known_architecture(architecture).removeprefix(TIMM)
    base, _, tag = model.partition(".")
    name, pinned, revision = name.partition("@")
    if name == "DEFAULT":
        default = timm.get_pretrained_cfg(base)
        name = tag or (default.tag if default else "")
    model, available = f"{base}.{name}", timm.list_pretrained(f"{base}.*")
    if model not in available:
        tags = ", ".join(one.partition(".")[2] for one in available)
        raise UserError(
            f"weights: timm/{base} has no {name!r}; it has {tags or 'none'}"
        )
    entry = timm.get_pretrained_cfg(model).to_dict()
    if not entry["num_classes"]:
        raise no_classes(TIMM + model)
    data = timm.data.resolve_data_config(pretrained_cfg=entry)
    subset = timm.data.infer_imagenet_subset(entry)
    info = timm.data.ImageNetInfo(subset) if subset else None
    address, hub = entry.get("url") or "", None
    if entry.get("hf_hub_id"):
        hub = HubFile(
            repo_id=entry["hf_hub_id"],
            filename=entry.get("hf_hub_filename", "model.safetensors"),
            revision=revision or "main",
        )
    if hub and (pinned or not HASH.search(address)):
        address = hf_hub_url(**hub)
        # On the hub every file has the same name.
        file = f"{model}{pinned}{revision}.safetensors"
    elif pinned:
        raise UserError(f"weights: timm/{model} is not on the hub; leave out {pinned}…")
    else:
        file = address.rpartition("/")[2]
    return PublishedWeights(
        TIMM + model,
        address,
        checkpoint_folder() / file,
        hub,
        entry["num_classes"],
        info and [info.index_to_description(n) for n in range(info.num_classes())],
        {
            "resize": math.floor(data["input_size"][-1] / data["crop_pct"]),
            "crop": data["input_size"][-1],
            "interpolation": data["interpolation"],
            "mean": list(data["mean"]),
            "std": list(data["std"]),
        },
    )


def published_weights(architecture: str, name: str) -> PublishedWeights:
    """Return a library's weights by their name.

    Args:
        architecture: ``torchvision/NAME`` or ``timm/NAME``.
        name: such as IMAGENET1K_V1, or a tag of timm's; DEFAULT for the best.

    Raises:
        UserError: no such network or weights; with those that there are.
    """
    of_timm = architecture.startswith(TIMM)
    return (timm_weights if of_timm else torchvision_weights)(architecture, name)
