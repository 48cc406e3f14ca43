import numpy as np
import pytest
from skimage.color import rgb2lab

from s2snets.measure.color import RANGES, lab_histogram


def filled(frame, channel):
    rows = frame[(frame["channel"] == channel) & (frame["fraction"] > 0)]
    assert len(rows) == 1
    return rows["low"].item(), rows["high"].item()


@pytest.mark.parametrize(
    ("colour", "lab"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((255, 255, 255), (100, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_plain_colours_fall_where_the_cie_puts_them(colour, lab):
    frame = lab_histogram(np.full((1, 2, 3, 3), colour, np.uint8), 7)
    for (channel, (lowest, highest)), value in zip(RANGES.items(), lab, strict=True):
        low, high = filled(frame, channel)
        assert low <= np.clip(value, lowest, highest) <= high


def test_every_image_and_channel_sums_to_one():
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 9, 3), np.uint8)
    frame = lab_histogram(images, 20)
    sums = frame.groupby(["image", "channel"])["fraction"].sum()
    assert len(sums) == 9
    assert sums.to_numpy() == pytest.approx(1)
    assert list(frame) == ["image", "channel", "low", "high", "fraction"]


def test_the_counts_are_numpy_s():
    images = np.random.default_rng(1).integers(0, 256, (2, 16, 16, 3), np.uint8)
    frame = lab_histogram(images, 16)
    for position, image in enumerate(images):
        for depth, (channel, limits) in enumerate(RANGES.items()):
            values = np.clip(rgb2lab(image)[..., depth], *limits)
            expected, edges = np.histogram(values, 16, limits)
            rows = frame[(frame["image"] == position) & (frame["channel"] == channel)]
            assert rows["fraction"].to_numpy() == pytest.approx(expected / 256)
            assert rows["low"].to_numpy() == pytest.approx(edges[:-1])
            assert rows["high"].to_numpy() == pytest.approx(edges[1:])


@pytest.mark.parametrize(
    "images", [np.zeros((1, 2, 2, 3)), np.zeros((2, 2, 3), np.uint8)]
)
def test_anything_but_a_batch_of_bytes_is_refused(images):
    with pytest.raises(ValueError, match="uint8"):
        lab_histogram(images, 4)
