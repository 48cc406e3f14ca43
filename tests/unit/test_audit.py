"""The audit of cleaned photographs: nothing lost, everything counted."""

import hashlib
import io
import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import binom
from stores import row, write_store

from s2snets.cleaning import audit as module
from s2snets.cleaning.audit import (
    PAPER,
    add_bands,
    check_totals,
    compare_with_paper,
    is_trivial,
    totals,
)
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_csv
from s2snets.stages.cleaning import AuditPhotos

TELLING = 0x0123456789ABCDEF
TABLES = ("outcomes", "totals", "shards", "licences")


def png(seed):
    """Return the bytes of a small picture that is not uniform."""
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def looks(data):
    """Return a stand-in for a dHash, which differs between any two files."""
    return int.from_bytes(hashlib.md5(data).digest()[:8], "big")


@pytest.fixture
def audit(tmp_path):
    """Return a function that audits a store of given shards: tables and summary."""
    for number in range(3):
        path = tmp_path / "validation/cat" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number))

    def run(shards, reports=None, **options):
        reports = reports or write_store(tmp_path / "store", shards)
        given = {
            "rows": sum(map(len, shards)),
            "profile": "palacio2018",
            "max_rejected": 1,
            "validation": tmp_path / "validation",
            "dhash_of": looks,
            "folder": tmp_path,
        }
        return module.audit(tmp_path / "store", reports, len(shards), **given | options)

    return run


def photos(count, start=0, **values):
    """Return rows of photographs that share nothing."""
    return [
        row(str(number), **{"dhash": TELLING + (number << 20)} | values)
        for number in range(start, start + count)
    ]


def test_the_authors_counts_give_the_published_shares():
    counts = Counter(video=793_436, missing=4_704_140, flat=2_412_945, kept=92_089_479)
    assert totals(counts) == PAPER
    table = compare_with_paper(totals(counts)).set_index("quantity")
    assert table["share"].equals(table["paper_share"].rename("share"))
    assert table.loc["missing", "share"] == pytest.approx(0.0474, abs=5e-5)
    assert table.loc["filtered", "share"] == pytest.approx(0.02553, abs=5e-6)
    assert table["of"].tolist() == [
        "",
        "rows",
        "rows",
        *["wanted"] * 2,
        *["obtained"] * 2,
    ]


def test_every_row_is_in_one_outcome_and_its_group(audit):
    shards = [
        [row("1"), row("2", "flat", b"grey"), row("3", "video"), row("1", "repeated")],
        [],
        [row("4", "missing"), row("5", "placeholder"), row("6", licence="by-nc")],
    ]
    tables, summary = audit(shards)
    outcomes = tables["outcomes"].set_index("outcome")
    assert outcomes["photos"].sum() == 7
    assert outcomes.loc[["kept", "flat", "malformed"], "photos"].tolist() == [2, 1, 0]
    assert outcomes.loc[["kept", "flat", "missing"], "share"].tolist() == [
        0.5,
        0.25,
        0.2,
    ]
    assert outcomes.loc[["kept", "missing"], "of"].tolist() == ["obtained", "wanted"]
    found = tables["totals"].set_index("quantity")["photos"].to_dict()
    assert found == {
        "rows": 7, "unwanted": 2, "wanted": 5, "missing": 1, "obtained": 4,
        "filtered": 2, "kept": 2,
    }  # fmt: skip
    assert tables["licences"].to_dict("list") == {
        "licence": ["by", "by-nc"], "photos": [1, 1], "share": [0.5, 0.5],
    }  # fmt: skip
    assert summary["rejected"] == 0.5
    assert summary["unusual"] == [0.015, 0.04]
    assert audit(shards, profile="strict")[1]["unusual"] is None
    by_shard = tables["shards"]
    assert by_shard["obtained"].tolist() == [2, 0, 2]
    assert by_shard["rate"].isna().tolist() == [False, True, False]
    assert not by_shard["outside"].any()


