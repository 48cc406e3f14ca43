"""The paper's claims: on its own printed tables, and where each one is made false."""

import itertools
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from scipy.stats import t

from s2snets.claims import pretraining
from s2snets.claims.design import (
    ABOUT_CORPORA,
    ABOUT_FIGURE_7,
    ABOUT_NEW_IMAGES,
    settled_by_design,
)
from s2snets.claims.document import with_claims
from s2snets.claims.evidence import PRINTED_THRESHOLDS, Estimate, Untestable
from s2snets.claims.inputs import (
    OPTIONAL_COLUMNS,
    TABLE_COLUMNS,
    count_parameters,
    is_comparable,
    printed_tables,
    roles,
)
from s2snets.claims.null import null_rates, paper_sized
from s2snets.claims.printed_numbers import printed_numbers
from s2snets.claims.registry import TESTS, claims
from s2snets.claims.verdicts import (
    COLUMNS,
    NULL_DRAWS,
    OTHER,
    compare,
    judge_claim,
    judge_number,
)
from s2snets.config import Classifier, Information, Lattice
from s2snets.config.data import Data
from s2snets.measure.rrc import rrc_matrix, rrc_table
from s2snets.runtime.errors import UserError
from s2snets.stages.comparison import CompareWithPaper

DOCUMENT = Path(__file__).parents[2] / "docs/claims.md"
LETTERS = "LAVIR"
STRENGTHS = (0.0, 0.1, 0.3, 0.5, 1.0)


CLAIMS = claims()
PRINTED = printed_tables()


# A study in which the paper is right throughout: its own tables, and others made up.


def put(study, table, values, **keys):
    """The study with columns of some rows of a table set."""
    rows = getattr(study, table).copy()
    chosen = np.logical_and.reduce(
        [rows[k].isin(np.atleast_1d(v)) for k, v in keys.items()]
    )
    assert chosen.any()
    for column, value in values.items():
        rows.loc[chosen, column] = value
    return replace(study, **{table: rows})


def cells(study, changes):
    """The study with cells (tuned, classifier) of Table 2 set, and the RRC of it."""
    table = study.table2.set_index("autoencoder")
    for (i, j), value in changes.items():
        table.loc[f"A_{i}", j] = value
    table = table.reset_index()
    return replace(study, table2=table, rrc=rrc_table(table, chance=np.zeros(5)))


def rates(study, changes):
    """As ``cells``, given RRC."""
    table = study.table2.set_index("autoencoder")
    own = {j: table.loc[f"A_{j}", j] for j in LETTERS}
    return cells(
        study, {(i, j): r * min(own[i], own[j]) for (i, j), r in changes.items()}
    )


def noise(study):
    lost = dict(zip(STRENGTHS, (0, 0.01, 0.05, 0.1, 0.2), strict=True))
    rows = []
    for j in LETTERS:
        clean = study.clean(j, "original").value
        steep, gain = (5.5, 0.1) if j == "A" else (0.5, 0.02)
        for kind, s in itertools.product(("clipped", "unclipped"), STRENGTHS):
            value = clean - min(0.5, steep * lost[s]) - (s if j == "A" else 0) / 100
            inputs = {"original": value, "A_i": value + gain, "A_S": value - 0.02}
            rows += [(given, j, kind, s, top1) for given, top1 in inputs.items()]
    columns = ["input", "classifier", "noise", "strength", "top1"]
    return pd.DataFrame(rows, columns=columns)


def information():
    intra = dict(zip("SVILRA", (0.45, 0.4, 0.35, 0.3, 0.2, 0.15), strict=True))
    inter = dict(zip("SVILRA", (0.13, 0.12, 0.115, 0.11, 0.105, 0.1), strict=True))
    rows = [
        (f"A_{j}", measure, 256, images, mean[j])
        for j in intra
        for measure, images, mean in (("intra", 50000, intra), ("inter", 25000, inter))
    ]
    columns = ["label", "measure", "bins", "images", "mean"]
    return pd.DataFrame(rows, columns=columns)


def curves(seeds=(0, 1, 2)):
    """Learning curves that are the same for each seed."""
    parts = []
    for corpus, images, error, home, away in (
        ("photos", 92.1e6, [20, 4, 2.1, 2, 2, 2, 2, 2, 2, 2], 1.02, 1.05),
        ("labelled", 92.2e6, [30, 20, 12, 8, 6, 6.5, 5, 4.5, 4.8, 4], 1.5, 1.1),
    ):
        training = np.array(error) / 1000
        table = {"corpus": corpus, "images": np.linspace(0, images, 11)[1:]}
        table |= {"training": training, "validation_photos": home * training}
        table |= {"validation_labelled": away * training}
        parts += [pd.DataFrame(table).assign(seed=seed) for seed in seeds]
    return pd.concat(parts, ignore_index=True)


