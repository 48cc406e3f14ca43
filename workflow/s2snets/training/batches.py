"""Batches for training: from any position on, augmented, decoded in parallel."""

from torch.utils.data import DataLoader, Dataset

from s2snets.data import augment
from s2snets.data.order import Batches
from s2snets.runtime.signals import deaf
from s2snets.training.loop import whole_steps


class Placed(Dataset):
    """Images by (position, number): pixels, label, and what augmentation draws.

    Pixels are uint8 (H, W, 3), as they lie in memory: stacked, they are channels last.
    """

    def __init__(self, images, augmentation, seed):
        self.images, self.augmentation, self.seed = images, augmentation, seed

    def __getitem__(self, place):
        position, number = place
        pixels, label = self.images[number]
        drawn = {}
        if self.augmentation is not None:
            drawn = augment.draw(
                self.augmentation, self.seed, position, self.images.side
            )
        return pixels.permute(1, 2, 0), label, drawn


def batches(images, settings, *, seed, device, workers=0, rank=0, world=1):
    """A function of the images seen that gives the batches from there on.

    Each batch, or part of a batch where there is a ``micro_batch``, is (pixels
    (N, 3, H, W) in [0, 1], labels (N,)) on the device, channels last. Taken together,
    the ranks' parts are the same images, augmented alike, at any ``world`` and any
    number of workers.

    Args:
        images: an ``ImageSet``.
        settings: a ``config.Optimisation`` with ``augment``.
        workers: processes that decode; 0 decodes here.
        rank: this process among those that train, from 0.
        world: processes that train.
    """
    placed = Placed(images, settings.augment, seed)
    total = whole_steps(settings) * settings.batch
    at_once = settings.micro_batch or settings.batch

    def start(seen):
        loader = DataLoader(
            placed,
            batch_sampler=Batches(images.runs, total, at_once, seed, seen, rank, world),
            num_workers=workers,
            worker_init_fn=deaf,
            pin_memory=device.type == "cuda",
        )
        for pixels, labels, drawn in loader:
            pixels = pixels.to(device, non_blocking=True).permute(0, 3, 1, 2)
            pixels = pixels.float().div_(255)
            if drawn:
                pixels = augment.apply(pixels, drawn)
            yield pixels, labels.to(device, non_blocking=True)

    return start
