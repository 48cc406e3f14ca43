"""Rows of metadata from every published form, hostile lines, and folders of images."""

import bz2
import io
import json
import os
import sqlite3
import tracemalloc
import warnings
import zipfile
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import yfcc
from PIL import Image, UnidentifiedImageError

from s2snets.cleaning import metadata, row_batches
from s2snets.cleaning.metadata import COLUMNS, Row, file_key, short_licence
from s2snets.cleaning.row_batches import (
    assign_shards,
    check_parts,
    read_batch,
    write_rows,
)
from s2snets.data.images import decode
from s2snets.runtime.command import run_command
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json
from s2snets.stages.cleaning import ReadMetadata

SHARDS, BATCHES = 40, 3


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return the folder of a synthetic YFCC100m, and the truth about it."""
    folder = tmp_path_factory.mktemp("yfcc") / "yfcc"
    return folder, yfcc.make(folder, photos=240)


def split(source, folder, part=0, kind="metadata", batches=BATCHES):
    write_rows(source, kind, folder, shards=SHARDS, batches=batches, part=part)
    return folder


def all_rows(folders, hashes=None, batches=BATCHES):
    return [
        Row._make(row)
        for batch in range(batches)
        for row in read_batch(folders, hashes, batch).itertuples(index=False)
    ]


@pytest.fixture(scope="module")
def forms(published, tmp_path_factory):
    """Return the folders of rows of each form's files."""
    root, rows = published[0], tmp_path_factory.mktemp("rows")
    sources = {
        "v1": sorted(root.glob("v1/yfcc100m_dataset-*.bz2")),
        "v2": [root / "v2/yfcc100m_dataset.bz2"],
        "sqlite": [root / "yfcc100m_dataset.sql"],
    }
    return {
        form: [
            split(path, rows / f"{form}-{part}", part)
            for part, path in enumerate(paths)
        ]
        for form, paths in sources.items()
    }


def cells(photoid="2345678901", **changed):
    """Return the cells of one good row of 23 columns."""
    values = dict.fromkeys(COLUMNS, "x") | {
        "photoid": photoid,
        "uid": "1@N00",
        "downloadurl": f"http://farm1.staticflickr.com/1/{photoid}_a.jpg",
        "licensename": "Attribution License",
        "licenseurl": "http://creativecommons.org/licenses/by/2.0/",
        "ext": "jpg",
        "marker": "0",
        **changed,
    }
    return list(values.values())


def line(*args, **changed):
    return "\t".join(cells(*args, **changed)).encode() + b"\n"


def lines(count, first=10_000):
    return [line(str(first + number)) for number in range(count)]


def read(tmp_path, content):
    """Return the rows and ``about.json`` of a file of these bytes."""
    (tmp_path / "meta").write_bytes(content)
    folder = split(tmp_path / "meta", tmp_path / "rows", batches=1)
    return all_rows([folder], batches=1), read_json(folder / "about.json")


# Keys, licences and places.


@pytest.mark.parametrize(
    ("url", "key"),  # from coreutils' md5sum, zeros struck out with sed
    [
        (
            "http://farm1.staticflickr.com/1/23_abc.jpg",
            "c9e6d067966759ccd9268a9fb988715",
        ),
        (
            "http://farm4.staticflickr.com/3004/2345678901_0123456789.jpg",
            "5c338dbdbf248aea25d97326b1c10e2",
        ),
        (
            "http://farm9.staticflickr.com/8051/8123456789_deadbeef00.jpg",
            "b49a59478f66bf54ed5b825be289f62",
        ),
    ],
)
def test_keys_are_md5_with_unpadded_bytes(url, key):
    assert file_key(url) == key


def test_keys_are_24_to_32_digits_and_mostly_short():
    lengths = [len(file_key(f"http://{number}")) for number in range(4000)]
    assert 20 <= min(lengths) < max(lengths) == 32
    assert np.mean(np.array(lengths) < 32) == pytest.approx(
        1 - (15 / 16) ** 16, abs=0.03
    )


