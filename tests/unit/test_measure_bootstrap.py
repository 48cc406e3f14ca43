import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap

from s2snets.measure.bootstrap import by_seed, interval, means, resample
from s2snets.runtime.errors import UserError


@pytest.fixture
def hits():
    rng = np.random.default_rng(0)
    easy = rng.random(300)[:, None]
    return rng.random((300, 4)) < 0.3 + 0.5 * easy


def test_intervals_equal_scipy_s_percentiles(hits):
    low, high = interval(means(hits, 20_000, 0))
    for place, column in enumerate(hits.T):
        expected = bootstrap(
            (column.astype(float),),
            np.mean,
            n_resamples=20_000,
            method="percentile",
            rng=np.random.default_rng(1),
        ).confidence_interval
        assert (low[place], high[place]) == pytest.approx(expected, abs=0.004)


def test_paired_differences_equal_scipy_s(hits):
    drawn = means(hits, 20_000, 0)
    found = interval(drawn[:, 0] - drawn[:, 1])
    expected = bootstrap(
        (hits[:, 0] * 1.0, hits[:, 1] * 1.0),
        lambda a, b, axis: a.mean(axis) - b.mean(axis),
        paired=True,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert found == pytest.approx(expected, abs=0.004)


def test_every_resample_is_a_mean_over_drawn_images(hits):
    values = np.random.default_rng(1).normal(size=(300, 2))
    for given in (hits, values):
        draw = np.random.default_rng(5)
        slow = [given[draw.integers(300, size=300)].mean(axis=0) for _ in range(150)]
        assert means(given, 150, 5) == pytest.approx(np.array(slow), abs=1e-12)


def test_the_first_resamples_do_not_depend_on_how_many_follow(hits):
    many = means(hits, 200, 3)
    for few in (1, 63, 64, 65, 130):
        assert (means(hits, few, 3) == many[:few]).all()
    assert (means(hits, 5, 4) != many[:5]).any()


def test_hits_are_counted_exactly(hits):
    whole = means(hits, 100, 0) * len(hits)
    assert (np.abs(whole - whole.round()) < 1e-9).all()


def test_the_interval_covers_the_truth_at_its_level():
    rng = np.random.default_rng(2)
    covered = 0
    for trial in range(400):
        low, high = interval(means(rng.random((200, 1)) < 0.7, 400, trial))
        covered += low[0] <= 0.7 <= high[0]
    assert 0.91 < covered / 400 < 0.98


def test_undefined_resamples_are_left_out():
    low, high = interval(np.array([[0.0, np.nan], [1.0, 2.0], [2.0, 2.0]]))
    assert (low[1], high[1]) == (2, 2)
    assert high[0] == pytest.approx(1.95)


@pytest.fixture
def rows():
    keys = pd.MultiIndex.from_product(
        [[0, 1], range(30), ["x", "y"], [0.0, 0.5]],
        names=["seed", "image", "source", "strength"],
    ).to_frame(index=False)
    rng = np.random.default_rng(4)
    rows = keys.assign(hit=rng.random(len(keys)) < 0.6, score=rng.random(len(keys)))
    rows = rows[(rows["strength"] == 0) | (rows["image"] % 3 == 0)]
    return rows.sample(frac=1, random_state=0)


KEYS = ["source", "strength"]


def test_columns_are_resampled_together_after_seeds_are_averaged(rows):
    table = resample(rows, KEYS, ["hit", "score"], resamples=40, seed=7)
    assert table.columns.names == ["score", *KEYS]
    for score in ("hit", "score"):
        for key in (("x", 0.0), ("y", 0.0), ("x", 0.5), ("y", 0.5)):
            mine = rows[(rows["source"] == key[0]) & (rows["strength"] == key[1])]
            images = mine.groupby("image")[score].mean()
            order = [one for one in pd.unique(rows["image"]) if one in images.index]
            slow = means(images[order].to_numpy()[:, None], 40, 7)[:, 0]
            assert table[score][key].to_numpy() == pytest.approx(slow)


def test_seeds_by_themselves_have_the_same_columns(rows):
    table = by_seed(rows, KEYS, ["hit", "score"])
    drawn = resample(rows, KEYS, ["hit", "score"], resamples=2, seed=0)
    assert set(table.columns) == set(drawn.columns)
    assert list(table.index) == [0, 1]
    mine = rows.query("seed == 1 & source == 'y' & strength == 0.5")
    assert table["hit"]["y", 0.5][1] == pytest.approx(mine["hit"].mean())


def test_a_seed_without_another_s_image_is_refused(rows):
    fewer = rows.query("~(seed == 1 & source == 'x' & strength == 0 & image == 2)")
    with pytest.raises(UserError, match=r"x, 0\.0: a seed lacks images"):
        resample(fewer, KEYS, ["hit"], resamples=2, seed=0)
