"""Claims of section 3.4 on RRC and the concept lattices."""

from itertools import pairwise

import numpy as np

from s2snets.claims.claim import (
    DIGITS,
    Margins,
    Test,
    exceeds_others,
    rates_above,
    rates_below,
    rates_outside,
)
from s2snets.claims.evidence import FAMILIES, Estimate, Tables

PAIRS = "AV RL AL RV LV AR IL IA IR IV VL LA RA VA AI RI VR VI LI LR"
"""Figure 6: autoencoder and classifier, by rising RRC."""


def printed_order(tables: Tables) -> Margins:
    """Return differences of RRC between neighbours in Figure 6's order."""
    ours = dict(zip(FAMILIES, tables.ours(*FAMILIES), strict=True))
    order = [(ours[pair[0]], ours[pair[1]]) for pair in PAIRS.split()]
    return {
        f"A_{a} on {b} before A_{c} on {d}": tables.relation(c, d)
        - tables.relation(a, b)
        for (a, b), (c, d) in pairwise(order)
    }


def thresholds_in_largest_gaps(tables: Tables) -> Margins:
    """Return how much wider the gaps around 0.2 and 0.8 are than all others."""
    values = np.unique(tables.table("rrc")["rrc"])
    gaps = list(pairwise(values[values <= 1]))
    around = {t: next((g for g in gaps if g[0] < t <= g[1]), None) for t in (0.2, 0.8)}
    rest = max((b - a for a, b in gaps if (a, b) not in around.values()), default=0.0)
    if len(set(around.values())) < len(around):
        return {"0.2 and 0.8 lie in the same gap, or outside": Estimate(-rest)}
    return {
        f"t = {t}": Estimate((gap[1] - gap[0] if gap else 0.0) - rest)
        for t, gap in around.items()
    }


def lattices_are_chains(tables: Tables) -> Margins:
    """Return widths of all intervals of t in [0.2, 0.8], negative where no chain is."""
    low, high = 0.2, 0.8
    inside = tables.table("rrc")["rrc"]
    thresholds = sorted({low, high, *inside[(inside > low) & (inside < high)]})
    margins = {}
    for threshold in thresholds:
        lattice = tables.lattice(threshold)
        start, end = max(low, lattice["low"]), min(high, lattice["high"])
        sign = 1 if lattice["chain"] else -1
        label = f"t in ({start:.3g}, {end:.3g}]"
        margins[label] = Estimate(sign * max(end - start, DIGITS))
    return margins


def vgg_is_similar_to_resnet(tables: Tables) -> Margins:
    """Return ResNet's lead over VGG on originals, and 5 points less that lead."""
    vgg, resnet = tables.ours("V", "R")
    gap = tables.clean(resnet, "original") - tables.clean(vgg, "original")
    return {"R less V": gap, "5 points less the gap": 0.05 - gap}


def least_rate(tables: Tables, i: str) -> Estimate:
    """Return the least RRC of A_i with other classifiers."""
    rates = [tables.relation(i, j) for j in tables.classifiers if j != i]
    return min(rates, key=lambda rate: rate.value)


def panel_order(position: int, is_chain: bool) -> Test:
    """Return a test that one of Figure 7's lattices is a chain, or that it is none."""

    def test(tables: Tables) -> Margins:
        threshold = tables.thresholds[position]
        lattice = tables.lattice(threshold)
        width = max(lattice["high"] - lattice["low"], DIGITS)
        label = f"t = {threshold:g}, {len(lattice['concepts'])} concepts"
        return {label: Estimate(width if lattice["chain"] == is_chain else -width)}

    return test


TESTS: dict[str, Test] = {
    "order-of-pairs": printed_order,
    "thresholds-lie-in-largest-gaps": thresholds_in_largest_gaps,
    "lower-interval-is-constant": rates_outside(0.17, 0.52),
    "upper-interval-is-constant": rates_outside(0.66, 0.84),
    "lattices-are-chains": lattices_are_chains,
    "only-inception-changes": rates_outside(0.2, 0.8, except_autoencoder="I"),
    "resnet-signal-starves-vgg-and-lenet": rates_below(0.1, "R", "VL"),
    "vgg-performs-like-resnet": vgg_is_similar_to_resnet,
    "vgg-signal-feeds-resnet": lambda tables: {
        "A_V on R": tables.relation(*tables.ours("V", "R")) - 0.9
    },
    "inception-shares-half": rates_above(0.5, "I"),
    "inception-keeps-half": rates_below(0.8, "I"),
    "vgg-signal-feeds-all": rates_above(0.8, "V"),
    "vgg-uses-most": exceeds_others("V", least_rate),
    "common-portion": rates_above(0.0),
    "common-portion-is-small": rates_below(0.1, "R"),
    "figure-7a-order": panel_order(0, True),
    "figure-7b-order": panel_order(1, True),
    "figure-7c-order": panel_order(2, True),
    "figure-7d-order": panel_order(3, False),
}
