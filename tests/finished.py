"""A finished study's files without its training: two classifiers, random weights."""

import pandas as pd
import torch

from s2snets.config import Classifier
from s2snets.networks.checkpoints import save_classifier, save_weights
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.segnet import SegNet
from s2snets.runtime.files import write_json
from s2snets.runtime.tables import write_csv

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
        network = {"image_size": SIZE, "classifier": {"architecture": "lenet5"}}
        write_json(folder / "record.json", {"settings": network})
    write_json(study / "data/validation/index.json", {"classes": CLASSES})
    return study


def report(study, classifiers=("R", "L")):
    """What a bundle reads beside: the record of the report, and two tables."""
    settings = {
        "study": "tiny",
        "image_size": SIZE,
        "autoencoder": {"width": 4, "stages": 2},
        "reference": "labels",
        "classifiers": {
            name: {"architecture": "lenet5", "weights": None} for name in classifiers
        },
    }
    record = {"settings": settings, "commit": "abc", "device": "a processor"}
    write_json(study / "report.json", record | {"versions": {"torch": "2.13"}})
    rows = [
        {"classifier": name, "input": inputs, "top1": 0.5, "top1_low": 0.4,
         "top1_high": 0.6, "top5": 0.9, "images": 60}
        for name in classifiers for inputs in ("original", "A_S", "A_i")
    ]  # fmt: skip
    write_csv(pd.DataFrame(rows), study / "tables/table1.csv")
    table2 = pd.DataFrame({"autoencoder": [f"A_{name}" for name in classifiers]})
    for number, name in enumerate(classifiers):
        table2[name] = 0.5 + number / 8
    write_csv(table2, study / "tables/table2.csv")
    return study
