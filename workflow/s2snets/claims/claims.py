"""What the paper says, sentence by sentence, and how each is tested on tables.

Palacio et al. 2018. A claim is a function of a study's tables: it returns comparisons,
each a margin that is positive where the paper is right. Numbers are read from the
printed tables. ``python -m s2snets.claims.claims`` writes ``docs/claims.md``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, permutations
from math import ceil, erfc, factorial, floor, nan, sqrt
from pathlib import Path

import numpy as np
import pandas as pd

from s2snets.claims.evidence import FAMILIES, Estimate, Tables, Untestable
from s2snets.measure import lattice
from s2snets.measure.rrc import relate
from s2snets.runtime.files import replacing

DOCUMENT = Path(__file__).parents[3] / "docs/claims.md"

COLUMNS = [
    *("id", "section", "kind", "statement", "paper", "ours"),
    *("difference", "low", "high", "verdict", "why"),
]
OTHER = "other images and networks: the difference says nothing"
UNLABELLED = "without labels there is only agreement with predictions on originals"
SCORED = ("3.3", "3.4")  # sections whose numbers all come from accuracies
INFORMATION_ORDER = "VILRA"
SIGNIFICANT = 0.05
DIGITS = 1e-9  # rounding of sums of decimals


@dataclass(frozen=True)
class Claim:
    """A claim in words.

    Attributes:
        test: tables -> margins by label; positive: the comparison agrees. Raises
            ``Untestable``. Its docstring says how the claim is tested.
        of: how many comparisons must agree: all, most or some.
        unit: of the margins; points are percentage points.
        equal: whether a margin of 0 agrees.
        labels: whether it speaks of accuracies that agreement cannot stand for.
    """

    id: str
    section: str
    statement: str
    test: Callable
    of: str = "all"
    unit: str = "points"
    equal: bool = False
    labels: bool = False


CLAIMS = []


def claim(section, statement, **options):
    """Enter a test into ``CLAIMS``, under its own name."""

    def entered(test):
        name = test.__name__.replace("_", "-")
        CLAIMS.append(Claim(name, section, statement, test, **options))
        return test

    return entered


def others(tables, letter):
    """Our name of one classifier, and those of all others in the study."""
    (one,) = tables.ours(letter)
    return one, [name for name in tables.classifiers if name != one]


def letters(tables):
    """All the paper's classifiers, ours by letter."""
    return dict(zip(FAMILIES, tables.ours(*FAMILIES), strict=True))


# 1 and 4. What is said in general.


@claim("1", "The networks rely on different amounts of input signal", unit="nMI")
def different_amounts(tables):
    """Neighbours in the order of intra nMI differ."""
    found = {name: tables.nmi(f"A_{name}") for name in tables.classifiers}
    ranked = sorted(found, key=lambda name: -found[name].value)
    return {
        f"A_{more} and A_{less}": found[more] - found[less]
        for more, less in pairwise(ranked)
    }


@claim(
    "1", "The signal may be entirely different between classifiers", of="some",
    unit="RRC",
)  # fmt: skip
def entirely_different(tables):
    """Some pair of different classifiers has RRC below 0.1."""
    return {f"A_{i} on {j}": 0.1 - tables.relation(i, j) for i, j in tables.pairs}


@claim(
    "abstract, 4", "The order by signal does not correlate with accuracy",
    unit="in p over 0.05", labels=True,
)  # fmt: skip
def no_correlation_with_accuracy(tables):
    """Spearman's ρ of A_i's intra nMI and i's top-1 on originals has p > 0.05."""
    return uncorrelated(
        tables, [tables.clean(name, "original").value for name in tables.classifiers]
    )


@claim(
    "abstract, 4", "The order by signal does not correlate with network size",
    unit="in p over 0.05",
)  # fmt: skip
def no_correlation_with_size(tables):
    """Spearman's ρ of A_i's intra nMI and i's number of parameters has p > 0.05."""
    sizes = tables.table("sizes")
    return uncorrelated(tables, [sizes[name] for name in tables.classifiers])


# 3.2. Pretraining.


@claim("3.2", "Both pretrainings reach good local minima", unit="MSE")
def both_reach_minima(tables):
    """Every curve, training and validation, ends below its first check."""
    return {
        f"{corpus}, {column}": Estimate(curve[column].iloc[0] - curve[column].iloc[-1])
        for corpus in ("photos", "labelled")
        for curve in [tables.curve(corpus)]
        for column in ("training", "validation_photos", "validation_labelled")
    }


@claim("3.2", "YFCC100m gives the network that converges faster", unit="of the images")
def photos_converge_faster(tables):
    """The training error on photographs comes sooner within 10 % of its last value."""
    photos, labelled = (converged(tables.curve(c)) for c in ("photos", "labelled"))
    return {"photographs before labelled images": Estimate(labelled - photos)}


@claim(
    "3.2", "On YFCC100m the error converges before the data are used up",
    unit="of the images",
)  # fmt: skip
def converges_before_data_end(tables):
    """The training error on photographs is within 10 % of its last by 90 % of them."""
    return {"photographs": Estimate(0.9 - converged(tables.curve("photos")))}


@claim("3.2", "YFCC100m reaches the lower bound of the loss", unit="MSE")
def photos_reach_lower_loss(tables):
    """The last training error on photographs is below that on labelled images."""
    last = {c: tables.curve(c)["training"].iloc[-1] for c in ("photos", "labelled")}
    return {"labelled less photographs": Estimate(last["labelled"] - last["photos"])}


