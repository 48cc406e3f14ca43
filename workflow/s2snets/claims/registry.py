"""All claims in words: sentences from a table, tests from the sections' modules."""

import csv
from functools import cache

from s2snets.claims import (
    color,
    cross_evaluation,
    depth,
    general,
    information,
    noise,
    pretraining,
    reconstruction,
    relations,
)
from s2snets.claims.claim import Claim
from s2snets.runtime.assets import ASSETS

TESTS = (
    general.TESTS
    | pretraining.TESTS
    | reconstruction.TESTS
    | color.TESTS
    | noise.TESTS
    | cross_evaluation.TESTS
    | relations.TESTS
    | information.TESTS
    | depth.TESTS
)
"""A claim's id -> its test."""


@cache
def claims() -> tuple[Claim, ...]:
    """Return all claims, in the order of the paper's sections."""
    with open(ASSETS / "palacio2018/claims.csv", newline="", encoding="utf-8") as file:
        return tuple(
            Claim(
                **{name: row[name] for name in ("id", "section", "statement", "how")},
                required=row["required"],
                unit=row["unit"],
                zero_agrees=row["zero_agrees"] == "yes",
                needs_labels=row["needs_labels"] == "yes",
                test=TESTS[row["id"]],
            )
            for row in csv.DictReader(file)
        )
