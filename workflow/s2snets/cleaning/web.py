"""Photographs from the addresses in the metadata, fetched politely."""

import re
import sys
import threading
import time
from contextlib import closing, contextmanager
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import (
    HTTPError,
    InvalidHeader,
    LocationValueError,
    URLSchemeUnknown,
)
from urllib3.util import parse_url

from s2snets.cleaning.fetched import (
    LARGEST,
    TOO_LARGE,
    Fetched,
    Transient,
    missing,
    persist,
)
from s2snets.runtime.progress import format_duration

AGENT = "s2snets"
CHUNK = 1 << 18  # bytes read at once
PATIENCE = 10  # timeouts after which a body that trickles is given up
HOPS = 3  # redirects followed on one host
GONE = {404, 410, 451}
REFUSED = {401, 403}
MOVED = {301, 302, 303, 307, 308}
UNAVAILABLE = "photo_unavailable"  # Flickr's picture in a deleted photograph's place
OPT_OUT = {"noai", "noimageai", "noindex", "noimageindex", "none"}
FOR_AGENT = re.compile(r"([\w*./-]+)\s*:\s*(\S+)")
# Directives with a value, which looks like an agent's.
VALUED = {"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"}


def opted_out(headers):
    """Whether ``X-Robots-Tag`` headers forbid this use to everyone, or to s2snets.

    Args:
        headers: their values. ``agent: directive, directive`` is said to one agent.
    """
    for header in headers:
        agent = "*"
        for part in header.lower().split(","):
            directive = part.strip()
            found = FOR_AGENT.fullmatch(directive)
            if found and found[1] not in VALUED:
                agent, directive = found.groups()
            if agent in ("*", AGENT) and directive in OPT_OUT:
                return True
    return False


class Host:
    """One host's patience: so many requests at once, so many a second, and rests."""

    def __init__(self, connections, rate):
        self.gate = threading.BoundedSemaphore(connections)
        self.lock, self.interval, self.next = threading.Lock(), 1 / rate, 0.0

    def turn(self):
        """Wait until a request may start."""
        while True:
            with self.lock:
                now = time.monotonic()
                wait = self.next - now
                if wait <= 0:
                    self.next = now + self.interval
                    return
            time.sleep(wait)  # then look again: a rest may have been asked for

    def rest(self, seconds):
        """Let nothing start for so long."""
        with self.lock:
            self.next = max(self.next, time.monotonic() + seconds)


def asked_rest(response):
    """Seconds that ``Retry-After`` asks for, at most six hours; 0 without."""
    try:
        return urllib3.Retry().get_retry_after(response) or 0.0
    except InvalidHeader:
        return 0.0


def body(response, timeout):
    """A response's bytes as Fetched; urllib3 raises where they are too few."""
    parts, size, end = [], 0, time.monotonic() + PATIENCE * timeout
    while part := response.read1(CHUNK):
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            return TOO_LARGE
        if time.monotonic() > end:
            raise Transient("Timeout")
    return Fetched(b"".join(parts), status=str(response.status))


@contextmanager
def open_web(web, processes):
    """Yields (fetch, connections) for addresses.

    A redirect to another host, or to a picture called ``photo_unavailable``, is how a
    deleted photograph answers: it is not followed. As long as nothing has been read,
    401 and 403 count as failures, not as missing: they may be meant for all.

    Args:
        web: a ``config.Web``.
        processes: how many of the job's processes share what it may ask of a host; no
            more than ``web.connections``.
    """
    connections = max(1, web.connections // processes)
    hosts, readable = {}, threading.Event()

    def limits(name):
        return hosts.setdefault(name, Host(connections, web.rate / processes))

    def attempt(url):
        try:
            for _ in range(HOPS + 1):
                scheme, _, host, *_ = parse_url(url)
                if scheme not in ("http", "https"):
                    raise URLSchemeUnknown(scheme)
                limit = limits(host)
                with limit.gate:
                    limit.turn()
                    response = pool.request(
                        "GET", url, redirect=False, preload_content=False
                    )
                    with closing(response):
                        found = judged(response, limit)
                if isinstance(found, Fetched):
                    return found
                url = urljoin(url, found)
                if parse_url(url).host != host or UNAVAILABLE in url:
                    return Fetched(None, "placeholder", str(response.status))
            return missing(str(response.status))
        except LocationValueError as error:
            return missing(type(error).__name__)
        except HTTPError as error:
            raise Transient(type(error).__name__) from None

    def judged(response, limit):
        """What an answer means; of a redirect, where it leads."""
        status, where = response.status, response.headers.get("Location")
        if status in MOVED and where:
            return where
        if status in GONE or (status in REFUSED and readable.is_set()):
            return missing(str(status))
        if status != 200:
            if (seconds := asked_rest(response)) > 60:
                print(f"{response.url}: asks for a rest of {format_duration(seconds)}",
                      file=sys.stderr)  # fmt: skip
            limit.rest(seconds)
            raise Transient(str(status))
        if opted_out(response.headers.getlist("X-Robots-Tag")):
            return Fetched(None, "opted_out", str(status))
        found = body(response, web.timeout)
        readable.set()
        return found

    with urllib3.PoolManager(
        maxsize=connections,
        retries=False,
        timeout=urllib3.Timeout(connect=web.timeout, read=web.timeout),
        headers={"User-Agent": f"{AGENT}/1 (research; +{web.contact})"},
    ) as pool:
        yield lambda row: persist(lambda: attempt(row.url), web.tries), connections
