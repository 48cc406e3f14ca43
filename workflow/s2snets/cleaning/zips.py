"""Photographs in zip files: one sorted index over all members, and reads by it.

A hundred million members lie in thousands of zips, whose directories take minutes to
read: one job reads them all, once. Its index is a sorted array that every other job
maps into memory and searches, so that a photograph costs one lookup and one read.
"""

import bisect
import hashlib
import os
import struct
import sys
import tempfile
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from s2snets.cleaning.fetched import (
    DISK_THREADS,
    LARGEST,
    TOO_LARGE,
    Fetched,
    failed,
    missing,
)
from s2snets.cleaning.tree import name_of
from s2snets.data.images import SUFFIXES
from s2snets.data.shards import mapped
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, replacing, write_json
from s2snets.runtime.progress import Progress

ENTRY = np.dtype({
    "names": ["name", "offset", "size", "crc", "zip"],
    "formats": ["<u8", "<u8", "<u4", "<u4", "<u4"],
})  # fmt: skip
BLOCK = 1 << 20  # entries put in order at once
LOCAL = struct.Struct("<4s5H3I2H")  # a member's own header, before name and extras
MAGIC = b"PK\3\4"
SLACK = 256  # bytes: most names and extras are shorter
UTF8, ENCRYPTED = 0x800, 0x1
PACKED = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}


def digest(name):
    """The first 8 bytes of a name's MD5, as a number."""
    return int.from_bytes(hashlib.md5(name.encode()).digest()[:8], "big")


def key_of(path, member):
    """A member named by its key: ``any/folder/KEY.jpg``."""
    return PurePosixPath(member).stem


def line_of(path, member):
    """A member named by its line: ``12/345.zip:678.jpg`` is line 12345678.

    Folder, zip and member are its digits, the last two of three digits each (SLIP's
    layout); empty for a member that has no number.

    Raises:
        UserError: the zip's own name or folder is no such number.
    """
    path, stem = Path(path), PurePosixPath(member).stem
    place = f"{path.parent.name}{path.stem:0>3}"
    if not (place.isdecimal() and len(path.stem) <= 3):
        raise UserError(
            f"{path}: tells no line; it should be called like 12/345.zip"
            " (members by key: clean.zips.names: key)"
        )
    return str(int(f"{place}{stem:0>3}")) if stem.isdecimal() and len(stem) < 4 else ""


NAMES = {"key": key_of, "line": line_of}


def read_directory(path, number, names):
    """The image members of one zip as ENTRY (N,), and its size in bytes.

    Raises:
        UserError: it cannot be read, or a member is encrypted or packed by a rare method.
    """
    try:
        with zipfile.ZipFile(path) as file:
            found = file.infolist()
            size = os.fstat(file.fp.fileno()).st_size
    except (zipfile.BadZipFile, struct.error, EOFError, ValueError, OSError) as error:
        raise UserError(f"{path}: unreadable zip ({error}); fetch it anew") from None
    except NotImplementedError as error:
        raise UserError(f"{path}: {error}; repack it") from None
    rows = []
    for member in found:
        name = member.filename
        if member.is_dir() or PurePosixPath(name).suffix.lower() not in SUFFIXES:
            continue
        if member.flag_bits & ENCRYPTED:
            raise UserError(f"{path}: {name} is encrypted; unpack it and zip it openly")
        if member.compress_type not in PACKED:
            known = " nor ".join(PACKED.values())
            raise UserError(f"{path}: {name} is neither {known}; repack the zip")
        if known := NAMES[names](path, name):
            length = min(member.compress_size, 2**32 - 1)
            place = member.header_offset, length, member.CRC, number
            rows.append((digest(known), *place))
    return np.array(rows, ENTRY), size


def index_zips(folder, names, index, threads=1):
    """Write one index over the members of all zips below a folder.

    ``index`` holds ENTRY (N,), sorted by name and each name once: the first zip's, in
    the order of their paths. Beside it, ``.json`` says of which zips. Memory: about 25
    bytes a member at the most (2.5 GB for a hundred million), and twice 28 on disk.

    Args:
        names: ``key`` or ``line``, see ``config.Zips``.
        threads: processes that read.

    Raises:
        UserError: no zips, none with photographs, or one that cannot be used.
    """
    folder, index = Path(folder), Path(index)
    paths = sorted(path for path in folder.rglob("*.zip") if path.is_file())
    if not paths:
        raise UserError(f"{folder}: holds no zip files; mend clean.zips.path")
    read = partial(read_numbered, names=names)
    about, report, done = [], Progress(), 0
    index.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryFile(dir=index.parent) as spool,
        ProcessPoolExecutor(threads) as pool,
    ):
        for path, (entries, size) in zip(
            paths, mapped(pool, read, enumerate(paths), 4 * threads), strict=True
        ):
            spool.write(entries)
            about.append((str(path.relative_to(folder)), size, len(entries)))
            done += len(entries)
            report(done)
        spool.flush()
        if not done:
            raise UserError(
                f"{folder}: no photographs in its zips by `names: {names}`;"
                " mend clean.zips"
            )
        kept = write_sorted(np.memmap(spool, ENTRY, "r"), index)
    if kept < done:
        print(f"{done - kept:,} members repeat a name; the first counts",
              file=sys.stderr)  # fmt: skip
    write_json(
        index.with_suffix(".json"),
        {
            "names": names,
            "photographs": kept,
            "repeated": done - kept,
            "zips": [
                {"file": file, "bytes": size, "photographs": count}
                for file, size, count in about
            ],
        },
    )


