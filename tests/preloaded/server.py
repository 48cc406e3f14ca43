"""A process that has imported what stages need, and forks to run them.

Whatever could differ between two processes is the request's: module, arguments, folder,
environment and the three standard streams. The project's own library is not imported
here, as every test has its own copy of it.

    python server.py SOCKET PROCESS

serves until the process has ended.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import sys
import threading
import traceback

IMPORTED = (
    "torch", "torch._dynamo", "lightning_fabric", "torch.utils.data", "safetensors.torch",
    "pandas", "pyarrow.parquet", "scipy.ndimage", "scipy.stats", "PIL.Image", "pydantic",
    "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf", "concepts",
    "jinja2", "snakemake.cli", "snakemake.executors",
)  # fmt: skip


def run(request, streams):
    """Become the process that was asked for."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = open(0, closefd=False)
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    sys.argv = [request["module"], *request["arguments"]]
    found = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [request["folder"], *filter(None, found)]
    code = 0
    try:
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code or 0)


def supervise(connection):
    """Start what a client asks for; end with it, or end it with the client."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    header, streams, *_ = socket.recv_fds(connection, 4, 3)
    (length,) = struct.unpack("!I", header)
    request = json.loads(connection.recv(length, socket.MSG_WAITALL))
    job = os.fork()
    if not job:
        connection.close()
        run(request, streams)
    while True:
        done, status = os.waitpid(job, os.WNOHANG)
        if done:
            connection.sendall(struct.pack("!i", os.waitstatus_to_exitcode(status)))
            return
        if select.select([connection], [], [], 0.01)[0]:
            numbers = connection.recv(64)
            if not numbers:
                os.killpg(job, signal.SIGKILL)
                return
            for number in numbers:
                os.kill(job, number)


def serve(path, process):
    """Answer each connection with a process of its own."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{path}.new")
    listener.listen(64)
    listener.settimeout(1)
    os.rename(f"{path}.new", path)
    while os.path.exists(f"/proc/{process}"):
        with contextlib.suppress(TimeoutError):
            connection, _ = listener.accept()
            if not os.fork():
                listener.close()
                with contextlib.suppress(ConnectionError):
                    supervise(connection)
                os._exit(0)
            connection.close()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
