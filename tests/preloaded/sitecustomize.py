"""Hand this process's work to the server of ``server.py``, if a test says so.

Python imports this module when it starts. A study of the tests is a hundred processes
that would each import torch for seconds; the server has imported it once, and forks.
"""

import json
import os
import signal
import socket
import struct
import sys

MODULES = ("s2snets.stages", "s2snets.figures", "snakemake")
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def hand_over(server):
    """Let a fork of the server run this process's module; exit as it does."""
    request = {
        "module": sys.orig_argv[2],
        "arguments": sys.orig_argv[3:],
        "folder": os.getcwd(),
        "environment": dict(os.environ),
    }
    data = json.dumps(request).encode()
    socket.send_fds(server, [struct.pack("!I", len(data))], [0, 1, 2])
    server.sendall(data)
    for number in FORWARDED:
        signal.signal(number, lambda number, frame: server.send(bytes([number])))
    answer = server.recv(4, socket.MSG_WAITALL)
    code = struct.unpack("!i", answer)[0] if answer else 1
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if sys.orig_argv[1:2] == ["-m"] and sys.orig_argv[2] in MODULES:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(os.environ.get("S2SNETS_SERVER", ""))
    except OSError:
        connection.close()  # the server has ended: as without one
    else:
        hand_over(connection)
