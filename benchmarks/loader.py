"""Speed of training batches: ``ImageSet`` against torchvision's ImageFolder.

    PYTHONPATH=workflow python benchmarks/loader.py

JPEGs of 500 × 375 pixels and about 110 kB, as in ImageNet (see `cleaning.py`), from one
folder to batches of float pixels of 256 × 256. On one core, with and without a worker
process; times are processor seconds. The loaders take turns, so that other load on the
machine affects all alike; the ratio, to the usual ImageFolder, is the median over
turns. Pixels must agree to one level.
"""

import os
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory

import numpy as np
import torch
from cleaning import PHOTOGRAPHS, photograph
from common import in_turn, record, speeds
from torch.utils.data import ConcatDataset, DataLoader

from s2snets.config import Finetune
from s2snets.data.imageset import ImageSet
from s2snets.data.order import image_order
from s2snets.networks import vision  # noqa: F401 - torchvision can be imported now
from s2snets.training.batches import resumable_batches

IMAGES, BYTES, SIDE, BATCH = 128, 110_000, 256, 32
PASSES, TURNS = 4, 7
CPU = torch.device("cpu")


def image_folder(transforms):
    """Return a reader through ImageFolder and DataLoader, with these transforms."""

    def ready(folder, workers):
        from torchvision.datasets import ImageFolder

        images = ImageFolder(folder, transforms())
        loader = DataLoader(
            ConcatDataset([images] * PASSES), BATCH, num_workers=workers
        )
        for pixels, labels in loader:
            yield pixels if pixels.is_floating_point() else pixels / 255, labels

    return ready


def usual():
    """Return transforms that resize with Pillow."""
    from torchvision.transforms import Compose, Resize, ToTensor

    return Compose([Resize((SIDE, SIDE)), ToTensor()])


def tensors():
    """Return transforms of torchvision's v2, which resize bytes with torch."""
    from torchvision.transforms import v2

    return v2.Compose([v2.PILToTensor(), v2.Resize((SIDE, SIDE), antialias=True)])


def ours(folder, workers):
    """Yield batches as the stages read them."""
    images = ImageSet(folder, SIDE)
    settings = Finetune(images=PASSES * len(images), batch=BATCH)
    return resumable_batches(images, settings, seed=0, device=CPU, workers=workers)(0)


WAYS = {
    "ImageFolder": image_folder(usual),
    "ImageFolder, transforms.v2 on bytes": image_folder(tensors),
    "s2snets": ours,
}


def processor_seconds():
    """Return the seconds of this process and of its finished children."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN))
    )


def images_a_second(way, folder, workers):
    """Return the rate of one reader, per processor second."""
    start = processor_seconds()
    count = sum(len(pixels) for pixels, _ in way(folder, workers))
    return count / (processor_seconds() - start)


def pixels(way, folder):
    """Return all pixels that one reader yields, as levels from 0 to 255."""
    return torch.cat([batch for batch, _ in way(folder, 0)]).mul(255).round().numpy()


def check(folder):
    """Compare the readers' pixels."""
    order = [number for _, number in image_order(0, PASSES * IMAGES, IMAGES, seed=0)]
    usual, by_tensors, own = (pixels(way, folder) for way in WAYS.values())
    off = np.abs(usual[order] - own)
    assert off.max() <= 1, f"pixels differ by {off.max():.0f} levels"
    assert np.array_equal(by_tensors[order], own), "torch's own pixels differ"
    print(f"{(off > 0).mean():.2%} of the values differ, by {off.max():.0f} level")


def rows():
    """Yield the rows of the table."""
    with TemporaryDirectory() as root:
        folder = Path(root) / "photographs"
        (folder / "all").mkdir(parents=True)
        for number, path in enumerate(sorted(PHOTOGRAPHS.glob("*.jpg"))[:IMAGES]):
            data = photograph(path, number, BYTES)
            (folder / f"all/{number:03d}.jpg").write_bytes(data)
        check(folder)
        for workers, where in enumerate(("one process", "a process that decodes")):
            ways = {
                name: partial(images_a_second, way, folder, workers)
                for name, way in WAYS.items()
            }
            yield from speeds(in_turn(ways, TURNS), f"{where}: ")


def main():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    record("loader", ["what", "images_a_second_median", "best", "ratio"], rows())


if __name__ == "__main__":
    main()