@claim("3.2", "Training on ImageNet gives an unstable curve", unit="of the last error")
def labelled_is_unstable(tables):
    """Rises of the training error, summed, weigh more there than on photographs."""
    rises = {
        corpus: np.diff(error).clip(min=0).sum() / error[-1]
        for corpus in ("photos", "labelled")
        for error in [tables.curve(corpus)["training"].to_numpy()]
    }
    return {"labelled less photographs": Estimate(rises["labelled"] - rises["photos"])}


@claim("3.2", "Validation curves follow the training curves closely", unit="in r")
def validation_follows_training(tables):
    """Logarithms of each validation curve and its training curve have r >= 0.9."""
    return {
        f"{corpus}, {column}": Estimate(
            np.corrcoef(np.log(curve["training"]), np.log(curve[column]))[0, 1] - 0.9
        )
        for corpus in ("photos", "labelled")
        for curve in [tables.curve(corpus)]
        for column in ("validation_photos", "validation_labelled")
    }


@claim(
    "3.2", "Trained on ImageNet, validated on YFCC100m: the highest error", unit="MSE"
)
def labelled_on_photos_is_worst(tables):
    """That last error is above all three others."""
    last = {
        (corpus, on): tables.curve(corpus)[f"validation_{on}"].iloc[-1]
        for corpus in ("photos", "labelled")
        for on in ("photos", "labelled")
    }
    worst = last.pop(("labelled", "photos"))
    return {
        f"above {corpus} on {on}": Estimate(worst - error)
        for (corpus, on), error in last.items()
    }


@claim("3.2", "Pretraining on YFCC100m generalises better than on ImageNet", unit="MSE")
def photos_generalise_better(tables):
    """Each on the other's validation set: photographs end with the lower error."""
    away = tables.curve("labelled")["validation_photos"].iloc[-1]
    home = tables.curve("photos")["validation_labelled"].iloc[-1]
    return {"labelled less photographs": Estimate(away - home)}


# 3.3. Fine-tuning.


@claim("3.3", "The best results come from updating only the decoder", equal=True)
def decoder_is_best_part(tables):
    """Top-1 with the decoder tuned is at least that with encoder, and with both."""
    rows = tables.table("parts")
    score = {}
    for _, row in rows.iterrows():
        low, high = row.get("top1_low", nan), row.get("top1_high", nan)
        score[row["part"], row["classifier"]] = Estimate(row["top1"], low, high)
    margins = {
        f"{name}: decoder against {part}": score["decoder", name] - value
        for (part, name), value in score.items()
        if part != "decoder" and ("decoder", name) in score
    }
    if not margins:
        raise Untestable("only one part of the autoencoder was fine-tuned")
    return margins


@claim("3.3", "LeNet-5 is the lower bound in accuracy", labels=True)
def lenet_is_lowest(tables):
    """On originals every other classifier has the higher top-1."""
    lenet, rest = others(tables, "L")
    low = tables.clean(lenet, "original")
    return {name: tables.clean(name, "original") - low for name in rest}


@claim("3.3, 3.5", "A_S costs every classifier accuracy (top-1)", labels=True)
def pretrained_costs_top1(tables):
    """Top-1 on A_S is below that on originals, for each classifier."""
    return {name: -tables.change(name, "A_S") for name in tables.classifiers}


@claim("3.3, 3.5", "A_S costs every classifier accuracy (top-5)", labels=True)
def pretrained_costs_top5(tables):
    """Top-5 on A_S is below that on originals, for each classifier."""
    return {
        name: -tables.change(name, "A_S", score="top5") for name in tables.classifiers
    }


@claim("3.3", "A_S's cost is not dramatic", labels=True)
def pretrained_cost_is_small(tables):
    """No classifier loses 5 points of top-1 or more (our bound; in print: 3.76)."""
    return {name: tables.change(name, "A_S") + 0.05 for name in tables.classifiers}


@claim("3.3", "Fine-tuning makes up for what A_S lost", equal=True, labels=True)
def finetuning_recovers_loss(tables):
    """Top-1 on A_i is at least that on originals, for each classifier."""
    return {name: tables.change(name, "A_i") for name in tables.classifiers}


@claim("3.3", "Fine-tuning raises every classifier above A_S")
def finetuning_improves_on_pretrained(tables):
    """Top-1 on A_i is above that on A_S, for each classifier."""
    return {name: tables.change(name, "A_i", "A_S") for name in tables.classifiers}


@claim(
    "3.3", "For most classifiers, A_i even surpasses the originals (top-1)",
    of="most", labels=True,
)  # fmt: skip
def finetuning_surpasses_top1(tables):
    """Top-1 on A_i is above that on originals, for more than half of them."""
    return {name: tables.change(name, "A_i") for name in tables.classifiers}


@claim(
    "3.3", "For most classifiers, A_i even surpasses the originals (top-5)",
    of="most", labels=True,
)  # fmt: skip
def finetuning_surpasses_top5(tables):
    """Top-5 on A_i is above that on originals, for more than half of them."""
    return {
        name: tables.change(name, "A_i", score="top5") for name in tables.classifiers
    }


# 3.3.1. Encoded representations.


@claim("3.3.1", "Fine-tuning changes all three channels visibly", unit="LAB units")
def all_channels_change(tables):
    """A_i's LAB histograms lie farther from the original's than A_S's do."""
    lab = Histograms(tables)
    return {
        f"A_{name}, {channel}": Estimate(
            lab.moved(f"A_{name}", channel) - lab.moved("A_S", channel)
        )
        for name in tables.classifiers
        for channel in "Lab"
    }


