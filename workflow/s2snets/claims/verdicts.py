"""Verdicts on the paper's numbers and claims from a study's tables."""

from collections.abc import Mapping
from math import isinf, isnan, nan
from typing import Any

import pandas as pd

from s2snets.claims.claim import DIGITS, Claim, Margins
from s2snets.claims.evidence import Estimate, Tables, Untestable
from s2snets.claims.printed_numbers import PrintedNumber, printed_numbers
from s2snets.claims.registry import claims

COLUMNS = [
    *("id", "section", "kind", "statement", "paper", "ours"),
    *("difference", "low", "high", "null", "verdict", "why"),
]
VERDICTS = ("holds", "fails", "undecided", "says nothing", "untestable")
NULL_DRAWS = 60
"""Studies without structure that are drawn."""
SAYS_NOTHING_ABOVE = 0.5
"""Share of studies without structure beyond which a claim that holds says nothing."""
OTHER = "other images and networks: the difference says nothing"
UNLABELLED = "without labels there is only agreement with predictions on originals"
SCORED = ("3.3", "3.4")  # sections whose numbers all come from accuracies

Row = dict[str, Any]
"""Column of ``comparison.csv`` -> value."""


def compare(
    tables: Tables,
    printed: Tables,
    comparable: bool,
    null: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Judge the paper's numbers and claims by a study's results: ``comparison.csv``.

    Args:
        tables: of a study.
        printed: of the paper itself.
        comparable: whether the study's networks and images are the paper's, so that a
            difference between numbers means something. Claims in words are tested
            everywhere.
        null: claim's id -> share of studies without structure in which it holds, as
            ``null_rates`` gives it.

    Returns:
        id, section, kind (number or claim), statement, paper, ours, difference, low,
        high (of ours), null, verdict (``VERDICTS``), why (one sentence). A claim's
        numbers are its deciding margin: positive where it holds; the paper's is empty
        where its printed tables do not give it. Ours is rounded as in print.
    """
    rows = [
        judge_number(number, tables, printed, comparable)
        for number in printed_numbers(printed)
    ]
    shares = null or {}
    rows += [
        judge_claim(claim, tables, printed, shares.get(claim.id, nan))
        for claim in claims()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def judge_number(
    number: PrintedNumber, tables: Tables, printed: Tables, comparable: bool
) -> Row:
    """Return the row of one number (see ``compare``)."""
    paper = number.paper
    if paper is None:
        paper = round(number.value(printed).value, number.places)
    row: Row = {"id": number.id, "section": number.section, "kind": "number"}
    row |= {"statement": number.statement, "paper": paper, "verdict": "untestable"}
    try:
        ours = number.value(tables)
    except Untestable as reason:
        return row | {"why": str(reason)}
    value = round(ours.value, number.places)
    row |= {"ours": value, "difference": round(value - paper, number.places) + 0.0}
    row |= {"low": ours.low, "high": ours.high}
    if not tables.labelled and number.section in SCORED:
        return row | {"why": UNLABELLED}
    if not comparable:
        return row | {"why": OTHER}
    half = 0.5 * 10.0**-number.places + DIGITS
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


def judge_claim(
    claim: Claim, tables: Tables, printed: Tables, null: float = nan
) -> Row:
    """Return the row of one claim (see ``compare``)."""
    row: Row = {"id": claim.id, "section": claim.section, "kind": "claim"}
    row |= {"statement": claim.statement, "verdict": "untestable"}
    factor = 100 if claim.unit == "points" else 1
    printed_margin = _printed_margin(claim, printed)
    if printed_margin is not None:
        row["paper"] = round(printed_margin.value * factor, 6)
    try:
        margins = margins_of(claim, tables)
    except Untestable as reason:
        return row | {"why": str(reason)}
    decided = _deciding(claim, margins)[1]
    verdict, why = outcome(claim, margins), _sentence(claim, margins, factor)
    if verdict == "holds" and (verdict := beside_null(null)) != "holds":
        why = f"holds in {null:.0%} of studies without structure too; here {why}"
    if printed_margin is not None:
        row["difference"] = round(decided.value * factor - row["paper"], 6)
        if not _agrees(claim, printed_margin.value):
            why += "; on the paper's own tables it fails"
            why += " too" if verdict == "fails" else ""
    decided *= factor
    row["ours"] = round(decided.value, 6)
    if not isinf(decided.low):
        row |= {"low": decided.low, "high": decided.high}
    return row | {"null": null, "verdict": verdict, "why": why}


def null_interval(null: float) -> tuple[float, float]:
    """Return the 95 % interval of a share that ``NULL_DRAWS`` drawn studies give.

    Wilson 1927.
    """
    from scipy.stats import binomtest

    drawn = binomtest(round(null * NULL_DRAWS), NULL_DRAWS)
    low, high = drawn.proportion_ci(method="wilson")
    return low, high


def beside_null(null: float) -> str:
    """Return the verdict on a claim that a study's tables meet.

    Args:
        null: share of studies without structure that meet it; NaN: unknown.

    Returns:
        ``holds``; ``says nothing`` where more than half of these meet it too;
        ``undecided`` where the draws cannot tell.
    """
    if isnan(null):
        return "holds"
    low, high = null_interval(null)
    if low > SAYS_NOTHING_ABOVE:
        return "says nothing"
    return "undecided" if high > SAYS_NOTHING_ABOVE else "holds"


def margins_of(claim: Claim, tables: Tables) -> Margins:
    """Return a claim's margins on a study's tables.

    Raises:
        Untestable: the study cannot test it, or its design settles it.
    """
    if claim.id in tables.settled:
        raise Untestable(tables.settled[claim.id])
    if claim.needs_labels and not tables.labelled:
        raise Untestable(UNLABELLED)
    return claim.test(tables)


def outcome(claim: Claim, margins: Margins) -> str:
    """Return ``holds``, ``fails``, or ``undecided`` where the intervals allow both."""
    return ("undecided", "holds", "fails")[_state(claim, _deciding(claim, margins)[1])]


def _printed_margin(claim: Claim, printed: Tables) -> Estimate | None:
    """Return the deciding margin on the paper's own tables, if they give it."""
    try:
        return _deciding(claim, claim.test(printed))[1]
    except Untestable:
        return None


def _agrees(claim: Claim, margin: float) -> bool:
    """Return whether a margin agrees with the claim."""
    return margin >= -DIGITS / 10 if claim.zero_agrees else margin > 0


def _state(claim: Claim, margin: Estimate) -> int:
    """Return 1 where a whole interval agrees with the claim, -1 where none of it does.

    0 says that the interval reaches from one to the other. Without an interval the
    value decides.
    """
    ends = (margin.low, margin.high) if margin.bounded else (margin.value,) * 2
    return sum(_agrees(claim, end) for end in ends) - 1


def _deciding(claim: Claim, margins: Margins) -> tuple[str, Estimate]:
    """Return the label and the margin whose state is the verdict."""
    ranked = sorted(
        margins.items(), key=lambda item: (-_state(claim, item[1]), -item[1].value)
    )
    count = len(ranked)
    required = {"all": count, "most": count // 2 + 1, "some": 1}[claim.required]
    return ranked[required - 1]


def _sentence(claim: Claim, margins: Margins, factor: int) -> str:
    """Return the reason of the verdict."""
    label, decided = _deciding(claim, margins)
    decided *= factor
    count = len(margins)
    states = [_state(claim, margin) for margin in margins.values()]
    right, wrong = states.count(1), states.count(-1)
    size = f"{abs(decided.value):.3g} {claim.unit}"
    verdict = outcome(claim, margins)
    if verdict == "undecided" and isinf(decided.low):
        return (
            f"{decided.value:.3g} {claim.unit} ({label}), of one training: another may"
            " contradict it; give several `seeds`"
        )
    if verdict == "undecided":
        text = f"{decided.value:.3g} {claim.unit} ({label}), 95 % interval"
        text += f" [{decided.low:.3g}, {decided.high:.3g}]"
        if count > 1:
            text += f"; of {count} comparisons {right} agree, {wrong} disagree"
        return text
    if count == 1:
        return f"{'right' if right else 'wrong'} by {size} ({label})"
    if verdict == "holds":
        words = {"all": "closest", "most": "deciding one", "some": "clearest"}
        text = f"{right} of {count} comparisons agree"
    else:
        words = {"all": "worst", "most": "deciding one", "some": "closest"}
        text = f"{wrong} of {count} comparisons disagree"
    return f"{text}, the {words[claim.required]} by {size} ({label})"