@pytest.mark.parametrize(
    ("name", "address", "short"),
    [
        ("", "http://creativecommons.org/licenses/by-nc-sa/2.0/", "by-nc-sa"),
        ("", "https://creativecommons.org/licenses/by-nd-nc/1.0/", "by-nc-nd"),
        ("Attribution License", "", "by"),
        ("Attribution-NonCommercial-NoDerivs+License", "", "by-nc-nd"),
        ("Attribution-ShareAlike License", "http://elsewhere/", "by-sa"),
        ("All Rights Reserved", "", ""),
        ("", "http://creativecommons.org/licenses/sampling/1.0/", ""),
    ],
)
def test_licences_are_told_by_address_or_name(name, address, short):
    assert short_licence(name, address) == short


def test_places_follow_the_padded_digest():
    # MD5 of 6985418911 begins 18d1f668.
    shard, batch = assign_shards(["6985418911"], 10_000, 250)
    assert (shard.item(), batch.item()) == (969, 24)
    shard, batch = assign_shards(map(str, range(20_000)), 10, 3)
    assert np.bincount(shard).min() > 1800
    assert (batch == shard * 3 // 10).all()
    assert set(batch) == {0, 1, 2}


# The three forms.


@pytest.mark.parametrize("form", ["v1", "v2", "sqlite"])
def test_every_row_in_is_one_row_out(published, forms, form):
    _, truth = published
    rows = all_rows(forms[form])
    abouts = [read_json(folder / "about.json") for folder in forms[form]]
    assert len(rows) == truth["rows"][form] == sum(about["rows"] for about in abouts)
    assert {about["form"] for about in abouts} == {form}
    expected = Counter(
        [*truth["photos"], *truth["repeated"], *truth["malformed"][form]]
    )
    assert Counter(row.photoid for row in rows) == expected
    assert {row.photoid for row in rows if row.flaw} == set(truth["malformed"][form])
    flaws = sum(sum(about["flaws"].values()) for about in abouts)
    assert flaws == len(truth["malformed"][form])


@pytest.mark.parametrize("form", ["v1", "v2", "sqlite"])
def test_good_rows_are_what_was_written(published, forms, form):
    _, truth = published
    for row in all_rows(forms[form]):
        if not row.flaw:
            known = truth["photos"][row.photoid]
            for name in ("uid", "key", "ext", "licence", "url"):
                assert getattr(row, name) == known[name]
            assert row.video == str(int(known["kind"] == "video"))


def test_all_forms_give_the_same_rows_but_for_their_lines(forms):
    v1, v2, sqlite = (
        sorted(row._replace(line="") for row in all_rows(folders) if not row.flaw)
        for folders in forms.values()
    )
    assert v1 == v2 == sqlite


def test_line_numbers_are_the_metadatas_own_or_counted(published, forms):
    _, truth = published
    own = {row.photoid: row.line for row in reversed(all_rows(forms["v2"]))}
    assert all(own[one] == str(photo["line"]) for one, photo in truth["photos"].items())
    for folder in forms["v1"]:
        count = read_json(folder / "about.json")["rows"]
        assert sorted(int(row.line) for row in all_rows([folder])) == list(range(count))


def test_rows_lie_in_their_batch_in_order_of_part_and_line(forms):
    for batch in range(BATCHES):
        rows = read_batch(forms["v1"], None, batch)
        assert (assign_shards(rows["photoid"], SHARDS, BATCHES)[1] == batch).all()
        lengths = [len(read_batch([folder], None, batch)) for folder in forms["v1"]]
        parts = np.repeat(np.arange(10), lengths)
        order = np.lexsort([rows["line"].astype(int), parts])
        assert (order == np.arange(len(rows))).all()


def test_a_repeated_id_meets_itself_the_first_one_first(published, forms):
    photoid = published[1]["repeated"][0]
    one, two = (row for row in all_rows(forms["v2"]) if row.photoid == photoid)
    assert int(one.line) < int(two.line)


def test_plain_files_read_as_packed_ones_whatever_their_name(published, tmp_path):
    root, _ = published
    packed = root / "v1/yfcc100m_dataset-3.bz2"
    plain = tmp_path / "misnamed.sql.bz2"
    plain.write_bytes(bz2.decompress(packed.read_bytes()))
    one, two = split(packed, tmp_path / "one"), split(plain, tmp_path / "two")
    assert all_rows([one]) == all_rows([two])
    heads = [read_json(folder / "about.json")["head"] for folder in (one, two)]
    assert heads[0] == heads[1]


def test_equal_metadata_make_equal_files(published, tmp_path):
    source = published[0] / "v2/yfcc100m_dataset.bz2"
    one, two = (split(source, tmp_path / name) for name in ("one", "two"))
    names = sorted(path.name for path in one.iterdir())
    assert names == ["0000.tsv.gz", "0001.tsv.gz", "0002.tsv.gz", "about.json"]
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_blocks_leave_no_trace_in_the_rows(forms, published, tmp_path, monkeypatch):
    monkeypatch.setattr(row_batches, "BLOCK", 7)
    small = split(published[0] / "v2/yfcc100m_dataset.bz2", tmp_path / "rows")
    assert all_rows([small]) == all_rows(forms["v2"])
    heads = [read_json(rows / "about.json")["head"] for rows in (small, *forms["v2"])]
    assert heads[0] == heads[1]


def test_every_batch_has_a_file_if_only_a_header(tmp_path):
    (tmp_path / "meta").write_bytes(line())
    folder = split(tmp_path / "meta", tmp_path / "rows", batches=SHARDS)
    tables = [read_batch([folder], None, batch) for batch in range(SHARDS)]
    assert sum(map(len, tables)) == 1
    assert all(list(table) == list(Row._fields) for table in tables)


# Keys of v2 and of the hash file.


def test_v2s_own_key_is_used_and_a_different_one_counted(tmp_path):
    own = ["7", "10", "c0ffee" * 4, *cells("10")[1:]]
    same = ["8", "11", file_key(cells("11")[14]), *cells("11")[1:]]
    evil = ["9", "12", "../../etc/passwd/aaaa", *cells("12")[1:]]
    text = "".join("\t".join(row) + "\n" for row in (own, same, same, evil))
    rows, about = read(tmp_path, text.encode())
    keys = {row.line: row.key for row in rows}
    assert keys["7"] == "c0ffee" * 4
    assert keys["8"] == same[2]
    assert about["mismatched"] == 2
    assert about["flaws"] == {"no key": 1}


def test_published_keys_replace_computed_ones_where_there_are_any(
    published, forms, tmp_path
):
    root, truth = published
    listed = dict(
        text.split("\t")
        for text in bz2.decompress((root / "v1/yfcc100m_hash.bz2").read_bytes())
        .decode()
        .splitlines()
    )
    assert set(truth["photos"]) - set(listed) == set(truth["unhashed"])
    changed = {photoid: key[::-1] for photoid, key in listed.items()}
    changed_file = tmp_path / "hash.bz2"
    text = "".join(f"{photoid}\t{key}\r\n" for photoid, key in changed.items())
    changed_file.write_bytes(bz2.compress((text + "none\n\n1\t../x\n").encode()))
    hashes = split(changed_file, tmp_path / "hashes", part=10, kind="hashes")
    about = read_json(hashes / "about.json")
    assert about["rows"] == len(changed) + 3
    assert sum(about["flaws"].values()) == 3
    plain = all_rows(forms["v1"])
    for row, before in zip(all_rows(forms["v1"], hashes), plain, strict=True):
        assert row == before._replace(key=changed.get(row.photoid, before.key))


# Lines that need care.


@pytest.mark.parametrize(
    "odd",
    [
        line("5", title='"'),
        line("5", title='a "b" c', description='"'),
        line("5", title="NA", description="null", usertags="nan"),
        line("5", description="a\rb"),
        line("5")[:-1] + b"\r\n",
        line("5").replace(b"\tx\t", b"\t\0x\0\t"),
        line("5").replace(b"\tx\t", b"\t\xff\xfe\xc3(\xe2\x82\t"),
        line("5", title="\N{LINE SEPARATOR}\N{NEXT LINE}\x0b\x0c\x1c"),
        line("5", marker=""),
        line("5", title="", description="", usertags="", unickname=""),
        line("5", title=" leading and trailing "),
    ],
)
def test_an_odd_line_is_a_good_row_and_its_neighbours_too(tmp_path, odd):
    rows, about = read(tmp_path, line("4") + odd + line("6"))
    assert [row.photoid for row in rows] == ["4", "5", "6"]
    assert [row.line for row in rows] == ["0", "1", "2"]
    assert not any(about["flaws"].values())
    assert rows[1] == rows[0]._replace(
        photoid="5", line="1", url=cells("5")[14], key=file_key(cells("5")[14])
    )


@pytest.mark.parametrize(
    ("bad", "flaw"),
    [
        (b"\n", "columns: 1, not 23"),
        (b"\r\n", "columns: 1, not 23"),
        (b"5\ta\tb\n", "columns: 3, not 23"),
        (line("5")[:-1] + b"\tmore\tcells\n", "columns: 25, not 23"),
        (line(""), "no id"),
        (line("photoid"), "no id"),
        (line("٣"), "no id"),
        (line("5", downloadurl=""), "no address"),
        (line("5", marker="jpg"), "neither photo nor video"),
        (line("5" * 1001), "a value of over 1,000 characters"),
        (
            line("5", downloadurl="http://" + "x" * 1000),
            "a value of over 1,000 characters",
        ),
    ],
)
def test_a_line_that_is_no_row_is_named_and_harms_no_other(tmp_path, bad, flaw):
    rows, about = read(tmp_path, line("4") + bad + line("6") + line("7"))
    by_line = {row.line: row for row in rows}
    assert [by_line[number].photoid for number in "0123"] == ["4", "line-0-1", "6", "7"]
    assert by_line["1"].flaw == flaw
    assert by_line["1"].key == ""
    assert about["flaws"] == {flaw: 1}


def test_the_last_line_may_lack_its_feed(tmp_path):
    rows, _ = read(tmp_path, line("4") + line("5")[:-1])
    assert {row.photoid for row in rows} == {"4", "5"}


def test_texts_of_sqlite_may_hold_anything(tmp_path):
    path = tmp_path / "odd.sql"
    base = sqlite3.connect(path)
    base.execute(f"CREATE TABLE yfcc100m_dataset ({', '.join(COLUMNS)})")
    odd = [
        cells("4"),
        cells("5", uid="a\tb\r\n\0c", title="\n"),
        cells("6", marker=None),
    ]
    odd[0][0], odd[2][-2] = 4, "JPG"
    base.executemany(f"INSERT INTO yfcc100m_dataset VALUES ({'?,' * 22}?)", odd)
    base.execute("UPDATE yfcc100m_dataset SET title = CAST(X'FFFE' AS TEXT)")
    base.commit()
    base.close()
    before = path.read_bytes()
    path.chmod(0o400)
    rows = all_rows([split(path, tmp_path / "rows")])
    assert sorted((row.photoid, row.uid, row.ext, row.video) for row in rows) == [
        ("4", "1@N00", "jpg", "0"),
        ("5", "abc", "jpg", "0"),
        ("6", "1@N00", "jpg", "0"),
    ]
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("odd.sql-*"))


