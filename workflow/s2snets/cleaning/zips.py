"""Photographs in zip files, found by one sorted index over all members.

A hundred million members lie in thousands of zips, whose directories take minutes to
read: one job reads them all, once. Its index is a sorted array that every other job
maps into memory and searches, so that a photograph costs one lookup and one read.
"""

import bisect
import hashlib
import os
import struct
import tempfile
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from s2snets.cleaning.fetched import (
    MAX_BYTES,
    TOO_LARGE,
    Fetched,
    failed,
    missing,
)
from s2snets.cleaning.metadata import Row
from s2snets.cleaning.tree import error_name
from s2snets.config.cleaning import Zips
from s2snets.data.folders import is_image, walk_files
from s2snets.data.packing import map_ahead
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import (
    is_hidden,
    open_regular,
    read_json,
    reading,
    replacing,
    write_json,
)
from s2snets.runtime.progress import Progress, log

ENTRY = np.dtype({
    "names": ["name", "offset", "size", "crc", "zip"],
    "formats": ["<u8", "<u8", "<u4", "<u4", "<u4"],
})  # fmt: skip
BLOCK = 1 << 20  # entries written at once
LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # of a member, before name and extras
MAGIC = b"PK\3\4"
READ_AHEAD = 256  # bytes: most names and extras are shorter
UTF8, ENCRYPTED = 0x800, 0x1
METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}


def digest(name: str) -> int:
    """Return the first 8 bytes of a name's MD5 as a number."""
    return int.from_bytes(hashlib.md5(name.encode()).digest()[:8], "big")


def member_key(path: Path, member: str) -> str:
    """Return the key that names a member: ``any/folder/KEY.jpg``."""
    return PurePosixPath(member).stem


def member_line(path: Path, member: str) -> str:
    """Return the line that names a member: ``12/345.zip:678.jpg`` is line 12345678.

    Folder, zip and member are its digits, the last two of three digits each (SLIP's
    layout); empty for a member that has no number.

    Raises:
        UserError: the zip's own name or folder is no such number.
    """
    stem = PurePosixPath(member).stem
    prefix = f"{path.parent.name}{path.stem:0>3}"
    if not (prefix.isdecimal() and len(path.stem) <= 3):
        raise UserError(
            f"{path}: tells no line; it should be called like 12/345.zip"
            " (members by key: clean.zips.names: key)"
        )
    numbered = stem.isdecimal() and len(stem) < 4
    return str(int(f"{prefix}{stem:0>3}")) if numbered else ""


MEMBER_NAMES = {"key": member_key, "line": member_line}


def read_directory(numbered: tuple[int, Path], names: str) -> tuple[np.ndarray, int]:
    """Return the image members of a zip, ENTRY (N,), and its size; no hidden ones.

    Args:
        numbered: the zip's number and path.
        names: ``key`` or ``line``.

    Raises:
        UserError: it is unreadable, or has a member that is encrypted or rarely packed.
    """
    number, path = numbered
    try:
        with reading(path) as raw, zipfile.ZipFile(raw) as file:
            members, size = file.infolist(), os.fstat(raw.fileno()).st_size
    except (zipfile.BadZipFile, struct.error, EOFError, ValueError) as error:
        raise UserError(f"{path}: unreadable zip ({error}); fetch it anew") from None
    except NotImplementedError as error:
        raise UserError(f"{path}: {error}; repack it") from None
    rows = []
    for member in members:
        filename = member.filename
        if member.is_dir() or not is_image(filename) or is_hidden(filename):
            continue
        if member.flag_bits & ENCRYPTED:
            raise UserError(
                f"{path}: {filename} is encrypted; unpack it and zip it openly"
            )
        if member.compress_type not in METHODS:
            known = " nor ".join(METHODS.values())
            raise UserError(f"{path}: {filename} is neither {known}; repack the zip")
        if name := MEMBER_NAMES[names](path, filename):
            length = min(member.compress_size, 2**32 - 1)
            rows.append(
                (digest(name), member.header_offset, length, member.CRC, number)
            )
    return np.array(rows, ENTRY), size


def index_zips(folder: Path, names: str, index: Path, threads: int = 1) -> None:
    """Write one index over the members of all zips below a folder.

    ``index`` holds ENTRY (N,), sorted by name and each name once: the first zip's, in
    the order of their paths. The ``.json`` beside it lists the zips. Memory: at most 25
    bytes a member (2.5 GB for a hundred million), and twice 28 on disk.
    ``names`` is ``key`` or ``line``, see ``config.Zips``; ``threads`` are processes.

    Raises:
        UserError: no zips, none with photographs, or one that cannot be used.
    """
    paths = [Path(path) for path in walk_files(folder, {".zip"})]
    if not paths:
        raise UserError(f"{folder}: holds no zip files; mend clean.zips.path")
    read = partial(read_directory, names=names)
    zips, progress, done = [], Progress(), 0
    index.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryFile(dir=index.parent) as spool,
        ProcessPoolExecutor(threads) as pool,
    ):
        for path, (entries, size) in zip(
            paths, map_ahead(pool, read, enumerate(paths), 4 * threads), strict=True
        ):
            spool.write(entries.data)
            file = str(path.relative_to(folder))
            zips.append({"file": file, "bytes": size, "photographs": len(entries)})
            done += len(entries)
            progress(done)
        spool.flush()
        if not done:
            raise UserError(
                f"{folder}: no photographs in its zips by `names: {names}`;"
                " mend clean.zips"
            )
        kept = write_sorted(np.memmap(spool, ENTRY, "r"), index)
    if kept < done:
        log(f"{done - kept:,} members repeat a name; the first counts")
    about = {"names": names, "photographs": kept, "repeated": done - kept, "zips": zips}
    write_json(index.with_suffix(".json"), about)


