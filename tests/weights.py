"""Random weights in the place of published ones, under names that state their hash.

The names of torchvision's own files state hashes that random content cannot have, so
its tables are pointed at these files: in this process (``publish``), or in the stages
of a study (``publish_in_stages``).
"""

import json

import torch
from safetensors.torch import save_file

from s2snets.networks.vision import torchvision
from s2snets.runtime.files import sha256

MODELS = torchvision.models
OLD = ("alexnet", "vgg16_bn", "inception_v3", "resnet50", "vgg16")
AUXILIARY = {"inception_v3": {"aux_logits": True, "init_weights": False}}


def placed(state, folder, stem="net", suffix=".pth", **options):
    """Save a state under a name that ends with the first digits of its hash."""
    draft = folder / f"draft-{stem}{suffix}"
    save = save_file if suffix == ".safetensors" else torch.save
    save(state, draft, **options)
    return draft.rename(folder / f"{stem}-{sha256(draft)[:8]}{suffix}")


def publish(monkeypatch, name, path, weights="IMAGENET1K_V1"):
    """Point torchvision's table at a file of random weights, and return its entry."""
    entry = MODELS.get_model_weights(name)[weights]
    monkeypatch.setattr(entry.value, "url", f"file:///nowhere/{path.name}")
    return entry


def publish_in_stages(root, files, weights="IMAGENET1K_V1"):
    """Write a ``sitecustomize`` that does so in the stages that read the table.

    Args:
        root: folder on the stages' PYTHONPATH.
        files: torchvision's name -> file.
        weights: name of the weights.
    """
    names = {name: path.name for name, path in files.items()}
    (root / "sitecustomize.py").write_text(
        "import sys\n"
        "readers = {'fetch_weights', 'export_classifier'}\n"
        "if readers & set(sys.orig_argv):\n"
        "    from s2snets.networks.vision import torchvision\n"
        f"    for name, file in {json.dumps(names)}.items():\n"
        f"        entry = torchvision.models.get_model_weights(name)[{weights!r}]\n"
        "        entry.value.url = f'file:///nowhere/{file}'\n"
    )


def random_state(name, seed=0):
    """Return a random state of one of torchvision's old networks, as if published.

    It has auxiliary heads but not batch norm's counters, which came later. The scale of
    the values keeps activations bounded, and the first class is always predicted: the
    study's measures are undefined for networks that are never right.
    """
    with torch.device("meta"):
        empty = MODELS.get_model(name, weights=None, **AUXILIARY.get(name, {}))
    draw = torch.Generator().manual_seed(seed)
    state = {}
    for key, value in empty.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        low, high = -0.1, 0.1
        if value.ndim > 1:
            high = (3 / value[0].numel()) ** 0.5  # of variance 1 / fan-in
            low = -high
        elif key.endswith("running_var"):
            low, high = 0.5, 1.5
        elif key.endswith("weight"):
            low, high = 0.8, 1.2
        state[key] = torch.empty(value.shape).uniform_(low, high, generator=draw)
        if value.shape == (1000,):
            state[key][0] += 10
    return state


def stem(name, weights="IMAGENET1K_V1"):
    """Return the part before the hash in the name of the published file."""
    url = MODELS.get_model_weights(name)[weights].url
    return url.rpartition("/")[2].rpartition("-")[0]


def fabricated(folder, names=OLD):
    """Save random weights of torchvision's networks in a folder; return name -> file.

    They are in torch's first format, like the files that were published before 2020.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = {"_use_new_zipfile_serialization": False}
    return {
        name: placed(random_state(name), folder, stem(name), **first) for name in names
    }
