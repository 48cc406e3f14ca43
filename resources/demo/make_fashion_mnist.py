"""Cut the demo's slice of Fashion-MNIST from the full data set.

The full set is in the Debian package ``dataset-fashion-mnist`` and at
github.com/zalandoresearch/fashion-mnist. Training and unlabelled images are taken from
its training file and never overlap, validation images from its test file; each part
has equally many images of every class.

    python make_fashion_mnist.py FOLDER_WITH_THE_FOUR_GZ_FILES --out fashion-mnist
"""

import argparse
import gzip
import lzma
from pathlib import Path

import numpy as np

CLASSES = 10
PARTS = {
    # name: (file, first image of each class, images of each class)
    "train": ("train", 0, 1000),
    "unlabelled": ("train", 1000, 600),
    "validation": ("t10k", 0, 400),
}


def read(path):
    """The header and the body of an IDX file."""
    data = gzip.decompress(path.read_bytes())
    start = 4 + 4 * data[3]
    return data[:start], np.frombuffer(data, np.uint8, offset=start)


def write(path, header, values):
    """An IDX file like the one the header came from, with other images; xz."""
    count = len(values).to_bytes(4, "big")
    data = header[:4] + count + header[8:] + values.tobytes()
    path.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))


def slices(folder, out):
    out.mkdir(parents=True, exist_ok=True)
    for part, (source, first, count) in PARTS.items():
        image_header, images = read(folder / f"{source}-images-idx3-ubyte.gz")
        label_header, labels = read(folder / f"{source}-labels-idx1-ubyte.gz")
        images = images.reshape(len(labels), -1)
        chosen = np.sort(np.concatenate([
            np.flatnonzero(labels == label)[first : first + count]
            for label in range(CLASSES)
        ]))  # fmt: skip
        write(out / f"{part}-images-idx3-ubyte.xz", image_header, images[chosen])
        if part != "unlabelled":
            write(out / f"{part}-labels-idx1-ubyte.xz", label_header, labels[chosen])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("fashion-mnist"))
    job = parser.parse_args()
    slices(job.folder, job.out)


if __name__ == "__main__":
    main()