def write_sorted(entries: np.ndarray, path: Path) -> int:
    """Write entries sorted by name, the first of each name; returns their number."""
    names = np.ascontiguousarray(entries["name"])
    order = np.argsort(names, kind="stable")
    names = names[order]
    order = order[np.append(True, names[1:] != names[:-1])]
    del names
    header = {"descr": np.lib.format.dtype_to_descr(ENTRY), "fortran_order": False}
    with replacing(path) as draft, draft.open("wb") as file:
        # Not through a memory map: a full disk would end that by SIGBUS.
        np.lib.format.write_array_header_1_0(file, header | {"shape": order.shape})
        for start in range(0, len(order), BLOCK):
            file.write(entries[order[start : start + BLOCK]].tobytes())
    return len(order)


def read_index(index: Path, names: str) -> tuple[np.ndarray, list[tuple[str, int]]]:
    """Return the mapped ENTRY (N,) of an index, and (file, bytes) of its zips.

    Raises:
        UserError: no such index, a damaged one, or one by other names.
    """
    about = read_json(index.with_suffix(".json"))
    try:
        entries = np.load(index, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{index}: damaged index ({error}); delete and rerun") from None
    expected = (ENTRY, (about["photographs"],), names)
    if (entries.dtype, entries.shape, about["names"]) != expected:
        raise UserError(f"{index}: not the index that its JSON tells of; delete both")
    # A plain view: subclasses of arrays take ten times as long to give an element.
    return entries.view(np.ndarray), [
        (zipped["file"], zipped["bytes"]) for zipped in about["zips"]
    ]


def read_member(path: Path, entry: np.void, zip_bytes: int) -> tuple[int, str, bytes]:
    """Return a member's method, name and packed bytes, as they stand in the zip.

    Raises:
        UserError: the zip is gone, or has another size than when it was indexed.
        BadZipFile, struct.error: there is no member.
    """
    offset, size = int(entry["offset"]), int(entry["size"])
    header = LOCAL_HEADER.size
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size != zip_bytes:
                raise UserError(
                    f"{path}: changed since it was indexed; delete the index"
                )
            block = os.pread(file.fileno(), header + READ_AHEAD + size, offset)
            magic, _, flags, method, *_, named, extra = LOCAL_HEADER.unpack_from(block)
            if magic != MAGIC:
                raise zipfile.BadZipFile
            start = header + named + extra
            if (rest := start + size - len(block)) > 0:
                block += os.pread(file.fileno(), rest, offset + len(block))
    except FileNotFoundError:
        raise UserError(f"{path}: gone since it was indexed; bring it back") from None
    name = block[header : header + named]
    encoding = "utf-8" if flags & UTF8 else "cp437"
    return method, name.decode(encoding, "replace"), block[start : start + size]


def unpack(data: bytes, method: int, crc: int) -> Fetched:
    """Return a member's unpacked bytes; damaged ones are a ``fetch_error``."""
    if method == zipfile.ZIP_DEFLATED:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = stream.decompress(data, MAX_BYTES + 1)
        except zlib.error:
            return failed("BadZipFile")
        if len(data) > MAX_BYTES:
            return TOO_LARGE
    return Fetched(data) if zlib.crc32(data) == crc else failed("BadZipFile")


class ZipReader:
    """Photographs in zip files, read by several threads, with the index of these.

    Raises:
        UserError: see ``read_index``; on fetching, see ``read_member``.
    """

    def __init__(self, settings: Zips, index: Path) -> None:
        self.folder, self.names = Path(settings.path), settings.names
        self.entries, self.files = read_index(index, settings.names)
        self.digests = self.entries["name"]

    def name(self, row: Row) -> str:
        """Return what the member of a row is called in the index."""
        if self.names == "key":
            return row.key
        return str(int(row.line)) if row.line.isdecimal() else ""

    def fetch(self, row: Row) -> Fetched:
        """Read the photograph of a row."""
        name = self.name(row)
        number = np.uint64(digest(name))
        # NumPy's own search would first copy the column: hundreds of megabytes.
        place = bisect.bisect_left(self.digests, number)
        if place == len(self.digests) or self.digests[place] != number:
            return missing("")
        entry = self.entries[place]
        if entry["size"] > MAX_BYTES:
            return TOO_LARGE
        file, zip_bytes = self.files[entry["zip"]]
        path = self.folder / file
        try:
            method, member, data = read_member(path, entry, zip_bytes)
        except (zipfile.BadZipFile, struct.error):
            return failed("BadZipFile")
        except OSError as error:
            return failed(error_name(error))
        stored = MEMBER_NAMES[self.names](path, member)
        if digest(stored) != number:
            return failed("BadZipFile")
        if stored != name:
            return missing("")  # another name with the same digest
        return unpack(data, method, int(entry["crc"]))
