"""Resizing to square pixels, compared with Pillow and with its definition."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter

import s2snets
from s2snets.data.resize import RESIZE_MODES, resize_to_square

LIBRARY = str(Path(s2snets.__file__).parents[1])
SIZES = [(500, 375), (333, 500), (256, 700), (100, 80), (31, 257), (3, 2), (1, 1)]
BILINEAR = Image.Resampling.BILINEAR


def photograph(width, height, grain=6, seed=0):
    random = np.random.default_rng(seed)
    shapes = gaussian_filter(random.normal(0, 400, (height, width, 3)), (4, 4, 0))
    shapes += random.normal(128, grain, (height, width, 3))
    return Image.fromarray(np.clip(shapes, 0, 255).astype(np.uint8))


def values(image):
    return np.asarray(image).transpose(2, 0, 1).astype(int)


def weights(length, side):
    """Return an antialiased triangle's weights (side, length); rows sum to one."""
    scale = length / side
    reach = max(scale, 1)
    centres = (np.arange(side)[:, None] + 0.5) * scale
    distances = np.abs(np.arange(length) + 0.5 - centres) / reach
    rows = np.clip(1 - distances, 0, None)
    return rows / rows.sum(1, keepdims=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [32, 256])
def test_squashing_is_the_antialiased_triangle_to_a_level(size, side):
    image = photograph(*size, grain=60)
    exact = np.einsum(
        "ih,chw,jw->cij",
        weights(size[1], side), values(image), weights(size[0], side), optimize=True,
    )  # fmt: skip
    assert np.abs(resize_to_square(image, side, "squash").numpy() - exact).max() < 1.5


@pytest.mark.parametrize("size", SIZES)
def test_squashing_is_pillows_to_a_level(size):
    image = photograph(*size)
    ours = resize_to_square(image, 256, "squash").numpy().astype(int)
    assert np.abs(values(image.resize((256, 256), BILINEAR)) - ours).max() <= 1
    # Pillow shortens columns first where they are long; here rows are first.
    by_rows = image.resize((256, size[1]), BILINEAR).resize((256, 256), BILINEAR)
    assert (values(by_rows) != ours).mean() < 0.005


def test_a_crop_is_the_centre_squashed():
    for size in ((90, 60), (60, 90), (91, 60)):
        image = photograph(*size)
        left, top = ((length - 60) // 2 for length in size)
        centre = image.crop((left, top, left + 60, top + 60))
        assert np.array_equal(resize_to_square(image, 60, "crop"), values(centre))
        assert torch.equal(
            resize_to_square(image, 32, "crop"),
            resize_to_square(centre, 32, "squash"),
        )


def test_padding_is_pillows_to_the_bit():
    for size in ((90, 60), (60, 90), (20, 28)):
        image = photograph(*size)
        inside = image
        if max(size) > 32:
            inside = ImageOps.contain(image, (32, 32), BILINEAR)
        left, top = ((32 - length) // 2 for length in inside.size)
        framed = np.zeros((3, 32, 32), int)
        rows, columns = (
            slice(top, top + inside.height),
            slice(left, left + inside.width),
        )
        framed[:, rows, columns] = values(inside)
        assert np.array_equal(resize_to_square(image, 32, "pad"), framed)


@pytest.mark.parametrize("resize_mode", RESIZE_MODES)
def test_what_is_square_already_is_left_alone(resize_mode):
    image = photograph(48, 48)
    pixels = resize_to_square(image, 48, resize_mode)
    assert pixels.dtype == torch.uint8
    assert np.array_equal(pixels, values(image))


RESIZE_RANDOM_IMAGES = """
import sys
import numpy as np
from PIL import Image
from s2snets.data.resize import resize_to_square
draw = np.random.default_rng(0)
for size in ((91, 150, 3), (40, 30, 3), (64, 200, 3)):
    image = Image.fromarray(draw.integers(0, 256, size, np.uint8))
    sys.stdout.buffer.write(resize_to_square(image, 64, "squash").contiguous().numpy().tobytes())
"""


@pytest.mark.parametrize("resize_mode", RESIZE_MODES)
@pytest.mark.parametrize("size", [(48, 48), (90, 60), (20, 28)])
def test_channels_come_last_in_memory(resize_mode, size):
    pixels = resize_to_square(photograph(*size), 48, resize_mode)
    assert pixels.shape == (3, 48, 48)
    assert pixels.permute(1, 2, 0).is_contiguous()


def test_pixels_do_not_depend_on_the_processor():
    found = {
        subprocess.run(
            [sys.executable, "-c", RESIZE_RANDOM_IMAGES],
            env=os.environ | {"PYTHONPATH": LIBRARY} | capability,
            check=True,
            capture_output=True,
        ).stdout
        for capability in ({}, {"ATEN_CPU_CAPABILITY": "default"})
    }
    assert [len(pixels) for pixels in found] == [3 * 3 * 64 * 64]