@claim("3.3.1", "A_V changes images least among all A_i", unit="LAB units")
def vgg_changes_least(tables):
    """Its LAB histograms lie nearest to the original's, channels summed."""
    vgg, rest = others(tables, "V")
    lab = Histograms(tables)

    def moved(name):
        return sum(lab.moved(f"A_{name}", channel) for channel in "Lab")

    return {f"A_{name}": Estimate(moved(name) - moved(vgg)) for name in rest}


@claim("3.3.1", "A_A and A_R leave peaks in the histograms of a and b", unit="peaks")
def alexnet_and_resnet_leave_peaks(tables):
    """More local maxima of at least 1 % than in the original's histograms."""
    lab = Histograms(tables)
    return {
        f"A_{name}, {channel}": Estimate(
            lab.peaks(f"A_{name}", channel) - lab.peaks("original", channel)
        )
        for name in tables.ours("A", "R")
        for channel in "ab"
    }


@claim("3.3.1", "A_R and A_I compress the range of the luminance", unit="LAB units")
def resnet_and_inception_compress_luminance(tables):
    """L's standard deviation within an image falls below the original's."""
    lab = Histograms(tables)
    return {
        f"A_{name}": Estimate(
            lab.spread("original", "L") - lab.spread(f"A_{name}", "L")
        )
        for name in tables.ours("R", "I")
    }


@claim("3.3.1", "A_I shifts b strongly, to a lack of blues", unit="LAB units")
def inception_shifts_to_yellow(tables):
    """Mean b rises above the original's, and more than with any other A_i."""
    inception, rest = others(tables, "I")
    return Histograms(tables).shifts_most(inception, rest, "b")


@claim("3.3.1", "A_A gives a distinct pink hue", unit="LAB units")
def alexnet_shifts_to_pink(tables):
    """Mean a rises above the original's, and more than with any other A_i."""
    alexnet, rest = others(tables, "A")
    return Histograms(tables).shifts_most(alexnet, rest, "a")


# 3.3.2. Noise.


@claim(
    "3.3.2", "Accuracy decays steadily, as soon as noise gets introduced", labels=True
)
def accuracy_decays_with_noise(tables):
    """On originals each strength has the lower top-1 than the one before."""
    return {
        f"{name}, s = {less:g} to {more:g}": curve[less] - curve[more]
        for name in tables.classifiers
        for curve in [tables.noisy(name, "original")]
        for less, more in pairwise(curve)
    }


@claim("3.3.2", "Under noise, A_S worsens accuracy even more")
def pretrained_worsens_noise(tables):
    """Top-1 on A_S is below that on noisy originals, at every s > 0."""
    return under_noise(tables, "original", "A_S", clean=False)


@claim("3.3.2, 4", "Under all noise, i has the higher accuracy with A_i", labels=True)
def finetuned_resist_noise(tables):
    """Top-1 on A_i is above that on originals, at every strength, 0 included."""
    return under_noise(tables, "A_i", "original")


@claim("3.3.2, 4", "Fine-tuned autoencoders resist noise where A_S does not")
def finetuned_resist_more_than_pretrained(tables):
    """Top-1 on A_i is above that on A_S, at every s > 0."""
    return under_noise(tables, "A_i", "A_S", clean=False)


@claim("3.3.2", "The difference that A_i makes under noise is greatest for AlexNet")
def alexnet_gains_most_under_noise(tables):
    """Its mean gain in top-1 over all s > 0 is above every other classifier's."""
    alexnet, rest = others(tables, "A")

    def gain(name):
        gains = under_noise(tables, "A_i", "original", [name], clean=False)
        return np.mean([one.value for one in gains.values()])

    return {name: Estimate(gain(alexnet) - gain(name)) for name in rest}


@claim("3.3.2", "AlexNet falls below LeNet-5 at s = 0.3", labels=True)
def alexnet_falls_below_lenet(tables):
    """On originals: above LeNet-5 without noise, below it at s = 0.3."""
    alexnet, lenet = tables.ours("A", "L")
    gap = {
        s: at(tables, alexnet, "original", s) - at(tables, lenet, "original", s)
        for s in (0, 0.3)
    }
    return {"A less L, s = 0": gap[0], "L less A, s = 0.3": -gap[0.3]}


@claim("3.3.2", "With A_A, AlexNet remains above LeNet-5 at s = 0.3", labels=True)
def own_autoencoder_keeps_alexnet_above(tables):
    """AlexNet on A_A, LeNet-5 on noisy originals."""
    alexnet, lenet = tables.ours("A", "L")
    gap = at(tables, alexnet, "A_i", 0.3) - at(tables, lenet, "original", 0.3)
    return {"A with A_A less L": gap}


# 3.4. Information through classifiers.


@claim("3.4", "Accuracy drops for each classifier with another's autoencoder")
def accuracy_drops_in_cross_terms(tables):
    """acc(A_i∘j) is below acc(A_j∘j), for every i ≠ j."""
    return {
        f"A_{i} on {j}": tables.cross(j, j) - tables.cross(i, j)
        for i, j in tables.pairs
    }


@claim(
    "3.4", "Some combinations keep the accuracy of the lower of both", of="some",
    unit="RRC",
)  # fmt: skip
def some_pairs_keep_accuracy(tables):
    """|RRC - 1| is below 0.05 for some i ≠ j."""
    return {
        f"A_{i} on {j}": 0.05 - (rate - 1 if rate.value >= 1 else 1 - rate)
        for i, j in tables.pairs
        for rate in [tables.relation(i, j)]
    }


