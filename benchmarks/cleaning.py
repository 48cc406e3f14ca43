"""Judging and decoding photographs: ours against Pillow alone, on one core.

    PYTHONPATH=workflow python benchmarks/cleaning.py

The images are JPEGs of 500 × 375 pixels and about 65 kB, as in YFCC100m: the demo's
photographs, enlarged, with enough grain to reach that size. They are in memory, so that
only processor time counts. The variants take turns on the same images, so that other
load on the machine affects all alike; the ratio is the median over the turns. Judging
is SHA-256, the rules of `palacio2018` and a difference hash.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from common import in_turn, record, speeds
from PIL import Image, ImageOps
from threadpoolctl import threadpool_limits

from s2snets.cleaning.quality import judge
from s2snets.data.images import decode

IMAGES, SIZE, BYTES = 48, (500, 375), 65_000
TURNS = 21
PHOTOGRAPHS = Path(__file__).parents[1] / "resources/demo/photographs/train"


def photograph(path: Path, number: int, size: int = BYTES) -> bytes:
    """Return a photograph as a JPEG of a given size in bytes, to about 1 %."""
    image = Image.open(path).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    random = np.random.default_rng(number)
    grain = random.normal(0, 1, (*SIZE[::-1], 1)) * np.ones(3)
    low, high = 0.0, 64.0
    for _ in range(9):
        strength = (low + high) / 2
        noisy = np.clip(np.asarray(image) + strength * grain, 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noisy).save(buffer, "jpeg", quality=85)
        low, high = (strength, high) if buffer.tell() < size else (low, strength)
    return buffer.getvalue()


def judge_with_pillow(data: bytes, draft: bool) -> tuple[str, int | None]:
    """Judge with Pillow alone; `draft` decodes a JPEG at an eighth of its size."""
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


def judge_with_s2snets(data: bytes) -> tuple[str, int | None]:
    """Judge with this project."""
    digest = hashlib.sha256(data).hexdigest()
    verdict = judge(data, "palacio2018")
    return digest, verdict.dhash if verdict.outcome == "kept" else None


def decode_with_pillow(data: bytes) -> Image.Image:
    """Decode with Pillow alone."""
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


VARIANTS: dict[str, dict[str, Callable[[bytes], Any]]] = {
    "judged": {
        "Pillow": lambda data: judge_with_pillow(data, draft=False),
        "Pillow, at an eighth": lambda data: judge_with_pillow(data, draft=True),
        "s2snets": judge_with_s2snets,
    },
    "decoded": {
        "Pillow": decode_with_pillow,
        "s2snets": lambda data: decode(data, "it"),
    },
}


def images_per_second(
    function: Callable[[bytes], object], images: list[bytes]
) -> float:
    """Return a function's rate on images that are in memory."""
    start = process_time()
    for data in images:
        function(data)
    return len(images) / (process_time() - start)


def rows() -> Iterator[tuple]:
    """Check that the variants agree, and yield the rows of the result."""
    paths = sorted(PHOTOGRAPHS.glob("*.jpg"))[:IMAGES]
    images = [photograph(path, number) for number, path in enumerate(paths)]
    sizes = [len(data) for data in images]
    print(f"{len(images)} images of {min(sizes)} to {max(sizes)} bytes")
    for data in images:
        verdicts = [function(data) for function in VARIANTS["judged"].values()]
        assert len({digest for digest, _ in verdicts}) == 1
        assert all(dhash is not None for _, dhash in verdicts)  # kept
        pixels = np.asarray(decode(data, "it"))
        assert np.array_equal(pixels, np.asarray(decode_with_pillow(data)))
    for what, functions in VARIANTS.items():
        variants = {
            name: partial(images_per_second, function, images)
            for name, function in functions.items()
        }
        yield from speeds(in_turn(variants, TURNS), f"{what}, ")


def main() -> None:
    """Measure, and print and save the results."""
    with threadpool_limits(1):
        record("cleaning", ["what", "images_a_second_median", "best", "ratio"], rows())


if __name__ == "__main__":
    main()
