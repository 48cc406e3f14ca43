"""Reading image files, and opening an index of 92.1 million, on one core of Linux.

    PYTHONPATH=workflow python benchmarks/reading.py

First, the files in the same two tar shards, which lie in the page cache, one by one:
through our index, by ``webdataset`` (``pip install webdataset==1.0.2``) and by
``tarfile``. They take turns, so that other load on the machine affects all alike, and
must read the same bytes; the ratio is the median over turns.

Then an index as long as YFCC100m's (3.7 GB of temporary files, in ``TMPDIR``): opened
by memory-mapping and by NumPy; and an epoch's order, of whole shards and of single
images. Each runs in its own process; the memory is the private part that it keeps.
"""

import hashlib
import os
import sys
from functools import partial
from pathlib import Path
from statistics import median
from tarfile import BLOCKSIZE
from tarfile import open as open_tar
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from common import alone, in_turn, ratio, record

from s2snets.data.imageset import ImageSet
from s2snets.data.order import image_order
from s2snets.data.shards import (
    COLUMNS,
    UNLABELLED,
    read_index,
    shard_entry,
    write_index,
    write_shard,
)

try:
    import webdataset
except ImportError:
    sys.exit("error: webdataset is missing; pip install webdataset==1.0.2")

SHARDS, MEMBERS, BYTES = 2, 2_000, 65_000
TURNS = 15
YFCC_SHARDS, YFCC_IMAGES = 10_000, 92_089_479
BATCH = 256
INDEX = "index.npz"


def tars(folder):
    """Write shards of files of random bytes and sizes, and an index; open them."""
    draw, rows, shards = np.random.default_rng(0), [], []
    for number in range(SHARDS):
        path = folder / f"{number:06d}.tar"
        sizes = draw.integers(BYTES // 2, BYTES * 3 // 2, MEMBERS)
        members = [(".jpg", draw.bytes(size)) for size in sizes]
        extents = write_shard(path, members, number * MEMBERS)
        rows += [(number, *extent, UNLABELLED) for extent in extents]
        shards.append(shard_entry(path, MEMBERS, folder))
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    write_index(folder / INDEX, columns, shards)
    return ImageSet(folder / INDEX, 256)


def through_the_index(numbers):
    """Return a reader that follows the index, image by image in the given order."""

    def read(images):
        return map(images.read_bytes, numbers)

    return read


def through_webdataset(images):
    urls = [str(path) for path in images.files]
    for sample in webdataset.WebDataset(urls, shardshuffle=False):
        yield sample["jpg"]


def through_tarfile(images):
    for path in images.files:
        with open_tar(path) as tar:
            for member in tar:
                yield tar.extractfile(member).read()


def digests(data):
    return [hashlib.sha256(item).digest() for item in data]


def rate(read, images):
    """Return the images read in a second."""
    start = perf_counter()
    count = sum(1 for _ in read(images))
    assert count == len(images)
    return count / (perf_counter() - start)


def read_files(folder):
    """Yield images a second, and how many times faster our sequential reading is."""
    images = tars(folder)
    number = np.arange(len(images))
    mixed = np.random.default_rng(0).permutation(len(images))
    ways = {
        "s2snets, in stored order": through_the_index(number),
        "s2snets, in random order": through_the_index(mixed),
        "webdataset": through_webdataset,
        "tarfile": through_tarfile,
    }
    truth = digests(through_tarfile(images))
    for name, read in ways.items():
        found = digests(read(images))
        if name == "s2snets, in random order":
            found = [found[place] for place in mixed.argsort()]
        assert found == truth, f"{name} reads other bytes"
    found = in_turn(
        {name: partial(rate, read, images) for name, read in ways.items()}, TURNS
    )
    ours = next(iter(found.values()))
    for name, rates in found.items():
        yield name, f"{median(rates):.0f}", f"{ratio(ours, rates):.1f}"


def private_megabytes():
    """Return the memory of this process that it shares with no file."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    (anonymous,) = (line for line in lines if line.startswith("Anonymous:"))
    return int(anonymous.split()[1]) / 1024


def cost(function, *args):
    """Return the seconds that a call takes and the private megabytes that it keeps."""
    before, start = private_megabytes(), perf_counter()
    kept = function(*args)
    seconds = perf_counter() - start
    megabytes = private_megabytes() - before
    del kept
    return seconds, megabytes


def columns_and_shards(folder):
    """Return a memory-mapped index of YFCC100m's length, and empty shards for it."""
    each = np.full(YFCC_SHARDS, YFCC_IMAGES // YFCC_SHARDS)
    each[: YFCC_IMAGES % YFCC_SHARDS] += 1
    columns = {
        name: np.memmap(folder / name, dtype, "w+", shape=YFCC_IMAGES)
        for name, dtype in COLUMNS.items()
    }
    columns["size"][:], columns["label"][:] = BYTES, UNLABELLED
    first, shards = 0, []
    for number, images in enumerate(each.tolist()):
        rows = slice(first, first + images)
        columns["shard"][rows] = number
        columns["offset"][rows] = np.arange(images) * (BYTES + BLOCKSIZE)
        path = folder / f"{number:06d}.tar"
        path.touch()
        digest = hashlib.sha256(path.name.encode()).hexdigest()
        shards.append(
            {"file": path.name, "images": images, "bytes": 0, "sha256": digest}
        )
        first += images
    return columns, shards


def writing(folder):
    columns, shards = columns_and_shards(folder)
    return cost(partial(write_index, shuffled=True), folder / INDEX, columns, shards)


def opening(folder):
    return cost(read_index, folder / INDEX)


def loading(folder):
    def load():
        with np.load(folder / INDEX) as file:
            return dict(file)

    return cost(load)


def first_batch(runs):
    return cost(image_order, 0, BATCH, runs, 0)


def later_batch(runs):
    """Return the median cost of many; the first made what they all keep."""
    image_order(0, BATCH, runs, 0)
    costs = [
        cost(image_order, BATCH * n, BATCH * (n + 1), runs, 0) for n in range(TURNS)
    ]
    return tuple(map(median, zip(*costs, strict=True)))


def open_index(folder):
    """Yield rows of seconds and megabytes, each measured in its own process."""
    runs = np.full(YFCC_SHARDS, YFCC_IMAGES // YFCC_SHARDS)
    for name, function, given in (
        ("index of 92.1 M written, s2snets", writing, folder),
        ("opened, numpy.load", loading, folder),
        ("opened, s2snets", opening, folder),
        ("first batch of an epoch, single images", first_batch, YFCC_IMAGES),
        ("first batch of an epoch, whole shards", first_batch, runs),
        ("later batch, single images", later_batch, YFCC_IMAGES),
        ("later batch, whole shards", later_batch, runs),
    ):
        seconds, megabytes = alone(function, given)
        yield name, f"{seconds:.3g}", f"{megabytes:.0f}"


TABLES = {
    "reading-files": (read_files, ["what", "files_a_second_median", "ratio"]),
    "reading-index": (open_index, ["what", "seconds", "private_megabytes"]),
}


def main():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for name, (rows, header) in TABLES.items():
        with TemporaryDirectory() as folder:
            record(name, header, rows(Path(folder)))


if __name__ == "__main__":
    main()
