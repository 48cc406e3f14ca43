"""The paper's claims: on its own printed tables, and where each one is made false."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from s2snets.claims.document import with_claims
from s2snets.claims.evidence import Estimate, Untestable
from s2snets.claims.inputs import (
    TABLE_COLUMNS,
    count_parameters,
    is_comparable,
    printed_tables,
    roles,
)
from s2snets.claims.printed_numbers import printed_numbers
from s2snets.claims.registry import TESTS, claims
from s2snets.claims.verdicts import (
    COLUMNS,
    OTHER,
    compare,
    judge_claim,
    judge_number,
)
from s2snets.config import Classifier, Information, Lattice
from s2snets.measure.rrc import rrc_table
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
    return replace(study, table2=table, rrc=rrc_table(table))


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


def curves():
    parts = []
    for corpus, images, error, home, away in (
        ("photos", 92.1e6, [20, 4, 2.1, 2, 2, 2, 2, 2, 2, 2], 1.02, 1.05),
        ("labelled", 92.2e6, [30, 20, 12, 8, 6, 6.5, 5, 4.5, 4.8, 4], 1.5, 1.1),
    ):
        training = np.array(error) / 1000
        table = {"corpus": corpus, "images": np.linspace(0, images, 11)[1:]}
        table |= {"training": training, "validation_photos": home * training}
        parts.append(pd.DataFrame(table | {"validation_labelled": away * training}))
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
            ]
        rows.append((label, "distance", "Lab", sum(moved.values())))
    return pd.DataFrame(rows, columns=["label", "measure", "channel", "value"])


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
        return put(
            study, "curves", {column: rows[column] * np.array(factor)}, corpus=corpus
        )

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
    "order-of-pairs": rated(AV=0.05),
    "thresholds-lie-in-largest-gaps": rated(AR=0.24),
    "lower-interval-is-constant": rated(AR=0.3),
    "upper-interval-is-constant": rated(VL=0.8),
    "lattices-are-chains": rated(IL=0.55),
    "only-inception-changes": rated(AR=0.3),
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
    assert set(MUTATIONS) == {one.id for one in CLAIMS} == set(TESTS)


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
    assert len(found) == 30 + 20 + 25 + 20 + 4 + 4 + 2 + 4
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
    untestable = table[table["verdict"] == "untestable"]
    assert untestable["why"].str.startswith("there is no table of").all()
    assert table.loc["accuracy-drops-in-cross-terms", "verdict"] == "holds"
    assert table.loc["accuracy-drops-in-cross-terms", "paper"] == pytest.approx(1.94)
    assert table.loc["order-of-pairs", "verdict"] == "holds"


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
    assert (row["verdict"], row["low"], row["high"]) == ("holds", -1, 8)
    assert "does not exclude the opposite" in row["why"]
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
        assert "does not exclude the opposite" in row["why"]
    row = table.loc["vgg-signal-feeds-all"]
    assert (row["low"], row["high"]) == pytest.approx((-0.1593, 0.2407), abs=1e-4)


def test_estimates_combine_like_independent_ones():
    difference = Estimate(5, 2, 9) - Estimate(1, 0, 3)
    assert difference == Estimate(4, 4 - np.hypot(3, 2), 4 + np.hypot(4, 1))
    assert 0.5 - Estimate(0.2, 0.1, 0.4) == Estimate(0.3, 0.09999999999999998, 0.4)
    assert not (Estimate(1) - Estimate(2, 1, 3)).bounded


def test_a_classifier_is_the_papers_by_letter_and_family_alone():
    given = {
        "L": "lenet5",
        "A": "small_vgg",
        "V": "torchvision/vgg16_bn",
        "X": "small_resnet",
    }
    found, absent = roles(given)
    assert found == {"L": "L", "V": "V"}
    assert absent["A"] == "our A is small_vgg, no AlexNet"
    assert "no classifier R" in absent["R"]
    study = replace(PERFECT, roles=found, absent=absent)
    with pytest.raises(Untestable, match="small_vgg"):
        study.ours("A")
    assert verdict(study, "alexnet-falls-below-lenet") == ("untestable", absent["A"])
    assert verdict(study, "vgg-preserves-most")[0] == "holds"
    assert verdict(study, "table-2-A-V")[0] == "untestable"


def test_numbers_compare_only_with_given_weights_on_images_of_imagenets_size():
    given = {"L": None, "A": "IMAGENET1K_V1", "V": "IMAGENET1K_V1"}
    assert is_comparable(given, 256)
    assert not is_comparable(given, 32)
    assert not is_comparable(given | {"V": None}, 256)
    assert not is_comparable({"L": None}, 256)


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


def test_figure_7_is_read_at_the_studys_own_thresholds():
    moved = replace(PERFECT, thresholds=(0.9, 0.2, 0.8, 0.1))
    assert verdict(moved, "figure-7a-order")[0] == "fails"
    assert verdict(moved, "figure-7d-order")[0] == "fails"


def test_every_claim_is_in_the_document_as_the_code_tests_it():
    text = DOCUMENT.read_text()
    assert with_claims(text) == text
    for one in CLAIMS:
        assert f"| `{one.id}` |" in text
        assert one.how


def stage(folder, **changes):
    """Command line of the stage on the perfect study's files."""
    files = {name: folder / f"{name}.csv" for name in TABLE_COLUMNS}
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
    names = {"L": "lenet5", "A": "small_alexnet", "V": "small_vgg"}
    names |= {"I": "small_inception", "R": "small_resnet"}
    settings = {
        "image_size": 32,
        "classifiers": {
            name: Classifier(architecture=one).model_dump()
            for name, one in names.items()
        },
        "information": Information().model_dump(),
        "lattice": Lattice().model_dump(),
    }
    options = {name: [path] for name, path in files.items()} | {
        "weights": weights,
        "comparison": [folder / "comparison.csv"],
        "settings": [json.dumps(settings)],
    }
    options |= changes
    return [
        str(word) for name, values in options.items() for word in (f"--{name}", *values)
    ]


def test_the_stage_writes_the_comparison(tmp_path):
    CompareWithPaper.main(stage(tmp_path))
    table = pd.read_csv(tmp_path / "comparison.csv")
    assert list(table) == COLUMNS
    expected = compare(PERFECT, PRINTED, False)
    assert list(table["id"]) == list(expected["id"])
    same = table["id"] != "no-correlation-with-size"
    assert list(table["verdict"][same]) == list(expected["verdict"][same])
    assert table[table["verdict"] == "untestable"]["kind"].eq("number").all()
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
