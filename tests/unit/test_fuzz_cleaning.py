"""Hostile metadata and hostile hosts: an outcome or one line, never a traceback."""

import bz2
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from servers import KEY, Reply, row, serving

from s2snets.cleaning.bucket import BucketReader, make_client
from s2snets.cleaning.decide import outcomes_before_fetching
from s2snets.cleaning.exclusion import ExclusionLists
from s2snets.cleaning.fetched import published_paths
from s2snets.cleaning.metadata import FORMS, Row
from s2snets.cleaning.outcomes import OUTCOMES
from s2snets.cleaning.row_batches import read_batch, write_rows
from s2snets.cleaning.source import open_source
from s2snets.cleaning.tree import Tree
from s2snets.config import Clean
from s2snets.runtime.errors import UserError


def bounded(examples):
    """Return the settings of a property: the same examples on every run."""
    return settings(
        max_examples=examples, derandomize=True, database=None, deadline=None
    )


# ---- metadata

HOSTILE = st.one_of(
    st.sampled_from([
        b"", b"\r", b"\0", b'"', b"1e9", b"-1", b"9" * 5000, b"http://", b"../x",
        b"line-0-0", b"\xff\xfe", "٣".encode(), "\u2028\x85".encode(), b"NA", b"x" * 2000,
    ]),
    st.binary(max_size=12).map(lambda data: data.replace(b"\t", b"")),
)  # fmt: skip


@st.composite
def metadata_lines(draw, form):
    """Draw a row of a form, hostile at some places or altogether."""
    good = {"photoid": b"%d", "line": b"%d", "key": b"0123456789abcdef%d", "uid": b"1@N00",
            "downloadurl": b"http://a.org/%d", "ext": b"jpg", "marker": b"0"}  # fmt: skip
    number = draw(st.integers(0, 5))
    cells = [
        good.get(name, b"x").replace(b"%d", b"%d" % number) for name in FORMS[form]
    ]
    for place in draw(st.lists(st.integers(0, len(cells) - 1), max_size=2)):
        cells[place] = draw(HOSTILE)
    return draw(HOSTILE) if number == 5 else b"\t".join(cells)


def contents(form):
    """Return a strategy of metadata files."""
    return st.lists(metadata_lines(form), max_size=8).map(b"\n".join)


def check_metadata(content, kind, expected):
    """Check that a file is refused in one line, or that each of its lines is a row."""
    with TemporaryDirectory() as folder:
        source, rows = Path(folder, "source"), Path(folder, "rows")
        source.write_bytes(content)
        refused = ""
        try:
            write_rows(source, kind, rows, shards=2, batches=1)
        except UserError as error:
            refused = str(error)
        if refused:
            assert refused.startswith(f"{source}: ")
            assert len(refused.splitlines()) == 1
            assert not rows.exists()
            return
        table = read_batch([rows], None, 0)
        assert len(table) == expected
        if kind == "metadata":
            check_rows([Row(*values) for values in table.itertuples(index=False)])


def check_rows(rows):
    """Check that every row has an outcome, or a photograph that can be looked for."""
    tree = Tree(Path("/"), by_key=True)
    outcomes = outcomes_before_fetching(rows, ["by"], ExclusionLists())
    for each, outcome in zip(rows, outcomes, strict=True):
        assert outcome == "" or outcome in OUTCOMES
        assert each.photoid
        assert all(".." not in path for path in published_paths(each))
        assert tree.fetch(each).outcome == "missing"
        assert int(each.line) >= 0


def line_count(content):
    return content.count(b"\n") + (not content.endswith(b"\n") and bool(content))


@pytest.mark.parametrize(("form", "kind"), [
    ("v1", "metadata"), ("v2", "metadata"), ("hashes", "hashes"),
])  # fmt: skip
def test_every_line_of_metadata_is_a_row_or_the_file_is_refused(form, kind):
    @bounded(50)
    @given(contents(form))
    def check(content):
        check_metadata(content, kind, line_count(content))

    check()


