"""Files that are complete or absent, and disk errors explained in one line."""

import errno
import glob
import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path, PurePath
from typing import Any

from s2snets.runtime.errors import UserError

HOST = os.uname().nodename.replace(".", "-")
WEEK = 7 * 24 * 3600  # seconds

REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some quota",
    errno.EACCES: "make it writable",
    errno.EROFS: "write elsewhere",
}


def is_hidden(path: str | PurePath) -> bool:
    """Return whether a path inside a folder, tar or zip is hidden, or is below one.

    Names with a leading dot are hidden, and macOS's ``__MACOSX``.
    """
    return any(
        (part.startswith(".") and part != "..") or part == "__MACOSX"
        for part in PurePath(path).parts
    )


def open_regular(path: str | Path) -> FileIO:
    """Open a file for reading, unbuffered, and never wait for a pipe's other end.

    Raises:
        OSError: it cannot be read, or is a folder, a pipe or a device.
    """

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NONBLOCK)

    file = FileIO(path, opener=opener)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return file


@contextmanager
def reading(path: str | Path) -> Iterator[FileIO]:
    """Open a user's file like ``open_regular``; a failure is the user's to mend.

    Raises:
        UserError: it cannot be opened or read.
    """
    try:
        with open_regular(path) as file:
            yield file
    except OSError as error:
        raise unreadable(error, path) from None


def read_input(path: str | Path) -> bytes:
    """Return the bytes of a user's file.

    Raises:
        UserError: it cannot be read, or is a folder, a pipe or a device.
    """
    with reading(path) as file:
        return file.readall()


def unreadable(error: OSError, path: str | Path) -> UserError:
    """Return the user's error for a file or folder that the system cannot read."""
    reason = error.strerror or str(error)
    if isinstance(error, FileNotFoundError) and Path(path).is_symlink():
        reason = "A link to nothing"
    return UserError(f"{path}: {reason[:1].lower()}{reason[1:]}; mend or remove it")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write beside ``path``, then rename, so that a killed job leaves no partial file.

    Drafts that killed processes have left of the same file are removed.

    Yields:
        The draft's path, which ends like ``path``, since some libraries choose a format
        by the suffix. The draft is removed when the block raises.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    draft = path.with_name(f".{HOST}.{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_stale_drafts(path)
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(draft, path)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if (explained := disk_error(error, path)) is not None:
            raise explained from error
        raise


def remove_stale_drafts(path: Path) -> None:
    """Remove the drafts of a file that no living process writes.

    Of processes on other machines only those count as living that have written within
    a week.
    """
    for draft in path.parent.glob(f".*.{glob.escape(path.name)}"):
        host, _, process = draft.name[1 : -len(path.name) - 1].rpartition(".")
        if not process.isdecimal() or "." in host:
            continue  # a draft of a file whose name ends like this one's
        with suppress(FileNotFoundError):
            if (
                not is_running(int(process))
                if host == HOST
                else draft.stat().st_mtime < time.time() - WEEK
            ):
                draft.unlink()


def is_running(process: int) -> bool:
    """Return whether there is a process of this number on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # another user's
    return True


@contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """Fill a folder beside ``path``, then rename: it is complete, or as it was before.

    The draft has a fixed name, so that the next job clears what a killed one left.

    Raises:
        UserError: the disk is full or cannot be written to.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        for written in filter(Path.is_file, draft.rglob("*")):
            with written.open("rb") as file:
                os.fsync(file.fileno())
        shutil.rmtree(path, ignore_errors=True)
        draft.rename(path)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if (explained := disk_error(error, path)) is not None:
            raise explained from error
        raise


def disk_error(error: BaseException, path: str | Path) -> UserError | None:
    """Return a full or protected disk's error as the user's; None for other errors.

    Arrow and safetensors wrap the system's error in their own types and keep only its
    text, hence the search; torch raises another error while it handles the system's. An
    error that is explained already stays.
    """
    if isinstance(error, UserError):
        return None
    for code, remedy in REMEDIES.items():
        if getattr(error, "errno", None) == code or os.strerror(code) in str(error):
            return UserError(f"{path}: {os.strerror(code).lower()}; {remedy} and rerun")
    cause = error.__cause__ or error.__context__
    return disk_error(cause, path) if cause is not None else None


def write_json(path: str | Path, value: object) -> None:
    """Write one JSON document, indented, with its keys in the given order."""
    with replacing(path) as draft:
        draft.write_text(json.dumps(value, indent=1) + "\n")


def read_json(path: str | Path) -> Any:
    """Return the content of a JSON document.

    Raises:
        UserError: there is no such file, or it is not JSON.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON ({error}); delete it and rerun") from None


def sha256(path: str | Path) -> str:
    """Return the hexadecimal digest of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def chunk_folder(path: Path) -> Path:
    """Return the hidden folder of a table's chunks."""
    return path.with_name(f".{path.name}.parts")


def hidden_table(path: Path) -> Path:
    """Return where the rows are kept of which an output is made."""
    return path.with_name(f".{path.stem}.parquet")


def remove_chunks(path: Path) -> None:
    """Remove what a resumed job would need, once all of an output is written.

    These are the chunks of a table, or the hidden table behind another output.
    """
    hidden = hidden_table(path)
    for table in (path, hidden):
        shutil.rmtree(chunk_folder(table), ignore_errors=True)
    hidden.unlink(missing_ok=True)
