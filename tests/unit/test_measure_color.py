import numpy as np
import pandas as pd
import pytest
from scipy.stats import wasserstein_distance
from skimage.color import rgb2lab

from s2snets.measure.color import (
    RANGES,
    color_rows,
    count_peaks,
    lab_histogram,
    summarise,
)


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
    frame = lab_histogram(images, 21)
    sums = frame.groupby(["image", "channel"])["fraction"].sum()
    assert len(sums) == 9
    assert sums.to_numpy() == pytest.approx(1)
    assert list(frame) == ["image", "channel", "low", "high", "fraction"]


def test_the_counts_are_numpy_s():
    images = np.random.default_rng(1).integers(0, 256, (2, 16, 16, 3), np.uint8)
    frame = lab_histogram(images, 17)
    for position, image in enumerate(images):
        for depth, (channel, limits) in enumerate(RANGES.items()):
            values = np.clip(rgb2lab(image)[..., depth], *limits)
            expected, edges = np.histogram(values, 17, limits)
            rows = frame[(frame["image"] == position) & (frame["channel"] == channel)]
            assert rows["fraction"].to_numpy() == pytest.approx(expected / 256)
            assert rows["low"].to_numpy() == pytest.approx(edges[:-1])
            assert rows["high"].to_numpy() == pytest.approx(edges[1:])


@pytest.mark.parametrize(
    "images", [np.zeros((1, 2, 2, 3)), np.zeros((2, 2, 3), np.uint8)]
)
def test_anything_but_a_batch_of_bytes_is_refused(images):
    with pytest.raises(ValueError, match="uint8"):
        lab_histogram(images, 5)


def test_an_edge_at_grey_is_refused():
    with pytest.raises(ValueError, match="edge at grey"):
        lab_histogram(np.zeros((1, 2, 2, 3), np.uint8), 50)


def measured(originals, reconstructions, bins=51):
    numbers = np.arange(len(originals)) + 7
    origin = {"seed": 0, "source": "x"}
    return color_rows(numbers, originals, reconstructions, bins, origin)


def test_grey_images_have_no_colour():
    grey = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 1), np.uint8)
    grey = np.repeat(grey, 3, axis=-1)
    rows = measured(grey, grey)
    colour = rows[rows["channel"] != "L"]
    assert colour[["mean", "deviation"]].abs().max(axis=None) < 0.01
    assert (rows["distance"] == 0).all()
    assert (colour["peaks"] == 1).all()
    histogram = lab_histogram(grey, 51)
    full = histogram[(histogram["channel"] != "L") & (histogram["fraction"] > 0)]
    assert (full["fraction"] == 1).all()
    assert (full["low"] + full["high"]).abs().max() < 1e-9


def test_colours_are_those_of_the_pixels():
    before, after = np.random.default_rng(2).integers(0, 256, (2, 3, 8, 9, 3), np.uint8)
    rows = measured(before, after).set_index(["image", "channel"])
    for place in range(3):
        lab = rgb2lab(after[place]).reshape(-1, 3)
        was = rgb2lab(before[place]).reshape(-1, 3)
        for depth, channel in enumerate("Lab"):
            row = rows.loc[(place + 7, channel)]
            assert row["mean"] == pytest.approx(lab[:, depth].mean())
            assert row["deviation"] == pytest.approx(lab[:, depth].std())
            tenths = np.quantile(lab[:, depth], [0.1, 0.9], method="nearest")
            assert list(row[["dark", "bright"]]) == pytest.approx(list(tenths))
            moved = wasserstein_distance(lab[:, depth], was[:, depth])
            assert row["distance"] == pytest.approx(moved)


@pytest.mark.parametrize(
    ("shares", "peaks"),
    [
        ([1.0, 0, 0], 1),
        ([0.5, 0, 0.5], 2),
        ([0.3, 0.3, 0.4], 1),
        ([0.5, 0.491, 0.0, 0.009], 1),  # less than one in a hundred pixels
    ],
)
def test_a_peak_is_higher_than_both_neighbours(shares, peaks):
    assert count_peaks(np.array(shares)) == peaks


def test_means_have_intervals_over_images_and_the_sum_of_distances_its_own():
    random = np.random.default_rng(3)
    images = random.integers(0, 256, (2, 40, 4, 4, 3), np.uint8)
    rows = pd.concat(
        measured(images[0], other).assign(source=source, label=source.upper())
        for source, other in (("same", images[0]), ("moved", images[1]))
    )
    table = summarise(rows, 400, 0)
    assert len(table) == 2 * (6 * 3 + 1)
    keyed = table.set_index(["label", "measure", "channel"])
    row = keyed.loc[("MOVED", "mean", "a")]
    of_images = rows[(rows["source"] == "moved") & (rows["channel"] == "a")]["mean"]
    assert row["value"] == pytest.approx(of_images.mean())
    spread = 1.96 * of_images.std() / 40**0.5
    assert row["high"] - row["value"] == pytest.approx(spread, rel=0.25)
    assert row["value"] - row["low"] == pytest.approx(spread, rel=0.25)
    distances = keyed.xs("distance", level="measure")["value"]
    total = distances["MOVED"][["L", "a", "b"]].sum()
    assert distances["MOVED", "Lab"] == pytest.approx(total)
    still = table[(table["label"] == "SAME") & (table["measure"] == "distance")]
    assert (still[["value", "low", "high"]] == 0).all(axis=None)
    assert set(table["images"]) == {40}