@claim(
    "3.4", "With A_V, ResNet and Inception perform better than VGG itself", labels=True
)
def vgg_signal_lifts_resnet_and_inception(tables):
    """acc(A_V∘R) and acc(A_V∘I) are above acc(A_V∘V)."""
    vgg, *deeper = tables.ours("V", "R", "I")
    return {j: tables.cross(vgg, j) - tables.cross(vgg, vgg) for j in deeper}


@claim(
    "3.4", "With A_I, no other network keeps 0.65 of its original accuracy", labels=True
)
def inception_signal_serves_nobody(tables):
    """acc(A_I∘j) is below 0.65 acc(j), for every j ≠ I."""
    inception, rest = others(tables, "I")
    return {
        j: tables.clean(j, "original") * 0.65 - tables.cross(inception, j) for j in rest
    }


@claim("3.4", "Figure 6: the order of all twenty pairs by RRC", unit="RRC")
def order_of_pairs(tables):
    """Each neighbour in the order of the printed Table 2 has the higher RRC."""
    name = letters(tables)
    order = [(i, name[i[0]], name[i[1]]) for i in PAIRS.split()]
    return {
        f"A_{a} on {b} before A_{c} on {d}": tables.relation(c, d)
        - tables.relation(a, b)
        for (_, a, b), (_, c, d) in pairwise(order)
    }


@claim("3.4", "t = 0.2 and t = 0.8 lie between the largest gaps in RRC", unit="RRC")
def thresholds_lie_in_largest_gaps(tables):
    """Each lies in a gap between RRC up to 1 that is wider than all other gaps."""
    values = np.unique(tables.table("rrc")["rrc"])
    gaps = list(pairwise(values[values <= 1]))
    chosen = {t: next((g for g in gaps if g[0] < t <= g[1]), None) for t in (0.2, 0.8)}
    rest = max((b - a for a, b in gaps if (a, b) not in chosen.values()), default=0.0)
    if len(set(chosen.values())) < len(chosen):
        return {"0.2 and 0.8 lie in the same gap, or outside": Estimate(-rest)}
    return {
        f"t = {t}": Estimate((gap[1] - gap[0] if gap else 0.0) - rest)
        for t, gap in chosen.items()
    }


@claim("3.4", "Any t in [0.17, 0.52] gives the same lattice", unit="RRC", equal=True)
def lower_interval_is_constant(tables):
    """No pair's RRC lies in that interval."""
    return outside(tables, 0.17, 0.52, tables.pairs)


@claim("3.4", "Any t in [0.66, 0.84] gives the same lattice", unit="RRC", equal=True)
def upper_interval_is_constant(tables):
    """No pair's RRC lies in that interval."""
    return outside(tables, 0.66, 0.84, tables.pairs)


@claim("3.4", "Between t = 0.2 and 0.8 every lattice is a total order", unit="of t")
def lattices_are_chains(tables):
    """Every distinct lattice with t in [0.2, 0.8] is a chain; margins are widths."""
    low, high = 0.2, 0.8
    inside = tables.table("rrc")["rrc"]
    found = sorted({low, high, *inside[(inside > low) & (inside < high)]})
    margins = {}
    for threshold in found:
        one = tables.lattice(threshold)
        start, end = max(low, one["low"]), min(high, one["high"])
        sign = 1 if one["chain"] else -1
        label = f"t in ({start:.3g}, {end:.3g}]"
        margins[label] = Estimate(sign * max(end - start, DIGITS))
    return margins


@claim(
    "3.4", "Between t = 0.2 and 0.8 only A_I changes its place", unit="RRC", equal=True
)
def only_inception_changes(tables):
    """No RRC between 0.2 and 0.8 belongs to another A_i."""
    (inception,) = tables.ours("I")
    pairs = [(i, j) for i, j in tables.pairs if i != inception]
    return outside(tables, 0.2, 0.8, pairs)


@claim("3.4, 4", "With A_R, VGG and LeNet-5 do not reach 10 %", unit="RRC")
def resnet_signal_starves_vgg_and_lenet(tables):
    """RRC(A_R∘V) and RRC(A_R∘L) are below 0.1."""
    resnet, *rest = tables.ours("R", "V", "L")
    return {j: 0.1 - tables.relation(resnet, j) for j in rest}


@claim("3.4", "VGG's performance is similar to ResNet's, and the lower", labels=True)
def vgg_performs_like_resnet(tables):
    """Top-1 on originals: VGG's lies below ResNet's, by less than 5 points."""
    vgg, resnet = tables.ours("V", "R")
    gap = tables.clean(resnet, "original") - tables.clean(vgg, "original")
    return {"R less V": gap, "5 points less the gap": 0.05 - gap}


@claim(
    "3.4", "With A_V, ResNet keeps at least 90 % of VGG's accuracy", unit="RRC",
    equal=True,
)  # fmt: skip
def vgg_signal_feeds_resnet(tables):
    """RRC(A_V∘R) is at least 0.9."""
    vgg, resnet = tables.ours("V", "R")
    return {"A_V on R": tables.relation(vgg, resnet) - 0.9}


@claim(
    "3.4", "Inception shares up to half of its signal with all others", unit="RRC",
    equal=True,
)  # fmt: skip
def inception_shares_half(tables):
    """RRC(A_I∘j) is at least 0.5, for every j ≠ I."""
    inception, rest = others(tables, "I")
    return {j: tables.relation(inception, j) - 0.5 for j in rest}


@claim("3.4", "The rest of Inception's signal differs from all others'", unit="RRC")
def inception_keeps_half(tables):
    """RRC(A_I∘j) is below 0.8, for every j ≠ I."""
    inception, rest = others(tables, "I")
    return {j: 0.8 - tables.relation(inception, j) for j in rest}


