from io import StringIO

import numpy as np
import pandas as pd
import pytest

from s2snets.measure.accuracy import (
    accuracy_by_seed,
    add_intervals,
    cross_samples,
    noise,
    parts,
    resample,
    score,
    sources,
    table1,
    table2,
    tabulate,
)
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError

PAPER = ASSETS / "palacio2018"
LETTERS = list("LAVIR")


def predictions(names, classifiers, *, seeds=(0, 1), images=6, strengths=(0.0, 0.5)):
    """Random predictions, in random order: top five of seven classes."""
    rng = np.random.default_rng(0)
    keys = pd.MultiIndex.from_product(
        [seeds, names, range(images), classifiers, strengths],
        names=["seed", "source", "image", "classifier", "strength"],
    ).to_frame(index=False)
    truth = keys["image"].map(dict(enumerate(rng.integers(0, 7, images))))
    guesses = np.argsort(rng.random((len(keys), 7)))[:, :5]
    for place in range(5):
        keys[f"class_{place + 1}"] = guesses[:, place]
        keys[f"probability_{place + 1}"] = 0.5 ** (place + 1)
    return keys.assign(label=truth).sample(frac=1, random_state=0)


def filed(table):
    """The table as the next rule reads it."""
    return pd.read_csv(StringIO(table.to_csv(index=False)))


@pytest.fixture
def rows():
    tuned = ["decoder-A", "encoder-A", "encoder-L", "decoder-L"]
    return predictions(["pretrained", *tuned, "original"], ["A", "L"])


@pytest.fixture
def accuracy(rows):
    return tabulate(rows, ["L", "A"], "decoder")


@pytest.fixture
def printed():
    """Table 1 as the accuracies it was made of."""
    table = pd.read_csv(PAPER / "table1.csv")
    stems = {"original": "original", "A_S": "pretrained"}
    key = table["classifier"]
    own = table["input"] == "A_i"
    return pd.DataFrame(
        {
            "source": table["input"].map(stems).mask(own, "decoder-" + key),
            "part": np.where(own, "decoder", ""),
            "tuned": key.where(own, ""),
            "label": table["input"].mask(own, "A_" + key),
            "classifier": key,
            "strength": 0.0,
            "images": 50_000,
            "seeds": 1,
            "top1": table["top1"] / 100,
            "top5": table["top5"] / 100,
        }
    )


def test_a_hit_is_the_truth_first_or_among_five():
    rows = pd.DataFrame(
        [
            (0, "original", 0, "L", 0.0, 3, 3, 1, 2, 4, 5),
            (0, "original", 1, "L", 0.0, 5, 3, 1, 2, 4, 5),
            (0, "original", 2, "L", 0.0, 6, 3, 1, 2, 4, 5),
            (0, "original", 3, "L", 0.0, 1, 0, 1, -1, -1, -1),
        ],
        columns=[
            *("seed", "source", "image", "classifier", "strength", "label"),
            *("class_1", "class_2", "class_3", "class_4", "class_5"),
        ],
        index=[7, 7, 7, 7],
    )
    hits = score(rows)
    assert list(hits["top1"]) == [True, False, False, False]
    assert list(hits["top5"]) == [True, True, False, True]
    assert list(hits["image"]) == [0, 1, 2, 3]


def test_accuracies_are_plain_means_of_the_hits(rows, accuracy):
    hits = score(rows)
    for row in accuracy.itertuples():
        mine = hits[
            (hits["source"] == row.source)
            & (hits["classifier"] == row.classifier)
            & (hits["strength"] == row.strength)
        ]
        assert (row.top1, row.top5) == (mine["top1"].mean(), mine["top5"].mean())
        assert (row.images, row.seeds) == (6, 2)


def test_rows_follow_the_config_not_the_files(accuracy):
    assert list(accuracy) == [
        *("source", "part", "tuned", "label", "classifier", "strength"),
        *("images", "seeds", "top1", "top1_sd", "top5"),
    ]
    assert list(accuracy["source"].unique()) == [
        *("original", "pretrained", "decoder-L", "decoder-A", "encoder-L", "encoder-A")
    ]
    assert list(accuracy["classifier"][:4]) == ["L", "L", "A", "A"]
    assert list(accuracy["strength"][:4]) == [0.0, 0.5, 0.0, 0.5]


