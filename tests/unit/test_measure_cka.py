"""CKA against slow derivations of its terms, and cases whose value is known."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from s2snets.measure import cka
from s2snets.networks.architectures import ARCHITECTURES
from s2snets.networks.depths import penultimate


@pytest.fixture
def random():
    return np.random.default_rng(0)


def rows_of(batch, seed=0, **features):
    """HSIC of features (N, units) by network, in batches."""
    count = len(next(iter(features.values())))
    return pd.concat(
        [
            cka.hsic_rows(
                start,
                {n: one[start : start + batch] for n, one in features.items()},
            )
            for start in range(0, count, batch)
        ],
        ignore_index=True,
    ).assign(seed=seed)


def aligned(rows, *names, resamples=50):
    pairs = pd.DataFrame([names], columns=["network", "other"])
    return cka.add_cka(pairs, rows, resamples, 0).iloc[0]


def whole(x, y):
    """Debiased CKA of all images at once, by the definition's U-statistics."""

    def hsic(one, other):
        n = len(one)
        sums = np.zeros(3)
        for i, j, q, r in permutations(range(n), 4):
            sums += one[i, j] * np.array([other[i, j], other[q, r], other[i, q]])
        return (sums / (n * (n - 1) * (n - 2) * (n - 3))) @ [1, 1, -2]

    kernels = [one @ one.T for one in (x, y)]
    joint = hsic(*kernels)
    return joint, joint / np.sqrt(np.prod([hsic(one, one) for one in kernels]))


def test_hsic_is_the_mean_over_all_quadruples(random):
    x, y = random.normal(size=(7, 3)), random.normal(size=(7, 5)) + 2
    y[:, 0] += x[:, 1]
    joint, ratio = whole(x, y)
    assert cka.unbiased_hsic(cka.gram(x), cka.gram(y)) == pytest.approx(joint)
    rows = rows_of(7, V=x, R=y)
    assert aligned(rows, "V", "R")["cka"] == pytest.approx(ratio)
    assert aligned(rows, "R", "V")["cka"] == pytest.approx(ratio)  # symmetric


def test_the_same_features_are_one_however_they_are_turned(random):
    x = random.normal(size=(96, 10)) * np.arange(1, 11)
    turn, _ = np.linalg.qr(random.normal(size=(10, 10)))
    rows = rows_of(32, V=x, R=-3 * x @ turn + 5, A=x)
    for other in ("R", "A"):
        found = aligned(rows, "V", other)
        assert found["cka"] == pytest.approx(1)
        assert found[["cka_low", "cka_high"]].to_list() == pytest.approx([1, 1])


def test_unrelated_features_are_zero_even_where_units_outnumber_images(random):
    """Where the estimate without correction nears one."""
    x, y = random.normal(size=(640, 300)), random.normal(size=(640, 300))
    found = aligned(rows_of(16, V=x, R=y), "V", "R", resamples=200)
    assert found["cka_low"] < 0 < found["cka_high"]
    assert abs(found["cka"]) < 0.02
    first, second = ((one[:16] - one[:16].mean(0)) for one in (x, y))
    plain = np.square(first.T @ second).sum() / np.prod(
        [np.linalg.norm(one.T @ one) for one in (first, second)]
    )
    assert plain > 0.8


def test_permuted_images_and_orthogonal_units_have_nothing_in_common(random):
    x = random.normal(size=(512, 4))
    both = rows_of(64, V=x, R=random.permutation(x), A=random.normal(size=(512, 2)))
    assert abs(aligned(both, "V", "R")["cka"]) < 0.05
    assert abs(aligned(both, "V", "A")["cka"]) < 0.05


@pytest.mark.parametrize("batch", [8, 32, 128])
def test_batches_do_not_bias(batch, random):
    """Shared units over all: half of the variance of each, as CKA counts it."""
    shared = random.normal(size=(4096, 1))
    x, y = (np.hstack([shared, random.normal(size=(4096, 1))]) for _ in range(2))
    found = aligned(rows_of(batch, V=x, R=y), "V", "R", resamples=300)
    assert found["cka_low"] < 0.5 < found["cka_high"]
    assert found["cka"] == pytest.approx(0.5, abs=0.06)


def test_features_that_do_not_vary_have_no_alignment(random):
    x = random.normal(size=(64, 4))
    found = aligned(rows_of(16, V=x, R=np.ones((64, 3))), "V", "R")
    assert np.isnan(found["cka"])


def test_batches_of_too_few_images_are_left_out(random):
    x = random.normal(size=(35, 4))  # two batches of 16 and one of 3
    rows = rows_of(16, V=x, R=-x)
    assert rows["hsic"].isna().sum() == 3
    assert aligned(rows, "V", "R")["cka"] == pytest.approx(1)
    few = aligned(rows_of(16, V=x[:3], R=x[:3]), "V", "R")
    assert few[["cka", "cka_low", "cka_high"]].isna().all()


def test_seeds_share_the_mean(random):
    x, y = random.normal(size=(64, 4)), random.normal(size=(64, 4))
    rows = pd.concat([rows_of(16, 0, V=x, R=x), rows_of(16, 1, V=x, R=y)])
    low, high = aligned(rows, "V", "R")[["cka_low", "cka_high"]]
    assert low < aligned(rows, "V", "R")["cka"] < high


@pytest.mark.parametrize(
    ("name", "units"), [("lenet5", 84), ("small_alexnet", 256), ("small_resnet", None)]
)
def test_penultimate_features_give_the_logits_by_the_last_layer(name, units):
    net = ARCHITECTURES[name](10, 32).eval().requires_grad_(False)
    pixels = torch.rand(3, 3, 32, 32)
    features = penultimate(net, pixels)
    assert units in (None, features.shape[1])
    last = [one for one in net.modules() if isinstance(one, nn.Linear)][-1]
    assert torch.allclose(last(features), net(pixels), atol=1e-5)
