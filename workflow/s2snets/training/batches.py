"""Batches for training: from any position on, augmented, decoded in parallel."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from s2snets import config
from s2snets.data import augment
from s2snets.data.class_subset import ClassSubset
from s2snets.data.imageset import ImageSet
from s2snets.data.order import ResumableBatchSampler
from s2snets.runtime.signals import ignore_stop_signals
from s2snets.training.state import step_count

TrainingImages = ImageSet | ClassSubset
LoadedBatch = tuple[Tensor, Tensor, dict[str, Tensor]]
AugmentedTraining = (
    config.Training
    | config.Depth
    | config.Pretraining
    | config.Finetune
    | config.Inversion
    | config.Decoding
)


class AugmentedImages(Dataset[LoadedBatch]):
    """Batches of images by their positions in a training and numbers in their set.

    Pixels are uint8 (N, H, W, 3): channels last, as they lie in memory. Beside them are
    labels, int64 (N,), and the random draws of ``augment.draw``.
    """

    def __init__(
        self,
        images: TrainingImages,
        augmentation: config.Augmentation | None,
        seed: int,
    ) -> None:
        self.images, self.augmentation, self.seed = images, augmentation, seed

    def __getitem__(self, places: list[tuple[int, int]]) -> LoadedBatch:
        positions, numbers = zip(*places, strict=True)
        pixels, labels = self.images.read(list(numbers))
        if self.augmentation is None:
            return pixels, labels, {}
        side = self.images.side
        return (
            pixels,
            labels,
            augment.draw(self.augmentation, self.seed, positions, side),
        )


def resumable_batches(
    images: TrainingImages,
    settings: AugmentedTraining,
    *,
    seed: int,
    device: torch.device,
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
) -> Callable[[int], Iterator[tuple[Tensor, Tensor]]]:
    """Return a function of the images seen that iterates over the remaining batches.

    Each batch, or part of a batch where there is a ``micro_batch``, is (pixels
    (N, 3, H, W) in [0, 1], labels (N,)) on the device, channels last. Taken together,
    the ranks' parts are the same images, augmented alike, at any ``world`` and any
    number of workers.

    Args:
        images: the set.
        settings: sizes of the training and its batches, and the augmentation.
        seed: seed of the order and the augmentation.
        device: the batches' device.
        workers: processes that decode; 0: this process decodes.
        rank: number of this process, from 0.
        world: number of processes that train.
    """
    augmented = AugmentedImages(images, settings.augment, seed)
    total = step_count(settings) * settings.batch
    at_once = settings.micro_batch or settings.batch
    images.decode_once(visits=total)

    def start(seen: int) -> Iterator[tuple[Tensor, Tensor]]:
        loader = DataLoader(
            augmented,
            batch_size=None,
            sampler=ResumableBatchSampler(
                images.runs, total, at_once, seed, seen, rank, world
            ),
            num_workers=workers,
            worker_init_fn=ignore_stop_signals,
            pin_memory=device.type == "cuda",
        )
        for pixels, labels, drawn in loader:
            pixels = pixels.to(device, non_blocking=True).permute(0, 3, 1, 2)
            pixels = pixels.float().div_(255)
            if drawn:
                pixels = augment.apply(pixels, drawn)
            yield pixels, labels.to(device, non_blocking=True)

    return start
