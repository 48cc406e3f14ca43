"""Passing images through an autoencoder and then through every classifier."""

import itertools
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from s2snets.config import Autoencoder, Predict
from s2snets.config.measuring import NoiseKind
from s2snets.data.imageset import ImageSet
from s2snets.data.noise import add_noise, unit_noise
from s2snets.networks.checkpoints import load_autoencoder
from s2snets.runtime.chunked_parquet import ChunkedParquet
from s2snets.runtime.errors import UserError
from s2snets.runtime.progress import Progress

TOP_CLASSES = 5
GROUP_SIZE = 512  # images whose rows are kept in memory until they are written

Network = Callable[[Tensor], Tensor]
Batch = tuple[np.ndarray, Tensor, Tensor, Tensor]
"""Image numbers (N,), pixels (N, 3, H, W) in [0, 1], labels (N,), and the noise
(n, 3, H, W) of the first n images."""


def identity(pixels: Tensor) -> Tensor:
    """Return the original images: stands in for an autoencoder."""
    return pixels


def load_source(
    weights: Path | None, settings: Autoencoder, device: torch.device
) -> Network:
    """Return what makes a source's images: its autoencoder, or ``identity``.

    Args:
        weights: of the autoencoder; None: the source is the original images.
        settings: its size.
        device: where it computes.
    """
    return load_autoencoder(weights, settings, device) if weights else identity


