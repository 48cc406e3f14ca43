"""One shard of cleaned photographs: outcomes, files, kills, lists, locks."""

import errno
import hashlib
import json
import math
import os
import random
import shutil
import signal
import tarfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from s2snets.cleaning import decide, shard
from s2snets.cleaning.decide import UnfinishedError, clean_shard, scrub
from s2snets.cleaning.exclusion import ExclusionLists, read_lists
from s2snets.cleaning.metadata import Row as MetadataRow
from s2snets.cleaning.outcomes import OUTCOMES
from s2snets.cleaning.shard import file_lock, read_shard, shard_files, shards_in
from s2snets.cli import main as cli
from s2snets.config import Clean
from s2snets.runtime.errors import UserError

CLEAN = Clean(tree="photos", shards=4, batches=2, max_failed=0.5)
NOBODY = ExclusionLists()


class Row(NamedTuple):
    photoid: str
    uid: str = "1@N00"
    key: str = "0" * 32
    ext: str = "jpg"
    licence: str = "by"
    video: str = "0"
    url: str = "http://a"
    line: str = "0"
    flaw: str = ""


class Fetched(NamedTuple):
    data: bytes | None
    outcome: str = ""
    status: str = "200"
    tries: int = 1


class Verdict(NamedTuple):
    outcome: str
    width: int = 500
    height: int = 375
    format: str = "JPEG"
    p95: float = 1234.5
    dhash: int = 7


def photo(row):
    """Return bytes that the id decides, of a length that fills no blocks of a tar."""
    seed = int(hashlib.sha256(row.photoid.encode()).hexdigest()[:8], 16)
    return random.Random(seed).randbytes(600 + seed % 900)


def judge(data, profile):
    """Reject about a quarter."""
    if data[0] % 4:
        return Verdict("kept", dhash=int.from_bytes(data[:8], "big"))
    return Verdict("flat", p95=math.nan)


def source(answers=None, log=None, pause=0):
    """Return a source of the photographs above, except for answers given by id."""

    @contextmanager
    def opened():
        def fetch(row):
            time.sleep(pause)
            if log is not None:
                with Path(log).open("a") as file:
                    file.write(f"{row.photoid}\n")
            return (answers or {}).get(row.photoid, Fetched(photo(row)))

        fetch.connections = 3
        yield fetch

    return opened


@contextmanager
def closed():
    """Open a source from which nothing may be fetched."""
    raise AssertionError("fetched again")
    yield


ROWS = [Row(str(number), f"{number % 3}@N00") for number in range(100, 124)]


@pytest.fixture(autouse=True)
def unsynced(monkeypatch):
    """Skip syncing: a killed process loses nothing written, only a dead machine does."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def make(store, rows=ROWS, number=1, **changes):
    options = {"clean": CLEAN, "lists": NOBODY, "source": source(), "judge": judge}
    options |= {"on_done": lambda rows: None, **changes}
    return clean_shard(store, number, rows, **options)


def contents(store, number=1):
    """Return every file of a store by name, once there are the four of one shard."""
    found = {
        path.name: path.read_bytes()
        for path in Path(store).rglob("*")
        if path.is_file()
    }
    assert len(found) == 4, sorted(found)
    assert read_shard(shard_files(store, number)) is not None
    return found


def entries(store, number=1):
    return read_shard(shard_files(store, number))[1]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Return the files of an uninterrupted run."""
    store = tmp_path_factory.mktemp("fresh")
    make(store)
    return contents(store)


def forked(function):
    """Run in a child, which prints nothing; returns its process id."""
    if (child := os.fork()) == 0:
        try:
            function()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def status_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# Outcomes


