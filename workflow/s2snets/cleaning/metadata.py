"""YFCC100m's metadata, in each form it was published in, as rows of one kind.

A row goes to a batch by its photo's id, so that a batch is one small file of every
part: no job ever holds more than a block of rows, and repeated ids meet. Lines are
split by hand: only a line feed ends one, and no quote or null means anything, which
no reader of CSV promises. Unpacking bzip2 takes longer than all the rest.
"""

import bz2
import csv
import gzip
import hashlib
import os
import re
import sqlite3
from collections import Counter
from contextlib import closing
from functools import lru_cache
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, get_args
from urllib.parse import quote
from zlib import error as ZlibError

import numpy as np
import pandas as pd

from s2snets.config import Licence
from s2snets.data.images import SUFFIXES
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing_folder, write_json
from s2snets.runtime.progress import Progress

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
"""What a file is given as -> the forms that it may have."""
WORDS = {"by": "attribution", "nc": "noncommerc", "nd": "noderiv", "sa": "sharealike"}
SQLITE = b"SQLite format 3\0"
HASH = re.compile("[0-9a-f]{16,32}").fullmatch  # it becomes a path: nothing else may
CONTROL = b"\t\r\n\0"
MARKERS = {"": "0", "0": "0", "1": "1"}
UNNAMED = "line-"  # begins the names of rows that are of no use
OTHER_KEY = "key other than computed"
HEAD = 1000  # rows by which a file's form, and a file given twice, is known
BLOCK = 1 << 17  # rows in a block; about 150 MB


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
    flaw: str  # why the row is of no use, or ""


class Published(NamedTuple):
    """A line of the hash file."""

    photoid: str
    key: str


def key_of(url):
    """The name of a photograph's file: MD5 of its address, bytes not padded (%x).

    24 to 32 digits for most; the common, padded digest names other files.
    """
    digest = hashlib.md5(url.encode(), usedforsecurity=False).digest()
    return ("%x" * 16) % tuple(digest)


@lru_cache(maxsize=1024)
def licence_of(name, address):
    """A Creative Commons licence in short, such as ``by-nc-sa``; "" for others."""
    deed = re.search("/licenses/([a-z-]+)", address)
    if deed:
        said = deed[1].split("-")
    else:
        said = [part for part, word in WORDS.items() if word in name.lower()]
    short = "-".join(part for part in WORDS if part in said)
    return short if short in get_args(Licence) else ""


def placed(photoids, shards, batches):
    """Where photographs go, by the padded MD5 of their ids.

    Returns:
        shard and batch of each: int64 (N,), in [0, shards) and [0, batches).
    """
    heads = b"".join(
        hashlib.md5(photoid.encode(), usedforsecurity=False).digest()[:4]
        for photoid in photoids
    )
    shard = np.frombuffer(heads, ">u4").astype(np.int64) * shards >> 32
    return shard, shard * batches // shards


def text_cells(path):
    """The cells of each line of a text file, packed by bzip2 or not."""
    with path.open("rb") as file:
        packed = file.read(3) == b"BZh"
    with bz2.open(path) if packed else path.open("rb") as file:
        for line in file:
            # Carriage returns, also those of CRLF, and NULs are part of no value.
            plain = line.translate(None, b"\r\n\0").decode("utf-8", "replace")
            yield plain.split("\t")