def with_groups(images: ImageSet, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of images with their ``group``, where the set has groups."""
    groups = images.groups
    return rows if groups is None else rows.assign(group=groups[rows["image"]])


def to_uint8(pixels: Tensor) -> np.ndarray:
    """Convert pixels (N, 3, H, W), clipped to [0, 1], to uint8 (N, H, W, 3)."""
    levels = pixels.clamp(0, 1).mul(255).round().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def top_classes(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return the five best classes and their probabilities, best first.

    Args:
        logits: (N, classes).

    Returns:
        Classes, int32 (N, 5), and probabilities, float32 (N, 5), on the logits' device;
        -1 and 0 where there are fewer than five classes.
    """
    count = min(TOP_CLASSES, logits.shape[1])
    probabilities, classes = logits.softmax(1).topk(count)
    padding = (0, TOP_CLASSES - count)
    return (
        torch.nn.functional.pad(classes.int(), padding, value=-1),
        torch.nn.functional.pad(probabilities.float(), padding),
    )


class EvaluationBatches(Dataset):
    """Batches of images in evaluation order, to be loaded by a ``DataLoader``.

    Batch n is pixels uint8 (N, 3, H, W), labels (N,) and the first images' noise; or a
    ``UserError``, since one raised in a worker would come wrapped in its traceback.

    Args:
        images: the images' set.
        numbers: numbers of the images to evaluate.
        batch: images in a batch.
        noisy: number of the images, from the first on, that get noise.
        seed: seed of the noise.
    """

    def __init__(
        self,
        images: ImageSet,
        numbers: Sequence[int] | np.ndarray,
        batch: int,
        *,
        noisy: int = 0,
        seed: int = 0,
    ) -> None:
        self.images, self.numbers = images, np.asarray(numbers)
        self.batch, self.noisy, self.seed = batch, noisy, seed

    def __len__(self) -> int:
        return -(-len(self.numbers) // self.batch)

    def image_numbers(self, index: int) -> np.ndarray:
        """Return the numbers of one batch's images."""
        return self.numbers[index * self.batch : (index + 1) * self.batch]

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor] | UserError:
        numbers, side = self.image_numbers(index), self.images.side
        try:
            pixels, labels = self.images.read(numbers)
        except UserError as error:
            return error
        noisy = numbers[: max(0, self.noisy - index * self.batch)]
        noise = torch.empty(0, 3, side, side)
        if len(noisy):
            noise = unit_noise(noisy, self.seed, side)
        return pixels.permute(0, 3, 1, 2), labels, noise

    def groups(self) -> list[range]:
        """Return the batches' indices in order, ``GROUP_SIZE`` images to a range."""
        each = -(-GROUP_SIZE // self.batch)
        return [range(len(self))[n : n + each] for n in range(0, len(self), each)]


def iterate_batches(
    images: EvaluationBatches,
    parts: Iterable[int],
    *,
    device: torch.device,
    workers: int = 0,
) -> Iterator[Iterator[Batch]]:
    """Iterate over groups of batches on the device, read ahead.

    Args:
        images: the batches.
        parts: which of their groups.
        device: where the batches are put, except for labels, which stay on the CPU.
        workers: processes that read; 0: this process reads.

    Returns:
        An iterator over each group's batches, which must be used up in order.

    Raises:
        UserError: an image is unreadable.
    """
    images.images.decode_once(visits=len(images.numbers))
    all_groups = images.groups()
    groups = [all_groups[part] for part in parts]
    indices = [index for group in groups for index in group]
    loader = DataLoader(
        images,
        batch_size=None,
        sampler=indices,
        num_workers=workers,
        pin_memory=device.type == "cuda",
    )
    total = len(images.numbers)
    done = total - sum(len(images.image_numbers(index)) for index in indices)
    report, loaded = Progress(total, done), iter(loader)

    def to_device(values: Tensor) -> Tensor:
        values = values.to(device, non_blocking=True)
        return values.contiguous(memory_format=torch.channels_last)

    def batches(group: range) -> Iterator[Batch]:
        nonlocal done
        for index, batch in zip(group, loaded, strict=False):
            if isinstance(batch, UserError):
                raise batch
            pixels, labels, noise = batch
            pixels = to_device(pixels).float() / 255
            yield images.image_numbers(index), pixels, labels, to_device(noise)
            done += len(pixels)
            report(done)

    return map(batches, groups)


@torch.inference_mode()
def prediction_tables(
    groups: Iterable[Iterable[Batch]],
    autoencoder: Network,
    classifiers: Mapping[str, Network],
    settings: Predict,
    noisy: Collection[str] | None = None,
    wanted: Iterable[Collection[str]] | None = None,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Yield the top-5 of every classifier for every image under every noise.

    An image is read once and passed through the autoencoder once for each kind and
    strength of noise, which is added before; the output feeds every classifier.

    Args:
        groups: groups of batches, see ``iterate_batches``.
        autoencoder: (N, 3, H, W) -> (N, 3, H, W), in evaluation mode.
        classifiers: frozen classifiers by name.
        settings: kinds and strengths of the noise.
        noisy: names of the classifiers that see images under noise; None: all.
        wanted: for each group the names of the classifiers to pass it through; None:
            all.

    Yields:
        For each group a DataFrame by classifier, one row per image and noise:
        ``image``, ``noise`` (its kind), ``strength``, ``label``, ``class_1`` to
        ``class_5``, ``probability_1`` to ``probability_5``.
    """
    for group, names in zip(
        groups, wanted or itertools.repeat(classifiers), strict=False
    ):
        parts: dict[str, list[Prediction]] = {name: [] for name in names}
        for numbers, clean, labels, noise in group:
            for kind, strength in settings.noises:
                count = len(noise) if strength else len(clean)
                seeing = [
                    name
                    for name in parts
                    if not strength or noisy is None or name in noisy
                ]
                if not count or not seeing:
                    continue
                clip = kind == "clipped"
                output = autoencoder(add_noise(clean[:count], noise, strength, clip))
                for name in seeing:
                    keys = kind, strength, numbers[:count], labels[:count]
                    parts[name].append((*keys, *top_classes(classifiers[name](output))))
        yield {name: combine_predictions(own) for name, own in parts.items()}


Prediction = tuple[NoiseKind, float, np.ndarray, Tensor, Tensor, Tensor]
"""The noise's kind and strength, and a batch's numbers, labels, classes and
probabilities."""


def combine_predictions(parts: Iterable[Prediction]) -> pd.DataFrame:
    """Return one classifier's predictions of several batches as one table."""
    kinds, strengths, numbers, *tensors = zip(*parts, strict=True)
    counts = [len(part) for part in numbers]
    # Only here is the device waited for.
    labels, classes, probabilities = (torch.cat(one).cpu().numpy() for one in tensors)
    columns = {
        "image": np.concatenate(numbers).astype(np.int32),
        "noise": pd.Categorical(np.repeat(kinds, counts), get_args(NoiseKind)),
        "strength": np.repeat(strengths, counts),
        "label": labels.astype(np.int32),
    }
    for rank in range(TOP_CLASSES):
        columns[f"class_{rank + 1}"] = classes[:, rank]
    for rank in range(TOP_CLASSES):
        columns[f"probability_{rank + 1}"] = probabilities[:, rank]
    return pd.DataFrame(columns)


def merge_predictions(
    tables: Mapping[str, pd.DataFrame],
    batches: EvaluationBatches,
    noises: Sequence[tuple[NoiseKind, float]],
) -> pd.DataFrame:
    """Return several classifiers' predictions of the same batches as one table.

    Args:
        tables: by classifier, see ``prediction_tables``.
        batches: of the images.
        noises: kinds and strengths.

    Returns:
        The rows, with a column ``classifier``, sorted by batch, noise, classifier as in
        ``tables``, image.
    """
    rows = pd.concat(tables.values(), ignore_index=True)
    names = np.repeat(list(tables), [len(one) for one in tables.values()])
    rows.insert(1, "classifier", pd.Series(pd.Categorical(names, sorted(tables))))
    place = np.empty(batches.numbers.max() + 1, int)
    place[batches.numbers] = np.arange(len(batches.numbers))
    kinds = pd.MultiIndex.from_arrays([rows["noise"].astype(str), rows["strength"]])
    noise = pd.MultiIndex.from_tuples(noises).get_indexer(kinds)
    step = place[rows["image"]] // batches.batch * len(noises) + noise
    return rows.iloc[np.argsort(step, kind="stable")].reset_index(drop=True)


@torch.inference_mode()
def reconstructions(
    batches: Iterable[Batch], autoencoder: Network
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield numbers, originals and reconstructions, uint8 (N, H, W, 3), by batch."""
    for numbers, pixels, _, _ in batches:
        yield numbers, to_uint8(pixels), to_uint8(autoencoder(pixels))


Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], Iterable[pd.DataFrame]]
"""Numbers of a batch's images, originals and reconstructions -> tables of rows."""


def write_measurements(
    path: Path,
    batches: EvaluationBatches,
    autoencoder: Network,
    measure: Measure,
    *,
    cache_key: Mapping[str, object],
    device: torch.device,
    workers: int = 0,
) -> None:
    """Write what is measured of a source's images; resume what is there.

    Args:
        path: of the table, see ``ChunkedParquet``.
        batches: of the original images.
        autoencoder: of the source.
        measure: gives the rows of a batch.
        cache_key: what the rows depend on.
        device: where the autoencoder computes.
        workers: processes that read.
    """
    table = ChunkedParquet(path, len(batches.groups()), cache_key)
    groups = iterate_batches(batches, table.missing, device=device, workers=workers)
    table.write(
        with_groups(
            batches.images,
            pd.concat(
                [
                    rows
                    for batch in reconstructions(group, autoencoder)
                    for rows in measure(*batch)
                ],
                ignore_index=True,
            ),
        )
        for group in groups
    )