LOOKS = {  # mean and deviation of L, a and b
    "original": ((50, 20), (0, 12), (0, 12)),
    "A_S": ((50.5, 20), (0.5, 12), (0.5, 12)),
    "A_V": ((52, 20), (1, 12), (1, 12)),
    "A_L": ((54, 20), (4, 12), (4, 12)),
    "A_A": ((54, 20), (15, 12), (4, 12)),
    "A_R": ((54, 12), (4, 12), (4, 12)),
    "A_I": ((54, 12), (4, 12), (15, 12)),
}


def colors(looks=LOOKS, combed=("A_A", "A_R")):
    rows = []
    for label, look in looks.items():
        measured = dict(zip("Lab", look, strict=True))
        moved = {
            channel: np.abs(np.subtract(measured[channel], before)).sum()
            for channel, before in zip("Lab", looks["original"], strict=True)
        }
        for channel, (mean, deviation) in measured.items():
            peaks = 3 if label in combed and channel != "L" else 1
            rows += [
                (label, "mean", channel, mean),
                (label, "deviation", channel, deviation),
                (label, "distance", channel, moved[channel]),
                (label, "peaks", channel, peaks),
                (label, "dark", channel, mean - 1.3 * deviation),
                (label, "bright", channel, mean + 1.3 * deviation),
            ]
        rows.append((label, "distance", "Lab", sum(moved.values())))
    return pd.DataFrame(rows, columns=["label", "measure", "channel", "value"])


