"""Files that are whole or absent, and mistakes in files told in one line."""

import errno
import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from s2snets.runtime.errors import UserError


@contextmanager
def replacing(path):
    """Write beside ``path``, then rename: a killed job leaves no half file.

    Yields the draft's path, which ends like ``path`` so that libraries which
    choose a format by suffix are content. The draft goes when the block raises.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    draft = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(draft, path)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if (told := disk_mistake(error, path)) is not None:
            raise told from error
        raise


@contextmanager
def replacing_folder(path):
    """Fill a folder beside ``path``, then rename: it is whole, or as it was before.

    The draft has one name, so that a killed job's is cleared by the next.

    Raises:
        UserError: the disk is full or cannot be written to.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        for written in draft.iterdir():
            with written.open("rb") as file:
                os.fsync(file.fileno())
        shutil.rmtree(path, ignore_errors=True)
        draft.rename(path)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if (told := disk_mistake(error, path)) is not None:
            raise told from error
        raise


def disk_mistake(error, path):
    """The user's reading of an error from the disk; None where it is not one.

    Arrow, safetensors and torch wrap the system's error in their own types and
    keep only its text, hence the search.
    """
    reasons = {errno.ENOSPC: "free some space", errno.EDQUOT: "free some quota"}
    reasons |= {errno.EACCES: "make it writable", errno.EROFS: "write elsewhere"}
    for code, mend in reasons.items():
        if getattr(error, "errno", None) == code or os.strerror(code) in str(error):
            return UserError(f"{path}: {os.strerror(code).lower()}; {mend} and rerun")
    return None


def write_json(path, value):
    """One JSON document, indented, keys in the given order."""
    with replacing(path) as draft:
        draft.write_text(json.dumps(value, indent=1) + "\n")


def read_json(path):
    """A JSON document.

    Raises:
        UserError: there is no such file, or it is not JSON.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error}); delete it and rerun") from None


def sha256(path):
    """Hex digest of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