def test_links_without_a_usable_suffix_keep_their_rows(tmp_path):
    rows, _ = read(tmp_path, line("4", ext="../x") + line("5", ext="PNG"))
    assert {row.photoid: row.ext for row in rows} == {"4": "", "5": "png"}


# Files that cannot be used.


@pytest.mark.parametrize("count", [10, 3000])
def test_cut_metadata_is_refused_with_the_row_and_leaves_nothing(tmp_path, count):
    packed = bz2.compress(b"".join(lines(count)))
    (tmp_path / "cut.bz2").write_bytes(packed[:-40])
    told = r"cut\.bz2: unreadable after [\d,]+ rows.*fetch it anew"
    with pytest.raises(UserError, match=told):
        split(tmp_path / "cut.bz2", tmp_path / "rows")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.bz2"]


def test_damaged_metadata_is_refused_wherever_the_damage_is(tmp_path):
    # Two blocks of bzip2's 900 kB, the second of them damaged.
    random = np.random.default_rng(0)
    many = [line(str(number), title=random.bytes(300).hex()) for number in range(2000)]
    packed = bytearray(bz2.compress(b"".join(many)))
    packed[-1000:-900] = bytes(100)
    (tmp_path / "bad.bz2").write_bytes(packed)
    with pytest.raises(UserError, match=r"bad\.bz2: unreadable after 1,\d\d\d rows"):
        split(tmp_path / "bad.bz2", tmp_path / "rows")
    assert not (tmp_path / "rows").exists()


