"""What people have ruled out: photographs, users, and files that stand for nothing."""

import re
from pathlib import Path
from typing import NamedTuple

from s2snets.runtime.errors import UserError

# A photograph of YFCC100m, a user of Flickr, or a file of a folder; the last is
# percent-encoded, so that neither "@" nor "#" nor a blank is in it.
ID = re.compile(r"\d+|\d+@N\d\d|[\w.~/%-]+\.\w+", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}")


class Lists(NamedTuple):
    """The ids that must go, and the digests of files that are no photographs."""

    excluded: frozenset = frozenset()
    placeholders: frozenset = frozenset()

    def excludes(self, row):
        """Whether a row's photograph, or its user, must go."""
        return row.photoid in self.excluded or row.uid in self.excluded


def read_list(path, pattern, expected):
    """The entries of a list, one a line; ``#`` begins a comment. None: no entries.

    Raises:
        UserError: no such file, or a line that is none of what was expected.
    """
    if path is None:
        return frozenset()
    try:
        lines = Path(path).read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such list") from None
    except ValueError as error:
        raise UserError(f"{path}: not UTF-8 text ({error}); save it as such") from None
    entries = [line.partition("#")[0].strip() for line in lines]
    for number, entry in enumerate(entries, 1):
        if entry and not pattern.fullmatch(entry):
            raise UserError(f"{path}, line {number}: {entry!r} is not {expected}")
    return frozenset(filter(None, entries))


def read_lists(exclude=None, placeholders=None):
    """The lists ``clean.exclude`` and ``clean.placeholders`` as ``Lists``.

    Raises:
        UserError: see ``read_list``.
    """
    return Lists(
        read_list(
            exclude,
            ID,
            "the id of a photograph, as a manifest has it, or of a user (12345678@N00)",
        ),
        read_list(placeholders, SHA256, "a SHA-256 digest of 64 hex digits"),
    )
