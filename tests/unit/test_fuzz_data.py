"""Damaged images, sources, lists and tables: read, or refused in one line, always."""

import gzip
import io
import json
import lzma
import tarfile
from collections import Counter

import h5py
import imagenet
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat

from s2snets.config import Source
from s2snets.data import images
from s2snets.data.imagenet import read_class_names, read_labels
from s2snets.data.segmentation import read_examples
from s2snets.data.shards import COLUMNS, read_index, write_index
from s2snets.data.sources import read_items
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import write_json
from s2snets.runtime.tables import read_arrays, read_csv, read_rows, write_arrays

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def small_images(monkeypatch):
    """Bound pixels: a header that lies about its size would cost memory and time."""
    monkeypatch.setattr(images, "MAX_PIXELS", 100_000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)


def damaged(data, count, seed=0):
    """Yield versions of bytes: flipped, cut, overwritten, doubled, with parts moved."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        # Headers are short and decide most, so half of the damage is done there.
        at = int(random.integers(min(len(data), (64, len(data))[random.integers(2)])))
        length = int(2 ** random.uniform(0, 9))
        part = data[at : at + length]
        yield (
            data[:at] + bytes([data[at] ^ 1 << random.integers(8)]) + data[at + 1 :],
            data[:at] + random.bytes(len(part)) + data[at + len(part) :],
            data[:at] + b"\xff" * len(part) + data[at + len(part) :],
            data[:at] + bytes(len(part)) + data[at + len(part) :],
            data[:at] + part + data[at:],
            data[:at] + data[at + length :],
            data[:at],
        )[random.integers(7)]


def outcome(read, *args):
    """Return ``read`` or ``refused``; any exception but a ``UserError`` is a failure."""
    try:
        read(*args)
    except UserError:  # always of one line
        return "refused"
    return "read"


def check(read, path, versions, *args):
    """Read every version of a file; return how many were read and how many refused."""
    found = Counter()
    for data in versions:
        path.write_bytes(data)
        found[outcome(read, *args)] += 1
    return found


def read_source(path, labels=None):
    """Decode all images of a source."""
    source = Source(path=str(path), labels=labels and str(labels))
    for item in read_items(source):
        images.decode(item.read(), item.name)


def picture(form="png", size=(20, 12)):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize("form", images.FORMATS)
def test_images(form):
    whole = picture(form)
    read = [outcome(images.decode, data, "it") for data in damaged(whole, 150)]
    assert min(Counter(read).values()) > 2  # a PNG has checksums
    for other in images.FORMATS:  # begins as one format and goes on as another
        outcome(images.decode, picture(other)[:30] + whole, "it")


def idx(values):
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        ("", bytes),
        (".gz", lambda data: gzip.compress(data, mtime=0)),
        (".xz", lzma.compress),
    ],
)
@pytest.mark.parametrize("of_labels", [False, True])
def test_idx_pairs(tmp_path, suffix, pack, of_labels):
    pair = [tmp_path / f"{name}-ubyte{suffix}" for name in ("images", "labels")]
    values = [np.zeros(shape, np.uint8) for shape in ((3, 5, 4), (3,))]
    whole = [pack(idx(one)) for one in values]
    for path, data in zip(pair, whole, strict=True):
        path.write_bytes(data)
    assert outcome(read_source, *pair) == "read"
    assert outcome(read_source, *pair[::-1]) == "refused"
    versions = damaged(whole[of_labels], 60)
    assert check(read_source, pair[of_labels], versions, *pair)["refused"]


def tar(members, **options):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **options) as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


PAIR = [("1.cls", b"1"), ("1.png", picture())]
TARS = {
    "folders": tar([("cat/1.png", picture()), ("dog/2.jpg", picture("jpeg"))]),
    "samples": tar(PAIR),
    "tars": tar([("cat.tar", tar(PAIR)), ("dog.tar", tar(PAIR[1:]))]),
    "long names": tar([("x" * 300 + "/1.png", picture())], format=tarfile.PAX_FORMAT),
    "GNU names": tar([("x" * 300 + "/1.png", picture())], format=tarfile.GNU_FORMAT),
}


def with_header(data, size):
    """Return a tar whose first member declares a size, with a right checksum."""
    head = data[:124] + size + b" " * 12 + data[156 : tarfile.BLOCKSIZE]
    total = sum(head) - 4 * ord(" ")  # of the sum's eight bytes, taken for spaces
    return head[:148] + b"%06o\0 " % total + head[156:] + data[tarfile.BLOCKSIZE :]


@pytest.mark.parametrize("kind", TARS)
def test_tars(tmp_path, kind):
    path, whole = tmp_path / "x.tar", TARS[kind]
    assert check(read_source, path, [whole], path) == {"read": 1}
    found = check(read_source, path, damaged(whole, 100), path)
    assert min(found.values()) > 5
    sizes = [b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12, b"-0000000001\0"]
    sizes += [b"\x80" + (1 << bits).to_bytes(11, "big") for bits in (31, 40, 63, 80)]
    versions = (with_header(whole, size) for size in sizes)
    assert check(read_source, path, versions, path) == {"refused": len(sizes)}


def texts(count):
    """Yield lists of labels, some of which fit two images."""
    random = np.random.default_rng(1)
    parts = ["1", "0", "cat", "n01440764", ",", " ", "\n", "\n", "\t", '"', "\0", "é",
             "\u2028", "1.png", "2.png", "9" * 5000, "x" * 200_000, "\ufeff"]  # fmt: skip
    weights = np.array([6.0] * 10 + [2, 2, 2, 9, 9, 0.2, 0.1, 1])
    for _ in range(count):
        chosen = random.choice(
            len(parts), random.integers(1, 12), p=weights / sum(weights)
        )
        yield "".join(parts[number] for number in chosen).encode()
    whole = b"1.png 0\n2.png 1\n"
    yield from damaged(whole, count)
    yield whole


def test_lists_of_labels_and_classes(tmp_path):
    for name in ("1.png", "2.png"):
        (tmp_path / "set").mkdir(exist_ok=True)
        (tmp_path / "set" / name).write_bytes(picture())
    path = tmp_path / "labels.csv"
    found = check(read_source, path, texts(150), tmp_path / "set", path)
    assert min(found.values()) > 5
    check(read_labels, path, texts(150), path)
    check(read_class_names, path, texts(50), path)


def test_devkits(tmp_path):
    truth = [2, 1, 1, 3, 2, 1]
    folder = imagenet.write_devkit(tmp_path, imagenet.SYNSETS[:3], [], truth)
    meta = folder / "data/meta.mat"
    whole = meta.read_bytes()
    packed = tmp_path / "devkit.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(folder, folder.name)
    found = check(read_labels, meta, damaged(whole, 10), folder)
    crashing = list(damaged(whole, 60, seed=9))  # three of these end SciPy's process
    found += check(read_labels, meta, [crashing[n] for n in (15, 19, 36)], folder)
    savemat(tmp_path / "plain.mat", {"synsets": np.arange(3)})
    found += check(read_labels, meta, [(tmp_path / "plain.mat").read_bytes()], folder)
    assert found["refused"] > 5
    versions = damaged(packed.read_bytes(), 30)
    assert check(read_labels, packed, versions, packed)["refused"] > 5


def read_segmentation(path):
    examples = read_examples(path)
    for number in range(len(examples)):
        examples[number]


def test_segmented_images(tmp_path):
    path = tmp_path / "x.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        arrays = {
            "img": np.zeros((3, 4, 5), np.uint8), "mask": np.ones((4, 5), np.uint8),
            "target": np.array([[110]], np.uint16),
        }  # fmt: skip
        for name, array in arrays.items():
            file[f"#refs#/{name}"] = array

        def cell(name):
            return np.array([[file["#refs#"][name].ref]], h5py.ref_dtype)

        file["#refs#/gt"] = cell("mask")
        for name in ("img", "gt", "target"):
            file[f"value/{name}"] = cell(name)
    whole = path.read_bytes()
    assert check(read_segmentation, path, [whole], path) == {"read": 1}
    versions = [whole[:length] for length in range(0, len(whole), 97)]
    for field in ("img", "gt", "target"):  # references to what is no such thing
        for other in ("img", "mask", "target", "gt"):
            path.write_bytes(whole)
            with h5py.File(path, "r+") as file:
                file[f"value/{field}"][:] = [[file["#refs#"][other].ref]]
            versions.append(path.read_bytes())
    assert check(read_segmentation, path, versions, path)["refused"] > 50


TABLE = pd.DataFrame({"name": ["a", "b"] * 9, "value": np.arange(18) / 7})


@pytest.mark.parametrize(
    ("name", "write", "read"),
    [
        ("x.csv", lambda path: TABLE.to_csv(path, index=False), read_csv),
        ("x.parquet", TABLE.to_parquet, lambda path: read_rows([path])),
        ("x.npz", lambda path: write_arrays(path, TABLE.to_dict("list")), read_arrays),
    ],
)
def test_tables(tmp_path, name, write, read):
    path = tmp_path / name
    write(path)
    whole = path.read_bytes()
    found = check(read, path, [whole, *damaged(whole, 100)], path)
    assert found["read"]
    if name == "x.csv":  # damage that spares its commas is none that can be seen
        found += check(read, path, [b"", b"a,b\n1,2,3\n", b'a\n"', b"\xff\n1"], path)
        assert check(read, path, [b"a\n" + b"x" * 200_000], path) == {"read": 1}
    assert found["refused"]


def test_indices_of_packed_sets(tmp_path):
    (tmp_path / "0.tar").write_bytes(TARS["samples"])
    shard = {"file": "0.tar", "images": 1, "bytes": len(TARS["samples"]), "sha256": ""}
    index = tmp_path / "index.npz"
    values = dict(zip(COLUMNS, ([0], [2 * 1024 - 512], [99], [1]), strict=True))
    write_index(index, values, [shard], classes=["cat", "dog"])
    whole, about = index.read_bytes(), json.loads((tmp_path / "index.json").read_text())
    assert check(read_index, index, [whole], index) == {"read": 1}
    assert check(read_index, index, damaged(whole, 100), index)["refused"]
    assert check(read_source, index, damaged(whole, 50), index)["refused"]
    index.write_bytes(whole)
    strange = (None, [], {}, "x", -1, [{}], [None])
    for key in about:
        for value in strange:
            write_json(tmp_path / "index.json", {**about, key: value})
            outcome(read_index, index)
    for value in strange:
        write_json(tmp_path / "index.json", value)
        assert outcome(read_index, index) == "refused"
