"""Classifiers by name: the study's small ones and torchvision's."""

import difflib

from s2snets.errors import Mistake
from s2snets.models.classifiers import ARCHITECTURES
from s2snets.models.frozen import Frozen

PREFIX = "torchvision/"

# The published weights of these expect inputs scaled otherwise than ImageNet's
# deviations would, and carry auxiliary heads; both are constructor arguments.
PUBLISHED = {
    "inception_v3": {
        "transform_input": True,
        "aux_logits": True,
        "init_weights": False,
    },
    "googlenet": {"transform_input": True, "aux_logits": True, "init_weights": False},
}
UNTRAINED = {
    "inception_v3": {"aux_logits": False, "init_weights": True},
    "googlenet": {"aux_logits": False, "init_weights": True},
}


def vision_models():
    """torchvision's models, imported late: the small networks do without."""
    from s2snets.models.vision import torchvision

    return torchvision.models


def check(architecture):
    """The name itself, once it is known to name a classifier.

    Raises:
        Mistake: it names none; with the nearest names that do.
    """
    known = list(ARCHITECTURES)
    if architecture.startswith(PREFIX):
        models = vision_models()
        known = [PREFIX + name for name in models.list_models(module=models)]
    if architecture not in known:
        near = difflib.get_close_matches(architecture, known, 3, 0.3) or known
        raise Mistake(
            f"architecture: there is no {architecture!r}; perhaps {', '.join(near)}"
            " (or torchvision/NAME)"
        )
    return architecture


def network(architecture, classes, size, published=False):
    """A bare classifier with fresh weights: normalised images -> logits.

    Args:
        architecture: a name of ``ARCHITECTURES`` or ``torchvision/NAME``.
        classes: number of logits.
        size: side of the images that it will see, pixels.
        published: whether torchvision's own weights will be loaded into it.

    Raises:
        Mistake: no such architecture.
    """
    check(architecture)
    if architecture in ARCHITECTURES:
        return ARCHITECTURES[architecture](classes, size)
    name = architecture.removeprefix(PREFIX)
    extra = (PUBLISHED if published else UNTRAINED).get(name, {})
    return vision_models().get_model(name, weights=None, num_classes=classes, **extra)


def spec_of(classifier, classes, size):
    """What rebuilds a classifier, as plain values for ``spec.json``.

    Args:
        classifier: a ``config.Classifier``.
        classes: number of logits.
        size: side of the study's images, pixels.
    """
    return {
        "architecture": check(classifier.architecture),
        "classes": classes,
        "size": size,
        "published": False,
        "mean": list(classifier.mean),
        "std": list(classifier.std),
        "resize": classifier.resize,
        "crop": classifier.crop,
    }


def build(spec, kind=Frozen):
    """The classifier of a spec with fresh weights, which takes pixels.

    Args:
        spec: as from ``spec_of``.
        kind: ``Frozen``, or ``Prepared`` for one that learns.
    """
    seen = spec["crop"] or spec["resize"] or spec["size"]
    net = network(spec["architecture"], spec["classes"], seen, spec["published"])
    return kind(net, spec["mean"], spec["std"], spec["resize"], spec["crop"])


def published_weights(architecture, name):
    """torchvision's entry (``url``, ``meta``) for a weights' name.

    Raises:
        Mistake: there are no such weights; with those that there are.
    """
    models = vision_models()
    table = models.get_model_weights(check(architecture).removeprefix(PREFIX))
    if name not in table.__members__:
        raise Mistake(
            f"weights: {architecture} has no {name!r}; it has"
            f" {', '.join(table.__members__) or 'none'}"
        )
    return table[name]
