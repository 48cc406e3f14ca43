"""Write a small YFCC100m in the true formats, with a known outcome per photograph.

    PYTHONPATH=workflow python tests/yfcc.py FOLDER --photos 2000 --seed 0

Writes, below FOLDER, the metadata as ten parts (``v1/``, with the hash file), as one
file (``v2/``) and as SQLite, the stored files (``data/``), a list of what must be
excluded (``exclude.txt``), and the expected outcomes (``truth.json``). It shares no
code with what it tests.
"""

import argparse
import bz2
import hashlib
import io
import json
import sqlite3
import struct
import zipfile
import zlib
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import quote_plus

import numpy as np
import simplejpeg
from PIL import Image

DEMO = Path(__file__).parents[1] / "resources/demo/photographs/train"
COLUMNS = [
    "photoid", "uid", "unickname", "datetaken", "dateuploaded", "capturedevice",
    "title", "description", "usertags", "machinetags", "longitude", "latitude",
    "accuracy", "pageurl", "downloadurl", "licensename", "licenseurl", "serverid",
    "farmid", "secret", "secretoriginal", "ext", "marker",
]  # fmt: skip
LICENCES = {  # names as Flickr gives them, and their shares
    "by": ("Attribution", 17.3),
    "by-sa": ("Attribution-ShareAlike", 9.5),
    "by-nd": ("Attribution-NoDerivs", 5.0),
    "by-nc": ("Attribution-NonCommercial", 17.4),
    "by-nc-sa": ("Attribution-NonCommercial-ShareAlike", 29.1),
    "by-nc-nd": ("Attribution-NonCommercial-NoDerivs", 21.7),
}
PLACEHOLDER = 9218  # bytes of the picture that stands for a deleted photograph
SHARED = 24  # users of the one placeholder that only its digest tells
COUNTS = {"photoid", "dateuploaded", "serverid", "farmid"}  # stored as numbers


# Pictures: uint8 (H, W, 3).


@cache
def demo():
    """Return the demo's photographs."""
    paths = sorted(DEMO.glob("*.jpg"))
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def window(draw, height, width):
    """Return a random part of a random photograph, mirrored half of the time."""
    while True:
        image = demo()[draw.integers(len(demo()))]
        if image.shape[0] >= height and image.shape[1] >= width:
            break
    top = draw.integers(image.shape[0] - height + 1)
    left = draw.integers(image.shape[1] - width + 1)
    part = image[top : top + height, left : left + width]
    return part[:, :: draw.choice([-1, 1])]


def picture(draw, height=None, width=None):
    """Return two photographs blended: unlike any other, and far from flat."""
    height = height or int(draw.integers(128, 160))
    width = width or int(draw.integers(160, 240))
    while True:
        weight = draw.integers(90, 166)
        one, two = (window(draw, height, width).astype(np.uint16) for _ in range(2))
        pixels = ((weight * one + (256 - weight) * two) >> 8).astype(np.uint8)
        if variation(pixels) > 400:
            return pixels


