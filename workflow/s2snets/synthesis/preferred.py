"""Sweeps of preferred images: search, scores and pictures of one network's targets."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from s2snets.config import Ascent
from s2snets.evaluation import to_uint8
from s2snets.measure.synthesis import (
    confidence,
    high_frequency,
    rank,
    sought_activation,
    total_variation,
)
from s2snets.networks.checkpoints import load_weights
from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.generator import Autoencoder, Generator
from s2snets.networks.layers import LOGITS
from s2snets.runtime.progress import Progress, log
from s2snets.synthesis.ascent import AscentResult, ascend
from s2snets.synthesis.targets import Target, activations, channel_outputs

KEYS = ("target", "kind", "layer", "mode")


class Searcher(NamedTuple):
    """A network whose preferred images are sought, and how."""

    name: str  # of the network, in tables
    mode: str  # scratch or pretrained
    classifier: PixelClassifier
    judge: PixelClassifier  # another network, which classifies the images
    classes: Sequence[str] | None  # names in the order of the logits; None: numbers
    generator: Generator
    ascent: Ascent
    seed: int


def load_generator(weights: Path | None, size: int) -> Generator:
    """Return a generator of images of ``size`` pixels, a fresh one without weights.

    Weights are those of a trained autoencoder, whose decoder it gets.
    """
    if weights is None:
        return Generator(size)
    autoencoder = load_weights(Autoencoder(size), weights)
    generator = Generator(size, pretrained=True)
    generator.decoder.load_state_dict(autoencoder.decoder.state_dict())
    return generator


@torch.no_grad()
def score_pictures(
    searcher: Searcher, targets: Sequence[Target], pictures: np.ndarray
) -> Iterator[dict[str, object]]:
    """Yield a row of numbers for each picture, uint8 (T, H, W, 3), of a group."""
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    pixels, layer = images.to(searcher.classifier.mean.device), targets[0].layer
    rectified, values = (
        tensor.cpu().numpy()
        for tensor in activations(channel_outputs(searcher.classifier, pixels, layer))
    )
    judgements, classes = searcher.judge(pixels).argmax(1).tolist(), searcher.classes
    of_class = layer == LOGITS
    for target, a, z, image, judged in zip(
        targets, rectified, values, images.numpy(), judgements, strict=True
    ):
        yield {
            "activation": sought_activation(a, target.neurons),
            "rank": rank(z, target.neurons),
            "units": len(z),
            "confidence": confidence(z, target.neurons) if of_class else np.nan,
            "total_variation": total_variation(image),
            "high_frequency": high_frequency(image),
            "judged": classes[judged] if classes else str(judged),
            "agrees": float(judged in target.neurons) if of_class else np.nan,
        }


def result_table(
    searcher: Searcher, targets: Sequence[Target], result: AscentResult
) -> pd.DataFrame:
    """Return a group's rows, with the pictures as bytes in the last column."""
    for target, started in zip(targets, result.started, strict=True):
        if not started:
            log(
                f"{searcher.name}, {searcher.mode}: {target.name!r} was never active;"
                " its image shows nothing; raise steps or deviation to seek it longer"
            )
    pictures = to_uint8(result.pixels)
    keys = pd.DataFrame([target[:3] for target in targets], columns=KEYS[:3])
    keys = keys.assign(mode=searcher.mode, classifier=searcher.name, seed=searcher.seed)
    scores = pd.DataFrame(score_pictures(searcher, targets, pictures))
    return pd.concat([keys, scores], axis=1).assign(
        started=result.started,
        active=result.active,
        draws=result.draws,
        picture=[picture.tobytes() for picture in pictures],
    )


def search_groups(
    searcher: Searcher, groups: Sequence[Sequence[Target]], missing: Sequence[int]
) -> Iterator[pd.DataFrame]:
    """Search the missing groups of targets, and yield the table of each."""
    on_step = progress_of_steps(
        sum(map(len, groups)),
        sum(len(groups[number]) for number in missing),
        searcher.ascent.steps,
    )
    for number in missing:
        result = ascend(
            searcher.classifier,
            groups[number],
            searcher.generator,
            searcher.ascent,
            seed=searcher.seed,
            on_step=on_step,
        )
        yield result_table(searcher, groups[number], result)


def progress_of_steps(total: int, left: int, steps: int) -> Callable[[int], None]:
    """Return a function that reports progress, given how many targets took a step.

    ``left`` of ``total`` targets are not done, each of which takes ``steps``.
    """
    done = (total - left) * steps
    report = Progress(total * steps, done, unit="steps")

    def on_step(count: int) -> None:
        nonlocal done
        done += count
        report(done, targets=done // steps)

    return on_step


def picture_arrays(table: pd.DataFrame, size: int) -> dict[str, np.ndarray]:
    """Return a sweep's pictures, uint8 (T, size, size, 3), and their ``KEYS``."""
    pictures = [np.frombuffer(picture, np.uint8) for picture in table["picture"]]
    return {
        "pictures": np.stack(pictures).reshape(-1, size, size, 3),
        **{key: table[key].to_numpy(str) for key in KEYS},
    }
