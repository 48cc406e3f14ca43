"""Photographs in a folder: in the published layout by key, or in any by path."""

import errno
import os
from pathlib import Path, PurePosixPath
from urllib.parse import unquote_to_bytes

from s2snets.cleaning.fetched import (
    MAX_BYTES,
    TOO_LARGE,
    Fetched,
    failed,
    missing,
    published_paths,
)
from s2snets.cleaning.metadata import Row
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import open_regular

# No such file; or a folder, pipe, socket or a link to itself in its place.
ABSENT = {
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.ENXIO, errno.ELOOP
}  # fmt: skip


def error_name(error: OSError) -> str:
    """Return the class of a system error, or else its code, such as ``EIO``."""
    name = type(error).__name__
    return errno.errorcode.get(error.errno or 0, name) if name == "OSError" else name


def read_photo(path: Path) -> Fetched:
    """Read one file."""
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                return TOO_LARGE
            return Fetched(file.readall())
    except OSError as error:
        answer = missing if error.errno in ABSENT else failed
        return answer(error_name(error))


def relative_path(photoid: str) -> PurePosixPath | None:
    """Return the path that a photo id encodes; None if it leaves the folder."""
    path = PurePosixPath(os.fsdecode(unquote_to_bytes(photoid)))
    inside = path.parts and not path.is_absolute() and ".." not in path.parts
    return path if inside and "\0" not in str(path) else None


class Tree:
    """A folder of photographs.

    Args:
        root: the folder.
        by_key: whether files lie by key, as there is metadata: below ``root`` or, as in
            the bucket, below its ``data/images``. Else they lie by their ids.

    Raises:
        UserError: the folder does not exist; also on fetching.
    """

    def __init__(self, root: Path, by_key: bool) -> None:
        self.root, self.by_key = root, by_key
        images = root / "data/images"
        self.bases = [images, root] if images.is_dir() else [root]
        self.check()

    def check(self) -> None:
        """Raise if the folder does not exist."""
        if not self.root.is_dir():
            raise UserError(
                f"{self.root}: no such folder of photographs; mend clean.tree"
            )

    def paths(self, row: Row) -> list[Path]:
        """Return where a row's file may be, in the order of the search."""
        if self.by_key:
            return [base / name for name in published_paths(row) for base in self.bases]
        path = relative_path(row.photoid)
        return [] if path is None else [self.root / path]

    def fetch(self, row: Row) -> Fetched:
        """Read the photograph of a row."""
        answer = missing("")
        for path in self.paths(row):
            answer = read_photo(path)
            if answer.outcome != "missing":
                return answer
        self.check()  # an unmounted folder is not a hundred missing photographs
        return answer
