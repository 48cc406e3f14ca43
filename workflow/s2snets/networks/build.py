"""Classifiers by name: the study's small ones, torchvision's, timm's, the user's."""

import difflib

from s2snets.networks.classifiers import ARCHITECTURES
from s2snets.networks.frozen import Frozen
from s2snets.networks.user_function import PREPROCESSING, called, located
from s2snets.runtime.errors import UserError

VISION, TIMM = "torchvision/", "timm/"

# Their published weights expect inputs scaled otherwise than ImageNet's deviations
# would: a constructor argument. The auxiliary heads are for training alone.
RESCALING = (f"{VISION}inception_v3", f"{VISION}googlenet")

UNSAID = {
    "resize": None,
    "crop": None,
    "interpolation": "bilinear",
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}


def vision_models():
    """torchvision's models, imported late: the small networks do without."""
    from s2snets.networks.vision import torchvision

    return torchvision.models


def timm_library():
    """timm, which is optional.

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


def check(architecture):
    """The name itself, once it is known to name a classifier.

    Raises:
        UserError: it names none; with the nearest names that do.
    """
    if ":" in architecture:
        located(architecture)
        return architecture
    name, known = architecture, list(ARCHITECTURES)
    if architecture.startswith(VISION):
        models = vision_models()
        known = [VISION + name for name in models.list_models(module=models)]
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


def network(architecture, classes, size, published=False):
    """A bare classifier with fresh weights: normalised images -> logits.

    Args:
        architecture: a name of ``ARCHITECTURES``, ``torchvision/NAME``, ``timm/NAME``
            or a function's import path, whose network is as it comes.
        classes: number of logits.
        size: side of the images that it will see, pixels.
        published: whether the library's own weights will be loaded into it.

    Raises:
        UserError: no such architecture.
    """
    check(architecture)
    if ":" in architecture:
        return called(architecture)[0]
    if architecture in ARCHITECTURES:
        return ARCHITECTURES[architecture](classes, size)
    name = architecture.partition("/")[2]
    if architecture.startswith(TIMM):
        return timm_library().create_model(name, num_classes=classes)
    extra = {}
    if architecture in RESCALING:
        extra = {
            "aux_logits": False,
            "init_weights": not published,
            "transform_input": published,
        }
    return vision_models().get_model(name, weights=None, num_classes=classes, **extra)


def preparation(classifier, given):
    """The preprocessing of a classifier: its settings over what its weights expect.

    ``resize`` and ``crop`` go together: whoever sets one, sets both.

    Args:
        classifier: a ``config.Classifier``.
        given: what comes with the weights, by the same names.
    """
    chosen = classifier.model_dump(include=set(PREPROCESSING), exclude_none=True)
    if {"resize", "crop"} & set(chosen):
        chosen = {"resize": None, "crop": None} | chosen
    merged = UNSAID | given | chosen
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in merged.items()
    }


def spec_of(classifier, classes, size, published=False, given=()):
    """What rebuilds a classifier, as plain values for ``spec.json``.

    Args:
        classifier: a ``config.Classifier``.
        classes: number of logits.
        size: side of the study's images, pixels.
        published: whether its weights are the library's own.
        given: preprocessing that comes with the weights.
    """
    return {
        "architecture": check(classifier.architecture),
        "classes": classes,
        "size": size,
        "published": published,
        **preparation(classifier, dict(given)),
    }


def wrapped(net, spec, kind=Frozen):
    """A bare network behind the preprocessing of a spec."""
    # Specs of finished studies may be older than a name.
    given = {name: spec[name] for name in PREPROCESSING if name in spec}
    return kind(net, **given, size=spec["size"])


def build(spec, kind=Frozen):
    """The classifier of a spec with fresh weights, which takes pixels.

    Args:
        spec: as from ``spec_of``.
        kind: ``Frozen``, or ``Prepared`` for one that learns.
    """
    seen = spec["crop"] or spec["resize"] or spec["size"]
    net = network(spec["architecture"], spec["classes"], seen, spec["published"])
    return wrapped(net, spec, kind)
