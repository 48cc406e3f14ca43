"""Photographs from the web: a local server with every fault, and its limits."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest
from pydantic import ValidationError
from servers import DRIPS, Reply, row, serving

from s2snets.cleaning import deadline, fetched, web
from s2snets.cleaning.fetched import Fetched
from s2snets.cleaning.source import open_source
from s2snets.cleaning.web import Host, opted_out, retry_after
from s2snets.config import Clean
from s2snets.runtime.errors import UserError

OK = Reply(b"photo")


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Shorten pauses, and set proxies that would break any request through them."""
    monkeypatch.setattr(fetched, "FIRST_PAUSE", 0.001)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")


def settings(**changes):
    given = {"contact": "me@example.org", "rate": 1e6, "tries": 3, "timeout": 5.0}
    return Clean(metadata=["yfcc100m_dataset"], http=given | changes)


def fetched_from(replies, **changes):
    """Fetch one address that gives these replies; returns the answer and the server."""
    with (
        serving({"/a.jpg": replies}) as server,
        open_source(settings(**changes)) as fetch,
    ):
        return fetch(row(url=server.url("/a.jpg"))), server


@pytest.mark.parametrize(
    ("replies", "answer"),
    [
        ([OK], Fetched(b"photo", "", "200", 1)),
        ([Reply(b"<html>gone</html>")], Fetched(b"<html>gone</html>", "", "200", 1)),
        ([Reply(b"")], Fetched(b"", "", "200", 1)),
        ([Reply(status=404)], Fetched(None, "missing", "404", 1)),
        ([Reply(status=410)], Fetched(None, "missing", "410", 1)),
        ([Reply(status=500)] * 2 + [OK], Fetched(b"photo", "", "200", 3)),
        ([Reply(status=503)], Fetched(None, "fetch_error", "503", 3)),
        ([Reply(status=429)], Fetched(None, "fetch_error", "429", 3)),
        ([Reply(status=418)], Fetched(None, "fetch_error", "418", 3)),
        ([Reply(status=302)], Fetched(None, "fetch_error", "302", 3)),
        ([Reply(b"ph", short=3), OK], Fetched(b"photo", "", "200", 2)),
        ([Reply(b"ph", short=3)], Fetched(None, "fetch_error", "ProtocolError", 3)),
        ([Reply(b"", short=3)], Fetched(None, "fetch_error", "ProtocolError", 3)),
    ],
)
def test_every_answer_has_one_outcome(replies, answer):
    assert fetched_from(replies)[0] == answer


@pytest.mark.parametrize(
    "stall", [Reply(b"photo", stall=3.0), Reply(b"photo", hold=3.0)]
)
def test_a_stall_is_a_failed_try(stall):
    answers = [fetched_from([stall, OK], timeout=0.5)[0],
               fetched_from([stall], timeout=0.5, tries=1)[0]]  # fmt: skip
    assert answers == [
        Fetched(b"photo", "", "200", 2),
        Fetched(None, "fetch_error", "ReadTimeoutError", 1),
    ]


@pytest.mark.parametrize("drip", DRIPS)
def test_an_answer_that_drips_is_a_failed_try(monkeypatch, drip):
    monkeypatch.setattr(deadline, "MAX_TIMEOUTS", 0.3)
    found, _ = fetched_from([drip, OK], timeout=1.0, tries=2)
    assert found == Fetched(b"photo", "", "200", 2)


def test_an_answer_without_end_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(deadline, "MAX_RECEIVED", 100_000)
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    found, _ = fetched_from([Reply(raw=start + b"0" * 200_000)], tries=1)
    assert found == Fetched(None, "fetch_error", "ProtocolError", 1)


def test_a_body_too_large_for_memory_is_given_up(monkeypatch):
    monkeypatch.setattr(web, "MAX_BYTES", 99_999)
    packed = Reply(
        gzip.compress(bytes(100_000)), headers=[("Content-Encoding", "gzip")]
    )
    for reply in (Reply(bytes(100_000)), packed):
        assert fetched_from([reply])[0].outcome == "too_large"


# ---- redirects


def leads_to(place, status=302):
    return Reply(status=status, headers=[("Location", place)])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_on_the_same_host_is_followed(status):
    plan = {"/a.jpg": [leads_to("/b/c.jpg", status)], "/b/c.jpg": [OK]}
    with serving(plan) as server, open_source(settings()) as fetch:
        assert fetch(row(url=server.url("/a.jpg"))) == Fetched(b"photo", "", "200", 1)


