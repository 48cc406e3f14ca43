"""The list of all claims in ``docs/claims.md``.

``python -m s2snets.claims.document docs/claims.md`` writes it anew.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from s2snets.claims.null import null_rates, paper_sized
from s2snets.claims.registry import claims
from s2snets.runtime.files import replacing

START, END = "<!-- claims -->\n", "<!-- /claims -->"
REQUIRED = {"all": "", "most": " (most)", "some": " (some)"}


def with_claims(text: str, null: Mapping[str, float]) -> str:
    """Return ``docs/claims.md`` with the list between its two marks made anew.

    Args:
        text: of the document.
        null: claim's id -> share of studies without structure in which it holds, for
            claims that can be tested.
    """
    before, _, rest = text.partition(START)
    lines = [
        "| id | section | the paper says | tested so | holds without structure |",
        "|---|---|---|---|--:|",
    ]
    for claim in claims():
        how = claim.how.replace("|", "\\|") + REQUIRED[claim.required]
        how += " (needs labels)" if claim.needs_labels else ""
        cells = (f"`{claim.id}`", claim.section, claim.statement, how)
        share = f"{null[claim.id]:.0%}" if claim.id in null else "–"
        lines.append(f"| {' | '.join(cells)} | {share} |")
    return "\n".join([before + START, *lines, "", END + rest.partition(END)[2]])


def main(argv: list[str] | None = None) -> None:
    """Write the list into the document named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("document", type=Path, help="docs/claims.md")
    path = parser.parse_args(argv).document
    with replacing(path) as draft:
        draft.write_text(with_claims(path.read_text(), null_rates(paper_sized())))


if __name__ == "__main__":
    main()
