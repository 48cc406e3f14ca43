"""Error consistency against scikit-learn; Mantel's test against all permutations."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from s2snets.measure import consistency

NETWORKS = ["V", "L", "R"]


def predictions(random, images=400, seeds=1, classes=5, group=None):
    """Predictions of three networks on the originals: R errs as V does, mostly."""
    tables = []
    for seed in range(seeds):
        labels = random.integers(classes, size=images)
        found = {
            name: np.where(random.random(images) < 0.7, labels, (labels + 1) % classes)
            for name in ("V", "L")
        }
        copied = random.random(images) < 0.8
        found["R"] = np.where(copied, found["V"], random.integers(classes, size=images))
        for name, classes_found in found.items():
            table = pd.DataFrame(
                {
                    "seed": seed,
                    "replicate": 0,
                    "image": np.arange(images),
                    "source": "original",
                    "strength": 0.0,
                    "classifier": name,
                    "label": labels,
                    "class_1": classes_found,
                }
            )
            if group:
                table["group"] = table["image"] // group
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


@pytest.fixture
def random():
    return np.random.default_rng(0)


def hits(rows, name):
    own = rows[rows["classifier"] == name]
    return (own["class_1"] == own["label"]).to_numpy()


def test_kappa_is_scikit_learns(random):
    rows = predictions(random)
    table = consistency.tabulate(rows, NETWORKS, 50, 0)
    assert list(zip(table["network"], table["other"], strict=True)) == [
        ("V", "L"), ("V", "R"), ("L", "R"),
    ]  # fmt: skip
    for row in table.itertuples():
        one, other = hits(rows, row.network), hits(rows, row.other)
        assert row.kappa == pytest.approx(cohen_kappa_score(one, other))
        assert row.kappa_low <= row.kappa <= row.kappa_high
        same = rows.pivot(index="image", columns="classifier", values="class_1")
        assert row.agreement == (same[row.network] == same[row.other]).mean()
    assert table.loc[1, "kappa_low"] > table.loc[0, "kappa_high"]


def test_independent_errors_have_none(random):
    rows = predictions(random, images=20_000)
    table = consistency.tabulate(rows, ["V", "L"], 200, 0)
    (row,) = table.itertuples()
    assert row.kappa_low < 0 < row.kappa_high
    assert abs(row.kappa) < 0.03


def test_intervals_cover_what_is_there(random):
    """Of 200 studies of independent networks, about 95 % have 0 in their interval."""
    covered = 0
    for _ in range(200):
        rows = predictions(random, images=150)
        (row,) = consistency.tabulate(rows, ["V", "L"], 200, 0).itertuples()
        covered += row.kappa_low <= 0 <= row.kappa_high
    assert 180 <= covered <= 199


def test_golden_cases():
    half = np.array([0.5])
    assert consistency.kappa(np.array([1.0]), half, half) == 1
    assert consistency.kappa(np.array([0.0]), half, half) == -1
    assert consistency.kappa(half, half, half) == 0
    always = np.array([1.0])
    assert np.isnan(consistency.kappa(always, always, always))


def test_networks_that_are_always_right_have_agreement_alone(random):
    rows = predictions(random)
    rows["label"] = rows["class_1"]  # as where agreement replaces accuracy
    table = consistency.tabulate(rows, NETWORKS, 50, 0)
    assert table[["kappa", "kappa_low", "kappa_high"]].isna().all(axis=None)
    assert table["agreement"].between(0.3, 0.95).all()
    rrc = random_rrc(np.random.default_rng(1), NETWORKS)
    table = consistency.add_rrc(table, rrc, NETWORKS)
    kappa, agreement = consistency.correlations(table, NETWORKS).itertuples()
    assert np.isnan(kappa.rho)
    assert -1 <= agreement.rho <= 1


def test_images_of_a_group_are_drawn_together(random):
    alone = predictions(np.random.default_rng(5))
    repeated = pd.concat(
        [
            alone.assign(image=10 * alone["image"] + copy, group=alone["image"])
            for copy in range(10)
        ],
        ignore_index=True,
    )
    one, many = (
        consistency.tabulate(rows, ["V", "R"], 400, 0) for rows in (alone, repeated)
    )
    assert many["kappa"][0] == pytest.approx(one["kappa"][0])
    widths = [float((t["kappa_high"] - t["kappa_low"])[0]) for t in (one, many)]
    assert widths[1] == pytest.approx(widths[0], rel=0.2)


def test_seeds_are_averaged(random):
    rows = predictions(random, seeds=3)
    (row,) = consistency.tabulate(rows, ["V", "L"], 200, 0).itertuples()
    each = [
        consistency.tabulate(part, ["V", "L"], 20, 0)["agreement"][0]
        for _, part in rows.groupby("seed")
    ]
    assert row.agreement == pytest.approx(np.mean(each))
    assert row.images == 400


def random_rrc(random, names):
    return pd.DataFrame(
        [
            (f"A_{i}", j, 1.0 if i == j else random.random())
            for i in names
            for j in names
        ],
        columns=["autoencoder", "classifier", "rrc"],
    )


def test_symmetric_rrc_is_the_mean_of_both_ways(random):
    rrc = random_rrc(random, NETWORKS)
    matrix = consistency.symmetric_rrc(rrc, NETWORKS)
    value = rrc.set_index(["autoencoder", "classifier"])["rrc"]
    assert (
        matrix[0, 2]
        == matrix[2, 0]
        == pytest.approx((value["A_V", "R"] + value["A_R", "V"]) / 2)
    )


def similarities(random, size):
    matrix = random.random((size, size))
    return matrix + matrix.T


def test_mantel_is_spearman_over_all_permutations(random):
    one, other = similarities(random, 5), similarities(random, 5)
    upper = np.triu_indices(5, 1)
    rho, p = consistency.mantel(one, other)
    assert rho == pytest.approx(spearmanr(one[upper], other[upper]).statistic)
    every = [
        spearmanr(one[np.ix_(order, order)][upper], other[upper]).statistic
        for order in map(list, permutations(range(5)))
    ]
    assert p == pytest.approx(np.mean(np.abs(every) >= abs(rho) - 1e-12))


def test_mantel_finds_what_is_there_and_nothing_else(random):
    """The same matrix has the least p; of unrelated ones 5 % are below 0.05."""
    one = similarities(random, 6)
    assert consistency.mantel(one, one**3) == (pytest.approx(1), pytest.approx(1 / 720))
    found = [
        consistency.mantel(similarities(random, 6), similarities(random, 6))[1] <= 0.05
        for _ in range(200)
    ]
    assert 1 <= sum(found) <= 22


def test_mantel_of_many_networks_draws_permutations(random):
    one = similarities(random, 9)
    noisy = one + 0.2 * similarities(random, 9)
    rho, p = consistency.mantel(one, noisy)
    assert rho > 0.7
    assert p < 0.01
    assert consistency.mantel(one, noisy) == (rho, p)


@pytest.mark.parametrize("size", [2, 4])
def test_mantel_says_nothing_where_there_is_nothing(random, size):
    one = similarities(random, size)
    assert np.isnan(consistency.mantel(one, np.ones((size, size)))[0])
    one[0, 1] = one[1, 0] = np.nan
    rho, p = consistency.mantel(one, similarities(random, size))
    assert (np.isnan(rho), p) == (True, 1.0)