def depth(signal=(0.6, 0.5, 0.4, 0.39, 0.385)):
    """Signal of two networks by depth: all is lost by the shallow layers."""
    rows = [
        (weights, name, level, "nmi", mean, mean - 0.001, mean + 0.001)
        for name in "VR"
        for weights, means in (("trained", signal), ("random", [0.6] * len(signal)))
        for level, mean in enumerate(means)
    ]
    columns = ["weights", "classifier", "depth", "measure", "mean", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def losing(*signal):
    return lambda study: replace(study, depth=depth(signal))


UNTESTABLE = {"shallow-parameters-matter-most"}
"""Claims that no study here can test."""


def perfect():
    study = put(
        PRINTED, "table1", {"top1": 0.775, "top5": 0.935}, classifier="I", input="A_i"
    )
    rows = [
        (part, j, 0.6 + 0.1 * (part == "decoder"))
        for part in ("decoder", "encoder", "both")
        for j in LETTERS
    ]
    return replace(
        study,
        noise=noise(study),
        information=information(),
        curves=curves(),
        colors=colors(),
        parts=pd.DataFrame(rows, columns=["part", "classifier", "top1"]),
        depth=depth(),
        sizes={"L": 0.1e6, "A": 61e6, "V": 138e6, "I": 27e6, "R": 26e6},
    )


PERFECT = perfect()
# Figure 6 orders A_I's pairs in a way in which not every lattice is a chain.
CHAINS = rates(PERFECT, {("I", j): 0.6 for j in "LAVR"})


def nmi(measure, **means):
    def change(study):
        for j, mean in means.items():
            study = put(
                study, "information", {"mean": mean}, label=f"A_{j}", measure=measure
            )
        return study

    return change


def table1(source, **values):
    score = values.pop("score", "top1")

    def change(study):
        for j, value in values.items():
            study = put(study, "table1", {score: value}, classifier=j, input=source)
        return study

    return change


def noisy(source, classifier, value, strength=0.3):
    """A change under one kind of noise, since claims are judged on both."""
    keys = {"input": source, "classifier": classifier, "strength": strength}
    keys["noise"] = "unclipped"
    return lambda study: put(study, "noise", {"top1": value}, **keys)


def curve(corpus, column, factor):
    def change(study):
        rows = study.curves[study.curves["corpus"] == corpus]
        factors = np.tile(factor, len(rows) // np.size(factor))
        return put(study, "curves", {column: rows[column] * factors}, corpus=corpus)

    return change


def looking(label, channel, mean, deviation):
    seen = list(LOOKS[label])
    seen["Lab".index(channel)] = (mean, deviation)
    return lambda study: replace(study, colors=colors(LOOKS | {label: tuple(seen)}))


def rated(**changes):
    return lambda study: rates(study, {tuple(pair): r for pair, r in changes.items()})


def every(rate):
    return rated(**{i + j: rate for i in LETTERS for j in LETTERS if i != j})


UP = np.linspace(1, 20, 10)

# Claim -> the least change that makes it false.
MUTATIONS = {
    "shallow-layers-drop-more": losing(0.6, 0.59, 0.58, 0.5, 0.4),
    "deep-layers-use-all-signal": losing(0.6, 0.3, 0.2, 0.18, 0.17),
    "different-amounts": nmi("intra", L=0.2),
    "entirely-different": every(0.5),
    "no-correlation-with-accuracy": nmi("intra", L=0.1, A=0.15, V=0.2, R=0.25, I=0.3),
    "no-correlation-with-size": nmi("intra", L=0.1, R=0.15, I=0.2, A=0.25, V=0.3),
    "both-reach-minima": curve("labelled", "validation_photos", UP),
    "photos-converge-faster": curve("photos", "training", [*[9] * 9, 1]),
    "converges-before-data-end": curve("photos", "training", [*[9] * 9, 1]),
    "photos-reach-lower-loss": curve("photos", "training", [3] * 10),
    "labelled-is-unstable": curve("photos", "training", [1, 1, 1, 3, 1, 3, 1, 3, 1, 1]),
    "validation-follows-training": curve("photos", "validation_labelled", UP),
    "training-loss-is-unbiased": curve("photos", "validation_photos", [4] * 10),
    "labelled-on-photos-is-worst": curve("photos", "validation_photos", [4] * 10),
    "photos-generalise-better": curve("photos", "validation_labelled", [4] * 10),
    "decoder-is-best-part": lambda study: put(
        study, "parts", {"top1": 0.71}, part="both", classifier="V"
    ),
    "lenet-is-lowest": table1("original", A=0.32),
    "pretrained-costs-top1": table1("A_S", V=0.72),
    "pretrained-costs-top5": table1("A_S", score="top5", V=0.91),
    "pretrained-cost-is-small": table1("A_S", V=0.66),
    "finetuning-recovers-loss": table1("A_i", I=0.771),
    "finetuning-improves-on-pretrained": table1("A_i", I=0.74),
    "finetuning-surpasses-top1": table1("A_i", I=0.77, V=0.71, R=0.74),
    "finetuning-surpasses-top5": table1("A_i", score="top5", I=0.93, V=0.9, R=0.92),
    "all-channels-change": looking("A_L", "a", 0.2, 12),
    "vgg-changes-least": looking("A_V", "L", 70, 20),
    "alexnet-and-resnet-leave-peaks": lambda study: replace(study, colors=colors(combed=["A_A"])),
    "resnet-and-inception-compress-luminance": looking("A_R", "L", 54, 22),
    "resnet-and-inception-flatten-luminance": looking("A_R", "L", 70, 12),
    "inception-shifts-to-yellow": looking("A_L", "b", 20, 12),
    "alexnet-shifts-to-pink": looking("A_A", "a", -15, 12),
    "accuracy-decays-with-noise": noisy("original", "V", 0.7, 1.0),
    "pretrained-worsens-noise": noisy("A_S", "V", 0.72, 0.1),
    "finetuned-resist-noise": noisy("A_i", "R", 0.7, 0.0),
    "finetuned-resist-more-than-pretrained": noisy("A_i", "R", 0.1, 1.0),
    "alexnet-gains-most-under-noise": noisy("A_i", "R", 0.99, [0.1, 0.3, 0.5, 1.0]),
    "alexnet-falls-below-lenet": noisy("original", "A", 0.5),
    "own-autoencoder-keeps-alexnet-above": noisy("A_i", "A", 0.25),
    "accuracy-drops-in-cross-terms": lambda study: cells(study, {("V", "R"): 0.75}),
    "some-pairs-keep-accuracy": every(0.5),
    "vgg-signal-lifts-resnet-and-inception": lambda study: cells(study, {("V", "I"): 0.71}),
    "inception-signal-serves-nobody": lambda study: cells(study, {("I", "V"): 0.5}),
    "lattices-are-chains": rated(IL=0.55),
    "resnet-signal-starves-vgg-and-lenet": rated(RV=0.11),
    "vgg-performs-like-resnet": table1("original", V=0.75),
    "vgg-signal-feeds-resnet": rated(VR=0.89),
    "inception-shares-half": rated(IL=0.45),
    "inception-keeps-half": rated(IV=0.81),
    "vgg-signal-feeds-all": rated(VL=0.79),
    "vgg-uses-most": rated(VL=0.5),
    "common-portion": rated(AV=0.0),
    "common-portion-is-small": rated(RL=0.1, RV=0.1),
    "figure-7a-order": rated(RL=0.11, AV=0.11),
    "figure-7b-order": rated(LV=0.3, LR=0.1),
    "figure-7c-order": rated(LI=0.5),
    "figure-7d-order": every(0.95),
    "pretrained-preserves-most": nmi("intra", S=0.39),
    "vgg-preserves-most": nmi("intra", V=0.34),
    "order-by-intra": nmi("intra", A=0.21),
    "order-by-inter": nmi("inter", L=0.118),
    "inter-is-low": nmi("inter", L=0.31),
    "alexnet-and-resnet-inter-is-high": nmi("inter", R=0.05),
    "information-follows-lattice": nmi("intra", A=0.21),
}  # fmt: skip


BY_NAME = {one.id: one for one in (*CLAIMS, *printed_numbers(PRINTED))}


def verdict(study, name):
    one = BY_NAME[name]
    if one in CLAIMS:
        row = judge_claim(one, study, PRINTED)
    else:
        row = judge_number(one, study, PRINTED, comparable=False)
    return row["verdict"], row["why"]


def test_every_claim_has_a_mutation_and_a_name_of_its_own():
    names = [one.id for one in CLAIMS] + [one.id for one in printed_numbers(PRINTED)]
    assert len(set(names)) == len(names)
    assert set(MUTATIONS) | UNTESTABLE == {one.id for one in CLAIMS} == set(TESTS)


CURVE_CLAIMS = list(pretraining.TESTS)


@pytest.mark.parametrize("name", CURVE_CLAIMS)
def test_curves_of_one_training_decide_nothing(name):
    study = replace(PERFECT, curves=curves(seeds=[0]))
    found, told = verdict(study, name)
    assert found == "undecided"
    assert told.endswith(
        "of one training: another may contradict it; give several `seeds`"
    )
    row = compare(study, PRINTED, comparable=True).set_index("id").loc[name]
    assert pd.isna([row["low"], row["high"]]).all()


def test_curves_of_several_seeds_have_the_interval_of_students_t():
    study = PERFECT
    for seed, factor in enumerate((0.9, 1.0, 1.4)):
        table = study.curves.copy()
        chosen = (table["corpus"] == "labelled") & (table["seed"] == seed)
        table.loc[chosen, "training"] *= factor
        study = replace(study, curves=table)
    (margin,) = TESTS["photos-reach-lower-loss"](study).values()
    last = study.curves.groupby(["corpus", "seed"])["training"].last()
    differences = (last["labelled"] - last["photos"]).to_numpy()
    error = differences.std(ddof=1) / 3**0.5
    low, high = t.interval(0.95, 2, differences.mean(), error)
    assert margin.value == pytest.approx(differences.mean())
    assert (margin.low, margin.high) == pytest.approx((low, high))


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_claim_holds_where_true_and_fails_where_false(name):
    good = CHAINS if name == "lattices-are-chains" else PERFECT
    assert verdict(good, name)[0] == "holds", verdict(good, name)[1]
    bad = MUTATIONS[name](good)
    assert verdict(bad, name)[0] == "fails", verdict(bad, name)[1]


def test_on_the_printed_tables_every_number_agrees():
    study = replace(PRINTED, curves=curves(), information=information())
    table = compare(study, PRINTED, comparable=True)
    found = table[table["kind"] == "number"]
    assert len(found) == 30 + 20 + 25 + 20 + 4 + 4 + 2 + 4 + 4
    assert (found["difference"] == 0).all()
    assert (found["verdict"] == "holds").all()


def test_on_the_printed_tables_two_claims_fail_and_nothing_else():
    table = compare(PRINTED, PRINTED, comparable=True).set_index("id")
    table = table[table["kind"] == "claim"]
    fails = table.index[table["verdict"] == "fails"]
    assert set(fails) == {"lattices-are-chains", "finetuning-recovers-loss"}
    told = table.loc["lattices-are-chains", "why"]
    assert "3 of 5 comparisons disagree" in told
    assert "the paper's own tables it fails too" in told
    untestable = table[table["verdict"] == "untestable"].drop(index=list(UNTESTABLE))
    assert untestable["why"].str.startswith("there is no table of").all()
    assert table.loc["accuracy-drops-in-cross-terms", "verdict"] == "holds"
    assert table.loc["accuracy-drops-in-cross-terms", "paper"] == pytest.approx(1.94)


def test_misprints_are_named_and_replaced_by_what_the_tables_give():
    table = compare(PRINTED, PRINTED, comparable=True).set_index("id")
    slip = table.loc["table-1-L-ai-top5-difference"]
    assert slip["paper"] == 3.16
    assert "+3.61" in slip["statement"]
    ends = [f"interval-{t}-{side}" for t in (0.2, 0.8) for side in ("low", "high")]
    assert list(table.loc[ends, "paper"]) == [0.17, 0.52, 0.64, 0.84]
    assert "0.66" in table.loc["interval-0.8-low", "statement"]


def test_of_every_printed_number_one_that_is_false_fails():
    study = put(PRINTED, "table1", {"top1": 0.5}, classifier="V", input="A_S")
    table = compare(study, PRINTED, comparable=True).set_index("id")
    row = table.loc["table-1-V-as-top1"]
    assert (row["verdict"], row["ours"], row["difference"]) == ("fails", 50, -17.59)
    assert table.loc["greatest-cost-of-pretrained", "verdict"] == "fails"
    assert table.loc["table-1-V-ai-top1", "verdict"] == "holds"
    table = compare(every(0.5)(PRINTED), PRINTED, comparable=True)
    by = table[table["kind"] == "number"].groupby(table["id"].str[:8])["verdict"]
    assert (by.get_group("figure-6") == "fails").all()
    assert (by.get_group("interval") == "fails").any()


def test_other_images_and_networks_leave_numbers_untestable_and_shown():
    table = compare(PERFECT, PRINTED, comparable=False)
    found = table[table["kind"] == "number"]
    assert (found["verdict"] == "untestable").all()
    assert (found["why"] == OTHER).all()
    assert found["ours"].notna().all()


def test_intervals_are_used_where_the_tables_have_them():
    rows = PERFECT.table1.assign(top1_difference=np.nan)
    rows["top1_difference_low"], rows["top1_difference_high"] = -0.08, 0.01
    rows["top1_low"], rows["top1_high"] = rows["top1"] - 0.01, rows["top1"] + 0.02
    table = compare(replace(PERFECT, table1=rows), PRINTED, True).set_index("id")
    row = table.loc["pretrained-costs-top1"]
    assert (row["verdict"], row["low"], row["high"]) == ("undecided", -1, 8)
    assert "95 % interval [-1, 8]" in row["why"]
    row = table.loc["table-1-L-original-top1"]
    assert (row["low"], row["high"]) == pytest.approx((31.3, 34.3))
    assert row["verdict"] == "holds"
    off = replace(PERFECT, table1=rows.assign(top1=rows["top1"] + 0.005))
    table = compare(off, PRINTED, True).set_index("id")
    assert table.loc["table-1-L-original-top1", "verdict"] == "holds"
    far = {"top1_low": 0.4, "top1_high": 0.5}
    table = compare(replace(PERFECT, table1=rows.assign(**far)), PRINTED, True)
    row = table.set_index("id").loc["table-1-L-original-top1"]
    assert row["verdict"] == "fails"


def test_rrc_information_and_noise_intervals_are_used():
    rrc = PERFECT.rrc.assign(
        rrc_low=PERFECT.rrc["rrc"] - 0.2, rrc_high=PERFECT.rrc["rrc"] + 0.2
    )
    bits = PERFECT.information.assign(
        low=lambda t: t["mean"] - 0.1, high=lambda t: t["mean"] + 0.1
    )
    rows = PERFECT.noise.assign(
        top1_low=lambda t: t["top1"] - 0.1, top1_high=lambda t: t["top1"] + 0.1
    )
    study = replace(PERFECT, rrc=rrc, information=bits, noise=rows)
    table = compare(study, PRINTED, False).set_index("id")
    for name in (
        "vgg-signal-feeds-all",
        "vgg-preserves-most",
        "alexnet-falls-below-lenet",
    ):
        row = table.loc[name]
        assert row["low"] < 0 < row["high"]
        assert row["verdict"] == "undecided"
    row = table.loc["vgg-signal-feeds-all"]
    assert (row["low"], row["high"]) == pytest.approx((-0.1593, 0.2407), abs=1e-4)


def test_estimates_combine_like_independent_ones():
    difference = Estimate(5, 2, 9) - Estimate(1, 0, 3)
    assert difference == Estimate(4, 4 - np.hypot(3, 2), 4 + np.hypot(4, 1))
    assert 0.5 - Estimate(0.2, 0.1, 0.4) == Estimate(0.3, 0.09999999999999998, 0.4)
    assert not (Estimate(1) - Estimate(2, 1, 3)).bounded


def test_a_classifier_is_the_papers_by_its_letter_and_network_alone():
    given = {
        "L": "lenet5",
        "A": "small_vgg",
        "V": "torchvision/vgg16_bn",
        "X": "small_resnet",
        "R": "torchvision/resnet18",
    }
    found, absent = roles(given)
    assert found == {"L": "L", "V": "V"}
    assert absent["A"] == "our A is small_vgg, not AlexNet"
    assert absent["R"] == "our R is torchvision/resnet18, not ResNet-50"
    assert "no classifier I" in absent["I"]
    study = replace(PERFECT, roles=found, absent=absent)
    with pytest.raises(Untestable, match="small_vgg"):
        study.ours("A")
    assert verdict(study, "alexnet-falls-below-lenet") == ("untestable", absent["A"])
    assert verdict(study, "vgg-preserves-most")[0] == "holds"
    assert verdict(study, "table-2-A-V")[0] == "untestable"


GIVEN = {"L": None, "A": "IMAGENET1K_V1", "V": "IMAGENET1K_V1"}


@pytest.mark.parametrize(
    ("weights", "size", "classes", "images", "comparable"),
    [
        (GIVEN, 256, 1000, 50_000, True),
        (GIVEN, 32, 1000, 50_000, False),
        (GIVEN | {"V": None}, 256, 1000, 50_000, False),
        ({"L": None}, 256, 1000, 50_000, False),
        (GIVEN, 256, 10, 50_000, False),  # such as Imagenette's
        (GIVEN, 256, 1000, 3_925, False),
        (GIVEN, 256, 0, 50_000, False),
    ],
)
def test_numbers_compare_only_with_given_weights_on_imagenets_validation_set(
    weights, size, classes, images, comparable
):
    assert is_comparable(weights, size, classes, images) is comparable


def test_the_verdict_of_most_and_some_hangs_on_the_right_comparison():
    two_of_five = table1("A_i", I=0.7, V=0.7, R=0.7)(PERFECT)
    assert verdict(two_of_five, "finetuning-surpasses-top1")[0] == "fails"
    three_of_five = table1("A_i", I=0.7, V=0.7)(PERFECT)
    assert verdict(three_of_five, "finetuning-surpasses-top1")[0] == "holds"
    assert verdict(rated(RV=0.3)(PERFECT), "common-portion-is-small")[0] == "holds"


def test_small_studies_and_missing_strengths_are_untestable_with_the_reason():
    two = replace(
        PERFECT, table1=PERFECT.table1[PERFECT.table1["classifier"].isin(["L", "A"])]
    )
    assert "with 2 classifiers" in verdict(two, "no-correlation-with-size")[1]
    thin = replace(PERFECT, noise=PERFECT.noise[PERFECT.noise["strength"] != 0.3])
    assert (
        verdict(thin, "alexnet-falls-below-lenet")[1]
        == "accuracy at s = 0.3 was not measured"
    )
    flat = every(1.0)(PERFECT)
    assert (
        "no autoencoder serves more" in verdict(flat, "information-follows-lattice")[1]
    )
    one = replace(PERFECT, parts=PERFECT.parts[PERFECT.parts["part"] == "decoder"])
    assert "only one part" in verdict(one, "decoder-is-best-part")[1]


def test_autoencoders_that_preserve_nothing_stop_no_comparison():
    nothing = put(PERFECT, "information", {"mean": 0.0}, measure="intra")
    for name in ("inter-is-low", "order-by-intra", "pretrained-preserves-most"):
        assert verdict(nothing, name)[0] == "fails"
    one = put(PERFECT, "information", {"mean": 0.0}, label="A_L", measure="intra")
    assert verdict(one, "alexnet-and-resnet-inter-is-high") == (
        "untestable", "A_L preserves nothing: its intra nMI is 0",
    )  # fmt: skip


def bounded(study, table, half, *columns):
    """The study with an interval of half a width about columns of a table."""
    rows = getattr(study, table).copy()
    for column in columns:
        rows[f"{column}_low"] = rows[column] - half
        rows[f"{column}_high"] = rows[column] + half
    return replace(study, **{table: rows})


@pytest.mark.parametrize(
    ("change", "half", "expected"),
    [
        (table1("A_S", V=0.713), 0.001, "undecided"),  # by one image of 2,000
        (table1("A_S", V=0.713), 0.0001, "holds"),
        (table1("A_S", V=0.716), 0.0001, "fails"),
        # One that fails for sure settles a claim on all, whatever is open.
        (table1("A_S", V=0.713, R=0.9), 0.001, "fails"),
    ],
)
def test_a_verdict_that_hangs_on_less_than_its_interval_is_undecided(
    change, half, expected
):
    study = bounded(change(PERFECT), "table1", half, "top1")
    assert verdict(study, "pretrained-costs-top1")[0] == expected


def test_resamples_that_differ_leave_the_order_of_a_lattice_undecided():
    rates = rrc_matrix(PERFECT.table2.drop(columns="autoencoder").to_numpy(float))
    crossing = rrc_matrix(
        rated(LV=0.3, LR=0.1)(PERFECT)
        .table2.drop(columns="autoencoder")
        .to_numpy(float)
    )
    for share, expected in ((0.01, "holds"), (0.3, "undecided")):
        count = round(100 * share)
        samples = np.array([crossing] * count + [rates] * (100 - count))
        study = replace(PERFECT, samples=samples)
        assert verdict(study, "figure-7b-order")[0] == expected


def test_a_study_at_chance_shares_no_signal():
    """Nine of ten own accuracies, and a cross term that is guessed: RRC 0.13."""
    accuracy = np.full((5, 5), 0.7) + 0.07 * np.eye(5)
    accuracy[3, 2] = 0.1  # A_I ∘ V
    table = pd.DataFrame(accuracy, columns=list(LETTERS))
    table.insert(0, "autoencoder", [f"A_{j}" for j in LETTERS])
    noise = np.random.default_rng(0).normal(scale=0.005, size=(500, 5, 5))
    verdicts = {}
    for chance in (0.0, 0.1):
        rrc = rrc_table(table, accuracy + noise, chance=np.full(5, chance))
        study = replace(PERFECT, table2=table, rrc=rrc)
        verdicts[chance] = [
            verdict(study, name)[0] for name in ("entirely-different", "common-portion")
        ]
    assert verdicts == {0.0: ["fails", "holds"], 0.1: ["holds", "undecided"]}
    guessing = replace(PERFECT, rrc=rrc_table(table, chance=np.full(5, 0.8)))
    assert "guesses with its own" in verdict(guessing, "common-portion")[1]


def source(path, **keys):
    return {"path": path, **keys}


@pytest.mark.parametrize(
    ("photos", "thresholds", "settled"),
    [
        ([source("photos")], PRINTED_THRESHOLDS, []),
        ([source("labelled/photos")], PRINTED_THRESHOLDS, []),
        (
            [source("photos"), source("labelled/train")],
            PRINTED_THRESHOLDS,
            ABOUT_CORPORA,
        ),
        ([source("labelled/train/n1")], PRINTED_THRESHOLDS, ABOUT_CORPORA),
        ([source("idx/more.xz")], PRINTED_THRESHOLDS, ABOUT_CORPORA),
        ([source("behind")], PRINTED_THRESHOLDS, ABOUT_CORPORA),
        ([source("photos", repeat=2)], PRINTED_THRESHOLDS, ABOUT_NEW_IMAGES),
        ([source("photos")], [0.3, 0.7, 0.8, 0.95], ABOUT_FIGURE_7),
    ],
)
def test_what_a_design_settles_is_untestable(photos, thresholds, settled):
    data = Data.model_validate(
        {
            "train": [
                source("labelled/train"),
                source("objects", background={"path": "behind", "size": 32}),
            ],
            "validation": [source("idx/images.xz", labels="idx/labels.xz")],
            "photos": photos,
        }
    )
    found = settled_by_design(data, True, thresholds)
    assert set(found) == set(settled)
    assert set(found) <= set(TESTS)
    again = settled_by_design(data, False, thresholds)
    assert set(again) == {*settled, *ABOUT_NEW_IMAGES}
    for name in found:
        study = replace(PERFECT, settled=found)
        assert verdict(study, name) == ("untestable", found[name])


@pytest.fixture(scope="module")
def null():
    return null_rates(paper_sized())


def test_every_claim_and_its_null_are_in_the_document_as_the_code_tests_them(null):
    text = DOCUMENT.read_text()
    assert with_claims(text, null) == text
    assert set(null) | UNTESTABLE == {one.id for one in CLAIMS}


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("different-amounts", (1 - 4 * 0.0062) ** 5),  # no two within an interval
        ("no-correlation-with-accuracy", 1 - 2 / 120),
        ("no-correlation-with-size", 1 - 2 / 120),
        ("both-reach-minima", 1),
        ("photos-generalise-better", 0.025),  # one side of an interval of 95 %
        ("labelled-on-photos-is-worst", 0.0),
        ("finetuning-improves-on-pretrained", 1 / 32),
        ("finetuning-surpasses-top1", 1 / 2),
        ("vgg-preserves-most", 1 / 5),
        ("order-by-intra", 1 / 120),
    ],
)
def test_studies_without_structure_hold_claims_as_often_as_counting_says(
    null, name, share
):
    # Four standard errors of the draws, and what their intervals leave undecided.
    assert (
        abs(null[name] - share) <= 4 * (share * (1 - share) / NULL_DRAWS) ** 0.5 + 0.1
    )


