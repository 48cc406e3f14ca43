"""Every number in print that a study gives too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil, floor

import numpy as np

from s2snets.claims.claim import DIGITS
from s2snets.claims.evidence import FAMILIES, Estimate, Tables
from s2snets.measure import lattice

Value = Callable[[Tables], Estimate]


@dataclass(frozen=True)
class PrintedNumber:
    """A number in print.

    Attributes:
        statement: what it is.
        value: a study's tables -> estimate, in the unit of the print.
        places: decimals in print.
        paper: as printed; None: what the printed tables give, where the text slips.
    """

    id: str
    section: str
    statement: str
    value: Value
    places: int
    paper: float | None = None


def printed_numbers(printed: Tables) -> list[PrintedNumber]:
    """Return every number in print that a study gives too.

    Args:
        printed: tables of the paper itself, as ``printed_tables`` returns them.
    """
    letters = printed.classifiers
    table1 = product(letters, ("top1", "top5"), ("original", "A_S", "A_i"))
    return [
        *(number for row in table1 for number in _of_table1(*row)),
        *(
            PrintedNumber(
                f"table-2-{i}-{j}", "3.4", f"top-1 of {j} on A_{i}",
                _of_pair(Tables.cross, i, j), 4,
            )
            for i, j in product(letters, letters)
        ),
        *(
            PrintedNumber(
                f"figure-6-{i}-{j}", "3.4", f"RRC(A_{i}∘{j}), of the printed Table 2",
                _of_pair(Tables.relation, i, j), 4,
            )
            for i, j in printed.pairs
        ),
        *(
            PrintedNumber(
                f"figure-7{panel}-concepts", "3.4",
                f"concepts of the lattice at t = {t}", _concepts(t), 0, size,
            )
            for panel, t, size in zip(
                "abcd", (0.1, 0.2, 0.8, 0.9), (2, 4, 5, 6), strict=True
            )
        ),
        *(
            PrintedNumber(
                f"interval-{t}-{side}", "3.4",
                f"{word} end of the interval of t around {t}, cut inwards{note}",
                _interval_end(t, side), 2, paper,
            )
            for t, side, word, paper, note in INTERVAL_ENDS
        ),
        *TEXT,
    ]  # fmt: skip


def _of_table1(letter: str, score: str, source: str) -> Iterator[PrintedNumber]:
    """Yield an accuracy of Table 1, and its difference from originals."""
    name = f"table-1-{letter}-{source.lower().replace('_', '')}-{score}"
    what = f"{score.replace('top', 'top-')} of {letter} on {source}"

    def accuracy(tables: Tables) -> Estimate:
        return tables.clean(tables.ours(letter)[0], source, score) * 100

    def change(tables: Tables) -> Estimate:
        return tables.change(tables.ours(letter)[0], source, score=score) * 100

    yield PrintedNumber(name, "3.3", f"{what}, percent", accuracy, 2)
    if source != "original":
        slip = (letter, source, score) == ("L", "A_i", "top5")
        what += f" less originals, points{MISPRINT if slip else ''}"
        yield PrintedNumber(f"{name}-difference", "3.3", what, change, 2)


MISPRINT = " (printed +3.61, a misprint of +3.16)"


def _of_pair(measure: Callable[[Tables, str, str], Estimate], i: str, j: str) -> Value:
    """Return a measure of A_i and classifier j, both the paper's letters."""

    def value(tables: Tables) -> Estimate:
        tuned, classifier = tables.ours(i, j)
        return measure(tables, tuned, classifier)

    return value


def _concepts(threshold: float) -> Value:
    """Return the number of concepts of the lattice at a threshold."""

    def concepts(tables: Tables) -> Estimate:
        tables.ours(*FAMILIES)
        return Estimate(len(tables.lattice(threshold)["concepts"]))

    return concepts


INTERVAL_ENDS = (
    (0.2, "low", "lower", 0.17, ""),
    (0.2, "high", "upper", 0.52, ""),
    (0.8, "low", "lower", None, " (printed 0.66, a misprint of 0.64)"),
    (0.8, "high", "upper", 0.84, ""),
)
"""Of the intervals of t that give the same lattice."""