@claim("3.4", "With A_V all others keep 80 % and more", unit="RRC", equal=True)
def vgg_signal_feeds_all(tables):
    """RRC(A_V∘j) is at least 0.8, for every j ≠ V."""
    vgg, rest = others(tables, "V")
    return {j: tables.relation(vgg, j) - 0.8 for j in rest}


@claim("3.4", "VGG makes the most exhaustive use of the input", unit="RRC")
def vgg_uses_most(tables):
    """The least RRC(A_V∘j) is above the least RRC(A_i∘j) of every other A_i."""
    vgg, rest = others(tables, "V")

    def least(i):
        rates = [tables.relation(i, j) for j in tables.classifiers if j != i]
        return min(rates, key=lambda rate: rate.value)

    return {f"A_{i}": least(vgg) - least(i) for i in rest}


@claim("3.4", "All networks use a common portion of the signal", unit="RRC")
def common_portion(tables):
    """RRC(A_i∘j) is above 0, for every i ≠ j."""
    return {f"A_{i} on {j}": tables.relation(i, j) for i, j in tables.pairs}


@claim(
    "3.4, 4", "That portion can be as small as 10 %, as with ResNet", of="some",
    unit="RRC",
)  # fmt: skip
def common_portion_is_small(tables):
    """RRC(A_R∘j) is below 0.1 for some j ≠ R."""
    resnet, rest = others(tables, "R")
    return {j: 0.1 - tables.relation(resnet, j) for j in rest}


def panel(place, chain):
    """The claim on one of Figure 7's lattices."""
    kind = "a total order" if chain else "no total order"

    def test(tables):
        threshold = tables.thresholds[place]
        one = tables.lattice(threshold)
        width = max(one["high"] - one["low"], DIGITS)
        label = f"t = {threshold:g}, {len(one['concepts'])} concepts"
        return {label: Estimate(width if one["chain"] == chain else -width)}

    test.__name__ = f"figure_7{'abcd'[place]}_order"
    test.__doc__ = (
        f"Lattice {place + 1} of 4, at the study's own thresholds if it has four, else"
        " at the paper's, is" + (" " if chain else " not ") + "a chain; the margin is"
        " its interval's width."
    )
    claim("3.4", f"Figure 7{'abcd'[place]} is {kind}", unit="of t")(test)


for place, chain in enumerate((True, True, True, False)):
    panel(place, chain)


# 3.5. Information in reconstructions.


@claim("3.5", "A_S preserves the highest amount of the input", unit="nMI")
def pretrained_preserves_most(tables):
    """A_S's intra nMI is above every A_i's."""
    most = tables.nmi("A_S")
    return {f"A_{j}": most - tables.nmi(f"A_{j}") for j in tables.classifiers}


@claim("3.5", "A_V preserves most of all A_i", unit="nMI")
def vgg_preserves_most(tables):
    """A_V's intra nMI is above every other A_i's."""
    vgg, rest = others(tables, "V")
    most = tables.nmi(f"A_{vgg}")
    return {f"A_{j}": most - tables.nmi(f"A_{j}") for j in rest}


@claim("3.5", "A_V > A_I > A_L > A_R > A_A by intra nMI", unit="nMI")
def order_by_intra(tables):
    """Each neighbour in that order has the lower intra nMI."""
    return ordered_by(tables, "intra")


@claim("3.5", "A_V > A_I > A_L > A_R > A_A by inter nMI too", unit="nMI")
def order_by_inter(tables):
    """Each neighbour in that order has the lower inter nMI ("regardless")."""
    return ordered_by(tables, "inter")


@claim("3.5", "Reconstructions of two images yield low nMI", unit="nMI")
def inter_is_low(tables):
    """Inter nMI is below intra nMI, for A_S and every A_i."""
    labels = ["A_S", *(f"A_{j}" for j in tables.classifiers)]
    return {label: tables.nmi(label) - tables.nmi(label, "inter") for label in labels}


@claim("3.5", "A_A and A_R show comparatively high inter nMI", unit="inter / intra")
def alexnet_and_resnet_inter_is_high(tables):
    """Their inter nMI over intra nMI is above that of every other A_i."""
    high = tables.ours("A", "R")

    def part(j):
        intra = tables.nmi(f"A_{j}").value
        if not intra:
            raise Untestable(f"A_{j} preserves nothing: its intra nMI is 0")
        return tables.nmi(f"A_{j}", "inter").value / intra

    return {
        f"A_{i} above A_{j}": Estimate(part(i) - part(j))
        for i in high
        for j in tables.classifiers
        if j not in high
    }


@claim("3.5", "The order by nMI is the order in the lattice of Figure 7b", unit="nMI")
def information_follows_lattice(tables):
    """Where A_i serves all that A_k serves and more, its intra nMI is the higher."""
    threshold = tables.thresholds[1]
    one = tables.lattice(threshold)
    serves = {
        label: {
            j for j, row in zip(one["objects"], one["relation"], strict=True) if row[k]
        }
        for k, label in enumerate(one["attributes"])
    }
    margins = {
        f"{more} above {less}": tables.nmi(more) - tables.nmi(less)
        for more in serves
        for less in serves
        if serves[more] > serves[less]
    }
    if not margins:
        raise Untestable(
            f"at t = {threshold:g} no autoencoder serves more networks than another"
        )
    return margins


PAIRS = "AV RL AL RV LV AR IL IA IR IV VL LA RA VA AI RI VR VI LI LR"
"""Figure 6: autoencoder and classifier, by rising RRC."""


