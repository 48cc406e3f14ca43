"""A process that has imported what stages import, and forks to run them.

Importing torch takes a stage longer than most of its jobs do. Where many jobs run on
one machine, this process imports it once. A job is told where the server listens by an
environment variable, hands over what it was asked to do, and ends as its fork does;
without a server it runs by itself. Folder, environment, arguments, standard streams and
signals are the job's own.

    python fork_server.py SOCKET MODULE ...
"""

import contextlib
import ctypes
import gc
import importlib
import json
import multiprocessing
import os
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

VARIABLE = "S2SNETS_FORK_SERVER"
"""Environment variable by which jobs find the server: its socket, or ``off``."""

MODULES = (
    "torch", "torch._dynamo", "torch.utils.data", "lightning_fabric",
    "safetensors.torch", "pandas", "pyarrow.parquet", "scipy.ndimage", "scipy.stats",
    "PIL.Image", "pydantic", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf", "concepts", "jinja2",
)  # fmt: skip
"""What is imported before the first fork: what several stages or figures use."""

LIBRARY = Path(__file__).parents[2]
PLANNED_WITH = ("s2snets.figures.base", "s2snets.stages")
"""What a run has planned its jobs with, and its jobs import as well."""

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def send(connection: socket.socket, message: bytes) -> None:
    """Send a message with its length before it."""
    connection.sendall(struct.pack("!I", len(message)) + message)


def receive(connection: socket.socket) -> bytes:
    """Return one message.

    Raises:
        ConnectionError: the other side has ended.
    """
    header = connection.recv(4, socket.MSG_WAITALL)
    length = struct.unpack("!I", header)[0] if len(header) == 4 else -1
    message = connection.recv(max(length, 0), socket.MSG_WAITALL)
    if len(message) != length:
        raise ConnectionError
    return message


def customised() -> str | None:
    """Return the file of what this installation or user runs when Python starts."""
    return getattr(sys.modules.get("sitecustomize"), "__file__", None)


def hand_over(module: str, arguments: Sequence[str]) -> None:
    """Let the server run this process's module and exit as it does.

    Returns where there is no server, where the server itself runs this, where the
    process has several threads, whose number libraries read when they are imported, and
    in a job of Slurm's, which must not leave it.

    Args:
        module: as in ``python -m MODULE``.
        arguments: of its command line.
    """
    path = os.environ.get(VARIABLE)
    one_thread = os.environ.get("OMP_NUM_THREADS") == "1"
    if path is None or not one_thread or multiprocessing.parent_process():
        return
    if "SLURM_JOB_ID" in os.environ:
        return
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return
    request = {
        "module": module,
        "arguments": list(arguments),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "path": sys.path,
        "typed": sys.orig_argv,
        "customised": customised(),
    }
    socket.send_fds(connection, [b"."], [0, 1, 2])
    send(connection, json.dumps(request).encode())
    for number in FORWARDED:
        signal.signal(number, lambda number, _: connection.send(bytes([number])))
    answer = connection.recv(4, socket.MSG_WAITALL)
    code = struct.unpack("!i", answer)[0] if answer else 1
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


class Server:
    """Jobs of one socket: who asked for them, and what has become of them."""

    def __init__(self, path: str, parent: int) -> None:
        """Listen.

        Args:
            path: of the socket.
            parent: the process that started this one.
        """
        self.parent = parent
        self.jobs: dict[Any, Any] = {}  # process by connection
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{path}.new")
        self.listener.listen(64)
        os.rename(f"{path}.new", path)  # whoever sees it can connect
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)

    def serve(self) -> None:
        """Answer until this process's parent has ended, and the last job."""
        while self.jobs or os.getppid() == self.parent:
            for key, _ in self.selector.select(timeout=1):
                key.data(key.fileobj)

    def accept(self, listener: socket.socket) -> None:
        """Fork for a new client."""
        connection = listener.accept()[0]
        try:
            streams = socket.recv_fds(connection, 1, 3)[1]
            request = json.loads(receive(connection))
        except (ConnectionError, ValueError):
            connection.close()
            return
        job = ForkProcess(target=self.become, args=(connection, streams, request))
        job.start()
        for stream in streams:
            os.close(stream)
        self.jobs[connection] = job
        self.selector.register(connection, selectors.EVENT_READ, self.forward)
        self.selector.register(
            job.sentinel, selectors.EVENT_READ, lambda _: self.answer(connection)
        )

    def become(
        self, connection: socket.socket, streams: list[int], request: dict[str, Any]
    ) -> None:
        """Make this process, a fork, the one that was asked for, and run its module."""
        self.selector.close()
        for other in (self.listener, connection, *self.jobs):
            other.close()
        os.setsid()
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: with the server
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin = os.fdopen(0)  # multiprocessing has put another one there
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
        sys.path[:] = request["path"]
        sys.argv = [request["module"], *request["arguments"]]
        sys.orig_argv[:] = request["typed"]
        if request["customised"] not in (None, customised()):
            sys.modules.pop("sitecustomize", None)
            importlib.import_module("sitecustomize")
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)

    def forward(self, connection: socket.socket) -> None:
        """Pass a client's signals on to its job; end the job with its client."""
        if connection not in self.jobs:  # it has just been answered
            return
        numbers, job = b"", self.jobs[connection].pid
        with contextlib.suppress(ConnectionError):
            numbers = connection.recv(64)
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            for number in numbers:
                os.kill(job, number)
            if not numbers:
                self.selector.unregister(connection)
                os.kill(job, signal.SIGKILL)
                os.killpg(job, signal.SIGKILL)

    def answer(self, connection: socket.socket) -> None:
        """Tell a client how its job has ended."""
        job = self.jobs.pop(connection)
        job.join()
        self.selector.unregister(job.sentinel)
        with contextlib.suppress(KeyError):
            self.selector.unregister(connection)
        with contextlib.suppress(ConnectionError), connection:
            connection.sendall(struct.pack("!i", job.exitcode))
        job.close()


def main() -> None:
    """Import, listen and fork."""
    parent = os.getppid()
    path, *modules = sys.argv[1:]
    for name in modules:
        importlib.import_module(name)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return  # what CUDA holds does not survive a fork
    gc.freeze()
    Server(path, parent).serve()
    # Who started it has been killed, or would have done this.
    with contextlib.suppress(OSError):
        os.unlink(path)
        os.rmdir(os.path.dirname(path))


def launch(path: Path, modules: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a server as a child of this process; it listens once it has imported.

    Args:
        path: of its socket, which does not exist.
        modules: what it imports.
    """
    paths = [str(LIBRARY), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.Popen(
        [sys.executable, "-P", __file__, path, *modules],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextlib.contextmanager
def fork_server() -> Iterator[None]:
    """Serve the jobs that this process starts, until the context is left.

    Jobs that come before the server listens run by themselves, as all do where one is
    known already or the system has no such forks.
    """
    if VARIABLE in os.environ or not sys.platform.startswith("linux"):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="s2snets-") as folder:
        path = Path(folder, "socket")
        os.environ[VARIABLE] = str(path)
        server = launch(path, (*MODULES, *PLANNED_WITH))
        try:
            yield
        finally:
            del os.environ[VARIABLE]
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