def test_labels_name_the_part_only_where_it_is_not_the_main_one():
    for part, labels in (
        ("decoder", ["original", "A_S", "A_x-y", "A_x-y (encoder)", "A_x-y (both)"]),
        ("both", ["original", "A_S", "A_x-y", "A_x-y (decoder)", "A_x-y (encoder)"]),
    ):
        table = sources(["x-y"], part)
        assert list(table["label"]) == labels
        assert list(table["tuned"]) == ["", "", "x-y", "x-y", "x-y"]


def test_table_1_gives_the_printed_differences(printed):
    """Top-5 of A_L ∘ L is printed as +3.61, a misprint of 3.16."""
    table = table1(printed, "decoder")
    shown = table.set_index(["classifier", "input"])
    for name, expected in (
        ("top1", [-1.22, 2.55, -3.07, 1.17, -3.76, 0.30, -2.83, 0.92, -2.70, -0.41]),
        ("top5", [-1.62, 3.16, -2.46, 0.98, -2.55, 0.05, -1.78, 0.26, -1.38, -0.22]),
    ):
        keys = [(key, given) for key in "LAVRI" for given in ("A_S", "A_i")]
        differences = shown.loc[keys, f"{name}_difference"] * 100
        assert list(differences) == pytest.approx(expected, abs=1e-9)


def test_table_1_lists_originals_a_s_and_own_by_classifier(accuracy):
    table = table1(filed(accuracy), "decoder")
    assert list(table) == [
        *("classifier", "input", "images", "seeds"),
        *("top1", "top1_sd", "top1_difference", "top5", "top5_difference"),
    ]
    assert list(table["classifier"]) == ["L"] * 3 + ["A"] * 3
    assert list(table["input"]) == ["original", "A_S", "A_i"] * 2
    empty = table["input"] == "original"
    assert (table["top1_difference"].isna() == empty).all()
    assert (table["top5_difference"].isna() == empty).all()


def test_table_2_crosses_the_main_part_s_autoencoders_with_all_classifiers(accuracy):
    table = table2(filed(accuracy), "decoder")
    assert list(table) == ["autoencoder", "L", "A"]
    assert list(table["autoencoder"]) == ["A_L", "A_A"]
    keyed = accuracy.set_index(["source", "classifier", "strength"])["top1"]
    assert table["A"][0] == keyed["decoder-L", "A", 0.0]
    assert table["L"][1] == keyed["decoder-A", "L", 0.0]
    keyed = accuracy.set_index(["source", "classifier", "strength"])["top1"]
    assert table2(accuracy, "encoder")["L"][0] == keyed["encoder-L", "L", 0.0]


def test_parts_compare_each_own_autoencoder_with_a_s(accuracy):
    table = parts(filed(accuracy))
    assert list(table) == [
        *("part", "classifier", "images", "seeds"),
        *("top1", "top1_sd", "top1_difference", "top5", "top5_difference"),
    ]
    assert list(table["part"]) == ["decoder"] * 2 + ["encoder"] * 2
    assert list(table["classifier"]) == ["L", "A"] * 2
    keyed = accuracy.set_index(["source", "classifier", "strength"])["top5"]
    expected = keyed["encoder-A", "A", 0.0] - keyed["pretrained", "A", 0.0]
    assert table["top5_difference"][3] == pytest.approx(expected)


def test_noise_keeps_every_strength_of_the_three_inputs(accuracy):
    table = noise(filed(accuracy), "decoder")
    assert list(table) == [
        *("input", "classifier", "strength", "images", "seeds"),
        *("top1", "top1_sd", "top5"),
    ]
    assert list(table["input"]) == ["original"] * 4 + ["A_S"] * 4 + ["A_i"] * 4
    assert list(table["classifier"]) == ["L", "L", "A", "A"] * 3
    assert list(table["strength"]) == [0.0, 0.5] * 6
    keyed = accuracy.set_index(["source", "classifier", "strength"])["top1"]
    assert table["top1"][11] == keyed["decoder-A", "A", 0.5]


