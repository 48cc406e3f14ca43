"""Command line of rule ``export_classifier``: given weights -> a frozen classifier."""

import os
import pickle
import urllib.error
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from s2snets.config import Classifier, Settings
from s2snets.errors import Mistake
from s2snets.files import sha256
from s2snets.models.zoo import build, network, published_weights, spec_of
from s2snets.stage import arguments, recorded, run
from s2snets.store import save_classifier

FILES = (".safetensors", ".pth", ".pt")


class Job(Settings):
    image_size: int
    classifier: Classifier


def cached(entry):
    """The local file of torchvision's weights, fetched if need be, its hash checked.

    Raises:
        Mistake: offline and not there, with what to put where; or damaged.
    """
    name = os.path.basename(entry.url)
    path = Path(torch.hub.get_dir(), "checkpoints", name)
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(entry.url, str(path), progress=False)
        except (urllib.error.URLError, OSError) as error:
            raise Mistake(
                f"weights: {path} is not there and cannot be fetched ({error}); on a"
                f" machine with internet get {entry.url} and put it there, or point"
                " TORCH_HOME at a folder that has it under hub/checkpoints"
            ) from None
    begin = Path(name).stem.rpartition("-")[2]
    if not sha256(path).startswith(begin):
        raise Mistake(f"{path}: its SHA-256 does not begin with {begin}; fetch it anew")
    return path


def state_at(path):
    """The tensors of a ``.safetensors`` file or of a torch state dict.

    Raises:
        Mistake: no such file, or something else than tensors by name.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError:
        raise Mistake(f"weights: {path}: no such file") from None
    except (RuntimeError, SafetensorError, pickle.UnpicklingError, EOFError) as error:
        first = str(error).splitlines()[0]
        raise Mistake(f"weights: {path}: holds no state dict ({first})") from None


def classes_in(state, architecture, size, path):
    """Number of classes that a state tells apart, read off its output layer.

    Raises:
        Mistake: the state lacks the layer that ends this architecture.
    """
    *_, last = network(architecture, 2, size).state_dict()
    if last not in state:
        raise Mistake(f"weights: {path}: not {architecture}'s (no tensor {last!r})")
    return len(state[last])


def exported(classifier, size):
    """A frozen classifier with the weights that its settings name, and its spec.

    Raises:
        Mistake: weights that do not exist, or are another network's.
    """
    if classifier.weights.endswith(FILES):
        path, published = Path(classifier.weights), False
        state = state_at(path)
        classes = classes_in(state, classifier.architecture, size, path)
    else:
        entry = published_weights(classifier.architecture, classifier.weights)
        path, published = cached(entry), True
        state, classes = state_at(path), len(entry.meta["categories"])
    spec = spec_of(classifier, classes, size) | {"published": published}
    model = build(spec)
    try:
        model.net.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()
        raise Mistake(
            f"weights: {path}: not {classifier.architecture}'s ({first})"
        ) from None
    return model, spec


def main(argv=None):
    job = arguments(__doc__, paths=("weights", "spec", "record"), model=Job).parse_args(
        argv
    )
    chosen = job.settings
    with recorded(job.record, "s2snets.stages.export_classifier", chosen):
        model, spec = exported(chosen.classifier, chosen.image_size)
        save_classifier(model, spec, job.weights, job.spec)


if __name__ == "__main__":
    run(main)
