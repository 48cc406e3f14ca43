"""Estimates with intervals, and the tables of a study that claims are tested on."""

from dataclasses import dataclass, field
from math import hypot, isnan, nan
from typing import Any

import numpy as np
import pandas as pd

from s2snets.config.depth import TRAINED
from s2snets.measure import lattice

PRINTED_THRESHOLDS = (0.1, 0.2, 0.8, 0.9)
"""Of Figure 7's four lattices."""

FAMILIES = {
    "L": ("LeNet-5", ("lenet5",)),
    "A": ("AlexNet", ("small_alexnet", "torchvision/alexnet")),
    "V": ("VGG16 with batch normalisation", ("small_vgg", "torchvision/vgg16_bn")),
    "I": ("Inception v3", ("small_inception", "torchvision/inception_v3")),
    "R": ("ResNet-50", ("small_resnet", "torchvision/resnet50")),
}
"""The paper's letter -> its network, the architectures that stand for it."""

TABLES_IN_WORDS = {
    "table1": "accuracies on originals, A_S and A_i",
    "table2": "cross-evaluation",
    "rrc": "RRC",
    "parts": "fine-tuned parts",
    "noise": "accuracies under noise",
    "information": "mutual information",
    "curves": "learning curves",
    "colors": "colours",
    "depth": "signal by depth",
    "sizes": "the networks' numbers of parameters",
}