def test_metadata_of_several_streams_is_read_to_the_end(tmp_path):
    halves = [bz2.compress(b"".join(lines(50, first))) for first in (100, 200)]
    rows, _ = read(tmp_path, b"".join(halves))
    assert len(rows) == 100


@pytest.mark.parametrize("count", [2, 2000])
@pytest.mark.parametrize("damage", ["magic", "zeros", "head", "body", "rubbish"])
def test_damage_to_a_later_stream_is_refused_and_not_taken_for_the_end(
    tmp_path, damage, count
):
    first, second = (
        bz2.compress(b"".join(lines(count, start))) for start in (10_000, 20_000)
    )
    second = {
        "magic": b"BZx" + second[3:],
        "zeros": bytes(len(second)),
        "head": second[:4] + bytes(20) + second[24:],
        "body": second[:-20] + bytes(20),
        "rubbish": b"<html>",
    }[damage]
    third = bz2.compress(b"".join(lines(count, 30_000)))
    (tmp_path / "bad.bz2").write_bytes(first + second + third)
    told = r"bad\.bz2: unreadable after [\d,]+ rows .*; fetch it anew"
    with pytest.raises(UserError, match=told):
        split(tmp_path / "bad.bz2", tmp_path / "rows")
    assert not (tmp_path / "rows").exists()


