"""Lists of what to leave out: photographs, users, and placeholder files."""

import re
from pathlib import Path
from typing import NamedTuple

from s2snets.cleaning.metadata import Row
from s2snets.cleaning.shard import Entry
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_input

# A photograph of YFCC100m, a user of Flickr, or a file of a folder; the last is
# percent-encoded, so that it contains neither "@" nor "#" nor a blank.
ID = re.compile(r"\d+|\d+@N\d\d|[\w.~/%-]+\.\w+", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}")


class ExclusionLists(NamedTuple):
    """The ids to leave out, and the SHA-256 digests of placeholder files."""

    excluded: frozenset[str] = frozenset()
    placeholders: frozenset[str] = frozenset()

    def excludes(self, row: Row | Entry) -> bool:
        """Return whether a row's photograph or its user is to be left out."""
        return row.photoid in self.excluded or row.uid in self.excluded


def read_list(
    path: Path | None, pattern: re.Pattern[str], expected: str
) -> frozenset[str]:
    """Return the entries of a list, one per line; ``#`` begins a comment.

    ``expected`` is the pattern in words, for the error message.

    Raises:
        UserError: there is no such file, or a line does not match.
    """
    if path is None:
        return frozenset()
    try:
        lines = read_input(path).decode("utf-8-sig").splitlines()
    except ValueError as error:
        raise UserError(f"{path}: not UTF-8 text ({error}); save it as such") from None
    entries = [line.partition("#")[0].strip() for line in lines]
    for number, entry in enumerate(entries, 1):
        if entry and not pattern.fullmatch(entry):
            raise UserError(f"{path}, line {number}: {entry!r} is not {expected}")
    return frozenset(filter(None, entries))


def read_lists(
    exclude: Path | None = None, placeholders: Path | None = None
) -> ExclusionLists:
    """Read the lists ``clean.exclude`` and ``clean.placeholders``.

    Raises:
        UserError: see ``read_list``.
    """
    return ExclusionLists(
        read_list(
            exclude,
            ID,
            "the id of a photograph, as a manifest has it, or of a user (12345678@N00)",
        ),
        read_list(placeholders, SHA256, "a SHA-256 digest of 64 hex digits"),
    )