def variation(pixels):
    """Return nearly what the published rule measures on a decoded eighth."""
    rows, columns = (side // 8 * 8 for side in pixels.shape[:2])
    grey = pixels[:rows, :columns].mean(2)
    small = grey.reshape(rows // 8, 8, columns // 8, 8).mean((1, 3))
    return float(np.percentile(small.var(0), 95))


def gradient(height, width, axis):
    """Return grey that rises along an axis."""
    ramp = np.linspace(20, 235, (height, width)[axis])
    grey = np.broadcast_to(ramp[:, None] if axis == 0 else ramp, (height, width))
    return np.repeat(grey[..., None], 3, 2)


def noisy(draw, pixels, strength):
    """Return pixels with independent noise in each channel."""
    drawn = draw.normal(0, strength, pixels.shape)
    return (pixels + drawn).round().clip(0, 255).astype(np.uint8)


# Files: each function draws one, as bytes.


def jpeg(pixels, quality=88):
    return simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=quality)


def saved(pixels, form, mode="RGB", **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def photo(draw):
    return jpeg(picture(draw))


def padded(data, size):
    """Return a JPEG padded to ``size`` bytes by a comment behind its first marker."""
    comment = size - len(data) - 4
    assert 0 <= comment < 65534
    return (
        data[:2]
        + struct.pack(">2sH", b"\xff\xfe", comment + 2)
        + bytes(comment)
        + data[2:]
    )


def chunk(name, data):
    """Return a chunk of a PNG."""
    return (
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(name + data))
    )


def bomb(draw):
    """Return a PNG whose header claims 20,000 × 20,000 pixels."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    text = b"Comment\0" + draw.bytes(2000).hex().encode()
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*part)
        for part in (
            (b"IHDR", header),
            (b"tEXt", text),
            (b"IDAT", zlib.compress(bytes(99_999))),
            (b"IEND", b""),
        )
    )


def html(draw, size):
    words = draw.bytes(size // 2).hex()
    return f"<!DOCTYPE html><html><title>Flickr</title><p>{words}</html>".encode()


def truncated(draw):
    data = photo(draw)
    return data[: max(2700, int(len(data) * draw.uniform(0.5, 0.95)))]


def overwritten(draw):
    """Return a JPEG with 64 bytes of its scan replaced; Pillow does not notice."""
    data = bytearray(photo(draw))
    start = int(len(data) * draw.uniform(0.7, 0.8))
    data[start : start + 64] = draw.integers(0, 255, 64, np.uint8).tobytes()
    return bytes(data)


def animated(draw):
    frames = [Image.fromarray(picture(draw, 140, 180)).quantize() for _ in range(3)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "gif", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def deep_png(draw):
    deep = picture(draw).astype(np.uint16)[..., 1] * 257
    deep += draw.integers(0, 256, deep.shape, np.uint16) // 2
    buffer = io.BytesIO()
    Image.fromarray(deep).save(buffer, "png")
    return buffer.getvalue()


def turned(draw, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(picture(draw), "jpeg", quality=90, exif=exif)


def thin(draw):
    """Return pixels of slow changes, one wide and 2,000 tall."""
    knots = draw.integers(0, 256, 41)
    column = np.interp(np.arange(2000), np.arange(0, 2001, 50), knots)
    return column.astype(np.uint8)[:, None, None].repeat(3, 2)


def shared(_):
    """Return one photograph for all, recognisable only by its many users."""
    return photo(np.random.default_rng(7))


def flat(draw):
    grey = np.full((240, 320, 3), draw.integers(40, 216), float)
    return jpeg(noisy(draw, grey, 3), 75)


FILES = {
    # kind: (outcome, per mille, file); no file: there is nothing to fetch
    "photo": ("kept", 0, photo),
    "missing": ("missing", 45, None),
    "placeholder": ("placeholder", 14, lambda draw: padded(
        jpeg(picture(draw, 96, 128), 75), PLACEHOLDER)),
    "shared": ("kept", 0, shared),
    "tiny": ("too_small", 6, lambda draw: jpeg(picture(draw, 128, 160)[::4, ::4], 60)),
    "one pixel": ("too_small", 1, lambda draw: jpeg(picture(draw)[:1, :1])),
    "empty": ("too_small", 2, lambda draw: b""),
    "short html": ("too_small", 1, lambda draw: html(draw, 900)),
    "html": ("not_image", 3, lambda draw: html(draw, 5000)),
    "truncated": ("broken", 6, truncated),
    "bomb": ("too_large", 1, bomb),
    "flat": ("flat", 8, flat),
    "left to right": ("flat", 2, lambda draw: jpeg(
        noisy(draw, gradient(240, 320, 1), 2), 75)),
    "wide": ("flat", 1, lambda draw: padded(
        jpeg(thin(draw).transpose(1, 0, 2)), 9000)),
    "top to bottom": ("kept", 2, lambda draw: jpeg(
        noisy(draw, gradient(240, 320, 0), 2), 75)),
    "night": ("kept", 2, lambda draw: jpeg(
        noisy(draw, np.full((480, 640, 3), 8.0), 3), 95)),
    "tall": ("kept", 1, lambda draw: padded(jpeg(thin(draw)), 9000)),
    "overwritten": ("kept", 4, overwritten),
    "png": ("kept", 2, lambda draw: saved(picture(draw), "png", compress_level=1)),
    "gif": ("kept", 1, lambda draw: saved(picture(draw), "gif", "P")),
    "animated gif": ("kept", 1, animated),
    "webp": ("kept", 2, lambda draw: saved(picture(draw), "webp", quality=90)),
    "cmyk": ("kept", 2, lambda draw: saved(picture(draw), "jpeg", "CMYK", quality=90)),
    "grey": ("kept", 8, lambda draw: saved(picture(draw), "jpeg", "L", quality=92)),
    "16 bits": ("kept", 1, deep_png),
    "palette": ("kept", 1, lambda draw: saved(picture(draw), "png", "P")),
    "progressive": ("kept", 4, lambda draw: saved(
        picture(draw), "jpeg", quality=90, progressive=True)),
    "turned": ("kept", 4, lambda draw: turned(draw, 6)),
    "wrong exif": ("kept", 1, lambda draw: turned(draw, 99)),
    "trailing junk": ("kept", 2, lambda draw: photo(draw) + draw.bytes(300)),
    "other suffix": ("kept", 1, lambda draw: saved(picture(draw), "png")),
    "exact duplicate": ("kept", 4, None),
    "near duplicate": ("kept", 4, None),
    "excluded photo": ("excluded", 3, photo),
    "excluded user": ("excluded", 3, photo),
    "video": ("video", 8, lambda draw: b"\0\0\0\x18ftypmp42" + draw.bytes(500)),
}  # fmt: skip
"""Kind of row -> its outcome under the published rules, share and file."""


# Metadata.


def text(draw, words):
    """Return random words, encoded as YFCC100m's titles and tags are."""
    known = [
        "mountain",
        "sea",
        "café",
        "日本",
        "don't",
        "100%",
        "old_town",
        "a&b",
        "cat",
    ]
    return quote_plus(" ".join(draw.choice(known, words)))


def users(draw, count):
    numbers = 10_000_000 + np.cumsum(draw.integers(1, 9000, count))
    return [f"{number}@N0{draw.integers(9)}" for number in draw.permutation(numbers)]


def key_of(url):
    """Return the MD5 of an address, every byte as C's %x prints it."""
    return "".join(format(byte, "x") for byte in hashlib.md5(url.encode()).digest())


def kinds(draw, photos):
    """Return the kind of each row, in random order."""
    many = {
        kind: max(1, round(photos * share / 1000))
        for kind, (_, share, _) in FILES.items()
    }
    many |= {"shared": SHARED, "photo": 0}
    many["photo"] = photos - sum(many.values())
    if many["photo"] < photos // 4:
        raise ValueError(f"photos: {photos} are too few for one of each kind")
    return draw.permutation([kind for kind in many for _ in range(many[kind])])


def described(draw, photos):
    """Yield the kind and the cells by column of each row."""
    ids = 2_000_000_000 + np.cumsum(draw.integers(1, 4_000_000, photos))
    people = users(draw, photos // 8 + SHARED + 1)
    own, sharing, rest = people[0], iter(people[1 : SHARED + 1]), people[SHARED + 1 :]
    licences, shares = list(LICENCES), np.array([part for _, part in LICENCES.values()])
    for kind, photoid in zip(kinds(draw, photos), draw.permutation(ids), strict=True):
        uid = {"excluded user": own}.get(kind) or (
            next(sharing) if kind == "shared" else draw.choice(rest)
        )
        short = draw.choice(licences, p=shares / shares.sum())
        secret, original = draw.bytes(5).hex(), draw.bytes(5).hex()
        farm, server = draw.integers(1, 10), draw.integers(1, 9000)
        url = f"http://farm{farm}.staticflickr.com/{server}/{photoid}_{secret}.jpg"
        if kind == "video":
            url = f"http://www.flickr.com/videos/{photoid}/play/orig/{secret}/"
        placed = draw.random() < 0.5
        cells = (
            photoid, uid, text(draw, 1),
            "null" if draw.random() < 0.1 else "2012-04-28 14:04:34.0",
            draw.integers(1_100_000_000, 1_400_000_000), "Canon+EOS+5D",
            text(draw, 3), text(draw, draw.integers(20)), text(draw, 2), "",
            f"{draw.uniform(-180, 180):.6f}" if placed else "",
            f"{draw.uniform(-90, 90):.6f}" if placed else "", "16" if placed else "",
            f"http://www.flickr.com/photos/{uid}/{photoid}/", url,
            f"{LICENCES[short][0]} License",
            f"http://creativecommons.org/licenses/{short}/2.0/",
            server, farm, secret, original,
            "png" if kind == "other suffix" else "jpg", int(kind == "video"),
        )  # fmt: skip
        named = dict(zip(COLUMNS, map(str, cells), strict=True))
        yield str(kind), named | {"licence": str(short)}


TROUBLES = {
    # Lines that read as if nothing were wrong with them: bytes -> bytes.
    "quote": lambda line: line.replace(b"Canon", b'"Canon'),
    "quotes": lambda line: line.replace(b"Canon", b'""Ca"n"on'),
    "bad UTF-8": lambda line: line.replace(b"Canon", b"Can\xff\xc3on"),
    "return": lambda line: line.replace(b"Canon", b"Ca\rnon"),
    "return and feed": lambda line: line + b"\r",
    "NUL": lambda line: line.replace(b"Canon", b"\0Canon"),
}
MALFORMED = {
    # Lines that are no row.
    "short": lambda cells: cells[:-3],
    "long": lambda cells: [*cells, "x", "y"],
    "empty": lambda cells: [],
    "no id": lambda cells: ["" if cell.isdigit() else cell for cell in cells],
}


def sequence(draw, rows, troubled):
    """Return the metadata's lines in order: (photo id or None, cells, trouble or None).

    Rows that are repeated come last.
    """
    order = [(photoid, cells, None) for photoid, (_, cells) in rows.items()]
    if troubled:
        spots = draw.choice(len(order), 2 * len(TROUBLES), replace=False)
        for number, spot in enumerate(spots):
            trouble = list(TROUBLES)[number % len(TROUBLES)]
            order[spot] = (*order[spot][:2], trouble)
        for trouble in MALFORMED:
            for spot in draw.integers(1, len(order), 2):
                order.insert(spot, (None, order[spot - 1][1], trouble))
    usual = [photoid for photoid, (kind, _) in rows.items() if kind == "photo"]
    again = draw.choice(usual, max(1, len(rows) // 500), replace=False)
    return order + [(str(one), rows[one][1], None) for one in again]


def line(number, cells, trouble, form):
    """Return one line of a text file."""
    values = [cells[name] for name in COLUMNS]
    if form == "v2":
        values = [str(number), values[0], key_of(cells["downloadurl"]), *values[1:]]
    values = MALFORMED.get(trouble, list)(values)
    return TROUBLES.get(trouble, bytes)("\t".join(values).encode()) + b"\n"


def write_metadata(folder, order, hashes):
    """Write all three forms of the metadata, and the hash file."""
    (folder / "v1").mkdir(parents=True)
    (folder / "v2").mkdir()
    parts = np.array_split(np.arange(len(order)), 10)
    for part, chosen in enumerate(parts):
        lines = b"".join(line(number, *order[number][1:], "v1") for number in chosen)
        path = folder / f"v1/yfcc100m_dataset-{part}.bz2"
        path.write_bytes(bz2.compress(lines))
    listed = "".join(f"{photoid}\t{key}\n" for photoid, key in hashes.items())
    (folder / "v1/yfcc100m_hash.bz2").write_bytes(bz2.compress(listed.encode()))
    lines = b"".join(line(number, *row[1:], "v2") for number, row in enumerate(order))
    (folder / "v2/yfcc100m_dataset.bz2").write_bytes(bz2.compress(lines))
    base = sqlite3.connect(folder / "yfcc100m_dataset.sql")
    # Without types, as in the file that exists: some numbers stay texts.
    base.execute(f"CREATE TABLE yfcc100m_dataset ({', '.join(COLUMNS)})")
    base.executemany(
        f"INSERT INTO yfcc100m_dataset VALUES ({', '.join('?' * len(COLUMNS))})",
        (
            [int(cells[name]) if name in COUNTS else cells[name] for name in COLUMNS]
            for photoid, cells, _ in order
            if photoid is not None
        ),
    )
    base.commit()
    base.close()
    return parts


def write_files(folder, draw, rows):
    """Write the stored files; returns what is known of each, by photo id."""
    files = {}
    usual = [photoid for photoid, (kind, _) in rows.items() if kind == "photo"]
    made = {
        photoid: FILES[kind][2](draw)
        for photoid, (kind, _) in rows.items()
        if FILES[kind][2] is not None
    }
    for photoid, (kind, cells) in rows.items():
        key = key_of(cells["downloadurl"])
        data, twin = made.get(photoid), None
        if "duplicate" in kind:
            twin = str(draw.choice(usual))
            data = made[twin]
            if kind == "near duplicate":
                data = jpeg(simplejpeg.decode_jpeg(data), 80)
        root, ext = "images", cells["ext"]
        if kind == "video":
            root, ext = "videos/mp4", "mp4"
        path = Path("data") / root / key[:3] / key[3:6] / f"{key}.{ext}"
        if data is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        files[photoid] = {
            "file": None if data is None else path.as_posix(),
            "bytes": len(data or b""),
            "sha256": hashlib.sha256(data or b"").hexdigest() if data else None,
            "twin": twin,
        }
    return files


def make(folder, photos=2000, seed=0, troubled=True):
    """Write a synthetic YFCC100m; return what ``truth.json`` then holds.

    Args:
        folder: a new one.
        photos: rows with an id of their own, videos and missing files among them; at
            least 200. Equal numbers and seeds make equal files.
        troubled: whether the text files hold lines that need care, and lines that are
            no row (the SQLite file never does).

    Returns:
        ``photos``: of each photo id its ``kind`` (a key of ``FILES``), ``outcome``
            under the published rules with ``exclude.txt`` and without any list of
            placeholders, ``uid``, ``key``, ``ext``, ``url``, ``licence``, ``line`` in
            the v2 file, and ``file`` below the folder (None: missing), ``bytes``,
            ``sha256`` and ``twin`` (of which photo it is a duplicate);
        ``repeated``: the ids that occur once more;
        ``malformed``, by form (v1, v2, sqlite): the names of the lines that are no
            row, ``line-PART-NUMBER``;
        ``rows`` and ``outcomes``, by form: how many;
        ``shared``: SHA-256 of the placeholder that only its many users give away;
        ``unhashed``: ids that the hash file lacks.
    """
    folder, draw = Path(folder), np.random.default_rng(seed)
    rows = {cells["photoid"]: (kind, cells) for kind, cells in described(draw, photos)}
    for photoid in draw.choice([one for one in rows if rows[one][0] == "photo"], 5):
        rows[photoid][1]["marker"] = ""
    order = sequence(draw, rows, troubled)
    keys = {one: key_of(cells["downloadurl"]) for one, (_, cells) in rows.items()}
    unhashed = sorted(map(str, draw.choice(list(rows), 2, replace=False)))
    by_key = sorted(keys, key=keys.get)
    parts = write_metadata(
        folder, order, {one: keys[one] for one in by_key if one not in unhashed}
    )
    files = write_files(folder, draw, rows)
    lines = {row[0]: number for number, row in reversed(list(enumerate(order)))}
    known = {
        photoid: {
            "kind": kind,
            "outcome": FILES[kind][0],
            **{name: cells[name] for name in ("uid", "ext", "licence")},
            "url": cells["downloadurl"],
            "key": keys[photoid],
            "line": lines[photoid],
            **files[photoid],
        }
        for photoid, (kind, cells) in rows.items()
    }
    told = [photoid for photoid, *_ in order if photoid is not None]
    malformed = {
        "v1": [
            f"line-{part}-{number - chosen[0]}"
            for part, chosen in enumerate(parts)
            for number in chosen
            if order[number][0] is None
        ],
        "v2": [f"line-0-{n}" for n, row in enumerate(order) if row[0] is None],
        "sqlite": [],
    }
    outcomes = Counter(photo["outcome"] for photo in known.values())
    truth = {
        "photos": known,
        "repeated": told[len(known) :],
        "malformed": malformed,
        "rows": {form: len(told) + len(names) for form, names in malformed.items()},
        "outcomes": {
            form: dict(
                outcomes
                + Counter(repeated=len(told) - len(known), malformed=len(names))
            )
            for form, names in malformed.items()
        },
        "shared": next(p["sha256"] for p in known.values() if p["kind"] == "shared"),
        "unhashed": unhashed,
    }
    excluded = [p for p in known if known[p]["kind"] == "excluded photo"]
    excluded += {p["uid"] for p in known.values() if p["kind"] == "excluded user"}
    (folder / "exclude.txt").write_text("".join(f"{one}\n" for one in excluded))
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    return truth


def zipped(folder, names):
    """Write the stored photographs once more, in zip files below ``zips/NAMES``.

    Args:
        folder: as ``make`` left it.
        names: ``key``: a zip for each two first digits of the key, ``01.zip:KEY.jpg``;
            ``line``: by the line of the v2 file, ``00/001.zip:234.jpg``.

    Returns:
        the folder of zips.
    """
    folder = Path(folder)
    members = {}
    for photo in json.loads((folder / "truth.json").read_text())["photos"].values():
        if photo["file"] is None or photo["kind"] == "video":
            continue
        source = folder / photo["file"]
        place, name = f"{photo['key'][:2]}.zip", source.name
        if names == "line":
            digits = f"{photo['line']:08d}"
            place = f"{digits[:2]}/{digits[2:5]}.zip"
            name = digits[5:] + source.suffix
        members.setdefault(place, {})[name] = source
    root = folder / "zips" / names
    for place, sources in members.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(root / place, "w") as file:
            for name, source in sorted(sources.items()):
                # Without a time of its own, so that equal files make equal zips.
                file.writestr(zipfile.ZipInfo(name), source.read_bytes())
    return root


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--zips", nargs="*", choices=["key", "line"], default=[])
    given = parser.parse_args()
    truth = make(given.folder, given.photos, given.seed)
    for names in given.zips:
        zipped(given.folder, names)
    print(json.dumps(truth["outcomes"]["v2"], indent=1))


if __name__ == "__main__":
    main()
