"""Claims in words, and tests that several sections of the paper share."""

from collections.abc import Callable
from dataclasses import dataclass

from s2snets.claims.evidence import Estimate, Tables

DIGITS = 1e-9  # rounding of sums of decimals

Margins = dict[str, Estimate]
"""Label of a comparison -> its margin, positive where the paper is right."""

Test = Callable[[Tables], Margins]
"""A claim's test on a study's tables; it raises ``Untestable``."""


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper and its test.

    Attributes:
        statement: what the paper says.
        how: how the test decides, in words.
        required: how many comparisons must agree: all, most or some.
        unit: of the margins; points are percentage points.
        zero_agrees: whether a margin of 0 agrees.
        needs_labels: whether it speaks of accuracies that agreement cannot stand for.
        test: returns the margins of all comparisons.
    """

    id: str
    section: str
    statement: str
    how: str
    required: str
    unit: str
    zero_agrees: bool
    needs_labels: bool
    test: Test


def accuracy_gains(source: str, against: str = "original", score: str = "top1") -> Test:
    """Return a test that each classifier gains accuracy by a source of pixels."""
    return lambda tables: {
        name: tables.change(name, source, against, score) for name in tables.classifiers
    }


def accuracy_losses(source: str, score: str = "top1") -> Test:
    """Return a test that each classifier loses accuracy, compared with originals."""
    return lambda tables: {
        name: -tables.change(name, source, score=score) for name in tables.classifiers
    }


def exceeds_others(
    letter: str, quantity: Callable[[Tables, str], Estimate], prefix: str = "A_"
) -> Test:
    """Return a test that a quantity of one classifier is above that of every other.

    Args:
        letter: the paper's.
        quantity: a study's tables and its name of a classifier -> estimate.
        prefix: of the comparisons' labels, before the other one's name.
    """

    def test(tables: Tables) -> Margins:
        ours, others = tables.ours_and_others(letter)
        greatest = quantity(tables, ours)
        return {f"{prefix}{name}": greatest - quantity(tables, name) for name in others}

    return test


def margins_of_pairs(
    margin: Callable[[Tables, str, str], Estimate], autoencoder: str, classifiers: str
) -> Test:
    """Return a test of each pair (i, j) that ``select_pairs`` selects."""
    return lambda tables: {
        label: margin(tables, *pair)
        for label, pair in select_pairs(tables, autoencoder, classifiers).items()
    }


def rates_above(limit: float, autoencoder: str = "", classifiers: str = "") -> Test:
    """Return a test that RRC(A_i∘j), as ``select_pairs`` selects, exceeds a limit."""
    return margins_of_pairs(
        lambda tables, i, j: tables.relation(i, j) - limit, autoencoder, classifiers
    )


def rates_below(limit: float, autoencoder: str = "", classifiers: str = "") -> Test:
    """Return a test that RRC(A_i∘j), as ``select_pairs`` selects, is below a limit."""
    return margins_of_pairs(
        lambda tables, i, j: limit - tables.relation(i, j), autoencoder, classifiers
    )


def signal_above(limit: float, autoencoder: str = "", classifiers: str = "") -> Test:
    """Return a test as ``rates_above``, of RRC corrected for chance."""
    return margins_of_pairs(
        lambda tables, i, j: tables.corrected_relation(i, j) - limit,
        autoencoder,
        classifiers,
    )


def signal_below(limit: float, autoencoder: str = "", classifiers: str = "") -> Test:
    """Return a test as ``rates_below``, of RRC corrected for chance."""
    return margins_of_pairs(
        lambda tables, i, j: limit - tables.corrected_relation(i, j),
        autoencoder,
        classifiers,
    )


def select_pairs(
    tables: Tables, autoencoder: str, classifiers: str
) -> dict[str, tuple[str, str]]:
    """Return pairs (i, j) by a label.

    Args:
        tables: of the study.
        autoencoder: the paper's letter of i; empty: all pairs i ≠ j.
        classifiers: letters of j; empty: all others than i.
    """
    if not autoencoder:
        return {f"A_{i} on {j}": (i, j) for i, j in tables.pairs}
    if classifiers:
        tuned, *names = tables.ours(autoencoder, *classifiers)
    else:
        tuned, names = tables.ours_and_others(autoencoder)
    return {name: (tuned, name) for name in names}
