"""Weights that libraries publish: what they are for, and the file they come in.

All of it is the libraries' own metadata; nothing is fetched here.
"""

import math
import re
from pathlib import Path
from typing import NamedTuple

import torch

from s2snets.networks.build import TIMM, check, timm_library, vision_models
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import sha256

# Both libraries end a file's name by the first digits of its SHA-256.
HASH = re.compile(r"-([0-9a-f]{8,})\.(?:pth|pt|tar|safetensors)$")
BLOB = re.compile(r"[0-9a-f]{64}")


class Published(NamedTuple):
    """One set of weights."""

    architecture: str  # what ``zoo.network`` takes
    address: str
    file: Path  # in torch's folder
    hub: tuple | None  # (repository, file) on the hub of timm's weights
    classes: int
    categories: list | None  # names, in the order of the logits
    preprocessing: dict


def folder():
    """Where torch keeps weights; TORCH_HOME moves it."""
    return Path(torch.hub.get_dir(), "checkpoints")


def no_classes(weights):
    """The complaint over weights that end before the output layer."""
    return UserError(f"weights: {weights} gives features, no classes; choose others")


def vision_weights(architecture, name):
    """torchvision's; see ``published``."""
    models = vision_models()
    table = models.get_model_weights(check(architecture).partition("/")[2])
    if name not in table.__members__:
        raise UserError(
            f"weights: {architecture} has no {name!r}; it has"
            f" {', '.join(table.__members__) or 'none'}"
        )
    entry = table[name]
    if not entry.meta["categories"]:
        raise no_classes(f"{architecture} {name}")
    transforms = entry.transforms()
    return Published(
        architecture,
        entry.url,
        folder() / entry.url.rpartition("/")[2],
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


def timm_weights(architecture, name):
    """timm's; see ``published``. A name is a tag, DEFAULT the library's first."""
    timm = timm_library()
    from huggingface_hub import hf_hub_url

    model = check(architecture).removeprefix(TIMM)
    base, _, tag = model.partition(".")
    if name == "DEFAULT":
        default = timm.get_pretrained_cfg(base)
        name = tag or (default.tag if default else "")
    model, there = f"{base}.{name}", timm.list_pretrained(f"{base}.*")
    if model not in there:
        tags = ", ".join(one.partition(".")[2] for one in there)
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
        hub = entry["hf_hub_id"], entry.get("hf_hub_filename", "model.safetensors")
    if hub and not HASH.search(address):
        address = hf_hub_url(*hub)
        file = folder() / f"{model}.safetensors"  # there every file has one name
    else:
        file = folder() / address.rpartition("/")[2]
    return Published(
        TIMM + model,
        address,
        file,
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


def published(architecture, name):
    """A library's weights by their name.

    Args:
        architecture: ``torchvision/NAME`` or ``timm/NAME``.
        name: such as IMAGENET1K_V1, or a tag of timm's; DEFAULT for the best.

    Raises:
        UserError: no such network or weights; with those that there are.
    """
    of = timm_weights if architecture.startswith(TIMM) else vision_weights
    return of(architecture, name)


def stated_hash(path):
    """How the SHA-256 of a published file begins, from its name; "" if that is silent.

    In the cache of timm's hub a file is a link to one that its whole hash names.
    """
    target = path.resolve().name
    if BLOB.fullmatch(target):
        return target
    found = HASH.search(path.name)
    return found[1] if found else ""


def local(entry):
    """The file of published weights on this machine, or None."""
    if entry.file.is_file():
        return entry.file
    if entry.hub:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(*entry.hub)
        return Path(found) if isinstance(found, str) else None
    return None


def verified(path):
    """The SHA-256 of a published file.

    Raises:
        UserError: it is not what the file's name states.
    """
    digest, stated = sha256(path), stated_hash(path)
    if not digest.startswith(stated):
        raise UserError(
            f"weights: {path}: its SHA-256 does not begin with {stated}; delete it and"
            " fetch it anew"
        )
    return digest
