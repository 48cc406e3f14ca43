"""Claims of section 3.4 on RRC and the concept lattices."""

from s2snets.claims.claim import (
    DIGITS,
    Margins,
    Test,
    exceeds_others,
    rates_above,
    rates_below,
    signal_above,
    signal_below,
)
from s2snets.claims.evidence import PRINTED_THRESHOLDS, Estimate, Tables
from s2snets.measure import lattice

RARE = 0.025
"""Share of resamples below which an outcome is excluded: a 95 % interval's tails."""


def chain_margins(tables: Tables, spans: dict[str, tuple[float, float]]) -> Margins:
    """Return widths, negative where the lattice at a threshold is no chain.

    An interval holds both signs where resampled images give both.

    Args:
        tables: of the study.
        spans: label -> the threshold, and the width of its interval.
    """
    thresholds = [threshold for threshold, _ in spans.values()]
    rows = lattice.chains(tables.table("rrc"), thresholds, tables.samples)
    margins = {}
    for (label, (_, width)), chain, share in zip(
        spans.items(), rows["chain"], rows["share"], strict=True
    ):
        width = max(width, DIGITS)
        value = width if chain else -width
        low = -width if share <= 1 - RARE else width
        high = width if share >= RARE else -width
        margins[label] = Estimate(value, low, high) if share >= 0 else Estimate(value)
    return margins


def lattices_are_chains(tables: Tables) -> Margins:
    """Return widths of all intervals of t in [0.2, 0.8], negative where no chain is."""
    low, high = 0.2, 0.8
    rrc = tables.table("rrc")
    inside = rrc["rrc"][(rrc["rrc"] > low) & (rrc["rrc"] < high)]
    spans = {}
    for threshold in sorted({low, high, *inside}):
        below, above = lattice.interval(rrc, threshold)
        start, end = max(low, below), min(high, above)
        spans[f"t in ({start:.3g}, {end:.3g}]"] = threshold, end - start
    return chain_margins(tables, spans)


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
        threshold = PRINTED_THRESHOLDS[position]
        low, high = lattice.interval(tables.table("rrc"), threshold)
        margins = chain_margins(tables, {f"t = {threshold:g}": (threshold, high - low)})
        return {label: one if is_chain else -one for label, one in margins.items()}

    return test


TESTS: dict[str, Test] = {
    "lattices-are-chains": lattices_are_chains,
    "resnet-signal-starves-vgg-and-lenet": signal_below(0.1, "R", "VL"),
    "vgg-performs-like-resnet": vgg_is_similar_to_resnet,
    "vgg-signal-feeds-resnet": lambda tables: {
        "A_V on R": tables.relation(*tables.ours("V", "R")) - 0.9
    },
    "inception-shares-half": rates_above(0.5, "I"),
    "inception-keeps-half": rates_below(0.8, "I"),
    "vgg-signal-feeds-all": rates_above(0.8, "V"),
    "vgg-uses-most": exceeds_others("V", least_rate),
    "common-portion": signal_above(0.0),
    "common-portion-is-small": signal_below(0.1, "R"),
    "figure-7a-order": panel_order(0, True),
    "figure-7b-order": panel_order(1, True),
    "figure-7c-order": panel_order(2, True),
    "figure-7d-order": panel_order(3, False),
}
