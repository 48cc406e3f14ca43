"""Claims of section 3.3.2: accuracy under noise."""

from itertools import pairwise

import numpy as np

from s2snets.claims.claim import Margins, Test, exceeds_others
from s2snets.claims.evidence import Estimate, Tables, Untestable


def decay(tables: Tables) -> Margins:
    """Return by how much top-1 on originals falls from each strength to the next."""
    return {
        f"{name}, s = {less:g} to {more:g}": curve[less] - curve[more]
        for name in tables.classifiers
        for curve in [tables.noisy(name, "original")]
        for less, more in pairwise(curve)
    }


def noisy_differences(
    tables: Tables, names: list[str], better: str, worse: str, *, clean: bool = False
) -> Margins:
    """Return accuracy on one source less that on another, at every strength.

    Args:
        tables: of the study.
        names: of classifiers.
        better: source, as Table 1 names inputs.
        worse: likewise.
        clean: whether strength 0 counts too.
    """
    return {
        f"{name}, s = {strength:g}": accuracy - low[strength]
        for name in names
        for high, low in [(tables.noisy(name, better), tables.noisy(name, worse))]
        for strength, accuracy in high.items()
        if clean or strength > 0
    }


def resists_more(better: str, worse: str, *, clean: bool = False) -> Test:
    """Return a test of ``noisy_differences`` of all classifiers."""
    return lambda tables: noisy_differences(
        tables, tables.classifiers, better, worse, clean=clean
    )


def mean_gain(tables: Tables, name: str) -> Estimate:
    """Return a classifier's mean gain in top-1 by A_i over all s > 0."""
    gains = noisy_differences(tables, [name], "A_i", "original")
    return Estimate(float(np.mean([gain.value for gain in gains.values()])))


def accuracy_at(tables: Tables, name: str, source: str, strength: float) -> Estimate:
    """Return the accuracy at one strength of noise.

    Raises:
        Untestable: it was not measured.
    """
    curve = tables.noisy(name, source)
    if strength not in curve:
        raise Untestable(f"accuracy at s = {strength:g} was not measured")
    return curve[strength]


def alexnet_falls_below_lenet(tables: Tables) -> Margins:
    """Return AlexNet's lead on originals without noise, and LeNet-5's at s = 0.3."""
    alexnet, lenet = tables.ours("A", "L")
    gap = {
        s: accuracy_at(tables, alexnet, "original", s)
        - accuracy_at(tables, lenet, "original", s)
        for s in (0, 0.3)
    }
    return {"A less L, s = 0": gap[0], "L less A, s = 0.3": -gap[0.3]}


def alexnet_remains_above_lenet(tables: Tables) -> Margins:
    """Return the lead at s = 0.3 of AlexNet on A_A over LeNet-5 on originals."""
    alexnet, lenet = tables.ours("A", "L")
    gap = accuracy_at(tables, alexnet, "A_i", 0.3) - accuracy_at(
        tables, lenet, "original", 0.3
    )
    return {"A with A_A less L": gap}


TESTS: dict[str, Test] = {
    "accuracy-decays-with-noise": decay,
    "pretrained-worsens-noise": resists_more("original", "A_S"),
    "finetuned-resist-noise": resists_more("A_i", "original", clean=True),
    "finetuned-resist-more-than-pretrained": resists_more("A_i", "A_S"),
    "alexnet-gains-most-under-noise": exceeds_others("A", mean_gain, prefix=""),
    "alexnet-falls-below-lenet": alexnet_falls_below_lenet,
    "own-autoencoder-keeps-alexnet-above": alexnet_remains_above_lenet,
}
