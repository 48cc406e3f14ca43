"""A shard of the store on disk: its photographs, their index, every row's outcome.

The four files of a shard appear together or not at all. They are written into a hidden
folder, ``.000042.draft``, whose renaming to ``.000042.ready`` is the one moment that
counts: what a killed job leaves before it is dropped, what it leaves after it is moved
into place, and the marker ``000042.json`` is moved last. While files are replaced there
is no marker, so that no reader takes new files for the old ones. A lock keeps other
jobs off.
"""

import errno
import fcntl
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s2snets.cleaning.outcomes import OUTCOMES
from s2snets.data.images import FORMATS
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import disk_error, sha256, write_json

IDX = np.dtype([("offset", "i8"), ("size", "i4"), ("sha", "u8"), ("dhash", "u8")])
"""A kept photograph: where it is in the tar, the first 8 bytes of its SHA-256 (big
endian), and its dHash."""
SUFFIXES = {
    "tar": ".tar",
    "idx": ".idx.npy",
    "manifest": ".manifest.tsv.gz",
    "json": ".json",
}
USTAR = tarfile.USTAR_FORMAT
WHOLE = 1 << 20  # bytes that go into a tar at once: most photographs in one piece
WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class Damaged(Exception):
    """A tar does not hold what the manifest beside it says."""


class Entry(NamedTuple):
    """A line of the manifest, all text; empty where nothing is known."""

    photoid: str
    uid: str
    licence: str
    line: str
    outcome: str
    detail: str = ""
    bytes: str = ""
    sha256: str = ""
    width: str = ""
    height: str = ""
    format: str = ""
    p95: str = ""
    dhash: str = ""
    status: str = ""
    tries: str = ""


class Files(NamedTuple):
    """The paths of a shard's files."""

    tar: Path
    idx: Path
    manifest: Path
    json: Path

    def beside(self, suffix):
        """A hidden file or folder of the shard."""
        return self.tar.with_name(f".{self.tar.stem}{suffix}")


def files_of(store, shard):
    """The files of a shard, a thousand shards in a folder."""
    folder = Path(store) / f"{shard // 1000:03d}"
    return Files(*(folder / f"{shard:06d}{suffix}" for suffix in SUFFIXES.values()))


def shards_in(store):
    """Numbers of the shards that have any file in a store, sorted.

    Raises:
        UserError: there is none.
    """
    names = "\n".join(path.name for path in Path(store).glob("[0-9]*/*"))
    if not (found := re.findall(r"^\.?(\d{6,})\.", names, re.MULTILINE)):
        raise UserError(f"{store}: holds no shards; give the folder clean.store")
    return sorted(set(map(int, found)))


def sync(folder):
    """Make renames in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_there(file, path):
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def locked(path):
    """Hold a lock that counts for every job and machine; its file goes with it.

    Raises:
        UserError: the file system has no locks.
    """
    while True:  # whoever waited may hold a file that the last holder has removed
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                if error.errno not in WITHOUT_LOCKS:
                    raise
                raise UserError(
                    f"{path}: this file system has no locks; put clean.store elsewhere"
                ) from None
            if is_there(file, path):
                try:
                    yield
                finally:
                    path.unlink()
                return


@contextmanager
def owned(files):
    """Hold a shard, once what a killed job left of it is finished or dropped.

    Raises:
        UserError: the disk is full or cannot be written to, or has no locks.
    """
    try:
        files.tar.parent.mkdir(parents=True, exist_ok=True)
        with locked(files.beside(".lock")):
            if (draft := files.beside(".draft")).exists():
                shutil.rmtree(draft)
            if files.beside(".ready").exists():
                publish(files)
            yield
    except OSError as error:
        if (told := disk_error(error, files.tar)) is not None:
            raise told from error
        raise


def publish(files):
    """Move a shard's ready files into place, the marker last."""
    folder, ready = files.tar.parent, files.beside(".ready")
    if (marker := ready / files.json.name).exists():
        files.json.unlink(missing_ok=True)
        sync(folder)
        for path in (files.tar, files.idx, files.manifest):
            if (ready / path.name).exists():
                os.replace(ready / path.name, path)
        sync(folder)
        os.replace(marker, files.json)
    ready.rmdir()
    sync(folder)


class Digested:
    """A new file that counts and digests what is written to it, and is synced."""

    def __init__(self, path):
        self.file, self.bytes, self.digest = path.open("xb"), 0, hashlib.sha256()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        with self.file:
            if kind is None:
                self.file.flush()
                os.fsync(self.file.fileno())

    def write(self, data):
        self.digest.update(data)
        self.bytes += len(data)
        return self.file.write(data)

    def tell(self):
        return self.bytes

    def about(self):
        return {"bytes": self.bytes, "sha256": self.digest.hexdigest()}


