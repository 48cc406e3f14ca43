import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap, kstest, norm, t

from s2snets.measure.bootstrap import (
    by_training,
    independent,
    interval,
    means,
    resample,
    training_weights,
)
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


def test_columns_of_one_training_are_resampled_images_and_nothing_else(rows):
    rows = rows[rows["seed"] == 0]
    table = resample(rows, KEYS, ["hit", "score"], resamples=40, seed=7)
    assert table.columns.names == ["score", *KEYS]
    for score in ("hit", "score"):
        for key in (("x", 0.0), ("y", 0.0), ("x", 0.5), ("y", 0.5)):
            mine = rows[(rows["source"] == key[0]) & (rows["strength"] == key[1])]
            images = mine.groupby("image")[score].mean()
            order = [one for one in pd.unique(rows["image"]) if one in images.index]
            slow = means(images[order].to_numpy()[:, None], 40, 7)[:, 0]
            assert table[score][key].to_numpy() == pytest.approx(slow)


def test_trainings_add_their_deviations_to_the_mean_over_images(rows):
    replicates = rows.rename(columns={"seed": "replicate"}).assign(seed=5)
    only_first = (replicates["source"] == "x") & (replicates["replicate"] == 1)
    replicates = replicates[~only_first]  # x is the same in each, as originals are
    for given, single in ((rows, ()), (replicates, ("x",))):
        table = resample(given, KEYS, ["hit"], resamples=40, seed=7)["hit"]
        units = by_training(given, KEYS, ["hit"])["hit"]
        for key in table.columns:
            mine = given.query(f"source == {key[0]!r} & strength == {key[1]}")
            average = mine.assign(seed=0).drop(columns="replicate", errors="ignore")
            average = average.groupby(["seed", "image", *KEYS], as_index=False)["hit"]
            order = pd.DataFrame({"image": pd.unique(given["image"])})
            merged = order.merge(average.mean(), on="image")
            expected = resample(merged, KEYS, ["hit"], resamples=40, seed=7)["hit"][key]
            if key[0] not in single:
                deviations = (units[key] - units[key].mean()).to_numpy()
                expected = expected + training_weights(2, 40, 7) @ deviations
            assert table[key].to_numpy() == pytest.approx(expected.to_numpy())


def test_images_of_a_group_are_drawn_together(rows):
    alone = resample(rows, KEYS, ["hit", "score"], resamples=40, seed=7)
    single = rows.assign(group=rows["image"])
    pd.testing.assert_frame_equal(
        resample(single, KEYS, ["hit", "score"], resamples=40, seed=7), alone
    )
    # Ten copies of each image are no more evidence than one.
    copies = pd.concat(
        [rows.assign(image=100 * n + rows["image"]) for n in range(10)]
    ).assign(group=pd.concat([rows["image"]] * 10))
    drawn = resample(copies, KEYS, ["hit", "score"], resamples=40, seed=7)
    np.testing.assert_allclose(drawn, alone)
    one = copies[copies["seed"] == 0]
    together, apart = (
        resample(given, KEYS, ["hit"], resamples=400, seed=7).std()
        for given in (one, one.drop(columns="group"))
    )
    assert (apart < 0.5 * together).all()


def test_groups_of_several_sizes_weigh_by_their_images():
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(12), rng.integers(1, 6, 12))
    rows = pd.DataFrame({"seed": 0, "image": range(len(group)), "group": group})
    rows = rows.assign(source="x", hit=rng.random(len(rows)) < 0.6)
    drawn = resample(rows, ["source"], ["hit"], resamples=50, seed=4)["hit"]["x"]
    draw, by_group = np.random.default_rng(4), rows.groupby("group")["hit"]
    for value in drawn:
        chosen = draw.integers(12, size=12)
        hits, images = by_group.sum()[chosen].sum(), by_group.size()[chosen].sum()
        assert value == pytest.approx(hits / images)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_mean_over_trainings_follows_student_s_t(count):
    weights = training_weights(count, 4000, 0)
    assert weights.sum(axis=1) == pytest.approx(0)
    assert (training_weights(count, 50, 0) == weights[:50]).all()
    values = np.random.default_rng(1).normal(size=count)
    error = values.std(ddof=1) / count**0.5
    drawn = weights @ (values - values.mean()) / error
    assert kstest(drawn, t(count - 1).cdf).pvalue > 0.01


def simulated_study(rng, images=500, replicates=3):
    """Hits (replicates, images, 5) of accuracies .3 to .8, and these accuracies.

    Trainings move the five by 1 to 7 points, as cross terms are moved; they share how
    hard an image is.
    """
    truth = np.linspace(0.3, 0.8, 5)
    spread = np.array([0.01, 0.03, 0.07, 0.05, 0.04])
    moved = truth + spread * rng.normal(size=(replicates, 1, 5))
    hard = rng.normal(size=(1, images, 1))
    drawn = 0.9 * hard + 0.44 * rng.normal(size=(replicates, images, 5))
    return drawn < norm.ppf(np.clip(moved, 1e-9, 1 - 1e-9)), truth


def test_intervals_contain_the_truth_of_other_images_and_other_trainings():
    rng, covered = np.random.default_rng(3), []
    for trial in range(200):
        hits, truth = simulated_study(rng)
        average = hits.mean(axis=1)
        drawn = means(hits.mean(axis=0), 400, trial)
        only_images = interval(drawn)
        drawn += training_weights(3, 400, trial) @ (average - average.mean(axis=0))
        for low, high in (only_images, interval(drawn)):
            covered.append((low <= truth) & (truth <= high))
    images, both = np.reshape(covered, (200, 2, 5)).mean(axis=(0, 2))
    assert 0.93 <= both <= 0.97
    assert images < 0.8


def test_seeds_are_independent_and_replicates_of_one_seed_alone(rows):
    table = by_training(rows, KEYS, ["hit", "score"])
    drawn = resample(rows, KEYS, ["hit", "score"], resamples=2, seed=0)
    assert set(table.columns) == set(drawn.columns)
    mine = rows.query("seed == 1 & source == 'y' & strength == 0.5")
    assert table["hit"]["y", 0.5][1] == pytest.approx(mine["hit"].mean())
    assert independent(table).equals(table)
    both = pd.concat([rows.assign(replicate=0), rows.assign(replicate=1, hit=False)])
    table = by_training(both, KEYS, ["hit"])
    assert list(table.index) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    halves = independent(table)["hit"]
    assert list(halves.index) == [0, 1]
    assert halves["y", 0.5][1] == pytest.approx(mine["hit"].mean() / 2)
    single = by_training(both.query("seed == 0"), KEYS, ["hit"])
    assert independent(single).equals(single)


def test_a_training_without_another_s_image_is_refused(rows):
    fewer = rows.query("~(seed == 1 & source == 'x' & strength == 0 & image == 2)")
    with pytest.raises(UserError, match=r"x, 0\.0: a seed or replicate lacks images"):
        resample(fewer, KEYS, ["hit"], resamples=2, seed=0)
