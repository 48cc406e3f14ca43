"""Verdicts on the paper's numbers and claims from a study's tables."""

from typing import Any

import pandas as pd

from s2snets.claims.claim import DIGITS, Claim, Margins
from s2snets.claims.evidence import Estimate, Tables, Untestable
from s2snets.claims.printed_numbers import PrintedNumber, printed_numbers
from s2snets.claims.registry import claims

COLUMNS = [
    *("id", "section", "kind", "statement", "paper", "ours"),
    *("difference", "low", "high", "verdict", "why"),
]
OTHER = "other images and networks: the difference says nothing"
UNLABELLED = "without labels there is only agreement with predictions on originals"
SCORED = ("3.3", "3.4")  # sections whose numbers all come from accuracies

Row = dict[str, Any]
"""Column of ``comparison.csv`` -> value."""


def compare(tables: Tables, printed: Tables, comparable: bool) -> pd.DataFrame:
    """Judge the paper's numbers and claims by a study's results: ``comparison.csv``.

    Args:
        tables: of a study.
        printed: of the paper itself.
        comparable: whether the study's networks and images are the paper's, so that a
            difference between numbers means something. Claims in words are tested
            everywhere.

    Returns:
        id, section, kind (number or claim), statement, paper, ours, difference, low,
        high (of ours), verdict (holds, fails or untestable), why (one sentence). A
        claim's numbers are its deciding margin: positive where it holds; the paper's is
        empty where its printed tables do not give it. Ours is rounded as in print.
    """
    rows = [
        judge_number(number, tables, printed, comparable)
        for number in printed_numbers(printed)
    ]
    rows += [judge_claim(claim, tables, printed) for claim in claims()]
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


def judge_claim(claim: Claim, tables: Tables, printed: Tables) -> Row:
    """Return the row of one claim (see ``compare``)."""
    row: Row = {"id": claim.id, "section": claim.section, "kind": "claim"}
    row |= {"statement": claim.statement, "verdict": "untestable"}
    factor = 100 if claim.unit == "points" else 1
    printed_margin = _printed_margin(claim, printed)
    if printed_margin is not None:
        row["paper"] = round(printed_margin.value * factor, 6)
    if claim.needs_labels and not tables.labelled:
        return row | {"why": UNLABELLED}
    try:
        margins = claim.test(tables)
    except Untestable as reason:
        return row | {"why": str(reason)}
    decided = _deciding(claim, margins)[1] * factor
    row |= {"ours": round(decided.value, 6), "low": decided.low, "high": decided.high}
    verdict = "holds" if _agrees(claim, decided) else "fails"
    why = _sentence(claim, margins, factor)
    if printed_margin is not None:
        row["difference"] = round(row["ours"] - row["paper"], 6)
        if not _agrees(claim, printed_margin):
            why += "; on the paper's own tables it fails"
            why += " too" if verdict == "fails" else ""
    return row | {"verdict": verdict, "why": why}


def _printed_margin(claim: Claim, printed: Tables) -> Estimate | None:
    """Return the deciding margin on the paper's own tables, if they give it."""
    try:
        return _deciding(claim, claim.test(printed))[1]
    except Untestable:
        return None


def _agrees(claim: Claim, margin: Estimate) -> bool:
    """Return whether a comparison agrees with the claim."""
    return margin.value >= -DIGITS / 10 if claim.zero_agrees else margin.value > 0


def _deciding(claim: Claim, margins: Margins) -> tuple[str, Estimate]:
    """Return the label and the margin on which the verdict hangs."""
    ranked = sorted(margins.items(), key=lambda item: -item[1].value)
    count = len(ranked)
    required = {"all": count, "most": count // 2 + 1, "some": 1}[claim.required]
    return ranked[required - 1]


def _sentence(claim: Claim, margins: Margins, factor: int) -> str:
    """Return the reason of the verdict."""
    label, decided = _deciding(claim, margins)
    decided *= factor
    count = len(margins)
    right = sum(_agrees(claim, margin) for margin in margins.values())
    size = f"{abs(decided.value):.3g} {claim.unit}"
    if count == 1:
        text = f"{'right' if right else 'wrong'} by {size} ({label})"
    elif _agrees(claim, decided):
        words = {"all": "closest", "most": "deciding one", "some": "clearest"}
        text = f"{right} of {count} comparisons agree, the {words[claim.required]}"
        text += f" by {size} ({label})"
    else:
        words = {"all": "worst", "most": "deciding one", "some": "closest"}
        text = f"{count - right} of {count} comparisons disagree, the"
        text += f" {words[claim.required]} by {size} ({label})"
    if decided.bounded and decided.low <= 0 <= decided.high:
        text += f"; its 95 % interval [{decided.low:.3g}, {decided.high:.3g}] does not"
        text += " exclude the opposite"
    return text