class Untestable(Exception):
    """An error of a claim that the study cannot test; the message says why."""


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval; an interval that was not computed is nan.

    One of a single training, which another could contradict, has no bounds (inf).

    Sums and differences combine intervals as if the estimates were independent
    (Zou & Donner 2008). Ours mostly share their images, so that their intervals are
    too wide rather than too narrow.
    """

    value: float
    low: float = nan
    high: float = nan

    def __neg__(self) -> "Estimate":
        """Return the negative; the ends of its interval swap places."""
        return Estimate(-self.value, -self.high, -self.low)

    def __add__(self, other: "Estimate | float") -> "Estimate":
        """Return the sum with an independent estimate or an exact number."""
        if not isinstance(other, Estimate):
            return Estimate(self.value + other, self.low + other, self.high + other)
        value = self.value + other.value
        down = hypot(self.value - self.low, other.value - other.low)
        up = hypot(self.high - self.value, other.high - other.value)
        return Estimate(value, value - down, value + up)

    def __sub__(self, other: "Estimate | float") -> "Estimate":
        """Return the difference from an estimate or an exact number."""
        return self + -other

    def __rsub__(self, other: float) -> "Estimate":
        """Return the difference of an exact number from this one."""
        return -self + other

    def __mul__(self, positive: float) -> "Estimate":
        """Return the product with a positive number."""
        return Estimate(
            self.value * positive, self.low * positive, self.high * positive
        )

    @property
    def bounded(self) -> bool:
        """Whether it has an interval."""
        return not (isnan(self.low) or isnan(self.high))


@dataclass(frozen=True)
class Tables:
    """The tables of one study, and which of its networks are the paper's.

    Every table is as its CSV: accuracies in [0, 1], classifiers under the study's own
    names; None where there is none. Columns ``NAME_low`` and ``NAME_high`` (``low`` and
    ``high`` in ``information``) are used wherever they stand.

    Attributes:
        roles: the paper's letter -> the study's name of a classifier of that family.
        absent: the paper's letter -> why the study has no such classifier.
        sizes: the study's name -> the classifier's number of parameters.
        thresholds: of Figure 7's four lattices.
        bins: of nMI, Figure 9's.
        labelled: whether accuracies are accuracies, not agreement with predictions.
        settled: claim's id -> why the study's design settles it (see
            ``settled_by_design``).
        samples: RRC of resampled images (B, N, N): A_i in row i, None: none.
    """

    roles: dict[str, str]
    absent: dict[str, str] = field(default_factory=dict)
    table1: pd.DataFrame | None = None
    table2: pd.DataFrame | None = None
    rrc: pd.DataFrame | None = None
    parts: pd.DataFrame | None = None
    noise: pd.DataFrame | None = None
    information: pd.DataFrame | None = None
    curves: pd.DataFrame | None = None
    colors: pd.DataFrame | None = None
    accuracy: pd.DataFrame | None = None
    depth: pd.DataFrame | None = None
    sizes: dict[str, float] | None = None
    thresholds: tuple[float, ...] = PRINTED_THRESHOLDS
    bins: int | None = None
    labelled: bool = True
    settled: dict[str, str] = field(default_factory=dict)
    samples: np.ndarray | None = None
    _arrays: dict[str, dict[str, np.ndarray]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by name.

        Raises:
            Untestable: the study has none.
        """
        table = getattr(self, name)
        if table is None:
            raise Untestable(f"there is no table of {TABLES_IN_WORDS[name]}")
        return table

    def places(self, name: str, **keys: str | float) -> np.ndarray:
        """Return the positions of a table's rows with these keys."""
        columns = self._columns(name)
        chosen = [columns[column] == value for column, value in keys.items()]
        return np.flatnonzero(np.logical_and.reduce(chosen))

    def estimates(
        self, name: str, places: np.ndarray, column: str, prefix: str | None = None
    ) -> list[Estimate]:
        """Return the estimates in some rows; names of bounds begin with the prefix."""
        stem = f"{column}_" if prefix is None else prefix
        columns = self._columns(name)
        ends = [
            columns[end][places] if end in columns else [nan] * len(places)
            for end in (column, f"{stem}low", f"{stem}high")
        ]
        return [Estimate(*map(float, each)) for each in zip(*ends, strict=True)]

    def estimate(
        self, name: str, column: str, prefix: str | None = None, **keys: str | float
    ) -> Estimate:
        """Return the estimate in the one row of a table with these keys.

        Raises:
            Untestable: there is no such row.
        """
        places = self.places(name, **keys)
        if len(places) != 1:
            place = ", ".join(f"{key} {value}" for key, value in keys.items())
            raise Untestable(f"the tables hold {len(places)} rows for {place}, not one")
        return self.estimates(name, places, column, prefix)[0]

    def _columns(self, name: str) -> dict[str, np.ndarray]:
        """Return a table as arrays, in which rows are found quickly."""
        if name not in self._arrays:
            table = self.table(name)
            self._arrays[name] = {
                str(each): column.to_numpy() for each, column in table.items()
            }
        return self._arrays[name]

    def size(self, classifier: str) -> float:
        """Return a classifier's number of parameters.

        Raises:
            Untestable: the sizes are not known.
        """
        if self.sizes is None:
            raise Untestable(f"there is no table of {TABLES_IN_WORDS['sizes']}")
        return self.sizes[classifier]

    def ours(self, *letters: str) -> list[str]:
        """Return the study's names of the paper's classifiers.

        Raises:
            Untestable: one of them is not in the study.
        """
        for letter in letters:
            if letter not in self.roles:
                raise Untestable(self.absent.get(letter) or missing(letter))
        return [self.roles[letter] for letter in letters]

    def ours_and_others(self, letter: str) -> tuple[str, list[str]]:
        """Return the study's name of one classifier, and those of all others in it.

        Raises:
            Untestable: the classifier is not in the study.
        """
        (ours,) = self.ours(letter)
        return ours, [name for name in self.classifiers if name != ours]

    @property
    def classifiers(self) -> list[str]:
        """Names of all the study's classifiers, in its order."""
        return list(dict.fromkeys(self.table("table1")["classifier"]))

    def clean(self, classifier: str, source: str, score: str = "top1") -> Estimate:
        """Return the accuracy of Table 1 on ``original``, ``A_S`` or ``A_i``."""
        return self.estimate("table1", score, classifier=classifier, input=source)

    def change(
        self,
        classifier: str,
        source: str,
        against: str = "original",
        score: str = "top1",
    ) -> Estimate:
        """Return the difference of two accuracies of Table 1, paired if it is there."""
        value = self.clean(classifier, source, score) - self.clean(
            classifier, against, score
        )
        column = f"{score}_difference"
        if against != "original" or f"{column}_low" not in self.table("table1"):
            return value
        paired = self.estimate("table1", column, classifier=classifier, input=source)
        return Estimate(value.value, paired.low, paired.high)

    def cross(self, tuned: str, classifier: str) -> Estimate:
        """Return the accuracy of a classifier on another's autoencoder (Table 2)."""
        value = self.estimate("table2", classifier, autoencoder=f"A_{tuned}").value
        if self.accuracy is None:
            return Estimate(value)
        spread = self.estimate(
            "accuracy",
            "top1",
            label=f"A_{tuned}",
            classifier=classifier,
            strength=0.0,
        )
        return Estimate(value, spread.low, spread.high)

    def relation(self, tuned: str, classifier: str) -> Estimate:
        """Return the RRC of a pair."""
        return self.estimate(
            "rrc", "rrc", autoencoder=f"A_{tuned}", classifier=classifier
        )

    def corrected_relation(self, tuned: str, classifier: str) -> Estimate:
        """Return the chance-corrected RRC of a pair.

        Raises:
            Untestable: one of both guesses with its own autoencoder.
        """
        rate = self.estimate(
            "rrc", "rrc_corrected", autoencoder=f"A_{tuned}", classifier=classifier
        )
        if isnan(rate.value):
            raise Untestable(
                f"{tuned} or {classifier} guesses with its own autoencoder"
            )
        return rate

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Every (tuned, classifier) with two different names."""
        table = self.table("rrc")
        tuned = table["autoencoder"].str.removeprefix("A_")
        return [
            (i, j) for i, j in zip(tuned, table["classifier"], strict=True) if i != j
        ]

    def nmi(self, label: str, measure: str = "intra") -> Estimate:
        """Return the mean nMI through a source, at the first number of bins."""
        bins = self.bins or int(self.table("information")["bins"].iloc[0])
        return self.estimate(
            "information", "mean", "", label=label, measure=measure, bins=bins
        )

    def color(self, label: str, measure: str, channel: str) -> Estimate:
        """Return a source's mean colour, or distance from the originals'."""
        return self.estimate(
            "colors", "value", "", label=label, measure=measure, channel=channel
        )

    def depth_profiles(self) -> dict[str, list[Estimate]]:
        """Return nMI by depth of each network with its own weights, the input first."""
        table = self.table("depth")
        own = table[(table["weights"] == TRAINED) & (table["measure"] == "nmi")]
        own = own[own["depth"].notna()].sort_values("depth", kind="stable")
        return {
            str(name): [Estimate(*row) for row in rows[["mean", "low", "high"]].values]
            for name, rows in own.groupby("classifier", sort=False)
        }

    @property
    def noise_kinds(self) -> list[str]:
        """Kinds of noise that accuracies were measured under."""
        return list(dict.fromkeys(self.table("noise")["noise"]))

    def noisy(
        self, kind: str, classifier: str, source: str, column: str = "top1"
    ) -> dict[float, Estimate]:
        """Return accuracies under one kind of noise by strength, ascending."""
        places = self.places("noise", noise=kind, classifier=classifier, input=source)
        strengths = self._columns("noise")["strength"][places]
        order = np.argsort(strengths)
        estimates = self.estimates("noise", places[order], column)
        return dict(zip(strengths[order].tolist(), estimates, strict=True))

    def lattice(self, threshold: float) -> dict[str, Any]:
        """Return the lattice at a threshold, as ``build_lattice`` makes it."""
        return lattice.build_lattice(self.table("rrc"), threshold)

    def curve(self, corpus: str, seed: int) -> pd.DataFrame:
        """Return the curve of one pretraining, by images processed.

        Raises:
            Untestable: fewer than three checks.
        """
        table = self.table("curves")
        chosen = (table["corpus"] == corpus) & (table["seed"] == seed)
        rows = table[chosen].sort_values("images")
        if len(rows) < 3:
            raise Untestable(f"the curve on {corpus} has {len(rows)} checks, not three")
        return rows


def missing(letter: str) -> str:
    """Return the sentence for a classifier of the paper that a study lacks."""
    return f"the study has no classifier {letter} ({FAMILIES[letter][0]})"
