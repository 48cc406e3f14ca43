"""What does a thirteenth network cost? Cells and seconds of ``predict``.

    PYTHONPATH=workflow python benchmarks/growth.py

Networks and autoencoders have random weights: a prediction costs the same. The grown
study's tables are compared with those of a study that had all networks from the start.
"""

import contextlib
import io
import re
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
import torch
from common import processor, record
from PIL import Image

from s2snets.config import Autoencoder, Classifier, Predict
from s2snets.networks.checkpoints import save_classifier, save_weights
from s2snets.networks.factory import build_classifier, classifier_spec
from s2snets.networks.segnet import SegNet
from s2snets.runtime import records
from s2snets.stages.predictions import Predict as PredictStage
from s2snets.stages.predictions import PredictSettings

NETWORKS, IMAGES, SIDE, CLASSES = 12, 512, 32, 10
ARCHITECTURES = ("lenet5", "small_alexnet", "small_vgg", "small_resnet")
AUTOENCODER = Autoencoder(width=16, stages=2)
SETTINGS = PredictSettings(
    image_size=SIDE,
    resize_mode="pad",
    autoencoder=AUTOENCODER,
    predict=Predict(strengths=[0.0, 0.3], noisy_images=128, batch=64),
)


def fabricate(folder: Path) -> list[str]:
    """Write images, networks and an autoencoder for each; return the networks."""
    draw = np.random.default_rng(0)
    for number in range(IMAGES):
        path = folder / "images" / f"class {number % CLASSES}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = draw.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    names = [f"N{number}" for number in range(NETWORKS + 1)]
    torch.manual_seed(0)
    for number, name in enumerate(names):
        architecture = ARCHITECTURES[number % len(ARCHITECTURES)]
        spec = classifier_spec(Classifier(architecture=architecture), CLASSES, SIDE)
        files = (folder / name / file for file in ("weights.safetensors", "spec.json"))
        save_classifier(build_classifier(spec), spec, *files)
    for source in ("pretrained", *(f"decoder-{name}" for name in names)):
        net = SegNet(AUTOENCODER.width, AUTOENCODER.stages)
        save_weights(net, folder / f"{source}.safetensors")
    return names


def study(folder: Path, out: str, names: list[str]) -> tuple[int, float, list[bytes]]:
    """Predict every source through the networks of a study.

    Returns:
        The cells that were computed, seconds of the processor, the tables' bytes.
    """
    tables, told, start = [], io.StringIO(), process_time()
    for source in ("original", "pretrained", *(f"decoder-{name}" for name in names)):
        weights = folder / f"{source}.safetensors"
        table = folder / out / f"{source}.parquet"
        stage = PredictStage(
            images=folder / "images",
            autoencoder=weights if source != "original" else None,
            classifiers=[folder / name / "weights.safetensors" for name in names],
            predictions=table,
            record=table.with_suffix(".json"),
            source=source,
            names=names,
            settings=SETTINGS,
        )
        with contextlib.redirect_stderr(told):
            stage.execute()
        tables.append(table.read_bytes())
    computed = re.findall(r"(\d+) of \d+ cells to compute", told.getvalue())
    groups = -(-IMAGES // 512)
    return sum(map(int, computed)) // groups, process_time() - start, tables


def rows(folder: Path) -> list[tuple[object, ...]]:
    """Return what a study of twelve networks, one more, and thirteen at once cost."""
    names = fabricate(folder)
    study(folder, "warm", names[:2])
    first = study(folder, "grown", names[:-1])
    grown = study(folder, "grown", names)
    whole = study(folder, "whole", names)
    assert grown[2] == whole[2]
    what = ("twelve networks", "one more", "thirteen from the start")
    origin = f"{records.commit()} on {processor()}"
    return [
        (name, cells, f"{seconds:.1f}", origin)
        for name, (cells, seconds, _) in zip(what, (first, grown, whole), strict=True)
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        header = ["study", "pairs predicted", "CPU seconds", "commit"]
        record("growth", header, rows(Path(scratch)))