@pytest.mark.parametrize("pack", [bytes, bz2.compress])
def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    tmp_path, monkeypatch, pack
):
    monkeypatch.setattr(metadata, "MAX_LINE", 300_000)
    (tmp_path / "bomb").write_bytes(pack(line("4") + bytes(20_000_000)))
    tracemalloc.start()
    with pytest.raises(UserError, match=r"bomb: unreadable.*a line of over 300,000"):
        split(tmp_path / "bomb", tmp_path / "rows")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_value_without_end_in_sqlite_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(metadata, "MAX_LINE", 1000)
    with closing(sqlite3.connect(tmp_path / "bomb.sql")) as base:
        base.execute(f"CREATE TABLE yfcc100m_dataset ({', '.join(COLUMNS)})")
        values = [cells("4"), cells("5", title="x" * 2000)]
        base.executemany(f"INSERT INTO yfcc100m_dataset VALUES ({'?,' * 22}?)", values)
        base.commit()
    told = r"bomb\.sql: unreadable after \d rows .*too big"
    with pytest.raises(UserError, match=told):
        split(tmp_path / "bomb.sql", tmp_path / "rows")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_metadata_that_may_not_be_read_are_named(tmp_path):
    (tmp_path / "meta").touch(mode=0)
    with pytest.raises(UserError, match="meta: permission denied"):
        split(tmp_path / "meta", tmp_path / "rows")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no rows"),
        (bz2.compress(b""), "holds no rows"),
        (b"a\tb\tc\n" * 5, "have 3 columns, but 23 or 25 are the metadata's"),
        (b"1\tabc\n" * 5, "have 2 columns.*give it under hashes"),
        (b"<html>no such file</html>", "have 1 columns"),
        (b"SQLite format 3\0" + bytes(999), "unreadable after 0 rows"),
    ],
)
def test_what_is_no_metadata_is_refused(tmp_path, content, told):
    (tmp_path / "odd").write_bytes(content)
    with pytest.raises(UserError, match=f"odd: .*{told}"):
        split(tmp_path / "odd", tmp_path / "rows")


