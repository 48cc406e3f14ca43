"""What lies where in plain tar files, tars inside tars included, without unpacking."""

import os
import tarfile
from collections.abc import Iterator
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from s2snets.runtime.errors import UserError
from s2snets.runtime.files import is_hidden, open_regular, reading, unreadable

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
    return open_regular(path)


def read_range(path: str | Path, offset: int, size: int) -> bytes:
    """Return bytes of a file, fewer where it ends; safe to call from any thread.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        file = _open(path)  # this reference keeps it open if another thread evicts it
        return os.pread(file.fileno(), size, offset)
    except OSError as error:
        raise unreadable(error, path) from None


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
    """Yield the regular files of a plain tar, in its order, without hidden ones.

    Args:
        path: of the tar on disk.
        within: the member of it that is the tar to list, if that lies inside another.

    Raises:
        UserError: not a plain tar, a truncated or damaged one, or one with links.
    """
    broken = UserError(
        f"{within or path}: no plain tar, or a cut one; unpack what compresses it, or"
        f" fetch {path} anew"
    )
    with reading(path) as file:
        start = within.offset if within else 0
        end = start + within.size if within else os.fstat(file.fileno()).st_size
        # tarfile counts from where the file stands, so offsets are the disk's own.
        file.seek(start)
        try:
            with tarfile.open(fileobj=file, mode="r:") as tar:
                while (entry := tar.next()) is not None:
                    extent = entry.offset_data, entry.size
                    if not 0 <= entry.size <= end - entry.offset_data:
                        raise broken
                    name = entry.name.removeprefix("./")
                    inside = f"{within.inside}:{name}" if within else name
                    member = Member(str(path), inside, name, *extent)
                    if (entry.issym() or entry.islnk()) and not is_hidden(name):
                        raise UserError(
                            f"{member}: a link; make the tar with --dereference"
                            " --hard-dereference"
                        )
                    if entry.isreg() and not is_hidden(name):
                        yield member
                    # Or every header stays in memory; typeshed lacks the attribute.
                    tar.members.clear()  # type: ignore[attr-defined]
                # tarfile takes truncation between members, and any rubbish there, for
                # the end of the tar.
                end_block = os.pread(file.fileno(), len(END_BLOCK), tar.offset)
        except UserError:
            raise
        except Exception as error:  # tarfile raises errors of any type on damage
            raise broken from error
    if end_block != END_BLOCK or tar.offset >= end:
        raise broken
