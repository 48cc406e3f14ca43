"""One shard of the store on disk: photographs, their index, every row's outcome.

The four files of a shard appear together or not at all. They are written into a hidden
folder, ``.000042.draft``, which is then renamed to ``.000042.ready``: what a killed job
leaves before that is removed, what it leaves afterwards is moved into place, the marker
``000042.json`` last. While files are replaced there is no marker, so that no reader
takes new files for the old ones. A lock keeps other jobs off.
"""

from __future__ import annotations

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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

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
COPY_BUFFER = 1 << 20  # bytes copied into a tar at once: most photographs whole
WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class DamagedTarError(Exception):
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


class ShardFiles(NamedTuple):
    """The paths of a shard's files."""

    tar: Path
    idx: Path
    manifest: Path
    json: Path

    def hidden(self, suffix: str) -> Path:
        """Return the path of a hidden file or folder beside them."""
        return self.tar.with_name(f".{self.tar.stem}{suffix}")


def shard_files(store: Path, shard: int) -> ShardFiles:
    """Return the paths of a shard's files, a thousand shards in a folder."""
    folder = store / f"{shard // 1000:03d}"
    return ShardFiles(
        *(folder / f"{shard:06d}{suffix}" for suffix in SUFFIXES.values())
    )


def shards_in(store: Path) -> list[int]:
    """Return the numbers of the shards that have any file in a store, sorted.

    Raises:
        UserError: there is none.
    """
    names = "\n".join(path.name for path in store.glob("[0-9]*/*"))
    if not (numbers := re.findall(r"^\.?(\d{6,})\.", names, re.MULTILINE)):
        raise UserError(f"{store}: holds no shards; give the folder clean.store")
    return sorted(set(map(int, numbers)))


def sync_folder(folder: Path) -> None:
    """Write the renames in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_same_file(file: IO[Any], path: Path) -> bool:
    """Return whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock against every job and machine; its file is removed afterwards.

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
            if is_same_file(file, path):
                try:
                    yield
                finally:
                    path.unlink()
                return


@contextmanager
def lock_shard(files: ShardFiles) -> Iterator[None]:
    """Hold a shard, after completing or removing what a killed job left of it.

    Raises:
        UserError: the disk is full or cannot be written to, or has no locks.
    """
    try:
        files.tar.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(files.hidden(".lock")):
            if (draft := files.hidden(".draft")).exists():
                shutil.rmtree(draft)
            if files.hidden(".ready").exists():
                publish(files)
            yield
    except OSError as error:
        if (mistake := disk_error(error, files.tar)) is not None:
            raise mistake from error
        raise


def publish(files: ShardFiles) -> None:
    """Move a shard's ready files into place, the marker last."""
    folder, ready = files.tar.parent, files.hidden(".ready")
    if (marker := ready / files.json.name).exists():
        files.json.unlink(missing_ok=True)
        sync_folder(folder)
        for path in (files.tar, files.idx, files.manifest):
            if (ready / path.name).exists():
                os.replace(ready / path.name, path)
        sync_folder(folder)
        os.replace(marker, files.json)
    ready.rmdir()
    sync_folder(folder)


class DigestingFile:
    """A new file that counts and digests what is written to it, synced on closing."""

    def __init__(self, path: Path) -> None:
        self.file, self.bytes, self.digest = path.open("xb"), 0, hashlib.sha256()

    def __enter__(self) -> DigestingFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self.file:
            if kind is None:
                self.flush()
                os.fsync(self.file.fileno())

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        self.file.flush()

    def write(self, data: bytes) -> int:
        """Write and digest bytes."""
        self.digest.update(data)
        self.bytes += len(data)
        return self.file.write(data)

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self.bytes

    def summary(self) -> dict[str, int | str]:
        """Return the size and the digest for the marker."""
        return {"bytes": self.bytes, "sha256": self.digest.hexdigest()}


def member_name(entry: Entry) -> str:
    """Return a photograph's name in the tar: its id if of digits, else a hash of it."""
    name = entry.photoid
    if not re.fullmatch("[0-9]{1,32}", name):
        name = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name}.{FORMATS[entry.format]}"