def sqlite_cells(path):
    """The cells of each row of the SQLite file's table, as text."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as base:
        base.text_factory = lambda text: text.translate(None, CONTROL).decode(
            "utf-8", "replace"
        )
        for values in base.execute("SELECT * FROM yfcc100m_dataset"):
            yield ["" if value is None else str(value) for value in values]


def unbroken(rows, path):
    """The rows as they come.

    Raises:
        UserError: the file ends too early, or is damaged.
    """
    number = 0
    try:
        for row in rows:
            yield row
            number += 1
    except (EOFError, OSError, sqlite3.Error) as error:
        if getattr(error, "errno", None) is not None:
            raise  # of the disk: bz2's own have no number
        raise UserError(
            f"{path}: unreadable after {number:,} rows ({error}); fetch it anew"
        ) from None


def cells_of(path, kind):
    """A file's form, told by its content, and the cells of each of its rows.

    Args:
        kind: a key of ``KINDS``.

    Raises:
        UserError: no such file, an empty one, or one of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file of {kind}")
    with path.open("rb") as file:
        sqlite = file.read(len(SQLITE)) == SQLITE
    rows = unbroken(sqlite_cells(path) if sqlite else text_cells(path), path)
    head = list(islice(rows, HEAD))
    if not head:
        raise UserError(f"{path}: holds no rows; fetch it anew")
    width = Counter(map(len, head)).most_common(1)[0][0]
    form = next((name for name, names in FORMS.items() if len(names) == width), None)
    form = "sqlite" if sqlite and form == "v1" else form
    if form not in KINDS[kind]:
        widths = sorted({len(FORMS[name]) for name in KINDS[kind]})
        mend = " or ".join(map(str, widths)) + f" are the {kind}'s"
        if form is not None:
            mend += "; give it under " + next(k for k in KINDS if form in KINDS[k])
        raise UserError(f"{path}: its rows have {width} columns, but {mend}")
    return form, chain(head, rows)


def metadata_rows(found, form, part, tally):
    """Each row of a metadata file as a ``Row``.

    Args:
        found: the rows' cells.
        form: a key of ``FORMS``.
        part: the file's number, which goes into the names of rows without an id.
        tally: counts of flaws, and of keys that are not the computed ones.
    """
    names = FORMS[form]
    pick = itemgetter(*map(names.index, USED))
    for number, cells in enumerate(found):
        if len(cells) != len(names):
            flaw = f"columns: {len(cells)}, not {len(names)}"
        else:
            photoid, uid, url, name, address, ext, marker = pick(cells)
            line, key = str(number), key_of(url)
            if form == "v2":
                line, computed, key = cells[0], key, cells[2]
                tally[OTHER_KEY] += key != computed
            flaw = (
                "no id" if not (photoid.isascii() and photoid.isdigit())
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
            licence = licence_of(name, address)
            yield Row(photoid, uid, key, ext, licence, MARKERS[marker], url, line, "")


def hash_rows(found, part, tally):
    """Each row of the hash file as a ``Published``."""
    for number, cells in enumerate(found):
        photoid, key = cells if len(cells) == 2 else ("", "")
        if photoid.isascii() and photoid.isdigit() and HASH(key):
            yield Published(photoid, key)
        else:
            tally["no id or no key"] += 1
            yield Published(f"{UNNAMED}{part}-{number}", "")


def image_paths(folder, above=()):
    """Image files below a folder as texts, sorted; what is hidden is skipped.

    Linked folders are followed, unless they lead back up.
    """
    try:
        status = os.stat(folder)
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be listed ({error.strerror}); make it readable"
        ) from None
    here = (status.st_dev, status.st_ino)
    for entry in entries:
        if here in above or entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from image_paths(entry.path, (*above, here))
        elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
            yield entry.path


def folder_rows(folder):
    """Each image file below a folder as a ``Row``, named by its path from there.

    Raises:
        UserError: no such folder, one that cannot be listed, or one without images.
    """
    number = None
    for number, path in enumerate(image_paths(folder)):
        place = quote(os.fsencode(os.path.relpath(path, folder)))
        ext = os.path.splitext(path)[1][1:].lower()
        yield Row(place, "", place, ext, "", "0", "", str(number), "")
    if number is None:
        suffixes = ", ".join(sorted(SUFFIXES))
        raise UserError(f"{folder}: holds no images ({suffixes})")


def lines(rows):
    """Rows as lines of a table, compressed; more such may follow in the same file."""
    text = "".join("\t".join(row) + "\n" for row in rows)
    # The fields are nearly random: a higher level takes twice as long for 5 %.
    return gzip.compress(text.encode(), 1, mtime=0)


