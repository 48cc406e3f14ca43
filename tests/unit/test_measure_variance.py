import numpy as np
import pandas as pd
import pytest

from s2snets.measure.sources import pixel_sources
from s2snets.measure.variance import by_group, components, split


def test_components_are_those_that_the_values_are_drawn_from():
    rng = np.random.default_rng(0)
    seeds, replicates, images = 40, 6, 200
    found = []
    for _ in range(5):
        values = 0.03 * rng.normal(size=(seeds, 1, 1)) + 0.5
        values = values + 0.02 * rng.normal(size=(seeds, replicates, 1))
        values = values + 0.3 * rng.normal(size=images)
        found.append(split(values + 0.1 * rng.normal(size=values.shape)))
    expected = [(0.3**2 + 0.1**2) / images, 0.02**2, 0.03**2]
    assert np.mean(found, axis=0) == pytest.approx(expected, rel=0.2)


def test_networks_that_do_not_differ_have_no_variance_of_training():
    rng = np.random.default_rng(1)
    apart = [split(rng.random((2, 3, 100)) < 0.7)[1:] for _ in range(200)]
    # Compared on 100 images alone, they would seem to differ by .7 * .3 / 100.
    assert np.mean(apart) < 0.0007
    same = np.repeat(rng.random((1, 1, 50)) < 0.7, 3, axis=1)
    assert split(same)[1] == pytest.approx(0)


def test_what_there_is_one_of_has_no_variance():
    of_images, of_replicates, of_seeds = split(np.array([[[0.0, 1.0, 1.0, 0.0]]]))
    assert of_images == pytest.approx(1 / 12)
    assert np.isnan([of_replicates, of_seeds]).all()


def test_the_table_has_a_row_for_each_source_and_network():
    keys = pd.MultiIndex.from_product(
        [[0], [0, 1], ["decoder-L", "original"], range(4), ["A", "L"], [0.0, 0.5]],
        names=["seed", "replicate", "source", "image", "classifier", "strength"],
    ).to_frame(index=False)
    keys = keys[(keys["replicate"] == 0) | (keys["source"] != "original")]
    hit = (keys["image"] < 2 + keys["replicate"]) & (keys["strength"] == 0)
    rows = keys.assign(
        noise="none", label=1, **{f"class_{n}": hit * 1 for n in range(1, 6)}
    )
    table = components(rows, ["L", "A"], pixel_sources(["L", "A"], "decoder"))
    assert list(table["label"]) == ["original", "original", "A_L", "A_L"]
    assert list(table["classifier"]) == ["L", "A"] * 2
    assert list(table["top1"]) == [0.5, 0.5, 0.625, 0.625]
    assert list(table["replicates"]) == [1, 1, 2, 2]
    assert list(table["images"]) == [4] * 4
    assert list(table["replicates_sd"].isna()) == [True, True, False, False]


def test_images_of_a_group_count_as_one():
    draw = np.random.default_rng(3)
    sizes = draw.integers(1, 6, 400)
    groups = np.repeat(np.arange(400), sizes)
    alike = draw.normal(0.6, 0.2, (1, 2, 400))[..., groups]  # copies of one image
    units = by_group(alike, groups)
    assert units.shape == (1, 2, 400)
    np.testing.assert_allclose(units.mean(-1), alike.mean(-1))
    # A bootstrap over groups, of the ratio of sums.
    sums = alike @ np.eye(400)[groups]
    drawn = draw.integers(400, size=(2000, 400))
    truth = (sums[..., drawn].sum(-1) / sizes[drawn].sum(-1)).std(-1).mean()
    spread = np.sqrt(split(units)[0])
    assert spread == pytest.approx(truth, rel=0.1)
    assert np.sqrt(split(alike)[0]) < 0.7 * spread  # as if they were independent


def test_single_images_are_their_own_groups():
    values = np.random.default_rng(4).random((2, 2, 30))
    np.testing.assert_allclose(by_group(values, np.arange(30)), values)


def test_the_table_takes_groups_from_the_rows():
    image, draw = np.arange(60), np.random.default_rng(5)
    hit = draw.integers(0, 2, 60)
    rows = pd.DataFrame({
        "seed": 0, "replicate": 0, "source": "original", "image": draw.permutation(image),
        "classifier": "L", "noise": "none", "strength": 0.0, "label": 1,
        **{f"class_{n}": hit for n in range(1, 6)},
    })  # fmt: skip
    sources = pixel_sources(["L"], "decoder")
    alone = components(rows, ["L"], sources)
    each = components(rows.assign(group=rows["image"]), ["L"], sources)
    pd.testing.assert_frame_equal(alone, each)
    twins = components(rows.assign(group=hit), ["L"], sources)
    assert list(twins[["images", "top1"]].loc[0]) == list(
        alone[["images", "top1"]].loc[0]
    )
    assert twins["images_sd"].item() > 3 * alone["images_sd"].item()