@bounded(50)
@given(
    st.lists(contents("v1"), min_size=1, max_size=3),
    st.integers(0, 10**6),
    st.integers(0, 255),
    st.integers(0, 40),
)
def test_damaged_streams_of_bzip2_lose_no_line_in_silence(streams, place, flip, cut):
    packed = bytearray(b"".join(map(bz2.compress, streams)))
    packed[place % len(packed)] ^= flip
    whole = b"".join(streams)
    check_metadata(bytes(packed[: len(packed) - cut]), "metadata", line_count(whole))


# ---- answers of hosts

STATUS_LINES = st.sampled_from([
    b"HTTP/1.1 200 OK", b"HTTP/1.1 206 Partial", b"HTTP/1.1 302 Found", b"HTTP/1.1 307 Moved",
    b"HTTP/1.1 403 No", b"HTTP/1.1 404 No", b"HTTP/1.1 429 Slow", b"HTTP/1.1 503 Down",
    b"HTTP/1.0 200 OK", b"HTTP/1.1 100 Continue", b"HTTP/1.1 99999 ?", b"ICY \xff", b"\0",
])  # fmt: skip
NAMES = st.sampled_from([
    b"Location", b"Location", b"Retry-After", b"Content-Length", b"Transfer-Encoding",
    b"Content-Encoding", b"X-Robots-Tag", b"Last-Modified", b"ETag", b"x-amz-missing-meta",
])  # fmt: skip
VALUES = st.one_of(
    st.sampled_from([
        b"http://[::1", b"//[foo]/x", b"//127.0.0.1:99999/", b"ftp://127.0.0.1/", b"/\xff\x00",
        b"//\xe2\x84\x80/", b"?" * 9000, b"//127.0.0.1:1/", b"//other/photo_unavailable.png",
    ]),
    st.sampled_from([
        b"Fri, 31 Dec 99999 23:59:59 GMT", b"Thu, 1 Jan 1970 00:00:00 +999999999999",
        b"9" * 5000, b"-1", b"1, 2", b"chunked", b"gzip", b"gzip, deflate", b"noai", b"a: b: c",
    ]),
    st.binary(max_size=12),
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"5\r\nphoto\r\n0\r\n\r\n", b"-5\r\nphoto", b"f" * 99 + b"\r\n", b"<Error/>"]
    ),
)


@st.composite
def answers(draw):
    """Draw the bytes of an answer of HTTP, hostile or only unlucky."""
    headers = draw(st.lists(st.tuples(NAMES, VALUES), max_size=3))
    lines = [draw(STATUS_LINES), *map(b": ".join, headers), b"", b""]
    return b"\r\n".join(lines) + draw(BODIES)


def check_answer(answer):
    """Check that an answer is a photograph's bytes, or one of the reasons for none."""
    assert (answer.data is None) == bool(answer.outcome)
    assert answer.outcome == "" or answer.outcome in OUTCOMES
    assert isinstance(answer.status, str)


@pytest.fixture(scope="module")
def host():
    with serving({"/photos": [Reply()]}) as server:
        yield server


def clean(**source):
    return Clean(metadata=["yfcc100m_dataset"], **source)


def test_whatever_a_web_host_answers_is_one_photographs_outcome(host):
    web = {"contact": "me@example.org", "rate": 1e6, "tries": 1, "timeout": 5.0}

    @bounded(120)
    @given(answers())
    @example(b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n")
    @example(b"HTTP/1.1 503 Down\r\nRetry-After: " + b"9" * 5000 + b"\r\n\r\n")
    def check(raw):
        host.plan["/a.jpg"] = [Reply(raw=raw)]
        with open_source(clean(http=web)) as fetch:
            check_answer(fetch(row(url=host.url("/a.jpg"))))

    check()


def test_whatever_a_bucket_answers_is_one_photographs_outcome(host, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    given_settings = {"bucket": "photos", "endpoint": host.url(""), "tries": 1}
    bucket = clean(s3=given_settings).s3
    reader = BucketReader(bucket, make_client(bucket, 1))

    @bounded(60)
    @given(answers())
    @example(b"HTTP/1.1 200 OK\r\nLast-Modified: 31 Dec 99999 23:59:59\r\n\r\n")
    def check(raw):
        host.plan[f"/photos/data/images/1a2/b3c/{KEY}.jpg"] = [Reply(raw=raw)]
        check_answer(reader.fetch(row(KEY)))

    check()
