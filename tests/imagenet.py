"""A small synthetic ImageNet in the layout of ILSVRC 2012, once unpacked.

    PYTHONPATH=workflow python tests/imagenet.py FOLDER --train 2 --validation 5000

Writes, below FOLDER, ``train/SYNSET/SYNSET_NUMBER.JPEG`` for each of the 1,000 synsets,
the flat ``val/ILSVRC2012_val_00000001.JPEG`` and the devkit, whose numbers
are in another order than the sorted synsets. Nothing here is shared with the code
under test.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from s2snets.runtime.assets import ASSETS

SYNSETS = [
    line.split("\t")[0]
    for line in (ASSETS / "imagenet/synsets.txt").read_text().splitlines()
]
INNER = [
    "n00001740",
    "n00001930",
]  # further synsets of the devkit, which are no classes
DEVKIT = "ILSVRC2012_devkit_t12"
FIELDS = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children",
          "wordnet_height", "num_train_images")  # fmt: skip


def jpeg(seed, mode="RGB", form="jpeg", shape=(9, 12), **options):
    """Return the file of a small image of noise, by seed."""
    size = (*shape, len(mode))
    pixels = np.random.default_rng(seed).integers(0, 256, size, np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels, mode).save(buffer, form, **options)
    return buffer.getvalue()


def scene(seed, shape=(60, 80)):
    """Return the JPEG of an image of coloured patches, by seed."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(patches).resize(shape[::-1]).save(buffer, "jpeg", quality=90)
    return buffer.getvalue()


def meta_mat(leaves, inner):
    """Return ``meta.mat`` as in the devkit: a column of structs, one for each synset.

    Args:
        leaves: synsets in the order of their ILSVRC2012_ID, from 1.
        inner: synsets that are no classes; their numbers follow.
    """
    synsets = [*leaves, *inner]
    table = np.zeros((len(synsets), 1), [(name, object) for name in FIELDS])
    for number, synset in enumerate(synsets, 1):
        leaf = number <= len(leaves)
        children = np.zeros((1, 0)) if leaf else np.array([[1.0, 2.0, 3.0]])
        row = (float(number), synset, f"word {number}", "gloss", float(3 * (not leaf)),
               children, float(not leaf), 2.0 * leaf)  # fmt: skip
        table[number - 1, 0] = row
    buffer = io.BytesIO()
    savemat(buffer, {"synsets": table})
    return buffer.getvalue()


def write_devkit(folder, leaves, inner, truth):
    """Write the two devkit files that are read; return the devkit's folder.

    Args:
        truth: ILSVRC2012_ID of each validation image.
    """
    data = folder / DEVKIT / "data"
    data.mkdir(parents=True)
    (data / "meta.mat").write_bytes(meta_mat(leaves, inner))
    listed = "".join(f"{number}\n" for number in truth)
    (data / "ILSVRC2012_validation_ground_truth.txt").write_text(listed)
    return folder / DEVKIT


def write_train(folder, files):
    """Write images given as (synset, name, bytes) into one folder for each synset."""
    for synset, name, data in files:
        (folder / synset).mkdir(parents=True, exist_ok=True)
        (folder / synset / name).write_bytes(data)
    return folder


def write_flat(folder, files):
    """Write the flat validation folder from images' bytes, numbered from 1."""
    folder.mkdir(parents=True)
    for number, data in enumerate(files, 1):
        (folder / f"ILSVRC2012_val_{number:08d}.JPEG").write_bytes(data)
    return folder


def make(folder, train=1, validation=1000, more=0, seed=0):
    """Write a synthetic ImageNet; return the synset of each validation image.

    Args:
        folder: where ``train``, ``val`` and the devkit are made.
        train: images of each class.
        validation: images in all; of 1,000 on, every class has some.
        more: further images of the first class, in either set.
    """
    folder, draw = Path(folder), np.random.default_rng(seed)
    many = dict.fromkeys(SYNSETS, train)
    many[SYNSETS[0]] += more
    write_train(
        folder / "train",
        (
            (synset, f"{synset}_{number}.JPEG", scene((seed, place, number)))
            for place, (synset, count) in enumerate(many.items())
            for number in range(count)
        ),
    )
    leaves = list(map(str, draw.permutation(SYNSETS)))
    even = np.resize(np.arange(1, len(leaves) + 1), validation)
    first = np.full(more, leaves.index(SYNSETS[0]) + 1)
    truth = draw.permutation([*even, *first])
    write_flat(folder / "val", (scene((seed, 1000, n)) for n in range(len(truth))))
    write_devkit(folder, leaves, INNER, truth)
    return [leaves[number - 1] for number in truth]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    for name, images in {"train": 1, "validation": 1000, "more": 0, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=images)
    make(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