@pytest.mark.parametrize("path", ["/photo.jpg", "/en/photo_unavailable_l.gif"])
def test_a_redirect_to_another_host_is_a_placeholder_and_never_followed(path):
    plan = {"/a.jpg": [], path: [OK]}
    with serving(plan) as server, open_source(settings()) as fetch:
        server.plan["/a.jpg"] = [leads_to(server.url(path, "localhost"))]
        found = fetch(row(url=server.url("/a.jpg")))
    assert found == Fetched(None, "placeholder", "302", 1)
    assert [asked for _, asked, _ in server.seen] == ["/a.jpg"]


def test_the_placeholders_name_gives_it_away_on_the_same_host_too():
    found, server = fetched_from([leads_to("/images/photo_unavailable.png")])
    assert found.outcome == "placeholder"
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "place",
    ["http://[::1", "//[foo]/x", "//127.0.0.1:x/", "ftp://127.0.0.1/a", "//\u2100/"],
)
def test_a_redirect_to_no_address_is_one_photographs_failure(place):
    raw = f"HTTP/1.1 302 Found\r\nLocation: {place}\r\n\r\n".encode()
    found, _ = fetched_from([Reply(raw=raw)])
    assert (found.outcome, found.tries) == ("fetch_error", 3)


def test_a_circle_of_redirects_ends():
    found, server = fetched_from([leads_to("/a.jpg")])
    assert found == Fetched(None, "missing", "302", 1)
    assert len(server.seen) == web.MAX_REDIRECTS + 1


# ---- opting out


@pytest.mark.parametrize(
    "headers",
    [
        ["noai"], ["NoImageAI"], ["noindex"], ["nofollow, noimageindex"], ["none"],
        ["s2snets: noai"], ["*: noindex"], ["otherbot: nofollow", "noai"],
        ["otherbot: noindex, s2snets: nofollow, noai"],
        ["unavailable_after: Friday, 25-Jun-10 15:00:00 UTC, noai"],
        ["max-image-preview: large, noindex"],
    ],
)  # fmt: skip
def test_who_opts_out_is_heard(headers):
    assert opted_out(headers)


@pytest.mark.parametrize(
    "headers",
    [
        [], [""], ["all"], ["nofollow, nosnippet"], ["otherbot: noai, noindex"],
        ["unavailable_after: 25 Jun 2010 15:00:00 PST"], ["max-snippet: 50"],
        ["max-image-preview: none"],
    ],
)  # fmt: skip
def test_who_does_not_opt_out_is_not_imagined(headers):
    assert not opted_out(headers)


def test_an_opted_out_photograph_is_not_read():
    unreadable = Reply(b"ph", short=3, headers=[("X-Robots-Tag", "noimageai")])
    found, _ = fetched_from([unreadable])
    assert found == Fetched(None, "opted_out", "200", 1)


# ---- limits of a host


@pytest.mark.parametrize(
    "contact",
    ["", "me", "me@example.org\r\nHost: x", "mé@example.org", "me@example.org\0", "@"],
)
def test_a_contact_that_http_cannot_carry_is_refused_with_the_settings(contact):
    with pytest.raises(ValidationError, match="printable ASCII"):
        settings(contact=contact)


@pytest.mark.parametrize(
    "contact", ["https://example.org/bot", "Jane Doe <me@example.org>"]
)
def test_a_contact_may_be_an_address_with_a_name(contact):
    assert settings(contact=contact).http.contact == contact


def test_the_user_agent_says_who_asks_and_whom_to_complain_to():
    _, server = fetched_from([OK])
    agent = server.seen[0][2]["User-Agent"]
    assert agent.startswith("s2snets/")
    assert "me@example.org" in agent


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], 0), ([("Retry-After", "7")], 7), ([("Retry-After", "nonsense")], 0),
        ([("Retry-After", "999999999")], 6 * 3600),
        ([("Retry-After", formatdate(0, usegmt=True))], 0),
        ([("Retry-After", "Fri, 31 Dec 99999 23:59:59 GMT")], 0),
        ([("Retry-After", "9" * 5000)], 0),
    ],
)  # fmt: skip
def test_what_retry_after_asks_for_is_understood(headers, seconds):
    class Response:
        pass

    Response.headers = dict(headers)
    assert retry_after(Response) == seconds


