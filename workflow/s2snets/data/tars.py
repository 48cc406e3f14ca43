"""What lies where in plain tar files, tars inside tars included, without unpacking."""

import os
import tarfile
from functools import lru_cache
from typing import NamedTuple

from s2snets.runtime.errors import UserError

ENDED = bytes(tarfile.BLOCKSIZE)


class Member(NamedTuple):
    """A file inside a tar: which bytes of the tar on disk are its own."""

    tar: str  # path of the tar on disk
    inside: str  # names that lead to it, joined by colons
    name: str
    offset: int
    size: int

    def __str__(self):
        return f"{self.tar}:{self.inside}"


@lru_cache(maxsize=64)
def opened(path):
    """A file kept open between reads; closed when others push it out."""
    return open(path, "rb", buffering=0)


def read(member):
    """A member's bytes; any thread may ask.

    Raises:
        UserError: the tar has been cut since it was listed.
    """
    file = opened(member.tar)  # held, lest another thread's opening close it
    data = os.pread(file.fileno(), member.size, member.offset)
    if len(data) < member.size:
        raise UserError(f"{member}: is cut; fetch {member.tar} anew")
    return data


def members(path, within=None):
    """Regular files of a plain tar, in its order.

    Args:
        path: of the tar on disk.
        within: the ``Member`` that is the tar itself, where it lies in another.

    Raises:
        UserError: no plain tar, or one that was cut or damaged.
    """
    whole = within or path
    start = within.offset if within else 0
    end = start + within.size if within else os.path.getsize(path)
    broken = UserError(
        f"{whole}: no plain tar, or a cut one; unpack what compresses it, or fetch"
        f" {path} anew"
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
                        place = entry.offset_data, entry.size
                        yield Member(str(path), inside, name, *place)
                    tar.members.clear()  # or every header stays in memory
                # tarfile takes a cut at a border, and any rubbish there, for the end.
                complete = os.pread(file.fileno(), len(ENDED), tar.offset) == ENDED
    except (tarfile.TarError, OSError) as error:
        raise broken from error
    if not complete or tar.offset >= end:
        raise broken