def pack(
    entries: Iterable[tuple[Entry, bytes | None]],
    tar: tarfile.TarFile,
    manifest: gzip.GzipFile,
) -> tuple[np.ndarray, Counter[str]]:
    """Put every entry into the manifest, and every kept photograph into the tar.

    Returns:
        The index, IDX (kept,), and the number of entries by outcome.
    """
    kept, outcomes = [], Counter[str]()
    manifest.write(("\t".join(Entry._fields) + "\n").encode())
    for entry, data in entries:
        manifest.write(("\t".join(entry) + "\n").encode())
        outcomes[entry.outcome] += 1
        if entry.outcome == "kept":
            assert data is not None
            member = tarfile.TarInfo(member_name(entry))
            member.size = len(data)
            offset = tar.offset + tarfile.BLOCKSIZE
            sha, dhash = int(entry.sha256[:16], 16), int(entry.dhash, 16)
            kept.append((offset, member.size, sha, dhash))
            tar.addfile(member, io.BytesIO(data))
    return np.array(kept, IDX), outcomes


def in_table_order(outcomes: Counter[str]) -> dict[str, int]:
    """Return the counts above zero, in the order of ``OUTCOMES``."""
    return {name: outcomes[name] for name in OUTCOMES if outcomes[name]}


def write_shard(
    files: ShardFiles,
    entries: Iterable[tuple[Entry, bytes | None]],
    about: Mapping[str, object],
) -> None:
    """Write a shard whose lock is held.

    Equal entries make equal files. Memory holds the index, not the photographs.

    Args:
        files: the paths.
        entries: each with its photograph's bytes, which are needed where it is kept.
        about: what the marker says besides counts and digests.
    """
    draft = files.hidden(".draft")
    draft.mkdir()
    try:
        with (
            DigestingFile(draft / files.tar.name) as to_tar,
            DigestingFile(draft / files.idx.name) as to_idx,
            DigestingFile(draft / files.manifest.name) as to_manifest,
        ):
            with (
                tarfile.TarFile(
                    fileobj=to_tar,  # type: ignore[arg-type]  # it is only written to
                    mode="w",
                    format=tarfile.USTAR_FORMAT,
                    copybufsize=COPY_BUFFER,
                ) as tar,
                gzip.GzipFile("", "wb", 6, to_manifest, mtime=0) as manifest,
            ):
                idx, outcomes = pack(entries, tar, manifest)
            np.save(to_idx, idx)
        written = {"tar": to_tar, "idx": to_idx, "manifest": to_manifest}
        marker = {
            **about,
            "rows": outcomes.total(),
            "kept": len(idx),
            "outcomes": in_table_order(outcomes),
            "files": {name: file.summary() for name, file in written.items()},
        }
        write_json(draft / files.json.name, marker)
        sync_folder(draft)
        os.replace(draft, files.hidden(".ready"))
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync_folder(files.tar.parent)
    publish(files)


def read_shard(files: ShardFiles) -> tuple[dict[str, Any], list[Entry]] | None:
    """Return a shard's marker and its manifest's entries; None if it is not whole.

    Of the tar only the size is compared: to read all tars would take days.
    """
    try:
        marker = json.loads(files.json.read_bytes())
        for name, expected in marker["files"].items():
            path = getattr(files, name)
            if path.stat().st_size != expected["bytes"]:
                return None
            if path != files.tar and sha256(path) != expected["sha256"]:
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


def stored_photographs(
    files: ShardFiles, entries: list[Entry], after: list[Entry]
) -> Iterator[tuple[Entry, bytes | None]]:
    """Yield each entry of ``after`` with the bytes that the tar holds.

    These are the entries of the manifest, of which fewer may be kept.

    Raises:
        DamagedTarError: the bytes are not those that were written.
    """
    places = iter(np.load(files.idx).tolist())
    with files.tar.open("rb") as tar:
        for old, new in zip(entries, after, strict=True):
            data = None
            if old.outcome == "kept":
                offset, size, _, _ = next(places)
                data = os.pread(tar.fileno(), size, offset)
                if hashlib.sha256(data).hexdigest() != old.sha256:
                    raise DamagedTarError
            yield new, data


def update_shard(
    files: ShardFiles,
    marker: Mapping[str, object],
    entries: list[Entry],
    after: list[Entry],
) -> bool:
    """Write a shard again from its own tar, without what is kept no longer.

    Nothing is written where no entry has changed. The caller holds the lock.

    Returns:
        Whether the shard now has the entries ``after``; False if its tar is damaged.
    """
    if after == entries:
        return True
    counted = {"rows", "kept", "outcomes", "files"}
    about = {name: value for name, value in marker.items() if name not in counted}
    try:
        write_shard(files, stored_photographs(files, entries, after), about)
    except DamagedTarError:
        return False
    return True
