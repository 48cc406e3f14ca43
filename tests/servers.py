"""Rows for sources, and a local HTTP server that misbehaves on demand."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import NamedTuple

KEY = "1a2b3c4d5e6f"


def row(key="", *, ext="jpg", photoid="1", line="0", url=""):
    """Return a row of the metadata with the fields that a source reads."""
    return SimpleNamespace(photoid=photoid, key=key, ext=ext, line=line, url=url)


class Reply(NamedTuple):
    """One HTTP answer and its faults."""

    body: bytes = b""
    status: int = 200
    headers: tuple = ()  # of (name, value)
    short: int = 0  # bytes that Content-Length promises and the body lacks
    stall: float = 0.0  # seconds before the body
    hold: float = 0.0  # seconds before the answer
    raw: bytes = b""  # the whole answer instead, from its first line on
    drip: float = 0.0  # seconds between the bytes of ``raw``


DRIPS = [
    Reply(raw=b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 5000, drip=0.005),
    Reply(
        raw=b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, drip=0.005
    ),
]
"""Answers, of headers and of a body, that come byte by byte for half a minute."""


class Server(ThreadingHTTPServer):
    """A server that answers by a plan: path -> replies in turn, the last for ever.

    Attributes:
        seen: (seconds, path, headers) of every request.
        busiest: the greatest number of requests at once.
    """

    daemon_threads = True

    def __init__(self, plan):
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan = {path: list(replies) for path, replies in plan.items()}
        self.seen, self.busy, self.busiest = [], 0, 0
        self.lock = threading.Lock()

    def url(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.server_port}{path}"

    def handle_error(self, request, client_address):
        """Ignore clients that hang up on a stalled answer: tests make them."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        with server.lock:
            server.seen.append((time.monotonic(), self.path, dict(self.headers)))
            server.busy += 1
            server.busiest = max(server.busiest, server.busy)
            replies = server.plan.get(self.path, [Reply(status=404)])
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        time.sleep(reply.hold)
        with server.lock:
            server.busy -= 1
        if reply.raw:
            self.send_raw(reply)
            return
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) + reply.short))
        self.end_headers()
        self.wfile.flush()
        time.sleep(reply.stall)
        self.wfile.write(reply.body)
        self.close_connection = bool(reply.short)

    do_HEAD = do_GET

    def send_raw(self, reply):
        size = 1 if reply.drip else len(reply.raw)
        for start in range(0, len(reply.raw), size):
            self.wfile.write(reply.raw[start : start + size])
            time.sleep(reply.drip)
        self.close_connection = True

    def log_message(self, *_):
        """Print nothing."""


@contextmanager
def serving(plan):
    """Run a ``Server`` in a thread."""
    with Server(plan) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
