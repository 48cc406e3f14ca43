"""What lies where in plain tar files, tars inside tars included, without unpacking."""

import os
import tarfile
from collections.abc import Iterator
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from s2snets.runtime.errors import UserError

END_BLOCK = bytes(tarfile.BLOCKSIZE)


class Member(NamedTuple):
    """A file inside a tar: which bytes of the tar on disk are its own."""

    tar: str  # path of the tar on disk
    inside: str  # names that lead to it, joined by colons
    name: str
    offset: int
    size: int

    def __str__(self) -> str:
        return f"{self.tar}:{self.inside}"


@lru_cache(maxsize=64)
def _open(path: str | Path) -> FileIO:
    """Open a file that stays open between reads; it closes when others evict it."""
    return open(path, "rb", buffering=0)


def read_range(path: str | Path, offset: int, size: int) -> bytes:
    """Return bytes of a file, fewer where it ends; safe to call from any thread."""
    file = _open(path)  # this reference keeps it open if another thread evicts it
    return os.pread(file.fileno(), size, offset)


def read_member(member: Member) -> bytes:
    """Return a member's bytes; safe to call from any thread.

    Raises:
        UserError: the tar has been truncated since it was listed.
    """
    data = read_range(member.tar, member.offset, member.size)
    if len(data) < member.size:
        raise UserError(f"{member}: is cut; fetch {member.tar} anew")
    return data


def iterate_members(path: str | Path, within: Member | None = None) -> Iterator[Member]:
    """Yield the regular files of a plain tar, in its order.

    Args:
        path: of the tar on disk.
        within: the member of it that is the tar to list, if that lies inside another.

    Raises:
        UserError: not a plain tar, or a truncated or damaged one.
    """
    start = within.offset if within else 0
    end = start + within.size if within else os.path.getsize(path)
    broken = UserError(
        f"{within or path}: no plain tar, or a cut one; unpack what compresses it, or"
        f" fetch {path} anew"
    )
    try:
        # tarfile counts from where the file stands, so offsets are the disk's own.
        with open(path, "rb", buffering=0) as file:
            file.seek(start)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                while (entry := tar.next()) is not None:
                    if entry.offset_data + entry.size > end:
                        raise broken
                    if entry.isreg():
                        name = entry.name.removeprefix("./")
                        inside = f"{within.inside}:{name}" if within else name
                        extent = entry.offset_data, entry.size
                        yield Member(str(path), inside, name, *extent)
                    # Or every header stays in memory; typeshed lacks the attribute.
                    tar.members.clear()  # type: ignore[attr-defined]
                # tarfile takes truncation between members, and any rubbish there, for
                # the end of the tar.
                end_block = os.pread(file.fileno(), len(END_BLOCK), tar.offset)
    except (tarfile.TarError, OSError) as error:
        raise broken from error
    if end_block != END_BLOCK or tar.offset >= end:
        raise broken