def test_every_row_gets_one_outcome_the_first_that_fits():
    lists = ExclusionLists(frozenset(["5", "9@N00"]), frozenset())
    rows = [
        Row("line-0-7", flaw="columns: 7, not 23", licence=""),
        Row("1", video="1"),
        Row("1"),
        Row("5", licence="by-nc"),
        Row("6", uid="9@N00"),
        Row("7", licence="by-nc"),
        Row("8", licence=""),
        Row("9"),
        Row("9", flaw="no id"),
    ]
    found = list(decide.outcomes_before_fetching(rows, ["by"], lists))
    assert found == ["malformed", "video", "repeated", "excluded", "excluded", "licence",
                     "licence", "", "malformed"]  # fmt: skip


def test_an_unknown_licence_passes_only_where_all_do():
    assert list(
        decide.outcomes_before_fetching([Row("8", licence="")], CLEAN.licences, NOBODY)
    ) == [""]


def test_rows_are_the_kept_and_the_sum_of_the_reasons(tmp_path):
    rows = [*ROWS, ROWS[-1], Row("200", video="1"), Row("line-0-3", flaw="no\tid")]
    gone = {"100": Fetched(None, "missing", "404"), "101": Fetched(None, "opted_out")}
    told = []
    summary = make(tmp_path, rows, source=source(gone), on_done=told.append)
    outcomes = Counter(entry.outcome for entry in entries(tmp_path))
    assert summary["outcomes"] == outcomes
    assert summary["rows"] == len(rows) == sum(outcomes.values()) == sum(told)
    assert summary["kept"] == outcomes["kept"] > 10
    assert outcomes["repeated"] == outcomes["video"] == outcomes["malformed"] == 1
    assert outcomes["missing"] == outcomes["opted_out"] == 1
    assert list(summary["outcomes"]) == [name for name in OUTCOMES if name in outcomes]
    assert [entry.photoid for entry in entries(tmp_path)] == [r.photoid for r in rows]


def test_the_manifest_says_what_is_known_and_no_more(tmp_path):
    gone = {"101": Fetched(None, "missing", "404 Not\tFound", 2)}
    make(tmp_path, [Row("103"), Row("101"), Row("102", video="1")], source=source(gone))
    data = photo(Row("103"))
    kept, missing, video = entries(tmp_path)
    assert kept == (
        "103", "1@N00", "by", "0", "kept", "", str(len(data)),
        hashlib.sha256(data).hexdigest(), "500", "375", "JPEG", "1234.5",
        data[:8].hex(), "200", "1",
    )  # fmt: skip
    assert missing[4:] == ("missing", *[""] * 8, "404 Not Found", "2")
    assert video[4:] == ("video", *[""] * 10)


@pytest.mark.parametrize("rows", [[], [Row("1", video="1")]])
def test_a_shard_may_be_empty(tmp_path, rows):
    summary = make(tmp_path, rows)
    assert (summary["rows"], summary["kept"]) == (len(rows), 0)
    with tarfile.open(shard_files(tmp_path, 1).tar) as tar:
        assert tar.getmembers() == []
    make(tmp_path, rows, source=closed)


# Files


def test_index_tar_and_manifest_agree_and_hold_the_original_bytes(tmp_path):
    rows = [*ROWS, Row("a%20folder/b.jpg", uid="")]
    make(tmp_path, rows)
    files = shard_files(tmp_path, 1)
    kept = [entry for entry in entries(tmp_path) if entry.outcome == "kept"]
    idx = np.load(files.idx)
    assert idx.dtype == shard.IDX
    by_id = {row.photoid: photo(row) for row in rows}
    with tarfile.open(files.tar) as tar:
        members = tar.getmembers()
        assert len(members) == len(idx) == len(kept)
        for member, place, entry in zip(members, idx, kept, strict=True):
            data = tar.extractfile(member).read()
            assert data == by_id[entry.photoid]
            assert data == files.tar.read_bytes()[place["offset"] :][: place["size"]]
            digest = hashlib.sha256(data).digest()
            assert place["sha"] == int.from_bytes(digest[:8], "big")
            assert place["dhash"] == int.from_bytes(data[:8], "big")
            assert (member.mtime, member.uid, member.gid, member.mode) == (
                0,
                0,
                0,
                0o644,
            )
    names = [member.name for member in members]
    assert names[0] == f"{kept[0].photoid}.jpg"
    assert names[-1] == hashlib.md5(b"a%20folder/b.jpg").hexdigest() + ".jpg"