def test_what_is_no_hash_file_is_refused(tmp_path):
    (tmp_path / "odd").write_bytes(line())
    with pytest.raises(
        UserError, match=r"23 columns, but 2 are.*give it under metadata"
    ):
        split(tmp_path / "odd", tmp_path / "rows", kind="hashes")


def test_a_missing_file_and_a_foreign_database_are_named(tmp_path):
    with pytest.raises(UserError, match="none: no such file"):
        split(tmp_path / "none", tmp_path / "rows")
    base = sqlite3.connect(tmp_path / "other.sql")
    base.execute("CREATE TABLE other (x)")
    base.close()
    with pytest.raises(
        UserError, match=r"other\.sql: .*no such table: yfcc100m_dataset"
    ):
        split(tmp_path / "other.sql", tmp_path / "rows")


def test_a_file_that_becomes_another_form_is_refused(tmp_path):
    v2 = b"".join(b"0\t1\t" + line(str(number)) for number in range(1400))
    (tmp_path / "mixed").write_bytes(b"".join(lines(1100)) + v2)
    with pytest.raises(
        UserError, match=r"mixed: 1,400 of 2,500 rows.*columns: 25, not 23"
    ):
        split(tmp_path / "mixed", tmp_path / "rows")
    assert not (tmp_path / "rows").exists()


def test_forms_may_not_be_mixed_nor_files_given_twice(forms):
    def abouts(*folders):
        return [read_json(folder / "about.json") for folder in folders]

    for folders in forms.values():
        check_parts(abouts(*folders))
    with pytest.raises(
        UserError, match=r"v1 \(.*-0\.bz2\), v2 \(.*dataset\.bz2\); give"
    ):
        check_parts(abouts(*forms["v1"], *forms["v2"]))
    with pytest.raises(UserError, match=r"v1 .*sqlite "):
        check_parts(abouts(*forms["v1"], *forms["sqlite"]))
    with pytest.raises(UserError, match=r"-3\.bz2: the same rows as .*-3\.bz2"):
        check_parts(abouts(*forms["v1"], forms["v1"][3]))


def test_missing_and_damaged_rows_are_named(tmp_path):
    (tmp_path / "meta").write_bytes(b"".join(lines(99)))
    folder = split(tmp_path / "meta", tmp_path / "rows", batches=1)
    with pytest.raises(UserError, match=r"0001\.tsv\.gz: no such rows"):
        read_batch([folder], None, 1)
    whole = (folder / "0000.tsv.gz").read_bytes()
    for damaged in (whole[:-20], whole[:200] + bytes(9) + whole[209:], b"junk", b""):
        (folder / "0000.tsv.gz").write_bytes(damaged)
        with pytest.raises(UserError, match=r"0000\.tsv\.gz: damaged rows.*delete"):
            read_batch([folder], None, 0)


# Folders of images.


