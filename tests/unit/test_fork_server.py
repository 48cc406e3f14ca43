"""Jobs that fork from a server: as they would run alone, but for their start."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from s2snets.runtime import fork_server

JOB = """
import json, os, sys, time

if sys.argv[1:2] == ["wait"]:
    print(os.getpid(), flush=True)
    time.sleep(60)
if sys.argv[1:2] == ["fail"]:
    sys.exit("error: a mistake")
if sys.argv[1:2] == ["raise"]:
    raise KeyError("a defect")
print(json.dumps([os.getcwd(), sys.path, sys.argv[1:], os.environ.get("ONLY_HERE"),
                  sys.stdin.read(), "colorsys" in sys.modules, __name__]))
"""

CLIENT = """
import sys
from s2snets.runtime.fork_server import hand_over

hand_over("job", sys.argv[1:])
import job
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    """The process of a server that has imported what nothing else imports."""
    path = tmp_path_factory.mktemp("server") / "socket"
    process = fork_server.launch(path, ["colorsys"])
    wait_until(path.exists)
    yield process
    process.terminate()
    process.wait()


@pytest.fixture
def server(process):
    """The server's socket."""
    return process.args[3]


def start(folder, server, *arguments, **environment):
    """Start a job that hands over to a server."""
    folder.joinpath("job.py").write_text(JOB)
    environment = {fork_server.VARIABLE: str(server), "OMP_NUM_THREADS": "1",
                   **os.environ, **environment}  # fmt: skip
    environment["PYTHONPATH"] += f"{os.pathsep}{folder}"
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, *arguments], text=True, cwd=folder,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment,
    )  # fmt: skip


def finished(*arguments, **environment):
    """A job that has ended: what it printed, its errors and its exit status."""
    process = start(*arguments, **environment)
    out, errors = process.communicate("typed", timeout=60)
    return out, errors, process.returncode


def alive(pid):
    """Whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def wait_until(condition):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it has not come")


def test_a_fork_has_what_the_job_had(server, tmp_path):
    forked = finished(tmp_path, server, "a b", "--c", ONLY_HERE="x")
    alone = finished(tmp_path, tmp_path / "none", "a b", "--c", ONLY_HERE="x")
    assert '"x", "typed", true, "__main__"' in forked[0]
    assert '"x", "typed", false, "job"' in alone[0]
    same = forked[0].replace('true, "__main__"', 'false, "job"')
    assert (same, *forked[1:]) == alone


def test_what_python_runs_when_it_starts_runs_in_the_fork(server, tmp_path):
    code = 'import os, sys\nos.environ["ONLY_HERE"] = sys.orig_argv[-1]\n'
    (tmp_path / "sitecustomize.py").write_text(code)
    out = finished(tmp_path, server, "last")[0]
    assert '["last"], "last", "typed", true, "__main__"' in out


def test_a_fork_ends_as_the_job_would(server, tmp_path):
    told = {"fail": "error: a mistake", "raise": "KeyError: 'a defect'"}
    for mistake, text in told.items():
        out, errors, status = finished(tmp_path, server, mistake)
        assert (out, status) == ("", 1)
        assert [one for one in told.values() if one in errors] == [text]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_signals_reach_the_fork_and_its_end_the_client(server, tmp_path, number):
    client = start(tmp_path, server, "wait")
    pid = int(client.stdout.readline())
    assert alive(pid)
    assert pid != client.pid
    client.send_signal(number)
    assert client.wait(10) == -number
    assert not alive(pid)


def test_a_fork_ends_with_its_client(server, tmp_path):
    client = start(tmp_path, server, "wait")
    pid = int(client.stdout.readline())
    client.kill()
    wait_until(lambda: not alive(pid))
    assert '"a"' in finished(tmp_path, server, "a")[0]  # the server goes on


def test_a_job_and_its_client_may_end_at_once(process, server, tmp_path):
    client = start(tmp_path, server, "wait")
    pid = int(client.stdout.readline())
    process.send_signal(signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    client.kill()
    client.wait()
    process.send_signal(signal.SIGCONT)
    assert '"a"' in finished(tmp_path, server, "a")[0]
    assert process.poll() is None
    # Of the two, the job's end may be seen first.
    answered, _ = socket.socketpair()
    fork_server.Server(str(tmp_path / "other"), os.getppid()).forward(answered)


@pytest.mark.parametrize(
    "environment", [{"OMP_NUM_THREADS": "2"}, {"SLURM_JOB_ID": "7"}]
)
def test_jobs_of_several_threads_and_of_slurm_run_by_themselves(
    server, tmp_path, environment
):
    assert 'typed", false' in finished(tmp_path, server, **environment)[0]


def test_a_job_fails_whose_server_is_killed(tmp_path):
    process = fork_server.launch(tmp_path / "socket", [])
    wait_until((tmp_path / "socket").exists)
    client = start(tmp_path, tmp_path / "socket", "wait")
    pid = int(client.stdout.readline())
    process.kill()
    assert client.wait(10) == 1
    wait_until(lambda: not alive(pid))
    process.wait()


def test_a_server_ends_after_its_parent_and_the_last_job(tmp_path):
    code = (
        "import sys, time; from pathlib import Path;"
        "from s2snets.runtime.fork_server import launch;"
        "print(launch(Path(sys.argv[1]), []).pid, flush=True); time.sleep(60)"
    )
    path = tmp_path / "socket"
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True
    ) as parent:
        server = int(parent.stdout.readline())
        wait_until(path.exists)
        client = start(tmp_path, path, "wait")
        pid = int(client.stdout.readline())
        parent.kill()
    time.sleep(1.5)  # the server looks each second
    assert alive(server)
    assert alive(pid)
    client.terminate()
    client.wait()
    wait_until(lambda: not alive(server))


def test_a_run_has_a_server_of_its_own_unless_one_is_known(monkeypatch):
    monkeypatch.delenv(fork_server.VARIABLE, raising=False)
    monkeypatch.setattr(fork_server, "MODULES", ("colorsys",))
    with fork_server.fork_server():
        path = Path(os.environ[fork_server.VARIABLE])
        wait_until(path.exists)
        with fork_server.fork_server():
            assert os.environ[fork_server.VARIABLE] == str(path)
    assert fork_server.VARIABLE not in os.environ
    assert not path.parent.exists()
