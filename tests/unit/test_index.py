"""The two sets of photographs: complete, disjoint, and what the store holds."""

import json

import numpy as np
import pytest
from stores import row, write_shard, write_store

from s2snets.cleaning.index import write_sets
from s2snets.data.imageset import ImageSet
from s2snets.data.shards import read_index
from s2snets.runtime.errors import UserError
from s2snets.stages.cleaning import IndexPhotos

# Shard 1 has no photograph, shard 3 no row.
SHARDS = [
    [row("10"), row("11", "flat", b"grey"), row("12", uid="7@N01"), row("13")],
    [row("20", "missing"), row("21", "video")],
    [row("30"), row("31"), row("32", uid="7@N01"), row("33"), row("34")],
    [],
    [row("40", "broken", b"half"), row("41")],
]
KEPT = ["10", "12", "13", "30", "31", "32", "33", "34", "41"]


@pytest.fixture
def reports(tmp_path):
    return write_store(tmp_path / "store", SHARDS)


@pytest.fixture
def index(tmp_path, reports):
    """Return a function that indexes the store, and gives the photo ids of each set."""

    def ids(held_out, store="store", **options):
        paths = [tmp_path / "data" / name / "index.npz" for name in ("photos", "held")]
        counts = write_sets(
            tmp_path / store,
            reports,
            len(SHARDS),
            held_out=held_out,
            photos=paths[0],
            validation=paths[1],
            **options,
        )
        sets = [ImageSet(path, 8) for path in paths]
        assert counts == tuple(map(len, sets))
        return [
            [
                one.read_bytes(n).decode().removeprefix("photograph ")
                for n in range(len(one))
            ]
            for one in sets
        ]

    return ids


@pytest.mark.parametrize("held_out", [1, 2, 3, 4])
def test_the_last_of_the_hash_order_are_held_out_and_none_is_lost(index, held_out):
    assert index(held_out) == [KEPT[:-held_out], KEPT[-held_out:]]


def test_only_shards_with_photographs_of_a_set_are_listed(index, tmp_path):
    index(3)
    for name, shards, images in (
        ("photos", ["0", "2"], [3, 3]),
        ("held", ["2", "4"], [2, 1]),
    ):
        about = json.loads((tmp_path / "data" / name / "index.json").read_text())
        assert [one["file"][-5] for one in about["shards"]] == shards
        assert [one["images"] for one in about["shards"]] == images
        assert about["shuffled"]
        assert about["classes"] is None
        columns = read_index(tmp_path / "data" / name / "index.npz")[0]
        assert (columns["label"] == -1).all()
        assert np.bincount(columns["shard"]).tolist() == images


def test_excluded_photographs_and_users_leave_gaps(index):
    assert index(2, excluded=frozenset(["13", "41", "7@N01"])) == [
        ["10", "30", "31"],
        ["33", "34"],
    ]


def test_another_sample_is_another_fingerprint(index, tmp_path):
    index(2)
    first = read_index(tmp_path / "data/photos/index.npz")[3]
    index(2)
    assert read_index(tmp_path / "data/photos/index.npz")[3] == first
    index(2, excluded=frozenset(["13"]))
    assert read_index(tmp_path / "data/photos/index.npz")[3] != first


def test_a_store_behind_a_link_is_found(index, tmp_path):
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "data").symlink_to(tmp_path / "far/away")
    (tmp_path / "link").symlink_to(tmp_path / "store")
    assert index(2, store="link")[1] == KEPT[-2:]


def test_more_held_out_than_learnt_from_is_told(index, tmp_path):
    with pytest.raises(UserError, match=r"held_out: 5 of the 9 photographs kept"):
        index(5)
    assert not list(tmp_path.glob("data/**/*.*"))


@pytest.mark.parametrize(
    ("suffix", "harm", "told"),
    [
        ("tar", lambda data: data[:-512], r"000002\.tar: \d+ bytes, not"),
        ("tar", None, r"000002\.tar: no bytes, not"),
        (
            "idx.npy",
            lambda data: data[:-1] + b"x",
            r"idx\.npy: its content has changed",
        ),
        ("json", None, r"000002\.json: no such file"),
        ("json", lambda data: data[:40], r"000002\.json: not JSON"),
        (
            "json",
            lambda data: data.replace(b'"rows": 5', b'"rows": 6'),
            r"json: 6 rows, its batch reported 5; delete the \.json",
        ),
        (
            "json",
            lambda data: data.replace(b'"shards": 5', b'"shards": 9'),
            "is of shard 2 of 9, not this",
        ),
        (
            "json",
            lambda data: data.replace(b'"settings": "s"', b'"settings": "t"'),
            "under other settings than shard 0",
        ),
    ],
    ids=["cut", "gone", "index", "unmarked", "half", "anew", "other", "settings"],
)
def test_a_shard_that_does_not_fit_its_marker_is_named(
    index, tmp_path, suffix, harm, told
):
    path = tmp_path / f"store/000/000002.{suffix}"
    data = path.read_bytes()
    path.unlink() if harm is None else path.write_bytes(harm(data))
    with pytest.raises(UserError, match=told):
        index(2)
    assert not (tmp_path / "data/photos/index.json").exists()


@pytest.mark.parametrize(
    ("chosen", "told"),
    [([0], "shard 3 is missing"), ([0, 1, 1], "reports shard 3, which another")],
)
def test_reports_tell_of_every_shard_once(tmp_path, reports, chosen, told):
    with pytest.raises(UserError, match=told):
        write_sets(
            tmp_path / "store",
            [reports[number] for number in chosen],
            len(SHARDS),
            held_out=1,
            photos=tmp_path / "a/index.npz",
            validation=tmp_path / "b/index.npz",
        )


def test_a_shard_scrubbed_since_its_batch_is_indexed_as_it_is(index, tmp_path):
    scrubbed = [row(str(number), "excluded") for number in (30, 31)]
    write_shard(tmp_path / "store", 2, len(SHARDS), [*scrubbed, *SHARDS[2][2:]])
    assert index(2) == [["10", "12", "13", "32", "33"], ["34", "41"]]


def test_command_line_writes_both_sets_and_a_record(tmp_path, reports):
    exclude = tmp_path / "exclude.txt"
    exclude.write_text("# asked on Monday\n10\n7@N01\n")
    names = ("photos", "validation")
    IndexPhotos.main(
        [
            *("--store", str(tmp_path / "store")),
            *("--reports", *map(str, reports)),
            *(
                word
                for name in names
                for word in (f"--{name}", f"{tmp_path}/{name}/index.npz")
            ),
            *("--record", str(tmp_path / "record.json")),
            *("--exclude", str(exclude)),
            *("--settings", '{"shards": 5, "held_out": 2}'),
        ]
    )
    assert [len(ImageSet(tmp_path / name / "index.npz", 8)) for name in names] == [4, 2]
    assert json.loads((tmp_path / "record.json").read_text())["stage"] == "index_photos"
