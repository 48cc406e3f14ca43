"""Photographs from the addresses in the metadata, fetched politely."""

import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import LocationValueError, URLSchemeUnknown
from urllib3.response import BaseHTTPResponse
from urllib3.util import parse_url

from s2snets.cleaning.deadline import limited_pools
from s2snets.cleaning.fetched import (
    MAX_BYTES,
    TOO_LARGE,
    Fetch,
    Fetched,
    TransientError,
    missing,
    retry,
)
from s2snets.cleaning.metadata import Row
from s2snets.config.cleaning import Web
from s2snets.runtime.progress import format_duration, log

AGENT = "s2snets"
CHUNK = 1 << 18  # bytes read at once
MAX_REDIRECTS = 3  # followed on one host
GONE = {404, 410, 451}
REFUSED = {401, 403}
MOVED = {301, 302, 303, 307, 308}
PLACEHOLDER = "photo_unavailable"  # Flickr's picture in a deleted photograph's place
OPT_OUT = {"noai", "noimageai", "noindex", "noimageindex", "none"}
FOR_AGENT = re.compile(r"([\w*./-]+)\s*:\s*(\S+)")
# Directives with a value, which look like an agent's.
VALUED = {"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"}


def opted_out(headers: Iterable[str]) -> bool:
    """Return whether ``X-Robots-Tag`` headers forbid this use, to all or to s2snets.

    Args:
        headers: their values. ``agent: directive, directive`` addresses one agent.
    """
    for header in headers:
        agent = "*"
        for part in header.lower().split(","):
            directive = part.strip()
            addressed = FOR_AGENT.fullmatch(directive)
            if addressed and addressed[1] not in VALUED:
                agent, directive = addressed.groups()
            if agent in ("*", AGENT) and directive in OPT_OUT:
                return True
    return False


class Host:
    """The limits of one host: requests at once, requests per second, and pauses."""

    def __init__(self, connections: int, rate: float) -> None:
        self.gate = threading.BoundedSemaphore(connections)
        self.lock, self.interval, self.next = threading.Lock(), 1 / rate, 0.0

    def wait_for_turn(self) -> None:
        """Wait until a request may start."""
        while True:
            with self.lock:
                now = time.monotonic()
                wait = self.next - now
                if wait <= 0:
                    self.next = now + self.interval
                    return
            time.sleep(wait)  # then check again: the host may have asked for a pause

    def pause(self, seconds: float) -> None:
        """Let no request start for so long."""
        with self.lock:
            self.next = max(self.next, time.monotonic() + seconds)


def retry_after(response: BaseHTTPResponse) -> float:
    """Return the seconds that ``Retry-After`` asks for, at most six hours, or 0."""
    try:
        return urllib3.Retry().get_retry_after(response) or 0.0
    except Exception:  # numbers and dates beyond any meaning raise several types
        return 0.0


def read_body(response: BaseHTTPResponse) -> Fetched:
    """Read a response's bytes; urllib3 raises where they are too few."""
    parts, size = [], 0
    while part := response.read1(CHUNK):
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            return TOO_LARGE
    return Fetched(b"".join(parts), status=str(response.status))


class WebReader:
    """Photographs at web addresses, read by several threads.

    A redirect to another host, or to a picture called ``photo_unavailable``, is how a
    deleted photograph answers: it is not followed. As long as nothing has been read,
    401 and 403 count as failures, not as missing: they may apply to everything.
    """

    def __init__(
        self, settings: Web, pool: urllib3.PoolManager, connections: int, rate: float
    ) -> None:
        self.settings, self.pool = settings, pool
        self.connections, self.rate = connections, rate
        self.hosts: dict[str | None, Host] = {}
        self.readable = threading.Event()

    def fetch(self, row: Row) -> Fetched:
        """Read the photograph of a row."""
        return retry(partial(self.get, row.url), self.settings.tries)

    def get(self, url: str) -> Fetched:
        """Try once to read an address, following redirects on its host.

        Raises:
            TransientError: the answer is none, or makes no sense.
        """
        place = url
        try:
            for _ in range(MAX_REDIRECTS + 1):
                answer, status = self.request(place)
                if isinstance(answer, Fetched):
                    return answer
                host, place = parse_url(place).host, urljoin(place, answer)
                if parse_url(place).host != host or PLACEHOLDER in place:
                    return Fetched(None, "placeholder", str(status))
            return missing(str(status))
        except TransientError:
            raise
        except Exception as error:  # libraries raise any type on a hostile answer
            name = type(error).__name__
            if place == url and isinstance(error, LocationValueError):
                return missing(name)
            raise TransientError(name) from None

    def request(self, url: str) -> tuple[Fetched | str, int]:
        """Request an address in its host's turn; returns the answer and its status."""
        scheme, _, name, *_ = parse_url(url)
        if scheme not in ("http", "https"):
            raise URLSchemeUnknown(str(scheme))
        host = self.hosts.setdefault(name, Host(self.connections, self.rate))
        with host.gate:
            host.wait_for_turn()
            response = self.pool.request(
                "GET", url, redirect=False, preload_content=False
            )
            with closing(response):
                return self.read(response, host), response.status

    def read(self, response: BaseHTTPResponse, host: Host) -> Fetched | str:
        """Return what a response holds; of a redirect, the address it leads to."""
        status, location = response.status, response.headers.get("Location")
        if status in MOVED and location:
            return location
        if status in GONE or (status in REFUSED and self.readable.is_set()):
            return missing(str(status))
        if status != 200:
            if (seconds := retry_after(response)) > 60:
                log(f"{response.url}: asks for a pause of {format_duration(seconds)}")
            host.pause(seconds)
            raise TransientError(str(status))
        if opted_out(response.headers.getlist("X-Robots-Tag")):
            return Fetched(None, "opted_out", str(status))
        photo = read_body(response)
        self.readable.set()
        return photo


@contextmanager
def open_web(settings: Web, processes: int) -> Iterator[tuple[Fetch, int]]:
    """Yield a function ``fetch`` and the connections of one of a job's processes."""
    connections = max(1, settings.connections // processes)
    with urllib3.PoolManager(
        maxsize=connections,
        retries=False,
        timeout=urllib3.Timeout(connect=settings.timeout, read=settings.timeout),
        headers={"User-Agent": f"{AGENT}/1 (research; +{settings.contact})"},
    ) as pool:
        pool.pool_classes_by_scheme = limited_pools(
            pool.pool_classes_by_scheme, settings.timeout
        )
        reader = WebReader(settings, pool, connections, settings.rate / processes)
        yield reader.fetch, connections
