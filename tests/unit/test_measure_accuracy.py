from io import StringIO

import numpy as np
import pandas as pd
import pytest

from s2snets.measure.accuracy import (
    accuracy_by_training,
    add_intervals,
    chance,
    cross_samples,
    noise,
    parts,
    resample,
    rows_under_noise,
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


NOISES = [("none", 0.0), ("clipped", 0.5), ("unclipped", 0.5)]


def predictions(names, classifiers, *, seeds=(0, 1), images=6):
    """Random predictions, in random order: top five of seven classes."""
    rng = np.random.default_rng(0)
    keys = pd.MultiIndex.from_product(
        [seeds, names, range(images), classifiers, NOISES],
        names=["seed", "source", "image", "classifier", "noise"],
    ).to_frame(index=False)
    keys["noise"], keys["strength"] = zip(*keys["noise"], strict=True)
    truth = keys["image"].map(dict(enumerate(rng.integers(0, 7, images))))
    guesses = np.argsort(rng.random((len(keys), 7)))[:, :5]
    for place in range(5):
        keys[f"class_{place + 1}"] = guesses[:, place]
        keys[f"probability_{place + 1}"] = 0.5 ** (place + 1)
    return keys.assign(label=truth, replicate=0).sample(frac=1, random_state=0)


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
            "noise": "none",
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
            (0, 0, "original", 0, "L", "none", 0.0, 3, 3, 1, 2, 4, 5),
            (0, 0, "original", 1, "L", "none", 0.0, 5, 3, 1, 2, 4, 5),
            (0, 0, "original", 2, "L", "none", 0.0, 6, 3, 1, 2, 4, 5),
            (0, 0, "original", 3, "L", "none", 0.0, 1, 0, 1, -1, -1, -1),
        ],
        columns=[
            *("seed", "replicate", "source", "image", "classifier", "noise"),
            *("strength", "label"),
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
            & (hits["noise"] == row.noise)
        ]
        assert (row.top1, row.top5) == (mine["top1"].mean(), mine["top5"].mean())
        assert (row.images, row.seeds) == (6, 2)


def test_rows_follow_the_config_not_the_files(accuracy):
    assert list(accuracy) == [
        *("source", "part", "tuned", "label", "classifier", "noise", "strength"),
        *("images", "seeds", "top1", "top1_sd", "top5"),
    ]
    assert list(accuracy["source"].unique()) == [
        *("original", "pretrained", "decoder-L", "decoder-A", "encoder-L", "encoder-A")
    ]
    assert list(accuracy["classifier"][:6]) == ["L"] * 3 + ["A"] * 3
    noises = zip(accuracy["noise"][:6], accuracy["strength"][:6], strict=True)
    assert list(noises) == NOISES * 2


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
    keyed = accuracy.set_index(["source", "classifier", "noise"])["top1"]
    assert table["A"][0] == keyed["decoder-L", "A", "none"]
    assert table["L"][1] == keyed["decoder-A", "L", "none"]
    assert table2(accuracy, "encoder")["L"][0] == keyed["encoder-L", "L", "none"]


def test_parts_compare_each_own_autoencoder_with_a_s(accuracy):
    table = parts(filed(accuracy))
    assert list(table) == [
        *("part", "classifier", "images", "seeds"),
        *("top1", "top1_sd", "top1_difference", "top5", "top5_difference"),
    ]
    assert list(table["part"]) == ["decoder"] * 2 + ["encoder"] * 2
    assert list(table["classifier"]) == ["L", "A"] * 2
    keyed = accuracy.set_index(["source", "classifier", "noise"])["top5"]
    expected = keyed["encoder-A", "A", "none"] - keyed["pretrained", "A", "none"]
    assert table["top5_difference"][3] == pytest.approx(expected)


def test_noise_has_a_curve_from_0_for_every_kind_and_input(rows):
    fewer = rows[(rows["strength"] == 0) | (rows["image"] < 4)]
    fewer = rows_under_noise(fewer, "decoder")
    samples = resample(fewer, 200, 0)
    table = noise(tabulate(fewer, ["L", "A"], "decoder"), "decoder", samples)
    ends = ("", "_low", "_high")
    assert list(table) == [
        *("input", "classifier", "noise", "strength", "images", "seeds"),
        *(f"top1{end}" for end in (*ends, "_sd")),
        *(f"top1_difference{end}" for end in ends),
        *(f"top5{end}" for end in ends),
        *(f"top5_difference{end}" for end in ends),
    ]
    assert list(table["input"]) == ["original"] * 8 + ["A_S"] * 8 + ["A_i"] * 8
    assert list(table["classifier"]) == (["L"] * 4 + ["A"] * 4) * 3
    assert list(table["noise"][:4]) == ["clipped"] * 2 + ["unclipped"] * 2
    assert list(table["strength"]) == [0.0, 0.5] * 12
    assert (table["images"] == 4).all()


