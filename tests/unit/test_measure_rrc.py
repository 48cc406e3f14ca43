import numpy as np
import pandas as pd
import pytest

from s2snets.measure.rrc import rrc_matrix, rrc_table
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError

PAPER = ASSETS / "palacio2018"

# Figure 6, left to right: A_i ∘ j as "ij".
ORDER = (
    *("AV", "RL", "AL", "RV", "LV", "AR", "IL", "IA", "IR", "IV", "VL", "LA"),
    *("RA", "VA", "AI", "RI", "LL", "AA", "VV", "II", "RR", "VR", "VI", "LI", "LR"),
)


@pytest.fixture
def printed():
    return pd.read_csv(PAPER / "table2.csv")


def test_the_printed_table_gives_the_order_of_figure_6(printed):
    rows = rrc_table(printed)
    order = rows["autoencoder"].str.removeprefix("A_") + rows["classifier"]
    assert tuple(order) == ORDER


def test_the_denominator_is_the_weaker_of_both_with_their_own_autoencoders(printed):
    rows = rrc_table(printed).set_index(["autoencoder", "classifier"])
    accuracy, own_autoencoder, own_classifier, rrc = rows.loc[("A_V", "L")]
    assert (accuracy, own_autoencoder, own_classifier) == (0.2929, 0.7163, 0.3484)
    assert rrc == pytest.approx(0.2929 / 0.3484)


def test_the_diagonal_is_one_and_the_order_ascends(printed):
    rows = rrc_table(printed)
    own = rows["autoencoder"] == "A_" + rows["classifier"]
    assert (rows.loc[own, "rrc"] == 1).all()
    assert rows["rrc"].is_monotonic_increasing
    assert list(rows) == [
        *("autoencoder", "classifier", "accuracy"),
        *("own_autoencoder", "own_classifier", "rrc"),
    ]


def test_the_order_of_rows_and_columns_changes_no_value(printed):
    turned = printed.iloc[::-1][["R", "autoencoder", "V", "I", "A", "L"]]
    keys = ["autoencoder", "classifier"]
    first, second = (rrc_table(x).sort_values(keys) for x in (printed, turned))
    pd.testing.assert_frame_equal(
        first.reset_index(drop=True), second.reset_index(drop=True)
    )


def test_rates_of_many_tables_are_those_of_each(printed):
    accuracy = printed.drop(columns="autoencoder").to_numpy()
    tables = np.stack([accuracy, accuracy.T, accuracy / 2])
    for table, found in zip(tables, rrc_matrix(tables), strict=True):
        frame = pd.DataFrame(table, columns=list("LAVIR"))
        frame.insert(0, "autoencoder", printed["autoencoder"])
        rows = rrc_table(frame).pivot(index="autoencoder", columns="classifier")["rrc"]
        assert found == pytest.approx(
            rows.loc[printed["autoencoder"], list("LAVIR")].to_numpy()
        )


def test_intervals_and_spread_go_to_their_own_pair(printed):
    accuracy = printed.drop(columns="autoencoder").to_numpy()
    samples = np.repeat(accuracy[None], 101, axis=0)
    samples[:, 3, 0] = np.linspace(0, 0.1, 101)  # A_I ∘ L
    rows = rrc_table(printed, samples, samples[[0, 100]]).set_index(
        ["autoencoder", "classifier"]
    )
    own = 0.3484
    low, high, spread = rows.loc[("A_I", "L"), ["rrc_low", "rrc_high", "rrc_sd"]]
    assert (low, high) == pytest.approx((0.0025 / own, 0.0975 / own))
    assert spread == pytest.approx(0.1 / own / 2**0.5)
    others = rows.drop(("A_I", "L"))
    assert list(others["rrc_low"]) == pytest.approx(list(others["rrc"]))
    assert others["rrc_sd"].to_numpy() == pytest.approx(0)
    assert rrc_table(printed, samples, samples[:1])["rrc_sd"].isna().all()