def test_duplicates_are_those_of_pairwise_comparison(audit):
    draw = np.random.default_rng(0)
    rows = [
        row(
            str(number),
            data=b"file %d" % (file := int(draw.integers(150))),
            dhash=TELLING + (file // 3 << 30),
        )
        for number in range(300)
    ]
    summary = audit([rows[:100], rows[100:120], rows[120:]])[1]
    files = Counter(one["data"] for one in rows)
    seen = Counter(dhash for _, dhash in {(one["data"], one["dhash"]) for one in rows})
    for name, counts in (("exact", files), ("near", seen)):
        more = [count for count in counts.values() if count > 1]
        assert more
        assert summary[name] == {"groups": len(more), "surplus": sum(more) - len(more)}


def test_pictures_that_are_nearly_uniform_are_no_near_duplicates(audit):
    assert is_trivial(np.array([0, 0b1111, 2**64 - 1, 2**63], np.uint64)).all()
    assert not is_trivial(np.array([0b11111, TELLING], np.uint64)).any()
    summary = audit([photos(9, dhash=0b101)])[1]
    assert summary["near"] == {"groups": 0, "surplus": 0}
    assert summary["trivial"] == 9


def test_a_store_without_a_photograph_has_tables_too(audit):
    tables, summary = audit([[row("1", "flat", b"grey"), row("2", "video")], []])
    assert summary["rejected"] == 1
    assert tables["licences"].empty
    assert tables["proposed"].empty


def test_a_file_of_many_users_is_proposed_and_one_of_a_prolific_user_is_not(audit):
    def crowd(start, data, users, outcome="kept"):
        return [
            row(str(start + n), outcome, data, uid=f"{n % users}@N00")
            for n in range(30)
        ]

    rows = [
        *crowd(100, b"gone", 20),
        *crowd(200, b"gif", 30, "too_small"),
        *crowd(300, b"mine", 1),
        *crowd(400, b"nearly", 19),
        *crowd(500, b"known", 30, "placeholder"),
    ]
    tables, summary = audit([rows[::3], rows[1::3], rows[2::3]])
    assert tables["proposed"].to_dict("list") == {
        "sha256": [hashlib.sha256(data).hexdigest() for data in (b"gif", b"gone")],
        "photos": [30, 30],
        "users": [30, 20],
        "bytes": ["3", "4"],
        "outcome": ["too_small", "kept"],
        "photoid": ["200", "100"],
    }
    assert (summary["proposed"], summary["proposed_photos"]) == (2, 60)


def test_photographs_of_the_validation_set_are_counted(audit):
    rows = photos(5)
    rows += [row("100", data=png(1), dhash=looks(png(1))), row("101", data=png(1))]
    rows += [row("102", data=b"smaller", dhash=looks(png(1)))]
    rows += [row("103", data=b"darker", dhash=looks(png(2)))]
    summary = audit([rows[:7], rows[7:]])[1]
    assert summary["validation"] == 3
    assert summary["overlap_exact"] == {"photos": 2, "images": 1}
    assert summary["overlap_near"] == {"photos": 2, "images": 2}


def test_chance_puts_fewer_than_one_shard_outside_its_band():
    draw = np.random.default_rng(0)
    obtained = draw.binomial(100_000_000, 0.945e-4, 10_000)
    shards = pd.DataFrame(
        {"shard": range(10_000), "rows": 10_000, "obtained": obtained}
    )
    table = add_bands(shards.assign(rejected=draw.binomial(obtained, 0.02553)))
    assert table["outside"].sum() <= 2
    assert table["low"].between(0.018, 0.02).all()
    assert table["high"].between(0.0315, 0.034).all()
    pooled = table["rejected"].sum() / obtained.sum()
    low, high = (round(table[name] * obtained) for name in ("low", "high"))
    expected = binom.cdf(low - 1, obtained, pooled) + binom.sf(high, obtained, pooled)
    assert 0.3 < expected.sum() < 0.5


def test_a_shard_that_rejects_too_much_or_too_little_stands_out():
    shards = pd.DataFrame({"shard": range(50), "rows": 9_000, "obtained": 9_000})
    rejected = np.full(50, 230)
    rejected[[7, 9]] = 330, 130
    table = add_bands(shards.assign(rejected=rejected))
    assert table.index[table["outside"]].tolist() == [7, 9]


@pytest.mark.parametrize("rejected", [0, 9])
def test_bands_of_nothing_and_of_all_rejected_have_no_width(rejected):
    shards = pd.DataFrame({"shard": [0, 1], "rows": 9, "obtained": 9})
    table = add_bands(shards.assign(rejected=rejected))
    assert not table["outside"].any()
    assert (table[["low", "high"]] == rejected / 9).all(axis=None)


@pytest.mark.parametrize(
    ("counts", "rows", "told"),
    [
        ({"kept": 9}, 10, "metadata had 10 rows and the shards have 9"),
        ({"missing": 9}, 9, "none of the 9 photographs wanted"),
        (
            {"kept": 80, "flat": 15, "broken": 5},
            100,
            r"max_rejected: 20\.00% of 100 .*\(flat 15, broken 5\), more than 10\.00%",
        ),
    ],
)
def test_what_must_not_be_indexed_is_stopped(counts, rows, told):
    counts = Counter(counts)
    with pytest.raises(UserError, match=told):
        check_totals(totals(counts), counts, rows, 0.1)


def test_rejecting_just_as_much_as_allowed_passes():
    counts = Counter(kept=90, flat=10)
    check_totals(totals(counts), counts, 100, 0.1)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row("5"), row("6"), row("5", "flat", b"x")], "photo 5 stands there twice"),
        ([row("5"), row("6", "eaten")], "'eaten' is no outcome"),
    ],
)
def test_a_shard_that_breaks_the_rules_is_named(audit, rows, told):
    with pytest.raises(UserError, match=r"000001\.manifest\.tsv\.gz: " + told):
        audit([photos(2), rows])