def read_numbered(numbered, names):
    """``read_directory`` of one (number, path)."""
    number, path = numbered
    return read_directory(path, number, names)


def write_sorted(entries, path):
    """Entries in the order of their names, the first of each; returns how many."""
    names = np.ascontiguousarray(entries["name"])
    order = np.argsort(names, kind="stable")
    names = names[order]
    order = order[np.append(True, names[1:] != names[:-1])]
    del names
    header = {"descr": np.lib.format.dtype_to_descr(ENTRY), "fortran_order": False}
    with replacing(path) as draft, draft.open("wb") as file:
        # Not through a mapping: on a full disk that ends in SIGBUS, this in an error.
        np.lib.format.write_array_header_1_0(file, header | {"shape": order.shape})
        for start in range(0, len(order), BLOCK):
            file.write(entries[order[start : start + BLOCK]].tobytes())
    return len(order)


def read_index(index, names):
    """The mapped ENTRY (N,) of an index, and (file, bytes) of its zips.

    Raises:
        UserError: no such index, a damaged one, or one by other names.
    """
    index = Path(index)
    about = read_json(index.with_suffix(".json"))
    try:
        entries = np.load(index, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{index}: damaged index ({error}); delete and rerun") from None
    meant = (ENTRY, (about["photographs"],), names)
    if (entries.dtype, entries.shape, about["names"]) != meant:
        raise UserError(f"{index}: not the index that its JSON tells of; delete both")
    # A plain view: subclasses of arrays take ten times as long to give an element.
    return entries.view(np.ndarray), [
        (zipped["file"], zipped["bytes"]) for zipped in about["zips"]
    ]


def read_block(path, entry, size_indexed):
    """A member's method, name and packed bytes, as they stand in the zip.

    Raises:
        UserError: the zip is gone, or has another size than when it was indexed.
        BadZipFile, struct.error: there is no member.
    """
    offset, size = int(entry["offset"]), int(entry["size"])
    try:
        with open(path, "rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size != size_indexed:
                raise UserError(
                    f"{path}: changed since it was indexed; delete the index"
                )
            block = os.pread(file.fileno(), LOCAL.size + SLACK + size, offset)
            magic, _, flags, method, *_, named, extra = LOCAL.unpack_from(block)
            if magic != MAGIC:
                raise zipfile.BadZipFile
            start = LOCAL.size + named + extra
            if (rest := start + size - len(block)) > 0:
                block += os.pread(file.fileno(), rest, offset + len(block))
    except FileNotFoundError:
        raise UserError(f"{path}: gone since it was indexed; bring it back") from None
    name = block[LOCAL.size : LOCAL.size + named]
    name = name.decode("utf-8" if flags & UTF8 else "cp437", "replace")
    return method, name, block[start : start + size]


def unpacked(data, method, crc):
    """A member's own bytes as Fetched; damaged ones are ``fetch_error``."""
    if method == zipfile.ZIP_DEFLATED:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = stream.decompress(data, LARGEST + 1)
        except zlib.error:
            return failed("BadZipFile")
        if len(data) > LARGEST:
            return TOO_LARGE
    return Fetched(data) if zlib.crc32(data) == crc else failed("BadZipFile")


@contextmanager
def open_zips(zips, index):
    """Yields (fetch, connections) for zip files.

    Args:
        zips: a ``config.Zips``.
        index: what ``index_zips`` has written.

    Raises:
        UserError: see ``read_index``; on fetching, see ``read_block``.
    """
    folder = Path(zips.path)
    entries, files = read_index(index, zips.names)
    column = entries["name"]

    def name(row):
        if zips.names == "key":
            return row.key
        return str(int(row.line)) if row.line.isdecimal() else ""

    def fetch(row):
        number = np.uint64(digest(name(row)))
        # NumPy's own search would first copy the column: hundreds of megabytes.
        place = bisect.bisect_left(column, number)
        if place == len(column) or column[place] != number:
            return missing("")
        entry = entries[place]
        if entry["size"] > LARGEST:
            return TOO_LARGE
        file, size = files[entry["zip"]]
        try:
            method, member, data = read_block(folder / file, entry, size)
        except (zipfile.BadZipFile, struct.error):
            return failed("BadZipFile")
        except OSError as error:
            return failed(name_of(error))
        known = NAMES[zips.names](folder / file, member)
        if digest(known) != number:
            return failed("BadZipFile")
        if known != name(row):
            return missing("")  # another name with the same digest
        return unpacked(data, method, int(entry["crc"]))

    yield fetch, DISK_THREADS