def _interval_end(threshold: float, side: str) -> Value:
    """Return one end of the interval around a threshold, cut inwards."""

    def end(tables: Tables) -> Estimate:
        tables.ours(*FAMILIES)
        low, high = lattice.interval(tables.table("rrc"), threshold)
        cut = ceil(100 * low) if side == "low" else floor(100 * high)
        return Estimate(cut / 100)

    return end


def _loss(pick: Callable[[list[float]], float]) -> Value:
    """Return the least or greatest loss of top-1 by A_S, points, cut."""

    def cut(tables: Tables) -> Estimate:
        costs = [-tables.change(j, "A_S").value for j in tables.ours(*FAMILIES)]
        return Estimate(floor(1000 * pick(costs) + DIGITS) / 10)

    return cut


def _images_processed(corpus: str) -> Value:
    """Return the number of images in one pretraining, million."""

    def processed(tables: Tables) -> Estimate:
        curves = tables.table("curves")
        return Estimate(curves.loc[curves["corpus"] == corpus, "images"].max() / 1e6)

    return processed


def _inter_pairs(tables: Tables) -> Estimate:
    """Return the number of pairs of images for inter nMI."""
    table = tables.table("information")
    return Estimate(int(table[table["measure"] == "inter"]["images"].max()))


PAIRS = "AV RL AL RV LV AR IL IA IR IV VL LA RA VA AI RI VR VI LI LR"
"""Figure 6: autoencoder and classifier, by rising RRC."""


def _ascending_pairs(tables: Tables) -> Estimate:
    """Return how many neighbours in Figure 6's order have the higher RRC."""
    names = dict(zip(FAMILIES, tables.ours(*FAMILIES), strict=True))
    pairs = [(names[pair[0]], names[pair[1]]) for pair in PAIRS.split()]
    rates = [tables.relation(i, j).value for i, j in pairs]
    return Estimate(sum(low < high for low, high in pairwise(rates)))


def _moving_pairs(tables: Tables) -> Estimate:
    """Return how many RRC from 0.2 to 0.8 are of other autoencoders than A_I."""
    (inception,) = tables.ours("I")
    rates = [tables.relation(i, j).value for i, j in tables.pairs if i != inception]
    return Estimate(sum(0.2 <= rate <= 0.8 for rate in rates))


def _gap_rank(threshold: float) -> Value:
    """Return the rank by width of the gap in RRC up to 1 that holds a threshold."""

    def rank(tables: Tables) -> Estimate:
        values = np.unique(tables.table("rrc")["rrc"])
        gaps = list(pairwise((0.0, *values[values <= 1])))
        width = sum(high - low for low, high in gaps if low < threshold <= high)
        return Estimate(1 + sum(high - low > width for low, high in gaps))

    return rank


TEXT = (
    PrintedNumber(
        "figure-6-ascending", "3.4",
        "neighbours in Figure 6's order of 20 pairs that ascend",
        _ascending_pairs, 0, 19,
    ),
    PrintedNumber(
        "moving-pairs", "3.4", "RRC from 0.2 to 0.8 of other autoencoders than A_I",
        _moving_pairs, 0, 0,
    ),
    *(
        PrintedNumber(
            f"gap-rank-{t}", "3.4", f"rank by width of the gap in RRC around t = {t}",
            _gap_rank(t), 0,
        )
        for t in (0.2, 0.8)
    ),
    PrintedNumber(
        "least-cost-of-pretrained", "3.3", "least loss of top-1 by A_S, points, cut",
        _loss(min), 1, 1.2,
    ),
    PrintedNumber(
        "greatest-cost-of-pretrained", "3.3",
        "greatest loss of top-1 by A_S, points, cut", _loss(max), 1, 3.7,
    ),
    PrintedNumber(
        "photographs-seen", "3.2", "images of YFCC100m in pretraining, million",
        _images_processed("photos"), 1, 92.1,
    ),
    PrintedNumber(
        "labelled-seen", "3.2", "images of ImageNet in pretraining, million",
        _images_processed("labelled"), 1, 92.2,
    ),
    PrintedNumber(
        "validation-images", "3.5", "images of the validation set",
        lambda tables: Estimate(int(tables.table("table1")["images"].max())), 0, 50000,
    ),
    PrintedNumber(
        "inter-pairs", "3.5", "pairs of images for inter nMI", _inter_pairs, 0, 25000
    ),
)  # fmt: skip
"""Numbers that are in the text alone."""
