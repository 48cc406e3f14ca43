"""Reading YFCC100m's metadata, in each form it was published in, and image folders.

Lines are split by hand: only a line feed ends one, and no quote or null means anything,
which no reader of CSV promises. Unpacking bzip2 takes longer than all the rest.
So are streams of bzip2: where any but the first is damaged at its start, ``bz2.open``
ends as if the file did.
"""

import bz2
import hashlib
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import lru_cache, partial
from io import FileIO
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, get_args
from urllib.parse import quote

from s2snets.config import Licence
from s2snets.data.folders import walk_images
from s2snets.data.images import SUFFIXES
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import open_regular, reading, unreadable

COLUMNS = [
    "photoid", "uid", "unickname", "datetaken", "dateuploaded", "capturedevice",
    "title", "description", "usertags", "machinetags", "longitude", "latitude",
    "accuracy", "pageurl", "downloadurl", "licensename", "licenseurl", "serverid",
    "farmid", "secret", "secretoriginal", "ext", "marker",
]  # fmt: skip
USED = "photoid", "uid", "downloadurl", "licensename", "licenseurl", "ext", "marker"
FORMS = {
    "v1": COLUMNS,
    "v2": ["line", "photoid", "key", *COLUMNS[1:]],
    "hashes": ["photoid", "key"],
    "sqlite": COLUMNS,
}
"""Name of a form -> its columns."""
KINDS = {"metadata": ("v1", "v2", "sqlite"), "hashes": ("hashes",)}
"""Kind of file that the user names -> the forms that it may have."""
LICENCE_WORDS = {
    "by": "attribution", "nc": "noncommerc", "nd": "noderiv", "sa": "sharealike"
}  # fmt: skip
SQLITE = b"SQLite format 3\0"
HASH = re.compile("[0-9a-f]{16,32}").fullmatch  # it becomes a path: nothing else may
CONTROL = b"\t\r\n\0"
MARKERS = {"": "0", "0": "0", "1": "1"}
UNNAMED = "line-"  # begins the names of rows that cannot be used
OTHER_KEY = "key other than computed"
HEAD = 1000  # number of rows by which a file's form is recognised
BLOCK = 1 << 18  # bytes unpacked at once
MAX_LINE = 4_000_000  # bytes
MAX_VALUE = 1000  # characters: the values that are used stay in memory

Cells = Iterator[list[str]]


class Row(NamedTuple):
    """A photograph or video of the metadata, or an image file; all text."""

    photoid: str  # or the image's percent-encoded path, or `line-PART-NUMBER`
    uid: str
    key: str  # of the stored file; as photoid where that is a path
    ext: str  # lower case, without the dot
    licence: str  # as in config.Licence; "" where unknown
    video: str  # 0 or 1
    url: str
    line: str  # the number the metadata gives, else counted from 0 in its file
    flaw: str  # why the row cannot be used, or ""


class PublishedKey(NamedTuple):
    """A line of the hash file."""

    photoid: str
    key: str


def file_key(url: str) -> str:
    """Return the name of a photograph's file: MD5 of its address, unpadded bytes (%x).

    24 to 32 digits for most; the common, padded digest names other files.
    """
    digest = hashlib.md5(url.encode(), usedforsecurity=False).digest()
    return ("%x" * 16) % tuple(digest)


@lru_cache(maxsize=1024)
def short_licence(name: str, address: str) -> str:
    """Return a Creative Commons licence such as ``by-nc-sa``; empty for others."""
    deed = re.search("/licenses/([a-z-]+)", address)
    if deed:
        given = deed[1].split("-")
    else:
        given = [part for part, word in LICENCE_WORDS.items() if word in name.lower()]
    short = "-".join(part for part in LICENCE_WORDS if part in given)
    return short if short in get_args(Licence) else ""


def unpack_streams(file: FileIO) -> Iterator[bytes]:
    """Yield the content of a file of bzip2, all of its streams.

    Raises:
        EOFError, OSError: the last stream is cut, or anything is damaged.
    """
    packed = file.read(BLOCK)
    while packed:
        stream = bz2.BZ2Decompressor()
        while not stream.eof:
            if stream.needs_input and not packed:
                packed = file.read(BLOCK)
                if not packed:
                    raise EOFError("it ends too early")
            yield stream.decompress(packed, BLOCK)
            packed = b""
        packed = stream.unused_data or file.read(BLOCK)


def text_cells(path: Path) -> Cells:
    """Yield the cells of each line of a text file, packed by bzip2 or not."""
    with open_regular(path) as file:
        packed = file.read(3) == b"BZh"
        file.seek(0)
        plain = iter(partial(file.read, BLOCK), b"")
        line = b""
        for block in unpack_streams(file) if packed else plain:
            *lines, line = (line + block).split(b"\n")
            yield from map(split_line, lines)
            if len(line) > MAX_LINE:
                raise OSError(f"a line of over {MAX_LINE:,} bytes")
        if line:
            yield split_line(line)


def split_line(line: bytes) -> list[str]:
    """Return the cells of a line; carriage returns and NULs are part of no value."""
    return line.translate(None, b"\r\0").decode("utf-8", "replace").split("\t")


