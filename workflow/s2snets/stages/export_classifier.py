"""Command line of rule ``export_classifier``: given weights -> a frozen classifier."""

import re
from pathlib import Path

import torch
from safetensors import SafetensorError

from s2snets.config import Classifier, Settings
from s2snets.networks.build import (
    RESCALING,
    TIMM,
    VISION,
    build,
    network,
    spec_of,
    timm_library,
    wrapped,
)
from s2snets.networks.checkpoints import save_classifier
from s2snets.networks.published import published
from s2snets.networks.state_dicts import fill, state_at, unwrapped
from s2snets.networks.user_function import called, meaning
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, sha256
from s2snets.stages.base import arguments, recorded, run

AUXILIARY = ("AuxLogits.", "aux1.", "aux2.")
# DenseNet's layers were once called norm.1 and are now called norm1.
RENAMED = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)")


class Job(Settings):
    image_size: int
    classifier: Classifier


def current(state, architecture):
    """A state dict in today's names, without heads that only training needs."""
    if not architecture.startswith(VISION):
        return state
    if "densenet" in architecture:
        return {RENAMED.sub(r"\1", name): value for name, value in state.items()}
    if architecture in RESCALING:
        return {
            name: value
            for name, value in state.items()
            if not name.startswith(AUXILIARY)
        }
    return state


def filled(net, architecture, path):
    """A network with the weights of a file.

    Raises:
        UserError: no such file, or another network's.
    """
    try:
        return fill(net, current(unwrapped(state_at(path), net, path), architecture))
    except ValueError as error:
        raise UserError(f"weights: {path}: not {architecture}'s ({error})") from None


def filled_by_timm(architecture, path):
    """A network of timm's with its published weights, which timm brings up to date.

    Raises:
        UserError: a damaged file, or another network's.
    """
    overlay = {"file": str(path), "custom_load": path.suffix == ".npz"}
    try:
        return timm_library().create_model(
            architecture.removeprefix(TIMM),
            pretrained=True,
            pretrained_cfg_overlay=overlay,
        )
    except (RuntimeError, ValueError, LookupError, SafetensorError) as error:
        told = str(error).splitlines()[:2][-1].strip()
        raise UserError(f"weights: {path}: not {architecture}'s ({told})") from None


def classes_in(path, architecture, size):
    """Number of classes that a file's weights tell apart, read off the output layer.

    Raises:
        UserError: it lacks the layer that ends this architecture.
    """
    two, three = (network(architecture, classes, size) for classes in (2, 3))
    state = current(unwrapped(state_at(path), two, path), architecture)
    other = three.state_dict()
    last = [
        name for name, value in two.state_dict().items()
        if value.shape != other[name].shape
    ][-1]  # fmt: skip
    if last not in state:
        raise UserError(f"weights: {path}: not {architecture}'s (it lacks {last})")
    return len(state[last])


def fetched(path):
    """The file of published weights that a receipt names, still the same.

    Raises:
        UserError: it is gone, or another.
    """
    told = read_json(path)
    file = Path(told["file"])
    if not file.is_file() or sha256(file) != told["sha256"]:
        raise UserError(
            f"weights: {file} is gone or changed since it was fetched; delete {path}"
            " and rerun"
        )
    return file


def probed(model, size, architecture):
    """Number of logits that a classifier gives for images of the study.

    Raises:
        UserError: it refuses them, or gives something else.
    """
    try:
        with torch.inference_mode():
            logits = model(torch.zeros(1, 3, size, size))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise UserError(
            f"architecture: {architecture} refuses the study's {size}×{size} images"
            f" ({str(error).splitlines()[0]}); set resize or crop"
        ) from None
    if not torch.is_tensor(logits) or logits.ndim != 2 or len(logits) != 1:
        raise UserError(
            f"architecture: {architecture} must give logits (N, classes) for images"
            " (N, 3, H, W)"
        )
    return logits.shape[1]


def by_name(classifier, size, receipt):
    """The network of a library's weights, its spec and their file."""
    path = fetched(receipt)
    entry = published(classifier.architecture, classifier.weights)
    spec = spec_of(classifier, entry.classes, size, True, entry.preprocessing)
    spec |= {"architecture": entry.architecture, "categories": entry.categories}
    if entry.architecture.startswith(TIMM):
        return filled_by_timm(entry.architecture, path), spec, path
    return filled(build(spec).net, entry.architecture, path), spec, path


def by_function(classifier, size):
    """The network that a user's function returns, its spec, the file of its weights."""
    architecture, path = classifier.architecture, None
    net, given, categories = called(architecture)
    if classifier.weights is not None:
        path = Path(classifier.weights)
        filled(net, architecture, path)
    spec = spec_of(classifier, None, size, given=given)
    return net, spec | {"categories": categories, "code": meaning(architecture)}, path


def by_file(classifier, size):
    """The network of a user's weights, its spec and their file."""
    architecture, path = classifier.architecture, Path(classifier.weights)
    spec = spec_of(classifier, classes_in(path, architecture, size), size)
    return filled(build(spec).net, architecture, path), spec, path


def exported(classifier, size, receipt=None):
    """A frozen classifier as its settings describe it, and its spec.

    Args:
        classifier: a ``config.Classifier`` that is not trained.
        size: side of the study's images, pixels.
        receipt: path of what ``fetch_weights`` wrote; for weights by name alone.

    Raises:
        UserError: weights that do not exist, or are another network's.
    """
    if classifier.named:
        net, spec, path = by_name(classifier, size, receipt)
    else:
        make = by_function if classifier.function else by_file
        net, spec, path = make(classifier, size)
    model = wrapped(net, spec)
    spec["classes"] = probed(model, size, spec["architecture"])
    names = spec.get("categories")
    if names is not None and len(names) != spec["classes"]:
        raise UserError(
            f"architecture: {spec['architecture']} names {len(names)} categories and"
            f" tells {spec['classes']} apart"
        )
    if path is not None:
        spec["weights"] = {"file": path.name, "sha256": sha256(path)}
    return model, spec


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("weights", "spec", "record"),
        model=Job,
        receipt={"type": Path, "help": "what fetch_weights wrote"},
    ).parse_args(argv)
    chosen = job.settings
    with recorded(job.record, "s2snets.stages.export_classifier", chosen):
        model, spec = exported(chosen.classifier, chosen.image_size, job.receipt)
        save_classifier(model, spec, job.weights, job.spec)


if __name__ == "__main__":
    run(main)
