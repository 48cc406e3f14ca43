"""Photographs from a folder and from zips, and the retries of all sources."""

import hashlib
import json
import os
import random
import socket
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from servers import KEY, row

from s2snets.cleaning import fetched, tree, zips
from s2snets.cleaning.fetched import Fetched, TransientError, backoff, retry
from s2snets.cleaning.source import MAX_FAILURES, Source, open_source
from s2snets.cleaning.zips import ENTRY, digest, index_zips, member_line
from s2snets.config import Clean
from s2snets.runtime.errors import UserError
from s2snets.stages.cleaning import IndexZips


def by_key(folder):
    return Clean(metadata=["yfcc100m_dataset"], tree=str(folder))


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def zipped(path, members, **options):
    """Write a zip of {name: bytes}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, data in members.items():
            file.writestr(name, data)


def from_zips(folder, names="key"):
    """Index the zips below a folder; returns settings that name them, and the index."""
    index = folder / "made" / "index.npy"
    index_zips(folder, names, index)
    given = {"path": str(folder), "names": names}
    return Clean(metadata=["yfcc100m_dataset"], zips=given), index


# ---- a folder


@pytest.mark.parametrize("below", ["", "data/images"])
@pytest.mark.parametrize("ext", ["jpg", "png"])
def test_a_tree_is_read_by_key_from_its_root_or_the_buckets(tmp_path, below, ext):
    put(tmp_path / below / f"1a2/b3c/{KEY}.{ext}", b"photo")
    with open_source(by_key(tmp_path)) as fetch:
        assert fetch(row(KEY, ext=ext)) == Fetched(b"photo")
        assert fetch(row("0" * 24, ext=ext)).outcome == "missing"


def test_jpg_comes_before_the_metadatas_own_suffix(tmp_path):
    for ext in ("jpg", "gif"):
        put(tmp_path / f"1a2/b3c/{KEY}.{ext}", ext.encode())
    with open_source(by_key(tmp_path)) as fetch:
        assert fetch(row(KEY, ext="gif")).data == b"jpg"


@pytest.mark.parametrize(
    ("key", "ext"),
    [
        ("", "jpg"),
        ("../../secret", "jpg"),
        ("1a2", "/../../../secret.jpg"),
        ("1a2", ""),
    ],
)
def test_no_key_or_suffix_leads_out_of_the_tree(tmp_path, key, ext):
    put(tmp_path / "secret.jpg", b"secret")
    (tmp_path / "tree/1a2/1a2.").mkdir(parents=True)  # or no path goes through it
    with open_source(by_key(tmp_path / "tree")) as fetch:
        assert fetch(row(key, ext=ext)).outcome == "missing"


@pytest.mark.parametrize("name", ["a b/ünï%.jpg", "x#?&.JPG", "caf\udce9.png"])
def test_without_metadata_the_id_is_the_percent_encoded_path(tmp_path, name):
    put(tmp_path / name, b"photo")
    photoid = quote(os.fsencode(name))
    with open_source(Clean(tree=str(tmp_path))) as fetch:
        assert fetch(row(photoid=photoid)).data == b"photo"


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "a/../../secret.jpg", "/etc/hostname", "", ".", "a\0b"]
)
def test_no_id_leads_out_of_the_folder(tmp_path, name):
    put(tmp_path / "secret.jpg", b"secret")
    put(tmp_path / "in" / "a" / "b.jpg", b"")
    with open_source(Clean(tree=str(tmp_path / "in"))) as fetch:
        assert fetch(row(photoid=quote(name, safe=""))).outcome == "missing"


@pytest.mark.parametrize(
    ("error", "status"),
    [(PermissionError(13, "no"), "PermissionError"), (OSError(5, "disk"), "EIO")],
)
def test_a_file_that_cannot_be_read_is_not_missing(
    tmp_path, monkeypatch, error, status
):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(tree, "open_regular", refuse)
    with open_source(by_key(tmp_path)) as fetch:
        assert fetch(row(KEY)) == Fetched(None, "fetch_error", status, 1)


@pytest.mark.parametrize(
    ("place", "status"),
    [
        (os.mkfifo, "EINVAL"),
        (os.mkdir, "IsADirectoryError"),
        (lambda path: path.symlink_to("nowhere"), "FileNotFoundError"),
        (lambda path: path.symlink_to(path), "ELOOP"),
        (lambda path: path.symlink_to("/dev/zero"), "EINVAL"),
        (lambda path: socket.socket(socket.AF_UNIX).bind(str(path)), "ENXIO"),
    ],
)
def test_what_is_no_file_is_missing_and_never_waited_for(
    tmp_path, monkeypatch, place, status
):
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    place(Path("a.jpg"))
    with open_source(Clean(tree=str(tmp_path))) as fetch:
        assert fetch(row(photoid="a.jpg")) == Fetched(None, "missing", status, 1)


def test_a_file_too_large_for_memory_is_not_read(tmp_path):
    put(tmp_path / "big.jpg", b"")
    os.truncate(tmp_path / "big.jpg", fetched.MAX_BYTES + 1)
    with open_source(Clean(tree=str(tmp_path))) as fetch:
        assert fetch(row(photoid="big.jpg")).outcome == "too_large"


def test_a_tree_that_is_gone_is_a_mistake_and_not_missing_photographs(tmp_path):
    folder = tmp_path / "tree"
    with pytest.raises(UserError, match="no such folder"), open_source(by_key(folder)):
        pass
    folder.mkdir()
    with open_source(by_key(folder)) as fetch:
        assert fetch(row(KEY)).outcome == "missing"
        folder.rmdir()
        with pytest.raises(UserError, match="no such folder"):
            fetch(row(KEY))


# ---- zips


def test_every_member_comes_back_whether_stored_deflated_or_zip64(
    tmp_path, monkeypatch
):
    randoms = random.Random(0)
    photos = {f"{n:x}{'0' * 24}": randoms.randbytes(n * 37) for n in range(60)}
    keys = list(photos)
    members = {f"some/folder/{key}.jpg": photos[key] for key in keys}
    parts = [dict(list(members.items())[start::3]) for start in range(3)]
    zipped(tmp_path / "0.zip", parts[0])
    zipped(tmp_path / "a/1.zip", parts[1], compression=zipfile.ZIP_DEFLATED)
    for limit in ("ZIP64_LIMIT", "ZIP_FILECOUNT_LIMIT"):
        monkeypatch.setattr(zipfile, limit, 10)
    zipped(tmp_path / "a/2.zip", parts[2])
    assert b"PK\6\6" in (tmp_path / "a/2.zip").read_bytes()  # it is one of 64 bits
    clean, index = from_zips(tmp_path)
    with open_source(clean, index) as fetch, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(fetch, [row(key) for key in keys * 5]))
        assert [each.data for each in found] == list(photos.values()) * 5
        assert fetch(row("f" * 30)) == Fetched(None, "missing")
        assert fetch(row("")).outcome == "missing"


def test_the_index_is_sorted_by_a_digest_that_other_tools_can_compute(tmp_path):
    zipped(tmp_path / "0.zip", {f"{n}.jpg": b"x" for n in range(300)})
    _, index = from_zips(tmp_path)
    entries = np.load(index)
    assert entries.dtype == ENTRY
    assert (np.diff(entries["name"].astype(object)) > 0).all()
    expected = {
        int(hashlib.md5(f"{n}".encode()).hexdigest()[:16], 16) for n in range(300)
    }
    assert set(entries["name"].tolist()) == expected


def test_of_a_name_in_two_zips_the_first_counts_and_the_other_is_counted(
    tmp_path, capsys
):
    zipped(tmp_path / "a.zip", {f"{KEY}.jpg": b"first"})
    zipped(tmp_path / "b.zip", {f"{KEY}.png": b"second", "other.jpg": b""})
    clean, index = from_zips(tmp_path)
    with open_source(clean, index) as fetch:
        assert fetch(row(KEY)).data == b"first"
    about = json.loads(index.with_suffix(".json").read_text())
    assert (about["photographs"], about["repeated"]) == (2, 1)
    assert "1 members repeat a name" in capsys.readouterr().err


def test_the_first_zip_counts_for_each_of_many_names(tmp_path):
    for part in "abc":
        members = {f"{number}.jpg": part.encode() for number in range(200)}
        zipped(tmp_path / f"{part}.zip", members)
    clean, index = from_zips(tmp_path)
    with open_source(clean, index) as fetch:
        assert {fetch(row(str(number))).data for number in range(200)} == {b"a"}


def test_members_that_are_no_images_and_hidden_ones_are_left_out(tmp_path):
    hidden = (f".thumbnails/{KEY}.jpg", f"__MACOSX/._{KEY}.jpg", f"x/.{KEY}.jpg")
    others = (*hidden, f"__MACOSX/{KEY}.png", f"{KEY}.json", "x/")
    zipped(tmp_path / "a.zip", dict.fromkeys(others, b"") | {f"{KEY}.jpg": b"photo"})
    zipped(tmp_path / ".trash/a.zip", {f"{KEY}.jpg": b"old"})
    clean, index = from_zips(tmp_path)
    with open_source(clean, index) as fetch:
        assert fetch(row(KEY)).data == b"photo"
    assert len(np.load(index)) == 1


@pytest.mark.parametrize(
    ("zip_path", "member", "line"),
    [
        ("12/345.zip", "678.jpg", "12345678"),
        ("images/00/000.zip", "001.jpg", "1"),
        ("00/000.zip", "000.jpg", "0"),
        ("3/4.zip", "5.jpg", "3004005"),
        ("12/345.zip", "readme.jpg", ""),
        ("12/345.zip", "1234.jpg", ""),
    ],
)
def test_folder_zip_and_member_are_the_digits_of_a_line(zip_path, member, line):
    assert member_line(Path(zip_path), member) == line


def test_photographs_are_found_by_line(tmp_path):
    zipped(tmp_path / "12/345.zip", {"678.jpg": b"photo"})
    zipped(tmp_path / "00/000.zip", {"009.jpg": b"nine"})
    clean, index = from_zips(tmp_path, "line")
    with open_source(clean, index) as fetch:
        assert fetch(row(line="12345678")).data == b"photo"
        assert fetch(row(line="9")).data == b"nine"
        for line in ("10", "", "line"):
            assert fetch(row(line=line)).outcome == "missing"


def test_a_zip_that_tells_no_line_is_named(tmp_path):
    zipped(tmp_path / "photos.zip", {"678.jpg": b""})
    with pytest.raises(UserError, match=r"photos\.zip: tells no line; .*12/345\.zip"):
        from_zips(tmp_path, "line")


def encrypt(path):
    """Set the flag of encryption in a zip of one member."""
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-30]), "unreadable zip"),
        (lambda path: path.write_bytes(b""), "unreadable zip"),
        (lambda path: path.write_bytes(b"<html>"), "unreadable zip"),
        (encrypt, "encrypted"),
        (
            lambda path: zipped(path, {"a.jpg": b""}, compression=zipfile.ZIP_LZMA),
            "neither stored nor deflated",
        ),
        (lambda path: zipped(path, {"readme.txt": b""}), "no photographs"),
    ],
)
def test_a_zip_that_cannot_be_used_is_named_and_no_index_made(
    tmp_path, spoil, complaint
):
    zipped(tmp_path / "a.zip", {f"{KEY}.jpg": b"photo"})
    spoil(tmp_path / "a.zip")
    with pytest.raises(UserError, match=complaint):
        from_zips(tmp_path)
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (os.mkfifo, "not a regular file"),
        (lambda path: path.symlink_to("nowhere"), "a link to nothing"),
    ],
)
def test_a_zip_that_is_no_file_is_named_and_never_waited_for(tmp_path, place, told):
    place(tmp_path / "a.zip")
    with pytest.raises(UserError, match=rf"a\.zip: {told}"):
        from_zips(tmp_path)


def test_no_zips_is_a_mistake(tmp_path):
    with pytest.raises(UserError, match="holds no zip files"):
        from_zips(tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("where", ["body", "name", "header"])
def test_a_damaged_member_is_an_error_and_its_neighbour_none(tmp_path, method, where):
    randoms = random.Random(0)
    photos = {f"{n}{KEY}": randoms.randbytes(1000) for n in range(2)}
    members = {f"{key}.jpg": data for key, data in photos.items()}
    zipped(tmp_path / "a.zip", members, compression=method)
    clean, index = from_zips(tmp_path)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    place = data.index(photos[f"0{KEY}"][:20]) if method == zipfile.ZIP_STORED else 50
    data[{"body": place + 30, "name": 33, "header": 0}[where]] ^= 255
    (tmp_path / "a.zip").write_bytes(data)
    with open_source(clean, index) as fetch:
        assert fetch(row(f"0{KEY}"))[1:] == ("fetch_error", "BadZipFile", 1)
        assert fetch(row(f"1{KEY}")).data == photos[f"1{KEY}"]


def test_a_member_that_unpacks_to_too_much_is_given_up(tmp_path, monkeypatch):
    zipped(tmp_path / "a.zip", {f"{KEY}.jpg": bytes(100_000)},
           compression=zipfile.ZIP_DEFLATED)  # fmt: skip
    clean, index = from_zips(tmp_path)
    monkeypatch.setattr(zips, "MAX_BYTES", 99_999)
    with open_source(clean, index) as fetch:
        assert fetch(row(KEY)).outcome == "too_large"


def test_names_with_one_digest_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "digest", lambda name: 7)
    zipped(tmp_path / "a.zip", {f"{KEY}.jpg": b"photo"})
    clean, index = from_zips(tmp_path)
    with open_source(clean, index) as fetch:
        assert fetch(row(KEY)).data == b"photo"
        assert fetch(row("other")).outcome == "missing"


def test_long_names_and_extras_do_not_hide_the_data(tmp_path):
    zipped(tmp_path / "a.zip", {f"{'x' * 900}/{KEY}.jpg": b"photo" * 99})
    clean, index = from_zips(tmp_path)
    with open_source(clean, index) as fetch:
        assert fetch(row(KEY)).data == b"photo" * 99


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda path: zipped(path, {f"{KEY}.jpg": b"another"}), "changed"),
        (lambda path: path.unlink(), "gone"),
    ],
)
def test_a_zip_that_changed_since_is_a_mistake(tmp_path, change, complaint):
    zipped(tmp_path / "a.zip", {f"{KEY}.jpg": b"photo"})
    clean, index = from_zips(tmp_path)
    change(tmp_path / "a.zip")
    with (
        open_source(clean, index) as fetch,
        pytest.raises(UserError, match=rf"a\.zip: {complaint}"),
    ):
        fetch(row(KEY))


def test_a_damaged_or_foreign_index_is_a_mistake(tmp_path):
    zipped(tmp_path / "a.zip", {f"{KEY}.jpg": b"photo"})
    clean, index = from_zips(tmp_path)
    for data in (b"", b"\x93NUMPY", index.read_bytes()[:-1]):
        index.write_bytes(data)
        with pytest.raises(UserError, match=r"index\.npy"), open_source(clean, index):
            pass
    np.save(index, np.zeros(3))
    with pytest.raises(UserError, match=r"index\.npy"), open_source(clean, index):
        pass


def test_the_stage_writes_index_zips_and_record(tmp_path):
    zipped(tmp_path / "zips/a.zip", {f"{KEY}.jpg": b"photo"})
    given = {"path": str(tmp_path / "zips"), "names": "key"}
    paths = {
        name: tmp_path / "out" / name for name in ("i.npy", "i.json", "record.json")
    }
    IndexZips.main([
        "--index", str(paths["i.npy"]), "--record", str(paths["record.json"]),
        "--settings", json.dumps(given), "--threads", "2",
    ])  # fmt: skip
    assert sorted(os.listdir(tmp_path / "out")) == sorted(paths)
    assert np.load(paths["i.npy"])["name"].tolist() == [digest(KEY)]
    about = json.loads(paths["i.json"].read_text())
    size = (tmp_path / "zips/a.zip").stat().st_size
    assert about["zips"] == [{"file": "a.zip", "bytes": size, "photographs": 1}]


# ---- retries


def test_pauses_double_with_jitter_up_to_a_minute():
    for failures in range(1, 12):
        longest = min(60, 0.5 * 2 ** (failures - 1))
        drawn = [backoff(failures) for _ in range(50)]
        assert longest / 2 <= min(drawn) < max(drawn) <= longest


def attempts(failures):
    """Return an attempt that fails so many times, and the list of its calls."""
    asked = []

    def attempt():
        asked.append(None)
        if len(asked) <= failures:
            raise TransientError("503")
        return Fetched(b"photo", status="200")

    return attempt, asked


@pytest.mark.parametrize(
    ("failures", "answer"),
    [
        (0, Fetched(b"photo", "", "200", 1)),
        (2, Fetched(b"photo", "", "200", 3)),
        (3, Fetched(None, "fetch_error", "503", 3)),
    ],
)
def test_tries_are_counted_and_end(monkeypatch, failures, answer):
    monkeypatch.setattr(fetched, "FIRST_PAUSE", 0.0)
    attempt, asked = attempts(failures)
    assert retry(attempt, 3) == answer
    assert len(asked) == answer.tries


def test_a_source_of_nothing_but_failures_is_at_fault():
    source = Source(lambda _: Fetched(None, "fetch_error", "503"), 1, "s3")
    for _ in range(MAX_FAILURES - 1):
        source(None)
    with pytest.raises(UserError, match=r"clean\.s3: 16 photographs.*503"):
        source(None)


def test_failures_among_successes_are_the_photographs_own():
    answers = ["fetch_error"] * (MAX_FAILURES - 1) + ["missing"]
    source = Source(lambda outcome: Fetched(None, outcome), 1, "s3")
    assert [source(outcome).outcome for outcome in answers * 3] == answers * 3
