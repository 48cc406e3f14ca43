"""What claims are judged by: estimates with intervals, and a study's tables."""

from dataclasses import dataclass, field
from math import hypot, isnan, nan

import pandas as pd

from s2snets.measure import lattice

PRINTED_THRESHOLDS = (0.1, 0.2, 0.8, 0.9)

FAMILIES = {
    "L": ("LeNet-5", ("lenet5",)),
    "A": ("AlexNet", ("small_alexnet", "torchvision/alexnet")),
    "V": ("VGG", ("small_vgg", "torchvision/vgg")),
    "I": ("Inception", ("small_inception", "torchvision/inception")),
    "R": ("ResNet", ("small_resnet", "torchvision/resnet")),
}
"""The paper's letter -> the family's name, how its architectures' names begin."""


class Untestable(Exception):
    """The study lacks what a claim speaks of; the message says what, in a sentence."""


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval; an interval that nobody computed is nan.

    Sums and differences combine intervals as if the estimates were independent
    (Zou & Donner 2008). Ours mostly share their images, so that theirs are too wide
    rather than too narrow.
    """

    value: float
    low: float = nan
    high: float = nan

    def __neg__(self):
        return Estimate(-self.value, -self.high, -self.low)

    def __add__(self, other):
        if not isinstance(other, Estimate):
            return Estimate(self.value + other, self.low + other, self.high + other)
        value = self.value + other.value
        down = hypot(self.value - self.low, other.value - other.low)
        up = hypot(self.high - self.value, other.high - other.value)
        return Estimate(value, value - down, value + up)

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __mul__(self, positive):
        return Estimate(
            self.value * positive, self.low * positive, self.high * positive
        )

    @property
    def bounded(self):
        """Whether it has an interval."""
        return not (isnan(self.low) or isnan(self.high))


@dataclass(frozen=True)
class Tables:
    """One study's results as its tables hold them, and what its networks are.

    Every table is as its CSV: accuracies in [0, 1], classifiers under the study's own
    names; None where there is none. Columns ``NAME_low`` and ``NAME_high`` (``low`` and
    ``high`` in ``information``) are used wherever they stand.

    Attributes:
        roles: the paper's letter -> our name of a classifier of that family.
        absent: the paper's letter -> why the study has no such classifier.
        sizes: our name -> the classifier's number of parameters.
        thresholds: of Figure 7's four lattices.
        bins: of nMI, Figure 9's.
        labelled: whether accuracies are against labels, and no agreement.
    """

    roles: dict
    absent: dict = field(default_factory=dict)
    table1: pd.DataFrame = None
    table2: pd.DataFrame = None
    rrc: pd.DataFrame = None
    parts: pd.DataFrame = None
    noise: pd.DataFrame = None
    information: pd.DataFrame = None
    curves: pd.DataFrame = None
    lab: pd.DataFrame = None
    accuracy: pd.DataFrame = None
    sizes: dict = None
    thresholds: tuple = PRINTED_THRESHOLDS
    bins: int = None
    labelled: bool = True

    def table(self, name):
        """A table by name.

        Raises:
            Untestable: the study has none.
        """
        found = getattr(self, name)
        if found is None:
            raise Untestable(f"there is no table of {WORDS[name]}")
        return found

    def ours(self, *letters):
        """Our names of the paper's classifiers.

        Raises:
            Untestable: one of them is not in the study.
        """
        for letter in letters:
            if letter not in self.roles:
                raise Untestable(self.absent.get(letter) or missing(letter))
        return [self.roles[letter] for letter in letters]

    @property
    def classifiers(self):
        """Names of all the study's classifiers, in its order."""
        return list(dict.fromkeys(self.table("table1")["classifier"]))

    def clean(self, classifier, source, score="top1"):
        """Accuracy of Table 1 on ``original``, ``A_S`` or ``A_i``."""
        table = self.table("table1")
        return _one(table, score, classifier=classifier, input=source)

    def change(self, classifier, source, against="original", score="top1"):
        """Difference of two accuracies of Table 1; paired where the table has it."""
        table = self.table("table1")
        value = self.clean(classifier, source, score) - self.clean(
            classifier, against, score
        )
        if against != "original" or f"{score}_difference_low" not in table:
            return value
        paired = _one(table, f"{score}_difference", classifier=classifier, input=source)
        return Estimate(value.value, paired.low, paired.high)

    def cross(self, tuned, classifier):
        """Accuracy of a classifier on another's autoencoder: a cell of Table 2."""
        table = self.table("table2").set_index("autoencoder")
        value = float(table.loc[f"A_{tuned}", classifier])
        rows = self.accuracy
        if rows is None or "top1_low" not in rows:
            return Estimate(value)
        rows = rows[(rows["label"] == f"A_{tuned}") & (rows["strength"] == 0)]
        spread = _one(rows, "top1", classifier=classifier)
        return Estimate(value, spread.low, spread.high)

    def relation(self, tuned, classifier):
        """RRC of a pair."""
        return _one(
            self.table("rrc"), "rrc", autoencoder=f"A_{tuned}", classifier=classifier
        )

    @property
    def pairs(self):
        """Every (tuned, classifier) with two different names."""
        table = self.table("rrc")
        labels = table["autoencoder"].str.removeprefix("A_")
        return [
            (i, j) for i, j in zip(labels, table["classifier"], strict=True) if i != j
        ]

    def nmi(self, label, measure="intra"):
        """Mean nMI through a source, at the first bins."""
        table = self.table("information")
        bins = self.bins or table["bins"].iloc[0]
        return _one(table, "mean", "", label=label, measure=measure, bins=bins)

    def noisy(self, classifier, source):
        """Accuracies by noise strength, ascending: strength -> Estimate."""
        table = self.table("noise")
        rows = table[(table["classifier"] == classifier) & (table["input"] == source)]
        return {
            row["strength"]: _estimate(row, "top1")
            for _, row in rows.sort_values("strength").iterrows()
        }

    def lattice(self, threshold):
        """The lattice at a threshold, as ``lattice.build`` makes it."""
        return lattice.build(self.table("rrc"), threshold)

    def curve(self, corpus):
        """One pretraining's curve, by images seen.

        Raises:
            Untestable: fewer than three checks.
        """
        table = self.table("curves")
        rows = table[table["corpus"] == corpus].sort_values("images")
        if len(rows) < 3:
            raise Untestable(f"the curve on {corpus} has {len(rows)} checks, not three")
        return rows


