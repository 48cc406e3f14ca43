"""Judging and decoding photographs: ours against Pillow alone, on one core.

    PYTHONPATH=workflow python benchmarks/cleaning.py

JPEG of 500 × 375 pixels and about 65 kB, as YFCC100m has them: the demo's photographs
enlarged, with as much grain as makes up the size. They are in memory, so seconds are
the processor's. All ways see the same images in turn, so that whatever else the
machine does falls on all; the ratio is the median of the turns'. To judge is SHA-256,
the rules of `palacio2018` and a difference hash.
"""

import hashlib
import io
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
from common import in_turn, record, speeds
from PIL import Image, ImageOps
from threadpoolctl import threadpool_limits

from s2snets.cleaning.quality import judge
from s2snets.data.images import decode

IMAGES, SIZE, BYTES = 48, (500, 375), 65_000
TURNS = 21
PHOTOGRAPHS = Path(__file__).parents[1] / "resources/demo/photographs/train"


def photograph(path, number, wanted=BYTES):
    """As many bytes as wanted, to about 1 %."""
    image = Image.open(path).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    random = np.random.default_rng(number)
    grain = random.normal(0, 1, (*SIZE[::-1], 1)) * np.ones(3)
    low, high = 0.0, 64.0
    for _ in range(9):
        strength = (low + high) / 2
        noisy = np.clip(np.asarray(image) + strength * grain, 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noisy).save(buffer, "jpeg", quality=85)
        low, high = (strength, high) if buffer.tell() < wanted else (low, strength)
    return buffer.getvalue()


def with_pillow(data, draft):
    """What one would write; with `draft`, what one would who knows Pillow well."""
    digest = hashlib.sha256(data).hexdigest()
    if len(data) < 2600 or len(data) == 9218:
        return digest, None
    try:
        image = Image.open(io.BytesIO(data))
        if draft:
            image.draft("L", (1, 1))
        grey = image.convert("L")
    except OSError:
        return digest, None
    if len(data) < 20_000 and np.percentile(np.asarray(grey).var(0), 95) < 50:
        return digest, None
    small = np.asarray(grey.resize((9, 8), Image.Resampling.LANCZOS))
    bits = np.packbits(small[:, 1:] > small[:, :-1])
    return digest, int.from_bytes(bits.tobytes(), "big")


def ours(data):
    digest = hashlib.sha256(data).hexdigest()
    verdict = judge(data, "palacio2018")
    return digest, verdict.dhash.to_bytes(
        8, "big"
    ) if verdict.outcome == "kept" else None


def decoded_with_pillow(data):
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


WAYS = {
    "judged": {
        "Pillow": lambda data: with_pillow(data, draft=False),
        "Pillow, at an eighth": lambda data: with_pillow(data, draft=True),
        "s2snets": ours,
    },
    "decoded": {
        "Pillow": decoded_with_pillow,
        "s2snets": lambda data: decode(data, "it"),
    },
}


def images_a_second(function, images):
    start = process_time()
    for data in images:
        function(data)
    return len(images) / (process_time() - start)


def rows():
    paths = sorted(PHOTOGRAPHS.glob("*.jpg"))[:IMAGES]
    images = [photograph(path, number) for number, path in enumerate(paths)]
    sizes = [len(data) for data in images]
    print(f"{len(images)} images of {min(sizes)} to {max(sizes)} bytes")
    for data in images:
        found = [function(data) for function in WAYS["judged"].values()]
        assert len({digest for digest, _ in found}) == 1
        assert all(dhash is not None for _, dhash in found)  # kept
        assert np.array_equal(decode(data, "it"), decoded_with_pillow(data))
    for what, functions in WAYS.items():
        ways = {
            name: partial(images_a_second, function, images)
            for name, function in functions.items()
        }
        yield from speeds(in_turn(ways, TURNS), f"{what}, ")


def main():
    with threadpool_limits(1):
        record("cleaning", ["what", "images_a_second_median", "best", "ratio"], rows())


if __name__ == "__main__":
    main()