def test_a_resample_in_which_a_classifier_fails_has_no_rrc(printed):
    accuracy = printed.drop(columns="autoencoder").to_numpy()
    samples = np.repeat(accuracy[None], 4, axis=0)
    samples[0, 0, 0] = 0
    assert np.isnan(rrc_matrix(samples)[0, 0]).all()
    rows = rrc_table(printed, samples)
    assert list(rows["rrc_low"]) == pytest.approx(list(rows["rrc"]))


def broken(table, change):
    table = table.copy()
    if change == "column":
        return table.drop(columns="V")
    if change == "row":
        return table.iloc[:-1]
    if change == "twice":
        return pd.concat([table, table.iloc[:1]])
    if change == "name":
        return table.rename(columns={"autoencoder": "input"})
    if change == "homonym":
        return table.replace("A_R", "A_A_L").rename(columns={"R": "A_L"})
    table.loc[table["autoencoder"] == "A_I", "I"] = change
    return table


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("column", "row A_V lacks its own column 'V'"),
        ("row", "column R lacks its own row 'A_R'"),
        ("twice", "row A_L appears twice"),
        ("name", "no column 'autoencoder'"),
        ("homonym", "classifier A_L is named like an autoencoder"),
        (76.71, "accuracy 76.71 of I with A_I lies outside"),
        (-0.1, "accuracy -0.1 of I with A_I lies outside"),
        (float("nan"), "accuracy nan of I with A_I lies outside"),
        (0.0, "classifier I has accuracy 0 with its own A_I"),
    ],
)
def test_a_bad_table_is_refused_with_the_place(printed, change, words):
    with pytest.raises(UserError, match=words):
        rrc_table(broken(printed, change))


def test_chance_is_subtracted_above_and_below_the_line(printed):
    chance = np.array([0.1, 0.1, 0.2, 0.1, 0.1])
    rows = rrc_table(printed, chance=chance).set_index(["autoencoder", "classifier"])
    row = rows.loc[("A_V", "L")]
    assert row["rrc_corrected"] == pytest.approx((0.2929 - 0.1) / (0.3484 - 0.1))
    row = rows.loc[("A_L", "V")]
    least = min(0.3484 - 0.1, 0.7163 - 0.2)
    assert row["rrc_corrected"] == pytest.approx((row["accuracy"] - 0.2) / least)
    assert row["chance"] == 0.2
    pd.testing.assert_frame_equal(
        rrc_table(printed), rows.reset_index()[list(rrc_table(printed))]
    )


def test_a_guessed_pair_has_a_corrected_rate_about_0_and_a_mark():
    """With ten classes and 0.77 of them right, RRC of a guess is about 0.13."""
    accuracy = np.array([[0.77, 0.103], [0.6, 0.77]])
    table = pd.DataFrame(accuracy, columns=["L", "A"])
    table.insert(0, "autoencoder", ["A_L", "A_A"])
    samples = accuracy + np.random.default_rng(0).normal(scale=0.005, size=(500, 2, 2))
    rows = rrc_table(table, samples, chance=np.full(2, 0.1))
    rows = rows.set_index(["autoencoder", "classifier"])
    guess, other = rows.loc[("A_L", "A")], rows.loc[("A_A", "L")]
    assert guess["rrc"] == pytest.approx(0.134, abs=0.001)
    assert guess["rrc_corrected_low"] < 0 < guess["rrc_corrected"]
    assert guess["rrc_corrected"] < guess["rrc_corrected_high"] < 0.03
    assert (guess["above_chance"], other["above_chance"]) == (False, True)


def test_where_a_network_guesses_with_its_own_autoencoder_nothing_is_corrected(printed):
    samples = np.repeat(printed.drop(columns="autoencoder").to_numpy()[None], 9, axis=0)
    chance = np.array([0.5, 0.1, 0.1, 0.1, 0.1])
    rows = rrc_table(printed, samples, chance=chance)
    touched = (rows["autoencoder"] == "A_L") | (rows["classifier"] == "L")
    columns = ["rrc_corrected", "rrc_corrected_low", "rrc_corrected_high"]
    assert (rows[columns].isna().all(axis=1) == touched).all()
