"""Photographs in a folder: in the published layout by key, or in any by path."""

import errno
import os
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import unquote_to_bytes

from s2snets.cleaning.fetched import (
    DISK_THREADS,
    LARGEST,
    TOO_LARGE,
    Fetched,
    failed,
    members,
    missing,
)
from s2snets.runtime.errors import UserError

ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


def name_of(error):
    """What a system's error is called: its class, else its code, such as ``EIO``."""
    known = type(error).__name__
    return errno.errorcode.get(error.errno, known) if known == "OSError" else known


def read_file(path):
    """A file's bytes as Fetched."""
    try:
        with open(path, "rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size > LARGEST:
                return TOO_LARGE
            return Fetched(file.readall())
    except ABSENT as error:
        return missing(type(error).__name__)
    except OSError as error:
        return failed(name_of(error))


def relative(photoid):
    """The path that a folder's photo id stands for; None if it leaves the folder."""
    path = PurePosixPath(os.fsdecode(unquote_to_bytes(photoid)))
    inside = path.parts and not path.is_absolute() and ".." not in path.parts
    return path if inside and "\0" not in str(path) else None


@contextmanager
def open_tree(folder, by_key):
    """Yields (fetch, connections) for a folder.

    Args:
        by_key: whether there is metadata, so files lie by key, right below ``folder``
            or, as in the bucket, below its ``data/images``; else by their ids.

    Raises:
        UserError: there is no such folder, or no longer.
    """
    root = Path(folder)
    whole = root / "data/images"
    bases = [whole, root] if whole.is_dir() else [root]

    def present():
        if not root.is_dir():
            raise UserError(f"{root}: no such folder of photographs; mend clean.tree")

    def paths(row):
        if by_key:
            return [base / name for name in members(row) for base in bases]
        path = relative(row.photoid)
        return [] if path is None else [root / path]

    def fetch(row):
        found = missing("")
        for path in paths(row):
            found = read_file(path)
            if found.outcome != "missing":
                return found
        present()  # a folder that was unmounted is not a hundred missing photographs
        return found

    present()
    yield fetch, DISK_THREADS