def write_rows(source, kind, folder, *, shards, batches, part=0):
    """One file of metadata, the hash file or a folder of images, split by batch.

    Args:
        source: the file, or the folder.
        kind: ``metadata``, ``hashes`` or ``folder``.
        folder: where ``{batch:04d}.tsv.gz`` of every batch go, and ``about.json``.
        shards, batches: how many there are in all.
        part: the source's number among all.

    Raises:
        UserError: a source that is missing, cut, damaged or of another kind; one whose
            rows are unusable for the most part; a full disk.
    """
    tally, report, head = Counter(), Progress(unit="rows"), hashlib.sha256()
    if kind == "folder":
        form, rows, row_type = kind, folder_rows(source), Row
    else:
        form, found = cells_of(source, kind)
        if form == "hashes":
            rows, row_type = hash_rows(found, part, tally), Published
        else:
            rows, row_type = metadata_rows(found, form, part, tally), Row
    count = 0
    with replacing_folder(folder) as draft:
        for batch in range(batches):
            (draft / f"{batch:04d}.tsv.gz").write_bytes(lines([row_type._fields]))
        while block := list(islice(rows, BLOCK)):
            for row in block[: max(0, HEAD - count)]:
                if not row.photoid.startswith(UNNAMED):
                    head.update(f"{row.photoid}\n".encode())
            _, places = placed([row.photoid for row in block], shards, batches)
            for batch, chosen in pd.RangeIndex(len(block)).groupby(places).items():
                with (draft / f"{batch:04d}.tsv.gz").open("ab") as file:
                    file.write(lines(block[number] for number in chosen))
            count += len(block)
            report(count)
        mismatched = tally.pop(OTHER_KEY, 0)
        if 2 * tally.total() > count:
            raise UserError(
                f"{source}: {tally.total():,} of {count:,} rows are of no use"
                f" ({tally.most_common(1)[0][0]}); fetch it anew"
            )
        write_json(
            draft / "about.json",
            {
                "source": str(source),
                "form": form,
                "rows": count,
                "flaws": dict(sorted(tally.items())),
                "mismatched": mismatched,
                "head": head.hexdigest()[:16],
            },
        )


def check_parts(abouts, *, by_line=False):
    """See that the metadata files given go together.

    Args:
        abouts: their ``about.json`` as read.
        by_line: whether photographs are called by their lines, which only the one
            file of 25 columns numbers.

    Raises:
        UserError: two forms of the metadata, a file given twice, or lines that name no
            photographs.
    """
    forms, heads = {}, {}
    for about in abouts:
        source = about["source"]
        first = heads.setdefault(about["head"], source)
        if first is not source:
            raise UserError(f"{source}: the same rows as {first}; give them once")
        forms.setdefault(about["form"], source)
    if len(forms) > 1:
        listed = ", ".join(f"{form} ({source})" for form, source in forms.items())
        raise UserError(f"metadata: two forms of the same rows, {listed}; give one")
    if by_line and "v2" not in forms:
        raise UserError(
            f"clean.zips.names: {next(iter(forms.values()))} does not number its lines;"
            " give the metadata of 25 columns"
        )


def read_lines(folder, batch):
    """The rows of one batch of one part, as texts.

    Raises:
        UserError: they are missing or damaged.
    """
    path = Path(folder) / f"{batch:04d}.tsv.gz"
    try:
        return pd.read_csv(
            path,
            sep="\t",
            lineterminator="\n",
            quoting=csv.QUOTE_NONE,
            na_filter=False,
            dtype=str,
        )
    except FileNotFoundError:
        raise UserError(f"{path}: no such rows; rerun read_metadata") from None
    except (ValueError, EOFError, gzip.BadGzipFile, ZlibError) as error:
        raise UserError(
            f"{path}: damaged rows ({error}); delete {folder} and rerun"
        ) from None


def rows_of(folders, hashes, batch):
    """The rows of one batch, part by part, each part's in its own order.

    Args:
        folders: the metadata files' folders, as ``write_rows`` left them.
        hashes: the hash file's, whose keys then stand for the computed ones; or None.

    Returns:
        a table with the columns of ``Row``.

    Raises:
        UserError: rows that are missing or damaged.
    """
    parts = [read_lines(folder, batch) for folder in folders]
    rows = pd.concat(parts, ignore_index=True)
    if hashes is not None:
        published = read_lines(hashes, batch).drop_duplicates("photoid")
        keys = rows["photoid"].map(published.set_index("photoid")["key"])
        rows["key"] = keys.fillna(rows["key"])
    return rows