def test_a_claim_that_holds_without_structure_says_nothing():
    null = {"both-reach-minima": 0.65, "photos-reach-lower-loss": 0.35}
    table = compare(PERFECT, PRINTED, False, null).set_index("id")
    row = table.loc["both-reach-minima"]
    assert (row["verdict"], row["null"]) == ("says nothing", 0.65)
    assert row["why"].startswith("holds in 65% of studies without structure too")
    assert table.loc["photos-reach-lower-loss", "verdict"] == "holds"
    worse = MUTATIONS["both-reach-minima"](PERFECT)
    table = compare(worse, PRINTED, False, null).set_index("id")
    assert table.loc["both-reach-minima", "verdict"] == "fails"


@pytest.mark.parametrize("draws", [24, 30, 36])
def test_a_null_that_the_draws_cannot_tell_from_half_leaves_a_claim_undecided(draws):
    name = "both-reach-minima"
    table = compare(PERFECT, PRINTED, False, {name: draws / NULL_DRAWS})
    (row,) = table[table["id"] == name].to_dict("records")
    assert row["verdict"] == "undecided"
    assert "of studies without structure too" in row["why"]


def test_numbers_carry_no_null_and_printed_orders_are_numbers():
    table = compare(PERFECT, PRINTED, False, dict.fromkeys(TESTS, 0.1)).set_index("id")
    numbers = table[table["kind"] == "number"]
    assert numbers["null"].isna().all()
    assert numbers.loc["figure-6-ascending", "ours"] == 19
    assert numbers.loc["moving-pairs", "ours"] == 0
    assert sorted(numbers.loc[["gap-rank-0.2", "gap-rank-0.8"], "ours"]) == [1, 2]


