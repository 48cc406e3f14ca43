import numpy as np
import pandas as pd
import pytest

from s2snets.measure.agreement import compare_pairs, kendall_w, served, tabulate
from s2snets.measure.rrc import rrc_matrix, rrc_table

NAMES = list("LAV")
# A_V serves both others, A_L one, A_A none.
ORDERED = np.array([[0.8, 0.7, 0.1], [0.2, 0.8, 0.3], [0.8, 0.8, 0.8]])


def study(accuracy):
    table = pd.DataFrame(accuracy, columns=NAMES)
    table.insert(0, "autoencoder", [f"A_{name}" for name in NAMES])
    return rrc_table(table), rrc_matrix(np.asarray(accuracy, dtype=float))


def test_others_served_are_counted_without_the_network_itself():
    assert list(served(rrc_matrix(ORDERED), 0.8)) == [1, 0, 2]
    assert served(np.full((4, 3, 3), 0.9), 1.0).tolist() == [[0, 0, 0]] * 4


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1, 2, 3], [1, 2, 3], [10, 20, 30]], 1.0),
        ([[1, 2, 3], [3, 2, 1]], 0.0),
        ([[1, 2, 3, 4], [1, 2, 4, 3]], 0.9),  # by hand: 12 * 18 / (4 * 60)
        ([[1, 1, 2], [1, 1, 2]], 1.0),  # the same ties
        ([[1, 2, 3]], np.nan),
        ([[1, 1], [2, 2]], np.nan),
    ],
)
def test_kendall_s_w(values, expected):
    assert kendall_w(np.array(values)) == pytest.approx(expected, nan_ok=True)


def test_w_of_two_judges_is_spearman_s_rho():
    values = np.random.default_rng(0).normal(size=(2, 30))
    rho = pd.DataFrame(values.T).corr("spearman")[0][1]
    assert kendall_w(values) == pytest.approx((rho + 1) / 2)


def test_trainings_agree_by_their_orders_and_lattices():
    rrc, once = study(ORDERED)
    other = rrc_matrix(ORDERED[::-1, ::-1])  # V and L have changed places
    table = tabulate(rrc, [0.8, 0.0], np.array([once, once, once, other]))
    assert list(table["lattice_share"]) == [0.75, 1.0]
    assert 0 < table["kendall_w"][0] < 1
    assert np.isnan(table["kendall_w"][1])  # each serves all others
    alone = tabulate(rrc, [0.8], once[None])
    assert alone[["kendall_w", "lattice_share"]].isna().all(axis=None)


def test_an_order_is_established_by_every_training_and_the_whole_interval():
    rrc, once = study(ORDERED)
    swapped = rrc_matrix(ORDERED[::-1, ::-1])

    def established(samples, trainings):
        pairs = compare_pairs(rrc, [0.8], np.array(samples), np.array(trainings))
        return [*pairs.loc[pairs["established"], ["network", "other"]].sum(axis=1)]

    assert established([once] * 40, [once] * 3) == ["LA", "VL", "VA"]
    assert established([once] * 40, [once, once, swapped]) == ["LA", "VA"]
    assert established([once] * 20 + [swapped] * 20, [once] * 3) == ["LA", "VA"]


def test_networks_without_structure_have_no_order():
    rng = np.random.default_rng(0)
    for _ in range(20):
        tables = np.clip(0.6 + 0.05 * rng.normal(size=(3, 3, 3)), 0, 1)
        rrc, _ = study(tables.mean(axis=0))
        noise = 0.05 * rng.standard_t(2, size=(200, 3, 3)) / 3**0.5
        samples = rrc_matrix(np.clip(tables.mean(axis=0) + noise, 0.01, 1))
        pairs = compare_pairs(rrc, [1.0], samples, rrc_matrix(tables))
        assert not pairs["established"].any()
