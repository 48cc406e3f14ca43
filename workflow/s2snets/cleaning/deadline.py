"""Limits of a whole HTTP answer: urllib3's timeouts limit each read of a socket."""

import io
import time
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import Any

from urllib3 import HTTPConnectionPool

from s2snets.cleaning.fetched import MAX_BYTES

MAX_TIMEOUTS = 10  # so many timeouts' length after which a slow answer is given up
MAX_RECEIVED = 2 * MAX_BYTES  # headers, and the framing of chunks, have no end either


class LimitedReader(io.RawIOBase):
    """What a socket receives, for some seconds and at most ``MAX_RECEIVED`` bytes."""

    def __init__(self, source: io.RawIOBase, seconds: float) -> None:
        self.source, self.received = source, 0
        self.end = time.monotonic() + seconds

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read once from the socket.

        Raises:
            TimeoutError: the time is over.
            OSError: there are too many bytes.
        """
        if time.monotonic() > self.end:
            raise TimeoutError("the answer takes too long")
        count = self.source.readinto(buffer)
        self.received += count or 0
        if self.received > MAX_RECEIVED:
            raise OSError("the answer is too long")
        return count

    def close(self) -> None:
        """Close the socket's own reader."""
        self.source.close()
        super().close()


def limited_pools(
    pools: Mapping[str, type[HTTPConnectionPool]], timeout: float
) -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's classes of pools, whose answers end by a deadline.

    Args:
        pools: ``pool_classes_by_scheme`` of a ``PoolManager``.
        timeout: of each read, in seconds; an answer takes at most ``MAX_TIMEOUTS``
            times as long, and one read more.
    """

    class LimitedResponse(HTTPResponse):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            raw = LimitedReader(self.fp.detach(), MAX_TIMEOUTS * timeout)
            self.fp = io.BufferedReader(raw)

    def limited(pool: Any) -> type[HTTPConnectionPool]:
        class Connection(pool.ConnectionCls):
            response_class = LimitedResponse

        class Pool(pool):
            ConnectionCls = Connection

        return Pool

    return {scheme: limited(pool) for scheme, pool in pools.items()}
