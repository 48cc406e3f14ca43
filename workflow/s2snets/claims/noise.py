"""Claims of section 3.3.2: accuracy under noise, of each kind that a study has."""

from itertools import pairwise

import numpy as np

from s2snets.claims.claim import Margins, Test
from s2snets.claims.evidence import Estimate, Tables, Untestable


def decay(tables: Tables) -> Margins:
    """Return by how much top-1 on originals falls from each strength to the next."""
    return {
        f"{name}, {kind}, s = {less:g} to {more:g}": curve[less] - curve[more]
        for kind in tables.noise_kinds
        for name in tables.classifiers
        for curve in [tables.noisy(kind, name, "original")]
        for less, more in pairwise(curve)
    }


def changes(
    tables: Tables, kind: str, name: str, source: str, against: str
) -> dict[float, Estimate]:
    """Return a classifier's top-1 on one source less that on another, by strength.

    Sources are named as Table 1 names inputs. Differences from the originals have
    paired intervals where the table has them.
    """
    after = tables.noisy(kind, name, source)
    before = tables.noisy(kind, name, against)
    values = {s: accuracy - before[s] for s, accuracy in after.items()}
    if against != "original" or "top1_difference_low" not in tables.table("noise"):
        return values
    paired = tables.noisy(kind, name, source, "top1_difference")
    return {
        s: Estimate(value.value, paired[s].low, paired[s].high)
        for s, value in values.items()
    }


def noisy_changes(
    source: str, against: str, *, sign: int = 1, clean: bool = False
) -> Test:
    """Return a test of ``changes`` of all classifiers, under every noise.

    Args:
        source: as Table 1 names inputs.
        against: likewise.
        sign: of the changes that agree with the paper.
        clean: whether strength 0 counts too.
    """
    return lambda tables: {
        f"{name}, {kind}, s = {strength:g}": change if sign > 0 else -change
        for kind in tables.noise_kinds
        for name in tables.classifiers
        for strength, change in changes(tables, kind, name, source, against).items()
        if clean or strength > 0
    }


def mean_gain(tables: Tables, kind: str, name: str) -> Estimate:
    """Return a classifier's mean gain in top-1 by A_i over all s > 0.

    The ends of its interval are means as well: of the same images at every strength,
    the gains are no independent numbers.
    """
    gains = changes(tables, kind, name, "A_i", "original")
    noisy = [(each.value, each.low, each.high) for s, each in gains.items() if s > 0]
    return Estimate(*np.mean(noisy, axis=0).tolist())


def alexnet_gains_most(tables: Tables) -> Margins:
    """Return by how much AlexNet's mean gain exceeds every other classifier's."""
    alexnet, others = tables.ours_and_others("A")
    return {
        f"{name}, {kind}": mean_gain(tables, kind, alexnet)
        - mean_gain(tables, kind, name)
        for kind in tables.noise_kinds
        for name in others
    }


def accuracy_at(
    tables: Tables, kind: str, name: str, source: str, strength: float
) -> Estimate:
    """Return the accuracy at one strength of noise.

    Raises:
        Untestable: it was not measured.
    """
    curve = tables.noisy(kind, name, source)
    if strength not in curve:
        raise Untestable(f"accuracy at s = {strength:g} was not measured")
    return curve[strength]


def alexnet_falls_below_lenet(tables: Tables) -> Margins:
    """Return AlexNet's lead on originals without noise, and LeNet-5's at s = 0.3."""
    alexnet, lenet = tables.ours("A", "L")
    margins: Margins = {}
    for kind in tables.noise_kinds:
        clean, noisy = (
            accuracy_at(tables, kind, alexnet, "original", s)
            - accuracy_at(tables, kind, lenet, "original", s)
            for s in (0, 0.3)
        )
        margins |= {f"A less L, {kind}, s = 0": clean}
        margins |= {f"L less A, {kind}, s = 0.3": -noisy}
    return margins


def alexnet_remains_above_lenet(tables: Tables) -> Margins:
    """Return the lead at s = 0.3 of AlexNet on A_A over LeNet-5 on originals."""
    alexnet, lenet = tables.ours("A", "L")
    return {
        f"A with A_A less L, {kind}": accuracy_at(tables, kind, alexnet, "A_i", 0.3)
        - accuracy_at(tables, kind, lenet, "original", 0.3)
        for kind in tables.noise_kinds
    }


TESTS: dict[str, Test] = {
    "accuracy-decays-with-noise": decay,
    "pretrained-worsens-noise": noisy_changes("A_S", "original", sign=-1),
    "finetuned-resist-noise": noisy_changes("A_i", "original", clean=True),
    "finetuned-resist-more-than-pretrained": noisy_changes("A_i", "A_S"),
    "alexnet-gains-most-under-noise": alexnet_gains_most,
    "alexnet-falls-below-lenet": alexnet_falls_below_lenet,
    "own-autoencoder-keeps-alexnet-above": alexnet_remains_above_lenet,
}