def stage(folder, **changes):
    """Command line of the stage on the perfect study's files."""
    tables = TABLE_COLUMNS | OPTIONAL_COLUMNS
    files = {name: folder / f"{name}.csv" for name in tables}
    clean = [
        (f"A_{i}", j, 0.0, PERFECT.cross(i, j).value) for i in LETTERS for j in LETTERS
    ]
    accuracy = pd.DataFrame(clean, columns=["label", "classifier", "strength", "top1"])
    for name, path in files.items():
        table = accuracy if name == "accuracy" else getattr(PERFECT, name)
        table.to_csv(path, index=False)
    weights = []
    for number, letter in enumerate(LETTERS):
        weights.append(folder / f"{letter}.safetensors")
        size = 2 + (3 * number) % 5
        state = {"w": torch.zeros(size, 3), "n.running_mean": torch.zeros(10**number)}
        save_file(state, weights[-1])
    table2 = PERFECT.table2.drop(columns="autoencoder").to_numpy(float)
    np.savez(folder / "bootstrap.npz", table2=table2[None])
    (folder / "index.json").write_text('{"images": 2, "classes": ["a", "b"]}')
    names = {"L": "lenet5", "A": "small_alexnet", "V": "small_vgg"}
    names |= {"I": "small_inception", "R": "small_resnet"}
    settings = {
        "image_size": 32,
        "data": {"train": [source("train")], "validation": [source("validation")]},
        "pretrain": {"photos": {"single_pass": True}},
        "classifiers": {
            name: Classifier(architecture=one).model_dump()
            for name, one in names.items()
        },
        "information": Information().model_dump(),
        "lattice": Lattice().model_dump(),
    }
    options = {name: [path] for name, path in files.items()} | {
        "weights": weights,
        "bootstrap": [folder / "bootstrap.npz"],
        "validation": [folder / "index.json"],
        "comparison": [folder / "comparison.csv"],
        "settings": [json.dumps(settings)],
    }
    options |= changes
    return [
        str(word) for name, values in options.items() for word in (f"--{name}", *values)
    ]