def test_manifest_and_marker_and_index_must_agree(audit, tmp_path):
    shards = [photos(2), photos(3, 10)]
    write_store(tmp_path / "store", [photos(2), [*photos(2, 10), row("12", "video")]])
    manifest = (tmp_path / "store/000/000001.manifest.tsv.gz").read_bytes()
    reports = write_store(tmp_path / "store", shards)
    marker = json.loads((tmp_path / "store/000/000001.json").read_text())
    about = {"bytes": len(manifest), "sha256": hashlib.sha256(manifest).hexdigest()}
    marker["files"]["manifest"] = about
    (tmp_path / "store/000/000001.json").write_text(json.dumps(marker))
    (tmp_path / "store/000/000001.manifest.tsv.gz").write_bytes(manifest)
    with pytest.raises(UserError, match=r"3 rows, \{'kept': 2, 'video': 1\}, where"):
        audit(shards, reports)


def test_an_index_of_other_photographs_is_told(audit, tmp_path):
    write_store(tmp_path / "store", [photos(2, 50)])
    idx = (tmp_path / "store/000/000000.idx.npy").read_bytes()
    reports = write_store(tmp_path / "store", [photos(2)])
    path = tmp_path / "store/000/000000.json"
    marker = json.loads(path.read_text())
    marker["files"]["idx"]["sha256"] = hashlib.sha256(idx).hexdigest()
    path.write_text(json.dumps(marker))
    (tmp_path / "store/000/000000.idx.npy").write_bytes(idx)
    with pytest.raises(UserError, match="keeps other photographs than"):
        audit([photos(2)], reports)


def test_command_line_writes_tables_and_json_that_anyone_reads(audit, tmp_path):
    reports = write_store(tmp_path / "store", [photos(30), photos(5, 50), []])
    for part, count in enumerate((20, 15)):
        (tmp_path / f"part-{part}").mkdir()
        about = tmp_path / f"part-{part}/about.json"
        about.write_text(json.dumps({"rows": count}))
    tables = tmp_path / "tables"
    flags = {name: tables / f"{name}.csv" for name in TABLES}
    flags |= {"proposed": tables / "proposed.tsv", "summary": tables / "cleaning.json"}
    flags |= {"store": tmp_path / "store", "validation": tmp_path / "validation"}
    AuditPhotos.main(
        [
            *(
                word
                for name, path in flags.items()
                for word in (f"--{name}", str(path))
            ),
            *("--reports", *map(str, reports)),
            *("--rows", *(str(tmp_path / f"part-{part}") for part in (0, 1))),
            "--settings",
            '{"shards": 3, "profile": "palacio2018", "max_rejected": 0.1}',
        ]
    )
    text = flags["summary"].read_text()
    assert "NaN" not in text
    assert json.loads(text)["totals"][-1]["photos"] == 35
    assert read_csv(flags["shards"])["rows"].tolist() == [30, 5, 0]
    assert flags["proposed"].read_text().startswith("sha256\tphotos\tusers\tbytes\t")
    left = {path.name for path in tables.iterdir()}
    assert left == {path.name for path in flags.values() if path.parent == tables}