def member_name(entry):
    """What a photograph is called in the tar: digits as they are, others hashed."""
    name = entry.photoid
    if not re.fullmatch("[0-9]{1,32}", name):
        name = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name}.{FORMATS[entry.format]}"


def pack(entries, tar, manifest):
    """Put every entry into the manifest, and every kept photograph into the tar.

    Returns:
        the index, and how many entries have which outcome.
    """
    kept, outcomes = [], Counter()
    manifest.write(("\t".join(Entry._fields) + "\n").encode())
    for entry, data in entries:
        manifest.write(("\t".join(entry) + "\n").encode())
        outcomes[entry.outcome] += 1
        if entry.outcome == "kept":
            member = tarfile.TarInfo(member_name(entry))
            member.size = len(data)
            offset = tar.offset + tarfile.BLOCKSIZE
            sha, dhash = int(entry.sha256[:16], 16), int(entry.dhash, 16)
            kept.append((offset, member.size, sha, dhash))
            tar.addfile(member, io.BytesIO(data))
    return np.array(kept, IDX), outcomes


def write(files, entries, about):
    """Write a shard that is owned.

    Equal entries make equal files. Memory is that of the index.

    Args:
        entries: iterable of (Entry, its photograph's bytes, which are needed where it
            is kept).
        about: what the marker says beside counts and digests.
    """
    draft = files.beside(".draft")
    draft.mkdir()
    try:
        with (
            Digested(draft / files.tar.name) as to_tar,
            Digested(draft / files.idx.name) as to_idx,
            Digested(draft / files.manifest.name) as to_manifest,
        ):
            with (
                tarfile.TarFile(
                    fileobj=to_tar, mode="w", format=USTAR, copybufsize=WHOLE
                ) as tar,
                gzip.GzipFile("", "wb", 6, to_manifest, mtime=0) as manifest,
            ):
                idx, outcomes = pack(entries, tar, manifest)
            np.save(to_idx, idx)
        written = {"tar": to_tar, "idx": to_idx, "manifest": to_manifest}
        marker = about | {
            "rows": outcomes.total(),
            "kept": len(idx),
            "outcomes": {name: outcomes[name] for name in OUTCOMES if outcomes[name]},
            "files": {name: file.about() for name, file in written.items()},
        }
        write_json(draft / files.json.name, marker)
        sync(draft)
        os.replace(draft, files.beside(".ready"))
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync(files.tar.parent)
    publish(files)


def read(files):
    """The marker of a whole shard and its manifest's entries; None if it is not whole.

    Of the tar only the size is compared: to read all tars takes days.
    """
    try:
        marker = json.loads(files.json.read_bytes())
        for name, told in marker["files"].items():
            path = getattr(files, name)
            if path.stat().st_size != told["bytes"]:
                return None
            if path != files.tar and sha256(path) != told["sha256"]:
                return None
        with gzip.open(files.manifest, "rt", encoding="utf-8", newline="\n") as file:
            next(file)
            entries = [Entry(*line.rstrip("\n").split("\t")) for line in file]
        outcomes = Counter(entry.outcome for entry in entries)
        whole = (
            set(marker["files"]) == {"tar", "idx", "manifest"}
            and marker["outcomes"] == outcomes
            and marker["rows"] == len(entries)
            and marker["kept"] == outcomes["kept"] == len(np.load(files.idx))
        )
    except (FileNotFoundError, LookupError, TypeError, ValueError, AttributeError):
        return None  # no such files, or not of this program
    return (marker, entries) if whole else None


def photographs(files, entries, after):
    """What entries have become, with the bytes that the tar holds.

    Args:
        after: as ``entries``, but fewer may be kept.

    Raises:
        Damaged: the bytes are not those that were put there.
    """
    places = iter(np.load(files.idx).tolist())
    with files.tar.open("rb") as tar:
        for old, new in zip(entries, after, strict=True):
            data = None
            if old.outcome == "kept":
                offset, size, _, _ = next(places)
                data = os.pread(tar.fileno(), size, offset)
                if hashlib.sha256(data).hexdigest() != old.sha256:
                    raise Damaged
            yield new, data


def rewrite(files, marker, entries, after):
    """Write a shard that is owned again, from its own tar, without what has gone.

    Raises:
        Damaged: the tar is not what it was.
    """
    counted = {"rows", "kept", "outcomes", "files"}
    about = {name: value for name, value in marker.items() if name not in counted}
    write(files, photographs(files, entries, after), about)