# What several claims share.


def uncorrelated(tables, values):
    """By how much a rank correlation with intra nMI misses significance."""
    names = tables.classifiers
    count = len(names)
    if 2 / factorial(count) > SIGNIFICANT:
        raise Untestable(
            f"with {count} classifiers no rank correlation could be significant"
        )
    signal = pd.Series([tables.nmi(f"A_{name}").value for name in names])
    rho = signal.rank().corr(pd.Series(values).rank())
    if count <= 7:
        ranks, fixed = signal.rank().to_numpy(), pd.Series(values).rank().to_numpy()
        tried = np.array(list(permutations(ranks)))
        tried = np.abs((tried - ranks.mean()) @ (fixed - fixed.mean()))
        seen = abs((ranks - ranks.mean()) @ (fixed - fixed.mean()))
        p = (tried >= seen - DIGITS).mean()
    else:
        p = erfc(abs(rho) * sqrt((count - 1) / 2))
    label = f"ρ = {rho:.2f}, p = {p:.2g} over {count} classifiers"
    return {label: Estimate(float(p) - SIGNIFICANT)}


def converged(curve):
    """Part of the images after which the training error stays near its last value."""
    error, images = curve["training"].to_numpy(), curve["images"].to_numpy()
    far = np.flatnonzero(np.abs(error / error[-1] - 1) > 0.1)
    return images[far[-1] + 1 if len(far) else 0] / images[-1]


def under_noise(tables, better, worse, names=None, clean=True):
    """Accuracy on one source less that on another, at every strength."""
    return {
        f"{name}, s = {strength:g}": value - low[strength]
        for name in names or tables.classifiers
        for high, low in [(tables.noisy(name, better), tables.noisy(name, worse))]
        for strength, value in high.items()
        if clean or strength > 0
    }


def at(tables, name, source, strength):
    """Accuracy at one strength of noise."""
    curve = tables.noisy(name, source)
    if strength not in curve:
        raise Untestable(f"accuracy at s = {strength:g} was not measured")
    return curve[strength]


def outside(tables, low, high, pairs):
    """How far each RRC lies from an interval; negative inside."""
    return {
        f"A_{i} on {j}": low - rate if rate.value < (low + high) / 2 else rate - high
        for i, j in pairs
        for rate in [tables.relation(i, j)]
    }


def ordered_by(tables, measure):
    """Differences of nMI between neighbours in the printed order."""
    names = tables.ours(*INFORMATION_ORDER)
    return {
        f"A_{more} above A_{less}": tables.nmi(f"A_{more}", measure)
        - tables.nmi(f"A_{less}", measure)
        for more, less in pairwise(names)
    }


class Histograms:
    """A study's LAB histograms; each number is a mean over its example images."""

    def __init__(self, tables):
        self.table = tables.table("lab")

    def of(self, label, channel):
        """(images, bins) of fractions, and the bins' centres."""
        rows = self.table
        rows = rows[(rows["label"] == label) & (rows["channel"] == channel)]
        if rows.empty:
            raise Untestable(f"there is no histogram of {label}")
        rows = rows.assign(centre=(rows["low"] + rows["high"]) / 2)
        wide = rows.pivot(index="image", columns="centre", values="fraction")
        return wide.to_numpy(), wide.columns.to_numpy()

    def moved(self, label, channel):
        """Earth mover's distance from the original's histogram."""
        before, centres = self.of("original", channel)
        after, _ = self.of(label, channel)
        apart = np.abs(np.cumsum(after - before, axis=1)).sum(axis=1)
        return float(apart.mean() * (centres[1] - centres[0]))

    def mean(self, label, channel):
        """Mean of the channel."""
        share, centres = self.of(label, channel)
        return float((share @ centres).mean())

    def spread(self, label, channel):
        """Standard deviation of the channel within an image."""
        share, centres = self.of(label, channel)
        mean = share @ centres
        return float(np.sqrt(np.maximum(share @ centres**2 - mean**2, 0)).mean())

    def peaks(self, label, channel):
        """Bins of at least 1 % that are higher than both their neighbours."""
        share, _ = self.of(label, channel)
        share = np.pad(share, ((0, 0), (1, 1)))
        middle = share[:, 1:-1]
        peak = (middle > share[:, :-2]) & (middle > share[:, 2:]) & (middle >= 0.01)
        return float(peak.sum(axis=1).mean())

    def shifts_most(self, one, rest, channel):
        """How far one A_i's mean lies above the original's and every other's."""
        mean = self.mean(f"A_{one}", channel)
        return {
            f"A_{one} above {label}": Estimate(mean - self.mean(label, channel))
            for label in ("original", *(f"A_{name}" for name in rest))
        }


# Numbers.


@dataclass(frozen=True)
class Number:
    """A number in print.

    Attributes:
        value: tables -> Estimate, in the unit of the print.
        paper: as printed; None: what the printed tables give, where the text slips.
        places: decimals in print.
    """

    id: str
    section: str
    statement: str
    value: Callable
    paper: float | None
    places: int


def numbers(printed):
    """Every number in print that a study gives too.

    Args:
        printed: ``Tables`` of the paper itself, as ``printed_tables`` returns it.
    """
    return [
        *_of_table1(printed),
        *_of_table2(printed),
        *_of_rrc(printed),
        *_of_lattices(),
        *_of_text(),
    ]


