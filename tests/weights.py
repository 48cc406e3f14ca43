"""Published weights that nobody published: random, under names that state their hash.

The names of torchvision's own files state hashes that random content cannot have, so
its tables are pointed at ours: here (``publish``), or in the stages of a study
(``publish_in_stages``).
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
    """A state's file under a name that ends by the first digits of its hash."""
    draft = folder / f"draft-{stem}{suffix}"
    save = save_file if suffix == ".safetensors" else torch.save
    save(state, draft, **options)
    return draft.rename(folder / f"{stem}-{sha256(draft)[:8]}{suffix}")


def publish(monkeypatch, name, path, weights="IMAGENET1K_V1"):
    """Let torchvision's table point at a file of ours."""
    entry = MODELS.get_model_weights(name)[weights]
    monkeypatch.setattr(entry.value, "url", f"file:///nowhere/{path.name}")
    return entry


def publish_in_stages(root, files, weights="IMAGENET1K_V1"):
    """A ``sitecustomize`` below ``root`` that does so in the stages that ask.

    Args:
        files: torchvision's name -> our file.
    """
    names = {name: path.name for name, path in files.items()}
    (root / "sitecustomize.py").write_text(
        "import sys\n"
        "asking = {'s2snets.stages.fetch_weights', 's2snets.stages.export_classifier'}\n"
        "if asking & set(sys.orig_argv):\n"
        "    from s2snets.networks.vision import torchvision\n"
        f"    for name, file in {json.dumps(names)}.items():\n"
        f"        entry = torchvision.models.get_model_weights(name)[{weights!r}]\n"
        "        entry.value.url = f'file:///nowhere/{file}'\n"
    )


def random_state(name, seed=0):
    """A state of one of torchvision's old networks, as its published file has it.

    Auxiliary heads are in it, batch norm's counters are not: they came later. Values
    are such that no activation runs away, and the first class is what it always says:
    random networks that were never right would be beyond the study's measures.
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
    """What stands before the hash in the name of the file that is published."""
    url = MODELS.get_model_weights(name)[weights].url
    return url.rpartition("/")[2].rpartition("-")[0]


def fabricated(folder, names=OLD):
    """Random weights of torchvision's networks in a folder; name -> file.

    They are in torch's first format, as what is published since then is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = {"_use_new_zipfile_serialization": False}
    return {
        name: placed(random_state(name), folder, stem(name), **first) for name in names
    }