def images(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def test_a_folders_images_are_rows_named_by_their_paths(tmp_path):
    names = ("b/2.jpg", "a b/ü\t1.PNG", "c.jpeg", "a%20b/x#?.webp", "a/z.jpg", "a.jpg")
    tree = images(tmp_path / "tree", *names)
    images(tree, "notes.txt", ".hidden.jpg", ".cache/1.jpg", "b/Thumbs.db")
    images(tree, "__MACOSX/a.jpg", "a/._z.jpg", "a/.thumbnails/z.jpg")
    rows = all_rows([split(tree, tmp_path / "rows", kind="folder", batches=1)], None, 1)
    assert [row.photoid for row in rows] == [
        "a/z.jpg", "a%20b/%C3%BC%091.PNG", "a%2520b/x%23%3F.webp", "a.jpg", "b/2.jpg",
        "c.jpeg",
    ]  # fmt: skip
    assert all(row.key == row.photoid and row.video == "0" for row in rows)
    assert {row.ext for row in rows} == {"jpg", "png", "jpeg", "webp"}
    assert [int(row.line) for row in rows] == list(range(6))
    assert not any(row.uid or row.url or row.licence or row.flaw for row in rows)


def test_links_are_followed_but_not_round_in_circles(tmp_path):
    tree = images(tmp_path / "tree", "a/1.jpg")
    images(tmp_path / "elsewhere", "2.jpg")
    (tree / "a/up").symlink_to(tree)
    (tree / "disk").symlink_to(tmp_path / "elsewhere")
    (tree / "gone.jpg").symlink_to(tmp_path / "nowhere")
    found = [row.photoid for row in metadata.folder_rows(tree)]
    assert found == ["a/1.jpg", "disk/2.jpg", "gone.jpg"]


def test_names_that_are_no_text_keep_their_bytes(tmp_path):
    tree = images(tmp_path / "tree", os.fsdecode(b"caf\xe9.jpg"))
    rows = all_rows([split(tree, tmp_path / "rows", kind="folder", batches=1)], None, 1)
    assert rows[0].photoid == "caf%E9.jpg"


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(UserError, match="none: no such file or directory"):
        split(tmp_path / "none", tmp_path / "rows", kind="folder")
    images(tmp_path / "tree", "notes.txt")
    with pytest.raises(UserError, match="tree: holds no images"):
        split(tmp_path / "tree", tmp_path / "rows", kind="folder")
    assert not (tmp_path / "rows").exists()


# The stage.


def command(tmp_path, source, kind="metadata"):
    settings = {"kind": kind, "part": 0, "shards": SHARDS, "batches": BATCHES}
    ReadMetadata.main([
        "--source", str(source), "--rows", str(tmp_path / "rows"),
        "--record", str(tmp_path / "record.json"), "--settings", json.dumps(settings),
    ])  # fmt: skip


def test_the_stage_writes_rows_and_record_and_tells_its_way(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(row_batches, "Progress", lambda **_: lambda done: print(done))
    monkeypatch.setattr(row_batches, "BLOCK", 40)
    (tmp_path / "meta").write_bytes(b"".join(lines(100)))
    command(tmp_path, tmp_path / "meta")
    assert capsys.readouterr().out == "40\n80\n100\n"
    assert len(all_rows([tmp_path / "rows"])) == 100
    assert read_json(tmp_path / "record.json")["settings"]["kind"] == "metadata"


def test_rerunning_replaces_the_rows_and_clears_a_killed_jobs_draft(tmp_path):
    images(tmp_path, "rows/stale.tsv.gz", ".rows/draft.tsv.gz")
    (tmp_path / "meta").write_bytes(line())
    command(tmp_path, tmp_path / "meta")
    assert {path.name for path in tmp_path.iterdir()} == {"meta", "record.json", "rows"}
    assert not (tmp_path / "rows/stale.tsv.gz").exists()


def test_a_failed_rerun_leaves_the_rows_as_they_were(tmp_path, monkeypatch):
    (tmp_path / "meta").write_bytes(line())
    command(tmp_path, tmp_path / "meta")
    before = all_rows([tmp_path / "rows"])

    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(row_batches, "compress_rows", full)
    with pytest.raises(SystemExit, match=r"rows: no space left on device; free some"):
        run_command(lambda: command(tmp_path, tmp_path / "meta"))
    assert all_rows([tmp_path / "rows"]) == before
    assert not (tmp_path / ".rows").exists()


def test_memory_does_not_grow_with_the_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(row_batches, "BLOCK", 500)
    peaks = []
    for count in (1000, 8000, 24_000):  # the first warms up
        (tmp_path / "meta").write_bytes(b"".join(lines(count)))
        tracemalloc.start()
        split(tmp_path / "meta", tmp_path / "rows")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.2 * peaks[1]


# The synthetic YFCC100m itself.


def fate(data):
    """Return the outcome of a file by the published rules, written another way."""
    if len(data) < 2600:
        return "too_small"
    if len(data) == 9218:
        return "placeholder"
    try:
        grey = simplejpeg.decode_jpeg(
            data, "gray", min_height=1, min_width=1, min_factor=8
        )
        grey = grey[..., 0]
    except ValueError:
        try:
            image = Image.open(io.BytesIO(data))
            grey = np.asarray(image.convert("L"))
        except UnidentifiedImageError:
            return "not_image"
        except Image.DecompressionBombError:
            return "too_large"
        except OSError:
            return "broken"
    flat = len(data) < 20_000 and np.percentile(grey.var(0), 95) < 50
    return "flat" if flat else "kept"


def test_every_file_deserves_its_fate(published):
    root, truth = published
    seen = set()
    for photo in truth["photos"].values():
        seen.add(photo["kind"])
        if photo["outcome"] in ("video", "excluded"):
            continue
        if photo["file"] is None:
            assert photo["outcome"] == "missing"
            continue
        data = (root / photo["file"]).read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert (photo["kind"], fate(data)) == (photo["kind"], photo["outcome"])
            if photo["outcome"] == "kept":
                decode(data, photo["kind"])
    assert seen == set(yfcc.FILES)


def test_files_lie_where_their_keys_say(published):
    root, truth = published
    found = {str(path.relative_to(root)) for path in root.glob("data/*/**/*.*")}
    assert found == {photo["file"] for photo in truth["photos"].values()} - {None}
    for photo in truth["photos"].values():
        key = file_key(photo["url"])
        assert photo["key"] == key
        assert photo["file"] is None or f"/{key[:3]}/{key[3:6]}/{key}." in photo["file"]


def test_one_placeholder_is_shared_by_many_users_and_no_other_file_is(published):
    _, truth = published
    users = {}
    for photo in truth["photos"].values():
        users.setdefault(photo["sha256"], set()).add(photo["uid"])
    del users[None]
    assert len(users.pop(truth["shared"])) >= 20
    assert max(map(len, users.values())) <= 3


def test_zips_hold_the_tree_by_key_and_by_line(published):
    root, truth = published
    stored = {
        photo["file"]: photo
        for photo in truth["photos"].values()
        if photo["file"] and photo["kind"] != "video"
    }
    for names in ("key", "line"):
        count = 0
        for path in yfcc.zipped(root, names).rglob("*.zip"):
            with zipfile.ZipFile(path) as file:
                for member in file.namelist():
                    count += 1
                    assert member.endswith((".jpg", ".png"))
        assert count == len(stored)
    one = next(iter(stored.values()))
    digits = f"{one['line']:08d}"
    with zipfile.ZipFile(root / f"zips/line/{digits[:2]}/{digits[2:5]}.zip") as file:
        data = file.read(digits[5:] + Path(one["file"]).suffix)
    assert data == (root / one["file"]).read_bytes()


def test_equal_seeds_make_an_equal_yfcc100m(published, tmp_path):
    root, truth = published
    assert yfcc.make(tmp_path / "again", photos=240) == truth
    for path in root.glob("v*/*.bz2"):
        again = tmp_path / "again" / path.relative_to(root)
        assert path.read_bytes() == again.read_bytes()
    other = yfcc.make(tmp_path / "other", photos=240, seed=1)
    assert not set(other["photos"]) & set(truth["photos"])