def test_webdataset_reads_the_tar(tmp_path):
    webdataset = pytest.importorskip("webdataset")
    make(tmp_path)
    read_back = webdataset.WebDataset(
        str(shard_files(tmp_path, 1).tar), shardshuffle=False
    )
    found = {sample["__key__"]: sample["jpg"] for sample in read_back}
    kept = [entry.photoid for entry in entries(tmp_path) if entry.outcome == "kept"]
    assert found == {name: photo(Row(name)) for name in kept}


def test_the_marker_fits_the_files(tmp_path):
    summary = make(tmp_path)
    files = shard_files(tmp_path, 1)
    marker = json.loads(files.json.read_text())
    for name, about in marker["files"].items():
        data = getattr(files, name).read_bytes()
        sha = hashlib.sha256(data).hexdigest()
        assert about == {"bytes": len(data), "sha256": sha}
    assert summary["sha256"] == hashlib.sha256(files.json.read_bytes()).hexdigest()


def test_equal_rows_make_equal_bytes_and_a_whole_shard_is_not_fetched_again(
    tmp_path, fresh
):
    make(tmp_path)
    assert contents(tmp_path) == fresh
    make(tmp_path, source=closed)
    assert contents(tmp_path) == fresh


def test_neither_another_store_nor_source_folder_nor_threads_make_a_shard_stale(
    tmp_path, fresh
):
    make(tmp_path / "a")
    shutil.move(tmp_path / "a", tmp_path / "b")
    other = CLEAN.model_copy(
        update={"tree": "moved", "store": "b", "batches": 1, "held_out": 1}
    )
    make(tmp_path / "b", clean=other, source=closed)


@pytest.mark.parametrize(
    "changes",
    [{"profile": "strict"}, {"licences": ["by"]}, {"shards": 5},
     {"tree": None, "zips": {"path": "z"}, "metadata": ["m"]}],
)  # fmt: skip
def test_a_shard_of_other_settings_is_made_anew(tmp_path, changes):
    make(tmp_path)
    log = tmp_path.with_suffix(".log")
    clean = Clean.model_validate(CLEAN.model_dump() | changes)
    make(tmp_path, clean=clean, source=source(log=log))
    assert len(log.read_text().split()) == len(ROWS)
    contents(tmp_path)


def test_changed_rules_and_rows_make_a_shard_stale(tmp_path, monkeypatch):
    make(tmp_path)
    make(tmp_path, ROWS[1:])
    assert len(entries(tmp_path)) == len(ROWS) - 1
    log = tmp_path.with_suffix(".log")
    monkeypatch.setattr(decide, "fingerprint", lambda module: "other rules")
    make(tmp_path, ROWS[1:], source=source(log=log))
    assert len(log.read_text().split()) == len(ROWS) - 1


def cut_at_a_member(files):
    border = int(np.load(files.idx)["offset"][3]) - tarfile.BLOCKSIZE
    os.truncate(files.tar, border)


def of_another_shard(name):
    def damage(files):
        other = files.tar.parents[1].with_suffix(".other")
        make(other, ROWS[3:])
        shutil.copy(getattr(shard_files(other, 1), name), getattr(files, name))

    return damage