def test_the_stage_writes_the_comparison(tmp_path, monkeypatch):
    few = partial(null_rates, draws=3)
    monkeypatch.setattr("s2snets.claims.null.null_rates", few)
    CompareWithPaper.main(stage(tmp_path))
    table = pd.read_csv(tmp_path / "comparison.csv")
    assert list(table) == COLUMNS
    null = dict(zip(table["id"], table["null"], strict=True))
    assert null["both-reach-minima"] == 1
    expected = compare(PERFECT, PRINTED, False, null)
    assert list(table["id"]) == list(expected["id"])
    same = table["id"] != "no-correlation-with-size"
    assert list(table["verdict"][same]) == list(expected["verdict"][same])
    untestable = table[table["verdict"] == "untestable"]
    claims_left = set(untestable[untestable["kind"] == "claim"]["id"])
    assert claims_left == UNTESTABLE
    assert count_parameters(tmp_path / "A.safetensors") == 15


def test_the_stage_names_the_file_that_is_missing_or_damaged(tmp_path):
    with pytest.raises(UserError, match=r"gone\.csv: no such table"):
        CompareWithPaper.main(stage(tmp_path, rrc=[tmp_path / "gone.csv"]))
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"bad\.csv: lacks column input"):
        CompareWithPaper.main(stage(tmp_path, noise=[tmp_path / "bad.csv"]))
    command = stage(tmp_path)
    (tmp_path / "V.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"V\.safetensors: damaged"):
        CompareWithPaper.main(command)