def _of_table1(printed):
    for letter in printed.classifiers:
        for score in ("top1", "top5"):
            for source in ("original", "A_S", "A_i"):
                name = f"{letter}-{source.lower().replace('_', '')}-{score}"
                what = f"{score.replace('top', 'top-')} of {letter} on {source}"

                def accuracy(tables, letter=letter, source=source, score=score):
                    (ours,) = tables.ours(letter)
                    return tables.clean(ours, source, score) * 100

                paper = round(accuracy(printed).value, 2)
                yield Number(
                    f"table-1-{name}", "3.3", f"{what}, percent", accuracy, paper, 2
                )
                if source == "original":
                    continue

                def change(tables, letter=letter, source=source, score=score):
                    (ours,) = tables.ours(letter)
                    return tables.change(ours, source, score=score) * 100

                slip = (letter, source, score) == ("L", "A_i", "top5")
                note = " (printed +3.61, a misprint of +3.16)" if slip else ""
                paper = round(change(printed).value, 2)
                yield Number(
                    f"table-1-{name}-difference", "3.3",
                    f"{what} less originals, points{note}", change, paper, 2,
                )  # fmt: skip


def _of_table2(printed):
    for i in printed.classifiers:
        for j in printed.classifiers:

            def accuracy(tables, i=i, j=j):
                return tables.cross(*tables.ours(i, j))

            yield Number(
                f"table-2-{i}-{j}", "3.4", f"top-1 of {j} on A_{i}", accuracy,
                accuracy(printed).value, 4,
            )  # fmt: skip


def _of_rrc(printed):
    for i, j in printed.pairs:

        def rate(tables, i=i, j=j):
            return tables.relation(*tables.ours(i, j))

        yield Number(
            f"figure-6-{i}-{j}", "3.4", f"RRC(A_{i}∘{j}), of the printed Table 2", rate,
            round(rate(printed).value, 4), 4,
        )  # fmt: skip


def _of_lattices():
    for place, (threshold, size) in enumerate(
        zip((0.1, 0.2, 0.8, 0.9), (2, 4, 5, 6), strict=True)
    ):

        def concepts(tables, threshold=threshold):
            tables.ours(*FAMILIES)
            return Estimate(len(tables.lattice(threshold)["concepts"]))

        yield Number(
            f"figure-7{'abcd'[place]}-concepts", "3.4",
            f"concepts of the lattice at t = {threshold}", concepts, size, 0,
        )  # fmt: skip
    ends = [
        (0.2, "low", ceil, 0.17, ""),
        (0.2, "high", floor, 0.52, ""),
        (0.8, "low", ceil, None, " (printed 0.66, a misprint of 0.64)"),
        (0.8, "high", floor, 0.84, ""),
    ]
    for threshold, side, cut, paper, note in ends:

        def end(tables, threshold=threshold, side=side, cut=cut):
            tables.ours(*FAMILIES)
            one = lattice.interval(tables.table("rrc"), threshold)
            return Estimate(cut(100 * one[side == "high"]) / 100)

        word = {"low": "lower", "high": "upper"}[side]
        yield Number(
            f"interval-{threshold}-{side}", "3.4",
            f"{word} end of the interval of t around {threshold}, cut inwards{note}",
            end, paper, 2,
        )  # fmt: skip


def _of_text():
    def loss(pick):
        def cut(tables):
            costs = [-tables.change(j, "A_S").value for j in letters(tables).values()]
            return Estimate(floor(1000 * pick(costs) + DIGITS) / 10)

        return cut

    yield Number(
        "least-cost-of-pretrained", "3.3", "least loss of top-1 by A_S, points, cut",
        loss(min), 1.2, 1,
    )  # fmt: skip
    yield Number(
        "greatest-cost-of-pretrained", "3.3",
        "greatest loss of top-1 by A_S, points, cut", loss(max), 3.7, 1,
    )  # fmt: skip

    def seen(corpus):
        return lambda tables: Estimate(tables.curve(corpus)["images"].max() / 1e6)

    yield Number(
        "photographs-seen", "3.2", "images of YFCC100m in pretraining, million",
        seen("photos"), 92.1, 1,
    )  # fmt: skip
    yield Number(
        "labelled-seen", "3.2", "images of ImageNet in pretraining, million",
        seen("labelled"), 92.2, 1,
    )  # fmt: skip
    yield Number(
        "validation-images", "3.5", "images of the validation set",
        lambda tables: Estimate(int(tables.table("table1")["images"].max())), 50000, 0,
    )  # fmt: skip

    def pairs(tables):
        table = tables.table("information")
        return Estimate(int(table[table["measure"] == "inter"]["images"].max()))

    yield Number("inter-pairs", "3.5", "pairs of images for inter nMI", pairs, 25000, 0)


def published(classifiers, image_size):
    """Whether a study's networks and images are of the paper's kind.

    Args:
        classifiers: the paper's letter -> weights, of those that the study has.
        image_size: side of its images, pixels.

    Returns:
        bool: the images are of ImageNet's size, and AlexNet, VGG, Inception and ResNet,
        or those of them that are there, come with weights; LeNet-5 has none to come by.
    """
    given = [weights for letter, weights in classifiers.items() if letter != "L"]
    return image_size >= 224 and bool(given) and None not in given


def printed_tables(table1, table2):
    """The paper as a study: what its Tables 1 and 2 hold.

    Args:
        table1, table2: as in ``resources/palacio2018``; the first in percent.
    """
    scores = ["top1", "top5"]
    table1 = table1.assign(**{score: table1[score] / 100 for score in scores})
    return Tables(
        roles={letter: letter for letter in FAMILIES},
        table1=table1.assign(images=50000),
        table2=table2,
        rrc=relate(table2),
    )


# The comparison.


