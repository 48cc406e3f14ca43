#!/usr/bin/env python3
"""A real Slurm of two nodes on this machine, from Debian's packages, for tests.

python tests/slurm/cluster.py install up    # as root
python tests/slurm/cluster.py down

No systemd, no cgroups, no database of accounts; its GPUs are clones of /dev/null. The nodes are
two daemons on one host. Its settings lie in /etc/slurm, since the executor plugin lets
no SLURM_CONF through to a job's steps; others' settings there are left alone.
"""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

STATE = Path("/var/lib/s2snets-slurm")
ETC = Path("/etc/slurm")
MARK = "# of the tests of s2snets\n"
PROGRAMS = {"munged": "munge", "slurmctld": "slurmctld", "slurmd": "slurmd"}
PROGRAMS |= {"sbatch": "slurm-client"}
ACCOUNT = "tests"  # the only one that is let in; jobs without an account are too
NODES = {"n1": 6818, "n2": 6828}
GPUS = 4  # on each node
WAIT = 30  # seconds for a daemon to answer

SETTINGS = """{mark}ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=6817
{private}SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job waits until its old credentials have expired: two minutes, but for this.
AuthInfo=cred_expire=5
StateSaveLocation={state}/ctld
SlurmdSpoolDir={state}/%n
SlurmctldPidFile={state}/slurmctld.pid
SlurmdPidFile={state}/%n.pid
SlurmctldLogFile={state}/slurmctld.log
SlurmdLogFile={state}/%n.log
MailProg=/bin/true
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobSubmitPlugins=lua
MinJobAge=600
KillWait=2
ReturnToService=1
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,bf_interval=2,sched_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=DEFAULT CPUs=8 RealMemory={memory} Gres=gpu:fake:{gpus} State=UNKNOWN
{nodes}
PartitionName=DEFAULT Nodes=ALL DefMemPerCPU=100 DefaultTime=5 State=UP
PartitionName=cpu MaxTime=60 Default=YES
PartitionName=gpu MaxTime=60
PartitionName=brief MaxTime=1
"""

# Slurm's own complaint of a wrong account, without the database that accounts take.
GATE = """-- {mark}function slurm_job_submit(job, partitions, user)
   if job.account ~= nil and job.account ~= "{account}" then
      return slurm.ESLURM_INVALID_ACCOUNT
   end
   return slurm.SUCCESS
end

function slurm_job_modify(job, old, partitions, user)
   return slurm.SUCCESS
end
"""


def missing():
    """Why Slurm cannot run here, in a few words; empty where it can."""
    if os.geteuid() != 0:
        return "its daemons need root"
    settings = ETC / "slurm.conf"
    if settings.exists() and not settings.read_text().startswith(MARK):
        return f"{settings} is another's"
    absent = sorted({PROGRAMS[one] for one in PROGRAMS if not shutil.which(one)})
    return f"not installed: {' '.join(absent)}" if absent else ""


def install():
    """Fetch Debian's packages, and start none of their services."""
    absent = sorted({PROGRAMS[one] for one in PROGRAMS if not shutil.which(one)})
    if not absent:
        return
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *absent]):
        subprocess.run(
            [*apt, *command], env=quiet, check=True, stdout=subprocess.DEVNULL
        )


def configure():
    """Write the settings and make the GPUs."""
    host = socket.gethostname().partition(".")[0]
    local = socket.gethostbyname(host).startswith("127.")
    private = "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\n" if local else ""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    for folder in (ETC, STATE / "ctld"):
        folder.mkdir(parents=True, exist_ok=True)
    for number in range(GPUS):
        device = STATE / f"gpu{number}"
        if not device.exists():
            os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    nodes = "\n".join(
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}"
        for name, port in NODES.items()
    )
    (ETC / "slurm.conf").write_text(
        SETTINGS.format(
            mark=MARK,
            host=host,
            private=private,
            state=STATE,
            memory=int(0.9 * pages * size / 2**20),
            gpus=GPUS,
            nodes=nodes,
        )
    )
    (ETC / "job_submit.lua").write_text(GATE.format(mark=MARK, account=ACCOUNT))
    (ETC / "gres.conf").write_text(
        f"{MARK}AutoDetect=off\nName=gpu Type=fake File={STATE}/gpu[0-{GPUS - 1}]\n"
    )


def answers(*command):
    """What a command prints; None where it fails, as without a controller."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=15)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def until(ready, what):
    """Wait for something to become true."""
    end = time.monotonic() + WAIT
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}, after {WAIT} s; see {STATE}/*.log")
        time.sleep(0.1)


def munge():
    """Start munge, unless the machine's own runs."""
    if answers("munge", "-n") is not None:
        return
    key = Path("/etc/munge/munge.key")
    user = ["runuser", "-u", "munge", "--"]
    if not key.exists():
        subprocess.run([*user, "mungekey", "-c"], check=True)
    Path("/run/munge").mkdir(exist_ok=True)
    shutil.chown("/run/munge", "munge", "munge")
    subprocess.run([*user, shutil.which("munged"), "--force"], check=True)
    shutil.copy("/run/munge/munged.pid", STATE / "munged.pid")


def controller(*options):
    """Start the controller; without options it remembers its jobs."""
    subprocess.run(["slurmctld", *options], check=True)
    until(lambda: answers("scontrol", "ping") is not None, "slurmctld is silent")


def up():
    """Start the cluster, without what an earlier one remembers."""
    down()
    configure()
    munge()
    controller("-c")
    for name in NODES:
        subprocess.run(["slurmd", "-c", "-N", name], check=True)
    until(
        lambda: (
            (answers("sinfo", "-hNp", "cpu", "-o", "%T") or "").split()
            == ["idle"] * len(NODES)
        ),
        "nodes are not idle",
    )


def stop(name):
    """End one daemon that was started here, and wait until it has ended."""
    path = STATE / f"{name}.pid"
    program = {"munged": "munged", "slurmctld": "slurmctld"}.get(name, "slurmd")
    try:
        pid = int(path.read_text())
        ours = Path(f"/proc/{pid}/comm").read_text().strip() == program
    except (OSError, ValueError):
        return
    if ours:
        os.kill(pid, signal.SIGTERM)
        until(lambda: ended(pid), f"{name} does not end")
    path.unlink(missing_ok=True)


def ended(pid):
    """Whether a process is gone, or waits for its parent to look at it."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        )
    except OSError:
        return True


def down():
    """Cancel the jobs, end the daemons, take the settings away."""
    settings = ETC / "slurm.conf"
    if not (settings.exists() and settings.read_text().startswith(MARK)):
        return
    if answers("scancel", "--user=root") is not None:
        until(lambda: not answers("squeue", "-h"), "jobs do not end")
    for name in (*NODES, "slurmctld", "munged"):
        stop(name)
    for path in (settings, ETC / "gres.conf", ETC / "job_submit.lua"):
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    known = {"install": install, "up": up, "down": down}
    if not sys.argv[1:] or set(sys.argv[1:]) - set(known):
        sys.exit(f"usage: {sys.argv[0]} [install] up | down")
    for word in sys.argv[1:]:
        known[word]()
