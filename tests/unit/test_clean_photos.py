"""Cleaning one batch: its rows become shards, in several processes."""

import gzip
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import Value
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from s2snets.cleaning import batch as module
from s2snets.cleaning import workers
from s2snets.cleaning.shard import read_shard, shard_files
from s2snets.config import Clean
from s2snets.runtime.errors import UserError
from s2snets.stages.cleaning import CleanPhotos

COLUMNS = ["photoid", "uid", "key", "ext", "licence", "video", "url", "line", "flaw"]
SHARDS, BATCHES = 6, 2


def shard_of(name):
    return int(hashlib.md5(name.encode()).hexdigest()[:8], 16) * SHARDS >> 32


def batch_of(name):
    return shard_of(name) * BATCHES // SHARDS


def write_rows(folder, rows):
    """Write a part as ``read_metadata`` does."""
    folder.mkdir(parents=True)
    about = {"source": str(folder), "form": "folder", "head": folder.name}
    (folder / "about.json").write_text(json.dumps(about))
    for batch in range(BATCHES):
        lines = ["\t".join(COLUMNS)]
        lines += ["\t".join(row) for row in rows if batch_of(row[0]) == batch]
        with gzip.open(folder / f"{batch:04d}.tsv.gz", "wt") as file:
            file.write("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def photos(tmp_path):
    """Make a folder of forty photographs and one other file, with rows in two parts."""
    random, tree, rows = np.random.default_rng(0), tmp_path / "photos", []
    tree.mkdir()
    for number in range(41):
        path = tree / f"a photo {number}.jpg"
        pixels = random.integers(0, 256, (30, 40, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels.repeat(8, 0).repeat(8, 1)).save(buffer, "jpeg")
        path.write_bytes(buffer.getvalue() if number else b"<html>" * 1000)
        name = quote(path.name)
        rows.append((name, "", name, "jpg", "", "0", "", str(number), ""))
    rows.append(("line-1-9", "", "", "", "", "0", "", "9", "no id"))
    rows.append(rows[5])
    write_rows(tmp_path / "rows/0", rows[:20])
    write_rows(tmp_path / "rows/1", rows[20:])
    return tree


def arguments(tmp_path, batch, threads=1, *more, **clean):
    settings = {"tree": str(tmp_path / "photos"), "shards": SHARDS, "batches": BATCHES}
    return [
        "--rows", str(tmp_path / "rows/0"), str(tmp_path / "rows/1"),
        "--store", str(tmp_path / "store"),
        "--report", str(tmp_path / f"batches/{batch}.json"),
        "--record", str(tmp_path / f"records/{batch}.json"),
        "--batch", str(batch), "--threads", str(threads),
        "--settings", Clean(**settings | clean).model_dump_json(), *more,
    ]  # fmt: skip


def test_batches_make_every_shard_of_all_rows(tmp_path, photos):
    reports = []
    for batch in range(BATCHES):
        CleanPhotos.main(arguments(tmp_path, batch, threads=1 + batch))
        reports.append(json.loads((tmp_path / f"batches/{batch}.json").read_text()))
    shards = [shard for report in reports for shard in report["shards"]]
    assert [shard["shard"] for shard in shards] == list(range(SHARDS))
    assert sum(report["rows"] for report in reports) == 43
    assert sum(report["kept"] for report in reports) == 40
    for report in reports:
        assert report["rows"] == sum(report["outcomes"].values())
        assert report["kept"] == sum(shard["kept"] for shard in report["shards"])
    outcomes = [name for report in reports for name in report["outcomes"]]
    assert set(outcomes) == {"kept", "malformed", "repeated", "not_image"}
    found = {}
    for number in range(SHARDS):
        files = shard_files(tmp_path / "store", number)
        entries = read_shard(files)[1]
        digests = [hashlib.md5(e.photoid.encode()).hexdigest() for e in entries]
        assert digests == sorted(digests)
        assert {shard_of(entry.photoid) for entry in entries} <= {number}
        with tarfile.open(files.tar) as tar:
            for member in tar:
                found[member.name] = tar.extractfile(member).read()
    originals = {
        hashlib.md5(quote(path.name).encode()).hexdigest() + ".jpg": path.read_bytes()
        for path in photos.iterdir()
        if path.name != "a photo 0.jpg"
    }
    assert found == originals

    before = (tmp_path / "batches/0.json").read_bytes()
    photos.rename(tmp_path / "elsewhere")
    CleanPhotos.main(arguments(tmp_path, 0))
    assert (tmp_path / "batches/0.json").read_bytes() == before
    exclude = tmp_path / "exclude.txt"
    first = next(
        e for e in read_shard(shard_files(tmp_path / "store", 0))[1] if e.sha256
    )
    exclude.write_text(first.photoid)
    CleanPhotos.main(arguments(tmp_path, 0, 1, "--exclude", str(exclude)))
    assert (
        json.loads((tmp_path / "batches/0.json").read_text())["outcomes"]["excluded"]
        == 1
    )
    assert (tmp_path / "batches/0.json").read_bytes() != before


@pytest.fixture
def inside(monkeypatch):
    """Make workers threads of this process, where a test can replace the source."""

    @contextmanager
    def pool_of_threads(processes, counter):
        monkeypatch.setattr(workers, "counter", Value("q"))
        with ThreadPoolExecutor(processes) as pool:
            yield pool

    monkeypatch.setattr(module, "worker_pool", pool_of_threads)


def test_a_shard_that_fails_stops_no_other_and_a_rerun_does_it_alone(
    tmp_path, photos, inside, monkeypatch
):
    failing, fetched, honest = set(), [], module.open_source

    @contextmanager
    def source(*values):
        with honest(*values) as real:

            def fetch(row):
                fetched.append(row.photoid)
                found = real(row)
                if row.photoid in failing:
                    return found._replace(
                        data=None, outcome="fetch_error", status="503"
                    )
                return found

            fetch.connections = 2
            yield fetch

    monkeypatch.setattr(module, "open_source", source)
    CleanPhotos.main(arguments(tmp_path, 1))
    whole = (tmp_path / "batches/1.json").read_bytes()
    victim = next(
        e for e in read_shard(shard_files(tmp_path / "store", 4))[1] if e.sha256
    )
    failing.add(victim.photoid)
    for path in (tmp_path / "store/000").iterdir():
        path.unlink()
    (tmp_path / "batches/1.json").unlink()
    with pytest.raises(
        UserError, match=r"000004\.tar: 1 of \d+ photographs did not .* \(503\)"
    ):
        CleanPhotos.main(arguments(tmp_path, 1))
    assert not (tmp_path / "batches/1.json").exists()
    there = [
        number
        for number in (3, 4, 5)
        if read_shard(shard_files(tmp_path / "store", number))
    ]
    assert there == [3, 5]
    failing.clear()
    fetched.clear()
    CleanPhotos.main(arguments(tmp_path, 1))
    of_shard = {e.photoid for e in read_shard(shard_files(tmp_path / "store", 4))[1]}
    assert fetched
    assert set(fetched) <= of_shard
    assert (tmp_path / "batches/1.json").read_bytes() == whole


def test_a_killed_worker_is_told_in_one_line(tmp_path, photos, monkeypatch):
    monkeypatch.setattr(workers, "start_worker", os._exit)
    monkeypatch.setattr(module, "clean_shard", print)
    with pytest.raises(UserError, match="batch 0: a worker was killed"):
        CleanPhotos.main(arguments(tmp_path, 0))


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_job_leaves_no_process_and_no_shard(tmp_path, sign):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/1.jpg"
        row = ("1", "", "0" * 32, "jpg", "by", "0", url, "0", "")
        for part in (0, 1):
            write_rows(tmp_path / f"rows/{part}", [row] if part else [])
        web = {"contact": "a@b.org"}
        job = subprocess.Popen(
            [sys.executable, "-m", "s2snets.stages", "clean_photos",
             *arguments(tmp_path, batch_of("1"), tree=None, http=web, metadata=["m"])],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        silent.settimeout(30)
        connection, _ = silent.accept()  # a worker waits for an answer now
        job.send_signal(sign)
        # Both hold standard error: it ends when the last of them has.
        _, told = job.communicate(timeout=10)
        connection.close()
    assert job.returncode != 0
    assert "Traceback" not in told
    assert "a rerun goes on" in told or sign == signal.SIGKILL
    assert not shard_files(tmp_path / "store", shard_of("1")).json.exists()
    assert not (tmp_path / "batches").exists()


def test_lines_that_number_nothing_name_no_photographs(tmp_path, photos):
    clean = {
        "tree": None,
        "zips": {"path": "zips", "names": "line"},
        "metadata": ["v1"],
    }
    with pytest.raises(UserError, match="does not number its lines"):
        CleanPhotos.main(arguments(tmp_path, 0, **clean))
