"""The list of all claims in ``docs/claims.md``.

``python -m s2snets.claims.document docs/claims.md`` writes it anew.
"""

import argparse
from pathlib import Path

from s2snets.claims.registry import claims
from s2snets.runtime.files import replacing

START, END = "<!-- claims -->\n", "<!-- /claims -->"
REQUIRED = {"all": "", "most": " (most)", "some": " (some)"}


def with_claims(text: str) -> str:
    """Return ``docs/claims.md`` with the list between its two marks made anew."""
    before, _, rest = text.partition(START)
    lines = ["| id | section | the paper says | tested so |", "|---|---|---|---|"]
    for claim in claims():
        how = claim.how.replace("|", "\\|") + REQUIRED[claim.required]
        how += " (needs labels)" if claim.needs_labels else ""
        lines.append(f"| `{claim.id}` | {claim.section} | {claim.statement} | {how} |")
    return "\n".join([before + START, *lines, "", END + rest.partition(END)[2]])


def main(argv: list[str] | None = None) -> None:
    """Write the list into the document named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("document", type=Path, help="docs/claims.md")
    path = parser.parse_args(argv).document
    with replacing(path) as draft:
        draft.write_text(with_claims(path.read_text()))


if __name__ == "__main__":
    main()