def test_intervals_stand_beside_what_they_add_intervals(rows, accuracy):
    samples = resample(rows, 200, 0)
    bounded = add_intervals(accuracy, samples)
    assert list(bounded)[8:] == [
        *("top1", "top1_low", "top1_high", "top1_sd"),
        *("top5", "top5_low", "top5_high"),
    ]
    for name in ("top1", "top5"):
        assert (bounded[f"{name}_low"] <= bounded[name]).all()
        assert (bounded[name] <= bounded[f"{name}_high"]).all()
    drawn = samples["top1"]["decoder-L", "A", 0.5]
    row = bounded.query("source == 'decoder-L' & classifier == 'A' & strength == 0.5")
    assert row["top1_low"].item() == np.quantile(drawn, 0.025)
    columns = [f"top1{end}" for end in ("", "_low", "_high", "_sd")]
    noisy = noise(bounded, "decoder")
    assert [name for name in noisy if name.startswith("top1")] == columns


def test_differences_are_paired_over_the_same_images(rows, accuracy):
    samples = resample(rows, 200, 0)
    bounded = add_intervals(accuracy, samples)
    for table, row, base in (
        (table1(bounded, "decoder", samples), 4, "original"),
        (parts(bounded, samples), 1, "pretrained"),
    ):
        source = "pretrained" if base == "original" else "decoder-A"
        drawn = samples["top1"]
        paired = drawn[source, "A", 0.0] - drawn[base, "A", 0.0]
        found = table.loc[row, ["top1_difference_low", "top1_difference_high"]]
        assert list(found) == list(np.quantile(paired, [0.025, 0.975]))
        assert table.columns.get_loc("top1_difference_high") == 3 + (
            table.columns.get_loc("top1_sd")
        )
    first = table1(bounded, "decoder", samples)
    empty = first["input"] == "original"
    assert (first["top5_difference_low"].isna() == empty).all()


def test_an_input_equal_to_its_baseline_differs_by_nothing(rows):
    same = rows[rows["source"] == "original"]
    both = pd.concat([same, same.assign(source="pretrained")])
    samples = resample(both, 50, 0)
    table = table1(tabulate(both, ["L", "A"], "decoder"), "decoder", samples)
    twin = table[table["input"] == "A_S"]
    assert (twin[["top1_difference_low", "top1_difference_high"]] == 0).all(axis=None)


def test_the_deviation_is_that_of_the_seeds(rows, accuracy):
    table = score(rows).query("source == 'original' & classifier == 'L'")
    seeds = table[table["strength"] == 0].groupby("seed")["top1"].mean()
    assert accuracy["top1_sd"][0] == pytest.approx(seeds.std())
    one = tabulate(rows[rows["seed"] == 1], ["L", "A"], "decoder")
    assert one["top1_sd"].isna().all()


def test_crossed_samples_have_autoencoders_in_rows(rows, accuracy):
    seeds = cross_samples(accuracy_by_seed(rows), ["L", "A"], "decoder")
    assert seeds.shape == (2, 2, 2)
    table = table2(accuracy, "decoder")[["L", "A"]].to_numpy()
    assert seeds.mean(axis=0) == pytest.approx(table)
    samples = cross_samples(resample(rows, 50, 0), ["L", "A"], "decoder")
    assert samples.dtype == np.float32
    assert samples.shape == (50, 2, 2)
    assert samples[:, 0, 1] == pytest.approx(
        resample(rows, 50, 0)["top1"]["decoder-L", "A", 0.0].to_numpy()
    )


def test_sources_on_different_images_are_refused(rows):
    fewer = rows[~((rows["source"] == "decoder-L") & (rows["image"] == 3))]
    with pytest.raises(UserError, match=r"decoder-L, L, strength 0\.0: lacks images"):
        tabulate(fewer, ["L", "A"], "decoder")


@pytest.mark.parametrize(
    ("column", "value"),
    [("source", "decoder-Z"), ("source", "A_S"), ("classifier", "Z")],
)
def test_a_prediction_from_outside_the_config_is_named(rows, column, value):
    rows.iloc[3, rows.columns.get_loc(column)] = value
    with pytest.raises(UserError, match=f"{column} '{value}'"):
        tabulate(rows, ["L", "A"], "decoder")


def test_a_seed_that_lacks_an_image_is_refused(rows):
    with pytest.raises(UserError, match="11 rows are not 6 images x 2 seeds"):
        tabulate(rows.iloc[1:], ["L", "A"], "decoder")


def test_noise_alone_makes_no_table(accuracy):
    with pytest.raises(UserError, match="strength 0"):
        table2(accuracy[accuracy["strength"] > 0], "decoder")
