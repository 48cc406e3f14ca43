"""Classifiers by name: the study's own, torchvision's, timm's, and user functions."""

import difflib
from collections.abc import Mapping
from types import ModuleType
from typing import Any, TypeVar

from torch import nn

from s2snets.config import Classifier
from s2snets.networks.architectures import ARCHITECTURES
from s2snets.networks.frozen import FrozenClassifier, PixelClassifier
from s2snets.networks.user_function import (
    PREPROCESSING,
    call_user_function,
    locate_module,
)
from s2snets.runtime.errors import UserError, one_line

TORCHVISION, TIMM = "torchvision/", "timm/"

# Their published weights expect inputs scaled otherwise than ImageNet's deviations
# would: a constructor argument. The auxiliary heads are for training alone.
INPUT_TRANSFORMING = (f"{TORCHVISION}inception_v3", f"{TORCHVISION}googlenet")

DEFAULT_PREPROCESSING = {
    "resize": None,
    "crop": None,
    "interpolation": "bilinear",
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}

Spec = dict[str, Any]
"""What rebuilds a classifier, as plain values for ``spec.json``."""

Wrapper = TypeVar("Wrapper", bound=PixelClassifier)


def torchvision_models() -> ModuleType:
    """Return torchvision's models, imported late: the study's own do without."""
    from s2snets.networks.vision import torchvision

    return torchvision.models


def timm_library() -> ModuleType:
    """Return timm, which is optional.

    Raises:
        UserError: it is not installed.
    """
    from s2snets.networks import vision  # noqa: F401 - timm itself imports torchvision

    try:
        import huggingface_hub  # noqa: F401 - where its weights are; comes with it
        import timm
    except ImportError as error:
        raise UserError(
            f"architecture: timm/NAME needs timm ({error}); pip install timm"
        ) from None
    return timm


def known_architecture(architecture: str) -> str:
    """Return the name of an architecture if there is one of that name.

    Raises:
        UserError: there is none; with the nearest names.
    """
    if ":" in architecture:
        locate_module(architecture)
        return architecture
    name, known = architecture, list(ARCHITECTURES)
    if architecture.startswith(TORCHVISION):
        models = torchvision_models()
        known = [TORCHVISION + name for name in models.list_models(module=models)]
    elif architecture.startswith(TIMM):
        name = architecture.partition(".")[0]  # a tag may follow
        known = [TIMM + name for name in timm_library().list_models()]
    if name not in known:
        near = difflib.get_close_matches(name, known, 3, 0.3) or known
        raise UserError(
            f"architecture: there is no {architecture!r}; perhaps {', '.join(near)}"
            " (or torchvision/NAME, timm/NAME, package.module:function)"
        )
    return architecture


def build_network(
    architecture: str,
    classes: int,
    size: int,
    published: bool = False,
    options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Return a bare classifier with fresh weights: normalised images -> logits.

    Args:
        architecture: a name of ``ARCHITECTURES``, ``torchvision/NAME``, ``timm/NAME``
            or a function's import path, whose network is taken as returned.
        classes: number of logits.
        size: side of the images that it will receive, pixels.
        published: whether the library's own weights will be loaded into it.
        options: of the library's constructor.

    Raises:
        UserError: no such architecture, or options that it refuses.
    """
    known_architecture(architecture)
    if ":" in architecture:
        return call_user_function(architecture)[0]
    if architecture in ARCHITECTURES:
        return ARCHITECTURES[architecture](classes, size)
    name, extra = architecture.partition("/")[2], dict(options or {})
    if architecture in INPUT_TRANSFORMING:
        extra |= {
            "aux_logits": False,
            "init_weights": not published,
            "transform_input": published,
        }
    try:
        if architecture.startswith(TIMM):
            return timm_library().create_model(name, num_classes=classes, **extra)
        return torchvision_models().get_model(
            name, weights=None, num_classes=classes, **extra
        )
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        if not options:
            raise
        raise UserError(
            f"options: {architecture} refuses {dict(options)} ({one_line(error)})"
        ) from None


def merge_preprocessing(
    classifier: Classifier, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a classifier's preprocessing: its settings over what its weights expect.

    ``resize`` and ``crop`` go together: settings of one replace both.
    """
    settings = classifier.model_dump(include=set(PREPROCESSING), exclude_none=True)
    if {"resize", "crop"} & set(settings):
        settings = {"resize": None, "crop": None} | settings
    merged = DEFAULT_PREPROCESSING | dict(given) | settings
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in merged.items()
    }


def classifier_spec(
    classifier: Classifier,
    classes: int | None,
    size: int,
    published: bool = False,
    given: Mapping[str, Any] | None = None,
) -> Spec:
    """Return what rebuilds a classifier.

    Args:
        classifier: the settings.
        classes: number of logits; None: not known yet.
        size: side of the study's images, pixels.
        published: whether its weights are the library's own.
        given: preprocessing that comes with the weights.
    """
    return {
        "architecture": known_architecture(classifier.architecture),
        "classes": classes,
        "size": size,
        "published": published,
        "options": dict(classifier.options),
        **merge_preprocessing(classifier, given or {}),
    }


def wrap_network(net: nn.Module, spec: Spec, wrapper: type[Wrapper]) -> Wrapper:
    """Return a bare network behind the preprocessing of its spec."""
    # Specs of finished studies may be older than a name.
    preprocessing = {name: spec[name] for name in PREPROCESSING if name in spec}
    return wrapper(net, **preprocessing, size=spec["size"])


def build_classifier(
    spec: Spec, wrapper: type[PixelClassifier] = FrozenClassifier
) -> PixelClassifier:
    """Return the classifier of a spec with fresh weights; it takes pixels.

    ``FrozenClassifier`` is for evaluation, ``PixelClassifier`` can be trained.
    """
    side = spec["crop"] or spec["resize"] or spec["size"]
    net = build_network(
        spec["architecture"],
        spec["classes"],
        side,
        spec["published"],
        spec.get("options"),  # specs of finished studies may lack it
    )
    return wrap_network(net, spec, wrapper)