WORDS = {
    "table1": "accuracies on originals, A_S and A_i",
    "table2": "cross-evaluation",
    "rrc": "RRC",
    "parts": "fine-tuned parts",
    "noise": "accuracies under noise",
    "information": "mutual information",
    "curves": "learning curves",
    "lab": "LAB histograms",
    "sizes": "the networks' numbers of parameters",
}
"""Table -> what it is of, in a sentence."""


def missing(letter):
    return f"the study has no classifier {letter} ({FAMILIES[letter][0]})"


def roles(architectures):
    """Which of our classifiers are the paper's: same letter, same family.

    Args:
        architectures: our name -> architecture, as the config names both.

    Returns:
        ``roles`` and ``absent`` of ``Tables``.
    """
    found, absent = {}, {}
    for letter, (family, beginnings) in FAMILIES.items():
        architecture = architectures.get(letter)
        if architecture is None:
            absent[letter] = missing(letter)
        elif architecture.startswith(beginnings):
            found[letter] = letter
        else:
            absent[letter] = f"our {letter} is {architecture}, no {family}"
    return found, absent


def _estimate(row, column, prefix=None):
    prefix = f"{column}_" if prefix is None else prefix
    low, high = row.get(f"{prefix}low", nan), row.get(f"{prefix}high", nan)
    return Estimate(float(row[column]), float(low), float(high))


def _one(table, column, prefix=None, **keys):
    """The estimate in the one row with these keys.

    Raises:
        Untestable: there is no such row.
    """
    rows = table
    for name, value in keys.items():
        rows = rows[rows[name] == value]
    if len(rows) != 1:
        place = ", ".join(f"{name} {value}" for name, value in keys.items())
        raise Untestable(f"the tables hold {len(rows)} rows for {place}, not one")
    return _estimate(rows.iloc[0], column, prefix)