def sqlite_cells(path: Path) -> Cells:
    """Yield the cells of each row of the SQLite file's table, as text."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as base:
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LINE)
        base.text_factory = lambda text: text.translate(None, CONTROL).decode(
            "utf-8", "replace"
        )
        for values in base.execute("SELECT * FROM yfcc100m_dataset"):
            yield ["" if value is None else str(value) for value in values]


def raise_if_damaged(rows: Cells, path: Path) -> Cells:
    """Yield the rows of a file.

    Raises:
        UserError: the file ends too early, or is damaged.
    """
    number = 0
    try:
        for row in rows:
            yield row
            number += 1
    except (EOFError, OSError, sqlite3.Error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise unreadable(error, path) from None  # errors of bz2 have no number
        raise UserError(
            f"{path}: unreadable after {number:,} rows ({error}); fetch it anew"
        ) from None


def read_cells(path: Path, kind: str) -> tuple[str, Cells]:
    """Return a file's form, recognised by its content, and the cells of each row.

    ``kind`` is a key of ``KINDS``.

    Raises:
        UserError: no such file, an empty one, or one of another kind.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file of {kind}")
    with reading(path) as file:
        sqlite = file.read(len(SQLITE)) == SQLITE
    rows = raise_if_damaged(sqlite_cells(path) if sqlite else text_cells(path), path)
    head = list(islice(rows, HEAD))
    if not head:
        raise UserError(f"{path}: holds no rows; fetch it anew")
    width = Counter(map(len, head)).most_common(1)[0][0]
    form = next((name for name, names in FORMS.items() if len(names) == width), None)
    form = "sqlite" if sqlite and form == "v1" else form
    if form is None or form not in KINDS[kind]:
        widths = sorted({len(FORMS[name]) for name in KINDS[kind]})
        mend = " or ".join(map(str, widths)) + f" are the {kind}'s"
        if form is not None:
            mend += "; give it under " + next(k for k in KINDS if form in KINDS[k])
        raise UserError(f"{path}: its rows have {width} columns, but {mend}")
    return form, chain(head, rows)


def metadata_rows(
    rows: Cells, form: str, part: int, tally: Counter[str]
) -> Iterator[Row]:
    """Yield each row of a metadata file of a form, from its cells.

    ``part``, the file's number, goes into the names of rows without an id; ``tally``
    counts flaws, and keys that differ from the computed ones.
    """
    names = FORMS[form]
    pick = itemgetter(*map(names.index, USED))
    for number, cells in enumerate(rows):
        if len(cells) != len(names):
            flaw = f"columns: {len(cells)}, not {len(names)}"
        else:
            values = photoid, uid, url, name, address, ext, marker = pick(cells)
            line, key = str(number), file_key(url)
            if form == "v2":
                line, computed, key = cells[0], key, cells[2]
                tally[OTHER_KEY] += key != computed
            flaw = (
                f"a value of over {MAX_VALUE:,} characters"
                if max(map(len, (line, *values))) > MAX_VALUE
                else "no id" if not (photoid.isascii() and photoid.isdigit())
                else "no address" if not url.startswith("http")
                else "no key" if not HASH(key)
                else "no line number" if not (line.isascii() and line.isdigit())
                else "neither photo nor video" if marker not in MARKERS
                else ""
            )  # fmt: skip
        if flaw:
            tally[flaw] += 1
            name = f"{UNNAMED}{part}-{number}"
            yield Row(name, "", "", "", "", "0", "", str(number), flaw)
        else:
            ext = ext.lower() if ext.isalnum() else ""
            licence = short_licence(name, address)
            yield Row(photoid, uid, key, ext, licence, MARKERS[marker], url, line, "")


def hash_rows(rows: Cells, part: int, tally: Counter[str]) -> Iterator[PublishedKey]:
    """Yield each row of the hash file; see ``metadata_rows``."""
    for number, cells in enumerate(rows):
        photoid, key = cells if len(cells) == 2 else ("", "")
        named = photoid.isascii() and photoid.isdigit() and len(photoid) <= MAX_VALUE
        if named and HASH(key):
            yield PublishedKey(photoid, key)
        else:
            tally["no id or no key"] += 1
            yield PublishedKey(f"{UNNAMED}{part}-{number}", "")


def folder_rows(folder: Path) -> Iterator[Row]:
    """Yield each image file below a folder as a row, named by its path from there.

    Raises:
        UserError: no such folder, one that cannot be listed, or one without images.
    """
    number = None
    for number, path in enumerate(walk_images(folder)):
        name = quote(os.fsencode(os.path.relpath(path, folder)))
        ext = os.path.splitext(path)[1][1:].lower()
        yield Row(name, "", name, ext, "", "0", "", str(number), "")
    if number is None:
        suffixes = ", ".join(sorted(SUFFIXES))
        raise UserError(f"{folder}: holds no images ({suffixes})")


def source_rows(
    source: Path, kind: str, part: int, tally: Counter[str]
) -> tuple[str, type[Row] | type[PublishedKey], Iterable[Row] | Iterable[PublishedKey]]:
    """Return a source's form, the type of its rows, and the rows.

    ``kind`` is ``folder`` or a key of ``KINDS``; for the rest see ``metadata_rows``.
    """
    if kind == "folder":
        return kind, Row, folder_rows(source)
    form, cells = read_cells(source, kind)
    if form == "hashes":
        return form, PublishedKey, hash_rows(cells, part, tally)
    return form, Row, metadata_rows(cells, form, part, tally)