def test_retry_after_makes_every_request_to_the_host_wait():
    slow = [Reply(status=429, headers=[("Retry-After", "1")])]
    with (
        serving({"/a.jpg": slow, "/b.jpg": [OK]}) as server,
        open_source(settings(tries=1)) as fetch,
    ):
        assert fetch(row(url=server.url("/a.jpg"))).status == "429"
        assert fetch(row(url=server.url("/b.jpg"))).data == b"photo"
    (first, *_), (second, *_) = server.seen
    assert second - first > 0.99


class Clock:
    """A clock that only sleeping moves."""

    now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_turns_are_never_closer_than_the_rate_allows(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(web, "time", clock)
    host, turns = Host(connections=8, rate=4.0), []
    for _ in range(9):
        host.wait_for_turn()
        turns.append(clock.now)
    host.pause(100.0)
    host.wait_for_turn()
    assert turns == [pytest.approx(0.25 * number) for number in range(9)]
    assert clock.now == pytest.approx(turns[-1] + 100)


def test_requests_keep_to_the_rate_whoever_asks_them():
    plan = {"/a.jpg": [OK], "/r.jpg": [leads_to("/a.jpg")]}
    with (
        serving(plan) as server,
        open_source(settings(rate=25.0, connections=8)) as fetch,
        ThreadPoolExecutor(8) as pool,
    ):
        rows = [row(url=server.url(path)) for path in ("/a.jpg", "/r.jpg") * 4]
        assert {found.data for found in pool.map(fetch, rows)} == {b"photo"}
    assert len(server.seen) == 12
    # Eleven intervals of 40 ms: no machine is so slow that it makes them shorter.
    assert server.seen[-1][0] - server.seen[0][0] > 10.5 / 25


@pytest.mark.parametrize(("processes", "most"), [(1, 2), (2, 1)])
def test_no_more_requests_at_once_than_allowed(processes, most):
    with (
        serving({"/a.jpg": [Reply(b"photo", hold=0.03)]}) as server,
        open_source(settings(connections=2), processes=processes) as fetch,
        ThreadPoolExecutor(8) as pool,
    ):
        assert fetch.connections == most
        rows = [row(url=server.url("/a.jpg"))] * 12
        assert {found.data for found in pool.map(fetch, rows)} == {b"photo"}
    assert server.busiest == most


def test_processes_share_a_hosts_rate(monkeypatch):
    made = []
    monkeypatch.setattr(
        web, "Host", lambda *limits: made.append(limits) or Host(*limits)
    )
    with (
        serving({"/a.jpg": [OK]}) as server,
        open_source(settings(connections=6, rate=1000.0), processes=3) as fetch,
    ):
        fetch(row(url=server.url("/a.jpg")))
    assert made == [(2, pytest.approx(1000 / 3))]


# ---- the source as a whole


def test_no_network_is_a_mistake_and_not_a_shard_of_failures():
    outcomes = []
    with (
        open_source(settings(tries=1)) as fetch,
        pytest.raises(UserError, match=r"clean\.http: 16 .*NewConnectionError"),
    ):
        outcomes.extend(
            fetch(row(url="http://127.0.0.1:1/a.jpg")).outcome for _ in range(100)
        )
    assert set(outcomes) == {"fetch_error"}


@pytest.mark.parametrize("status", [401, 403])
def test_refusals_count_as_missing_once_something_was_read(status):
    plan = {"/no.jpg": [Reply(status=status)], "/a.jpg": [OK]}
    with serving(plan) as server, open_source(settings(tries=1)) as fetch:
        refused, good = row(url=server.url("/no.jpg")), row(url=server.url("/a.jpg"))
        assert fetch(refused) == Fetched(None, "fetch_error", str(status), 1)
        fetch(good)
        assert fetch(refused) == Fetched(None, "missing", str(status), 1)


@pytest.mark.parametrize("url", ["", "ftp://example.org/a.jpg", "http://[bad/a.jpg"])
def test_what_is_no_address_is_missing(url):
    with open_source(settings()) as fetch:
        assert fetch(row(url=url)).outcome == "missing"