DAMAGES = {
    "tar cut at a member": cut_at_a_member,
    "other tar": of_another_shard("tar"),
    "other index": of_another_shard("idx"),
    "other manifest": of_another_shard("manifest"),
    "other marker": of_another_shard("json"),
    "no index": lambda files: files.idx.unlink(),
    "no marker": lambda files: files.json.unlink(),
    "marker cut": lambda files: os.truncate(files.json, 50),
    "marker of a list": lambda files: files.json.write_text("[1]"),
    "marker without files": lambda files: files.json.write_text('{"files": {}}'),
    "drafts": lambda files: [
        files.hidden(end).mkdir() for end in (".draft", ".ready")
    ],
    "draft with files": lambda files: shutil.copytree(
        files.tar.parent, files.hidden(".draft")
    ),
    "lock": lambda files: files.hidden(".lock").touch(),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_shard_is_made_anew(tmp_path, fresh, damage):
    make(tmp_path)
    damage(shard_files(tmp_path, 1))
    make(tmp_path)
    assert contents(tmp_path) == fresh
    assert not list(tmp_path.rglob(".*"))


# Failures


def test_too_many_failures_leave_no_shard_and_are_told(tmp_path):
    clean = CLEAN.model_copy(update={"max_failed": 0.1})
    failing = {str(n): Fetched(None, "fetch_error", "503", 6) for n in range(105, 108)}
    with pytest.raises(
        UnfinishedError, match=r"000001\.tar: 3 of 24 .* 107 \(503\); rerun.*max_failed"
    ):
        make(tmp_path, clean=clean, source=source(failing))
    assert not any(path.is_file() for path in tmp_path.rglob("*"))
    failing.pop("107")
    summary = make(tmp_path, clean=clean, source=source(failing))
    assert summary["outcomes"]["fetch_error"] == 2


@pytest.mark.parametrize("room", [0, 700, 5000, 20_000])
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, room, fresh):
    make(tmp_path, ROWS[1:])
    before = contents(tmp_path)
    left = [room]
    honest = shard.DigestingFile.write

    def write(self, data):
        left[0] -= len(data)
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return honest(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(shard.DigestingFile, "write", write)
        with pytest.raises(UserError, match=r"000001\.tar: no space left .* free some"):
            make(tmp_path)
    assert contents(tmp_path) == before
    make(tmp_path)
    assert contents(tmp_path) == fresh


def test_a_disk_that_is_full_only_when_synced_leaves_nothing(tmp_path, monkeypatch):
    def fsync(descriptor):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(UserError, match="free some quota"):
        make(tmp_path)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_lack_of_memory_is_not_taken_for_a_photograph(tmp_path):
    def short(data, profile):
        raise MemoryError

    with pytest.raises(MemoryError):
        make(tmp_path, judge=short)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


# Kills

STEPS = [(os, "replace"), (os, "fsync"), (shutil, "rmtree"), (Path, "unlink"),
         (Path, "mkdir"), (Path, "rmdir"), (shard.DigestingFile, "write"),
         (shard.tarfile.TarFile, "close")]  # fmt: skip


def killed_at(step, function):
    """Run in a child that ends before one step; returns whether it got that far."""

    steps = iter(range(step))

    def fatal(honest):
        def act(*values, **options):
            if next(steps, None) is None:
                os._exit(9)
            return honest(*values, **options)

        return act

    def run():
        for owner, name in STEPS:
            setattr(owner, name, fatal(getattr(owner, name)))
        function()

    return {9: True, 0: False}[status_of(forked(run))]


def scrubbed(store, lists):
    assert scrub(shard_files(store, 1), lists) is not None


FEW = ROWS[2:7]
GONE = ExclusionLists(frozenset(["103", "2@N00"]), frozenset())
CASES = {
    "new": (Path.mkdir, lambda store: make(store, FEW)),
    "stale": (lambda store: make(store, FEW[2:]), lambda store: make(store, FEW)),
    "scrub": (lambda store: make(store, FEW), lambda store: scrubbed(store, GONE)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_kill_at_any_step_loses_nothing(tmp_path, case):
    before, work = CASES[case]
    first, whole = tmp_path / "first", tmp_path / "whole"
    before(first)
    shutil.copytree(first, whole)
    old = contents(whole) if case != "new" else {}
    work(whole)
    new, step, died = contents(whole), 0, True
    while died:
        store = tmp_path / "killed"
        shutil.copytree(first, store)
        died = killed_at(step, lambda store=store: work(store))
        if read_shard(shard_files(store, 1)) is not None:
            now = {path.name: path.read_bytes() for path in store.glob("*/0*")}
            assert now in (old, new), step
        work(store)
        assert contents(store) == new, step
        shutil.rmtree(store)
        step += 1
    assert step > 20


def test_a_kill_at_any_time_loses_nothing(tmp_path, fresh):
    draw, killed = random.Random(0), 0
    store = tmp_path / "store"
    while killed < 20:
        child = forked(lambda: make(store, source=source(pause=0.003)))
        time.sleep(draw.uniform(0, 0.04))
        os.kill(child, signal.SIGKILL)
        killed += status_of(child) == -signal.SIGKILL
        make(store)
        assert contents(store) == fresh
        shutil.rmtree(store)


def test_two_jobs_on_one_shard_make_it_once(tmp_path, fresh):
    log, store = tmp_path / "log", tmp_path / "store"
    jobs = [
        forked(lambda: make(store, source=source(log=log, pause=0.005)))
        for _ in range(3)
    ]
    assert [status_of(job) for job in jobs] == [0, 0, 0]
    assert sorted(log.read_text().split()) == [row.photoid for row in ROWS]
    assert contents(store) == fresh


def test_a_lock_has_one_holder_although_its_file_comes_and_goes(tmp_path):
    count = tmp_path / "count"
    count.write_text("0")

    def add():
        for _ in range(100):
            with file_lock(tmp_path / "lock"):
                value = int(count.read_text())
                count.write_text(str(value + 1))

    jobs = [forked(add) for _ in range(4)]
    assert [status_of(job) for job in jobs] == [0] * 4
    assert count.read_text() == "400"
    assert not (tmp_path / "lock").exists()


# ExclusionLists


def digest_of(name):
    return hashlib.sha256(photo(Row(name))).hexdigest()


@pytest.mark.parametrize(
    "lists",
    [
        ExclusionLists(frozenset(["103", "104"]), frozenset()),
        ExclusionLists(frozenset(["2@N00"]), frozenset()),
        ExclusionLists(
            frozenset(), frozenset(map(digest_of, ["103", "104", "105", "106"]))
        ),
        ExclusionLists(frozenset(["1@N00", "104"]), frozenset([digest_of("103")])),
        ExclusionLists(frozenset(row.uid for row in ROWS), frozenset()),
    ],
)
def test_a_list_that_grows_acts_in_place_as_if_it_had_been_there(tmp_path, lists):
    for name in ("grown", "new"):
        make(tmp_path / name, lists=lists if name == "new" else NOBODY)
    assert contents(tmp_path / "grown") != contents(tmp_path / "new")
    make(tmp_path / "grown", lists=lists, source=closed)
    assert contents(tmp_path / "grown") == contents(tmp_path / "new")
    make(tmp_path / "grown", lists=lists, source=closed)


@pytest.mark.parametrize(
    "lists",
    [
        ExclusionLists(frozenset(["103"]), frozenset()),
        ExclusionLists(frozenset(), frozenset([digest_of("103")])),
    ],
)
def test_what_leaves_a_list_is_fetched_again(tmp_path, lists, fresh):
    make(tmp_path, lists=lists)
    assert contents(tmp_path) != fresh
    make(tmp_path)
    assert contents(tmp_path) == fresh


def test_a_list_about_other_shards_changes_nothing(tmp_path, fresh):
    make(tmp_path)
    lists = ExclusionLists(frozenset(["9", "9@N00"]), frozenset(["0" * 64]))
    make(tmp_path, lists=lists, source=closed)
    assert contents(tmp_path) == fresh


def overwrite_a_photograph(files):
    with files.tar.open("r+b") as tar:
        tar.seek(int(np.load(files.idx)["offset"][5]))
        tar.write(b"other")


def test_a_changed_tar_is_not_rewritten_but_fetched_again(tmp_path):
    make(tmp_path / "whole", lists=GONE)
    make(tmp_path / "store")
    files = shard_files(tmp_path / "store", 1)
    overwrite_a_photograph(files)
    assert scrub(files, GONE) is None
    make(tmp_path / "store", lists=GONE)
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_the_command_scrubs_every_shard_and_tells_what_went(tmp_path, capsys):
    store, exclude = tmp_path / "store", tmp_path / "exclude.txt"
    for number, rows in ((0, ROWS[:8]), (1, ROWS[8:16]), (1000, ROWS[16:])):
        make(store, rows, number)
    exclude.write_text(f"{ROWS[0].uid}  # asked for it\n\n103\n")
    kept = {
        entry.photoid
        for number in shards_in(store)
        for entry in entries(store, number)
        if entry.outcome == "kept" and {ROWS[0].uid, "103"} & set(entry)
    }
    cli(["scrub", str(store), str(exclude)])
    told = capsys.readouterr().out
    assert f"removed {len(kept)} photographs from 3 of 3 shards" in told
    assert all(name in told for name in kept)
    assert "clean.exclude" in told
    for number in (0, 1, 1000):
        left = entries(store, number)
        assert not kept & {e.photoid for e in left if e.outcome == "kept"}
        with tarfile.open(shard_files(store, number).tar) as tar:
            assert not kept & {name.partition(".")[0] for name in tar.getnames()}
    cli(["scrub", str(store), str(exclude)])
    assert "removed 0 photographs" in capsys.readouterr().out


def test_scrubbing_tells_of_shards_that_nobody_knows(tmp_path, capsys):
    make(tmp_path)
    shard_files(tmp_path, 1).json.unlink()
    (tmp_path / "exclude.txt").write_text("103\n")
    with pytest.raises(SystemExit, match=r"000001\.tar: not whole"):
        cli(["scrub", str(tmp_path), str(tmp_path / "exclude.txt")])


def test_scrubbing_keeps_what_earlier_lists_removed(tmp_path):
    make(tmp_path, lists=ExclusionLists(frozenset(["103"]), frozenset()))
    gone = scrub(
        shard_files(tmp_path, 1), ExclusionLists(frozenset(["106"]), frozenset())
    )
    outcomes = {entry.photoid: entry.outcome for entry in entries(tmp_path)}
    assert outcomes["103"] == outcomes["106"] == "excluded"
    assert [entry.photoid for entry in gone] == ["106"]


def test_a_folder_without_shards_is_not_scrubbed(tmp_path):
    with pytest.raises(UserError, match="holds no shards"):
        shards_in(tmp_path)


def test_lists_are_read_with_comments_and_either_line_ending(tmp_path):
    exclude, digests = tmp_path / "exclude.txt", tmp_path / "digests.txt"
    exclude.write_bytes(b"\xef\xbb\xbf# gone\r\n123 \r\n\r\n45@N01 # he\r\nx/y%20z.jpg")
    digests.write_text("a" * 64 + "\n")
    assert read_lists(exclude, digests) == (
        {"123", "45@N01", "x/y%20z.jpg"},
        {"a" * 64},
    )
    assert read_lists() == (frozenset(), frozenset())


@pytest.mark.parametrize(
    "line", ["12 34", "12@N0", "a photo.jpg", "photo", "1,2", "-1"]
)
def test_a_bad_line_of_a_list_is_named(tmp_path, line):
    path = tmp_path / "exclude.txt"
    path.write_text(f"1\n{line}\n")
    with pytest.raises(UserError, match=r"exclude\.txt, line 2: "):
        read_lists(path)


def test_bad_digests_and_missing_or_binary_lists_are_named(tmp_path):
    path = tmp_path / "list.txt"
    with pytest.raises(UserError, match=r"list\.txt: no such file"):
        read_lists(path)
    path.write_text("a" * 63)
    with pytest.raises(UserError, match=r"list\.txt, line 1: .* 64 hex"):
        read_lists(None, path)
    path.write_bytes(b"\xff\xfe1")
    with pytest.raises(UserError, match=r"list\.txt: not UTF-8"):
        read_lists(path)


def test_rows_are_what_fingerprints_cover():
    assert set(MetadataRow._fields) == set(Row._fields)
