"""A finished study's files without its training: two classifiers, random weights."""

import torch

from s2snets.config import Classifier
from s2snets.networks.checkpoints import save_classifier, save_weights
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.segnet import SegNet
from s2snets.runtime.files import write_json

CLASSES = ["a_fish", "tent", "a very long name of a class"]
SIZE = 16


def fabricate(study, seed=0, parts=("decoder",), classes=3, classifiers=("R", "L")):
    """A finished study's files, as far as the command reads them."""
    torch.manual_seed(seed)
    autoencoders = study / f"seed-{seed}/autoencoders"
    settings = {"image_size": SIZE, "resize_mode": "pad", "pretraining": {"images": 9}}
    settings["autoencoder"] = {"width": 4, "stages": 2}
    pretrained = autoencoders / "pretrained/photos"
    write_json(pretrained / "record.json", {"settings": settings})
    save_weights(SegNet(4, 2), pretrained / "weights.safetensors")
    for name in classifiers:
        for part in parts:
            save_weights(
                SegNet(4, 2), autoencoders / part / name / "weights.safetensors"
            )
        spec = classifier_spec(
            Classifier(architecture="lenet5", resize=32), classes, SIZE
        )
        folder = study / f"seed-{seed}/classifiers/{name}"
        save_classifier(
            build_classifier(spec),
            spec,
            folder / "weights.safetensors",
            folder / "spec.json",
        )
    write_json(study / "data/validation/index.json", {"classes": CLASSES})
    return study