def compare(tables, printed, comparable):
    """The paper's claims beside a study's results: ``comparison.csv``.

    Args:
        tables: a study's ``Tables``.
        printed: the paper's own.
        comparable: whether the study's networks and images are the paper's, so that a
            difference between numbers means something. Claims in words are tested
            everywhere.

    Returns:
        id, section, kind (number or claim), statement, paper, ours, difference, low,
        high (of ours), verdict (holds, fails or untestable), why (one sentence). A
        claim's numbers are its deciding margin: positive where it holds; the paper's is
        empty where its printed tables do not give it. Ours is rounded as in print.
    """
    rows = [judge_number(one, tables, printed, comparable) for one in numbers(printed)]
    rows += [judge_claim(one, tables, printed) for one in CLAIMS]
    return pd.DataFrame(rows, columns=COLUMNS)


def judge_number(one, tables, printed, comparable):
    """One number's row of ``compare``."""
    paper = one.value(printed).value if one.paper is None else one.paper
    row = {"id": one.id, "section": one.section, "kind": "number"}
    row |= {"statement": one.statement, "paper": paper, "verdict": "untestable"}
    try:
        ours = one.value(tables)
    except Untestable as reason:
        return row | {"why": str(reason)}
    value = round(ours.value, one.places)
    row |= {"ours": value, "difference": round(value - paper, one.places) + 0.0}
    row |= {"low": ours.low, "high": ours.high}
    if not tables.labelled and one.section in SCORED:
        return row | {"why": UNLABELLED}
    if not comparable:
        return row | {"why": OTHER}
    half = 0.5 * 10.0**-one.places + DIGITS
    if ours.bounded:
        holds = ours.low - half <= paper <= ours.high + half
        place = "inside" if holds else "outside"
        why = f"the paper's {paper} lies {place} our 95 % interval"
        why += f" [{ours.low:.4g}, {ours.high:.4g}]"
    else:
        holds = abs(value - paper) < half
        why = "equal as printed" if holds else f"differs by {value - paper:+.4g}"
        why += "; no interval was computed"
    return row | {"verdict": "holds" if holds else "fails", "why": why}


def judge_claim(one, tables, printed):
    """One claim's row of ``compare``."""
    row = {"id": one.id, "section": one.section, "kind": "claim"}
    row |= {"statement": one.statement, "verdict": "untestable"}
    factor = 100 if one.unit == "points" else 1
    own = _tested(one, printed)
    if own is not None:
        row["paper"] = round(_deciding(one, own)[1].value * factor, 6)
    if one.labels and not tables.labelled:
        return row | {"why": UNLABELLED}
    try:
        margins = one.test(tables)
    except Untestable as reason:
        return row | {"why": str(reason)}
    decided = _deciding(one, margins)[1] * factor
    row |= {"ours": round(decided.value, 6), "low": decided.low, "high": decided.high}
    if own is not None:
        row["difference"] = round(row["ours"] - row["paper"], 6)
    verdict = "holds" if _agrees(one, decided) else "fails"
    why = _sentence(one, margins, factor)
    if own is not None and not _agrees(one, _deciding(one, own)[1]):
        why += "; on the paper's own tables it fails"
        why += " too" if verdict == "fails" else ""
    return row | {"verdict": verdict, "why": why}


def _tested(one, tables):
    try:
        return one.test(tables)
    except Untestable:
        return None


def _agrees(one, margin):
    return margin.value >= -DIGITS / 10 if one.equal else margin.value > 0


def _deciding(one, margins):
    """The (label, margin) on which the verdict hangs."""
    ranked = sorted(margins.items(), key=lambda item: -item[1].value)
    needed = {"all": len(ranked), "most": len(ranked) // 2 + 1, "some": 1}[one.of]
    return ranked[needed - 1]


def _sentence(one, margins, factor):
    label, decided = _deciding(one, margins)
    decided *= factor
    count, right = len(margins), sum(_agrees(one, m) for m in margins.values())
    size = f"{abs(decided.value):.3g} {one.unit}"
    if count == 1:
        text = f"{'right' if right else 'wrong'} by {size} ({label})"
    elif _agrees(one, decided):
        word = {"all": "closest", "most": "deciding one", "some": "clearest"}[one.of]
        text = f"{right} of {count} comparisons agree, the {word} by {size} ({label})"
    else:
        word = {"all": "worst", "most": "deciding one", "some": "closest"}[one.of]
        text = f"{count - right} of {count} comparisons disagree, the {word} by {size}"
        text += f" ({label})"
    if decided.bounded and decided.low <= 0 <= decided.high:
        text += f"; its 95 % interval [{decided.low:.3g}, {decided.high:.3g}] does not"
        text += " exclude the opposite"
    return text


def document(text):
    """``docs/claims.md`` with the list between its two marks made anew."""
    start, end = "<!-- claims -->\n", "<!-- /claims -->"
    head, _, rest = text.partition(start)
    many = {"all": "", "most": " (most)", "some": " (some)"}
    lines = ["| id | section | the paper says | tested so |", "|---|---|---|---|"]
    for one in CLAIMS:
        how = " ".join(one.test.__doc__.split()).replace("|", "\\|")
        how += many[one.of] + (" (needs labels)" if one.labels else "")
        lines.append(f"| `{one.id}` | {one.section} | {one.statement} | {how} |")
    return (
        head + start + "\n" + "\n".join(lines) + "\n\n" + end + rest.partition(end)[2]
    )


def main():
    with replacing(DOCUMENT) as draft:
        draft.write_text(document(DOCUMENT.read_text()))


if __name__ == "__main__":
    main()