def test_steps_from_strength_0_are_over_the_same_images(rows):
    """Of the images with noise, each is right just without; all others are wrong."""
    rows["class_1"] = rows["label"] + 1
    first = (rows["strength"] == 0) & (rows["image"] < 4)
    rows.loc[first, "class_1"] = rows["label"]
    fewer = rows_under_noise(
        rows[first | (rows["image"] < 4) | ~(rows["strength"] > 0)], "decoder"
    )
    table = noise(tabulate(fewer, ["L", "A"], "decoder"), "decoder")
    assert (table["top1"] == (table["strength"] == 0)).all()


def test_differences_under_noise_are_paired_with_the_same_noise(rows):
    rows = rows_under_noise(rows, "decoder")
    samples = resample(rows, 200, 0)
    table = noise(tabulate(rows, ["L", "A"], "decoder"), "decoder", samples)
    row = table.query("input == 'A_i' and classifier == 'A' and noise == 'unclipped'")
    drawn = samples["top1"]
    for strength, found in row.groupby("strength"):
        paired = (
            drawn["decoder-A", "A", "unclipped", strength]
            - drawn["original", "A", "unclipped", strength]
        )
        bounds = found[["top1_difference_low", "top1_difference_high"]].iloc[0]
        assert list(bounds) == pytest.approx(np.quantile(paired, [0.025, 0.975]))
    originals = table["input"] == "original"
    assert (table["top1_difference"].isna() == originals).all()


def test_without_noise_the_curve_is_a_point(rows):
    clean = rows_under_noise(rows[rows["strength"] == 0], "decoder")
    table = noise(tabulate(clean, ["L", "A"], "decoder"), "decoder")
    assert (table["noise"] == "none").all()
    assert len(table) == 6


def test_intervals_stand_beside_what_they_add_intervals(rows, accuracy):
    samples = resample(rows, 200, 0)
    bounded = add_intervals(accuracy, samples)
    assert list(bounded)[9:] == [
        *("top1", "top1_low", "top1_high", "top1_sd"),
        *("top5", "top5_low", "top5_high"),
    ]
    for name in ("top1", "top5"):
        assert (bounded[f"{name}_low"] <= bounded[name]).all()
        assert (bounded[name] <= bounded[f"{name}_high"]).all()
    drawn = samples["top1"]["decoder-L", "A", "clipped", 0.5]
    row = bounded.query(
        "source == 'decoder-L' & classifier == 'A' & noise == 'clipped'"
    )
    assert row["top1_low"].item() == np.quantile(drawn, 0.025)


def test_differences_are_paired_over_the_same_images(rows, accuracy):
    samples = resample(rows, 200, 0)
    bounded = add_intervals(accuracy, samples)
    for table, row, base in (
        (table1(bounded, "decoder", samples), 4, "original"),
        (parts(bounded, samples), 1, "pretrained"),
    ):
        source = "pretrained" if base == "original" else "decoder-A"
        drawn = samples["top1"]
        paired = drawn[source, "A", "none", 0.0] - drawn[base, "A", "none", 0.0]
        found = table.loc[row, ["top1_difference_low", "top1_difference_high"]]
        assert list(found) == pytest.approx(list(np.quantile(paired, [0.025, 0.975])))
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
    seeds = cross_samples(accuracy_by_training(rows), ["L", "A"], "decoder")
    assert seeds.shape == (2, 2, 2)
    table = table2(accuracy, "decoder")[["L", "A"]].to_numpy()
    assert seeds.mean(axis=0) == pytest.approx(table)
    samples = cross_samples(resample(rows, 50, 0), ["L", "A"], "decoder")
    assert samples.dtype == np.float32
    assert samples.shape == (50, 2, 2)
    assert samples[:, 0, 1] == pytest.approx(
        resample(rows, 50, 0)["top1"]["decoder-L", "A", "none", 0.0].to_numpy()
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


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([3] * 10, 0.1), ([1, 1], 0.5), ([3, 1], 10 / 16), ([5], 1.0)],
)
def test_guessing_by_the_frequencies_of_the_classes_scores_chance(counts, expected):
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = pd.DataFrame({"label": labels, "image": range(len(labels)), "strength": 0.0})
    parts = [
        rows.assign(classifier=name, source=source)
        for name in ("L", "A")
        for source in ("original", "pretrained")
    ]
    noisy = parts[0].assign(strength=0.5, label=99)
    found = chance(pd.concat([*parts, noisy]), ["A", "L"])
    assert found == pytest.approx([expected, expected])


def test_chance_of_agreement_is_that_of_each_classifiers_own_predictions():
    rows = pd.DataFrame(
        {
            "source": "original",
            "classifier": ["L"] * 4 + ["A"] * 4,
            "strength": 0.0,
            "label": [0, 1, 2, 3, 0, 0, 0, 0],
        }
    )
    assert list(chance(rows, ["L", "A"])) == [0.25, 1.0]
