"""How the autoencoders of layers should be tuned: batch norm's averages, and the rate.

    PYTHONPATH=workflow python benchmarks/depth.py results/demo

Tunes the demo's A_S for the input, a layer and the logits of one network, with its own
and with random weights, in several ways. A way is of use where the layer's error falls
below that with A_S, from which it starts. Writes ``results/depth.csv``, and its rows
into ``docs/depth.md``.
"""

import argparse
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml
from common import RESULTS, markdown, write_tables

from s2snets.config import Study, load
from s2snets.config.depth import INPUT, RANDOM, TRAINED
from s2snets.data.examples import sample_batches
from s2snets.data.imageset import ImageSet
from s2snets.depth import half_distance, square_distance
from s2snets.evaluation import to_uint8
from s2snets.measure.information import nmi
from s2snets.networks.checkpoints import load_autoencoder, load_classifier
from s2snets.networks.depths import Activations
from s2snets.runtime.files import read_json, replacing
from s2snets.stages.depth import TuneForLayer

ROOT = Path(__file__).parents[1]
NETWORK, DEPTHS = "R", (0, 3, 4)
WAYS = tuple(itertools.product((0.0, 0.3), (0.002, 0.005, 0.01)))
"""``freeze_norm`` and the learning rate."""
SEED = "seed-0"


def tune(study: Study, results: Path, weights: Path, depth: int, folder: Path) -> Path:
    """Tune for one depth of a network, and return the autoencoder's weights."""
    stage = TuneForLayer(
        images=results / "data/train/index.npz",
        pretrained=results
        / SEED
        / "autoencoders/pretrained/photos/weights.safetensors",
        classifier=weights,
        layers=results / f"depth/{NETWORK}.json",
        weights=folder / "weights.safetensors",
        curve=folder / "curve.csv",
        record=folder / "record.json",
        depth=depth,
        settings=TuneForLayer.settings_for(study, classifier=NETWORK),
    )
    stage.run()
    return stage.weights


def measure(results: Path, demo: dict[str, Any]) -> Iterator[dict[str, object]]:
    """Yield a row for each network, depth and way."""
    plain = load(demo)
    images = ImageSet(
        results / "data/validation/index.npz", plain.image_size, plain.resize_mode
    )
    (pixels,) = sample_batches(images, 300, 300)
    pretrained = load_autoencoder(
        results / SEED / "autoencoders/pretrained/photos/weights.safetensors",
        plain.autoencoder,
    )
    networks = {
        TRAINED: results / SEED / f"classifiers/{NETWORK}/weights.safetensors",
        RANDOM: results / SEED / f"depth/0/random/{NETWORK}/weights.safetensors",
    }
    for (kind, weights), depth in itertools.product(networks.items(), DEPTHS):
        if kind == RANDOM and not depth:
            continue
        classifier = load_classifier(weights.parent)
        layers = [INPUT, *read_json(results / f"depth/{NETWORK}.json")]
        activations = Activations(classifier, layers[depth])
        for freeze_norm, rate in WAYS:
            change = {"freeze_norm": freeze_norm, "learning_rate": rate}
            study = load(demo | {"depth": demo["depth"] | change})
            with tempfile.TemporaryDirectory() as folder:
                tuned = load_autoencoder(
                    tune(study, results, weights, depth, Path(folder)),
                    plain.autoencoder,
                )
            with torch.inference_mode():
                there, output = activations(pixels), tuned(pixels)
                scale = half_distance(there).mean()
                errors = [
                    square_distance(activations(one), there).mean() / scale
                    for one in (pretrained(pixels), output)
                ]
            left = nmi(to_uint8(pixels), to_uint8(output), bins=32).mean()
            row = {"weights": kind, "layer": layers[depth], **change}
            row |= {"error with A_S": errors[0], "error": errors[1], "nMI": left}
            print(row, flush=True)
            yield row


def main() -> None:
    """Measure, and write the table and the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="a finished demo")
    results = parser.parse_args().results
    demo = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    torch.set_num_threads(1)
    table = pd.DataFrame(measure(results, demo))
    with replacing(RESULTS / "depth.csv") as draft:
        table.to_csv(draft, index=False, float_format="%.4g")
    record = read_json(results / SEED / f"depth/0/random/{NETWORK}/record.json")
    told = f"`benchmarks/depth.py`, network {NETWORK} of the demo of commit"
    told += f" `{record['commit']}`, on {record['device']}."
    write_tables(ROOT / "docs/depth.md", "\n".join([*markdown(table), "", told]))


if __name__ == "__main__":
    main()
