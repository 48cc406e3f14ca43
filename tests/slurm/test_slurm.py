"""The workflow on a real Slurm that misbehaves.

Slow, and a cluster is made for it on this machine: skipped where that cannot be, unless
S2SNETS_SLURM=1 says that it must.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import yaml
from project import Project
from slurm import cluster

from s2snets.study.status import status

pytestmark = pytest.mark.slurm
SITE = {
    "account": None,
    "cpu": {"partition": "cpu", "hours": 0.5},
    "gpu": {
        "partition": "gpu",
        "hours": 0.5,
        "model": "fake",
        "cpus": 1,
        "memory": 900,
    },
    "training": {"gpus": 1, "nodes": 1},
    "jobs": 20,
}
FLAGS = ["--profile", "slurm", "--latency-wait", "10"]
FLAGS += ["--max-status-checks-per-second", "5"]
SEED = "results/smoke/seed-0"
PHOTOS, LABELLED = (
    f"{SEED}/autoencoders/pretrained/{name}/weights.safetensors"
    for name in ("photos", "labelled")
)
L, R = (f"{SEED}/classifiers/{name}/weights.safetensors" for name in "LR")
# A training is as slow as a test needs it (seconds a step, by a word of its command), or
# breaks the first time that it is run. Slurm is asked every two seconds: the plugin asks
# ten seconds later each time that nothing has ended, and all here ends within seconds.
PRELUDE = """import json, os, sys, time
from pathlib import Path
if "--profile" in sys.orig_argv:
    from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
    RemoteExecutor.next_seconds_between_status_checks = property(
        lambda self: 2, lambda self, seconds: None
    )
slow = json.loads(os.environ.get("SLOW", "{}"))
told = " ".join(sys.orig_argv)
words = [word for word in slow if "s2snets.stages" in told and word in told]
wait = sum(slow[word] for word in words)
if words and not wait and not Path("broke").exists():
    Path("broke").touch()
    os._exit(1)
if wait:
    import torch
    backward = torch.Tensor.backward
    def late(*arguments, **options):
        time.sleep(wait)
        return backward(*arguments, **options)
    torch.Tensor.backward = late
"""


@pytest.fixture(scope="session", autouse=True)
def slurm():
    """The cluster, for as long as the tests take."""
    must = os.environ.get("S2SNETS_SLURM") == "1"
    if must and os.geteuid() == 0:
        cluster.install()
    if reason := cluster.missing():
        (pytest.fail if must else pytest.skip)(f"no Slurm for the tests: {reason}")
    cluster.up()
    yield
    cluster.down()


def new(root, site=None, data=None):
    """A checkout for this cluster, perhaps with another's packed images."""
    project = Project(root)
    project.variant(
        "smoke", lighter=[], depth=None, finetune={"parts": ["decoder"], "replicates": 1},
        denoise={"methods": ["median"]}, pretrain={"photos": {"batch": 8}},
    )  # fmt: skip
    (root / "slurm").symlink_to("workflow/profiles/slurm")
    (root / "slurm/cluster.yaml").write_text(yaml.safe_dump(SITE | (site or {})))
    (root / "sitecustomize.py").write_text(PRELUDE)
    if data:
        shutil.copytree(data.root / ".snakemake", root / ".snakemake")
        shutil.copytree(data.root / "results/smoke/data", root / "results/smoke/data")
    return project


class Run:
    """Snakemake at work in a project, and what it says."""

    def __init__(self, project, *targets, slow="{}", flags=()):
        self.project, self.path = project, project.root / "said.txt"
        command = [sys.executable, "-m", "snakemake", *targets, "--cores", "2", *FLAGS]
        self.process = subprocess.Popen(
            [*command, *flags, "--configfile", "config/smoke.yaml"], cwd=project.root,
            stdout=self.path.open("w"), stderr=subprocess.STDOUT,
            # The nodes' names are no hosts': processes of two nodes meet here.
            env={**os.environ, "PYTHONPATH": str(project.root), "SLOW": slow,
                 "MASTER_ADDR": "127.0.0.1"},
        )  # fmt: skip

    @property
    def said(self):
        return self.path.read_text()

    def until(self, ready, what, limit=120):
        """Wait for something that must come before the run ends."""
        end = time.monotonic() + limit
        while not (found := ready()):
            assert self.process.poll() is None, f"{what}: ended before\n{self.said}"
            assert time.monotonic() < end, f"{what}: not in {limit} s\n{self.said}"
            time.sleep(0.2)
        return found

    def ends(self, limit=240):
        """Its exit status; a run that hangs is ended and fails the test."""
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            logs = self.project.logs()
            pytest.fail(f"no end in {limit} s\n{self.said}\n{queue()}\n{logs}")
        finally:
            self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()


@contextmanager
def running(*arguments, **options):
    run = Run(*arguments, **options)
    try:
        yield run
    finally:
        run.stop()
        subprocess.run(["scancel", "--me"], check=True)


def queue():
    return cluster.answers("squeue", "--me", "-o", "%i|%T|%r|%N|%k|%Z")


def at_work(project, text):
    """Number and node of a running job by a part of its comment; its stage has begun."""
    for line in (queue() or "").splitlines():
        job, state, _, node, comment, folder = line.split("|")
        if text in comment and state == "RUNNING" and folder == str(project.root):
            return job, node
    return None


def submissions(project, job):
    """Slurm's logs of one of Snakemake's jobs: one a submission."""
    return list((project.root / "results/slurm").glob(f"rule_{job}/*.log"))


def same(project, reference, *paths):
    return all(
        (project.root / path).read_bytes() == (reference.root / path).read_bytes()
        for path in paths
    )


@pytest.fixture(scope="session")
def whole(slurm, tmp_path_factory):
    """The smoke study, from nothing to its report, through sbatch."""
    project = new(tmp_path_factory.mktemp("whole"))
    run = Run(project, flags=["--slurm-keep-successful-logs"])
    assert run.ends(420) == 0, run.said + project.logs()
    return project


def test_the_smoke_study_goes_through_sbatch_to_its_report(whole, monkeypatch):
    assert (whole.root / "results/smoke/report.html").stat().st_size > 0
    assert len(submissions(whole, "pretrain_autoencoder/0_photos")) == 1
    monkeypatch.chdir(whole.root)
    monkeypatch.setenv("PYTHONPATH", str(whole.root))
    told = status(["--configfile", "config/smoke.yaml"]).splitlines()
    assert told[-1].startswith("0 of ")


def test_jobs_of_a_rule_that_are_due_at_once_are_one_array(whole, tmp_path):
    project = new(tmp_path, data=whole)
    for folder in ("autoencoders", "classifiers"):
        part = f"{SEED}/{folder}"
        shutil.copytree(whole.root / part, project.root / part)
    tables = [f"{SEED}/color/{one}.parquet" for one in ("original", "pretrained")]
    run = Run(project, *tables, flags=["--slurm-keep-successful-logs"])
    assert run.ends() == 0, run.said + project.logs()
    logs = (project.root / "results/slurm/rule_measure_color").glob("*.log")
    jobs, tasks = zip(*(path.stem.split("_") for path in logs), strict=True)
    assert len(set(jobs)) == 1
    assert sorted(tasks) == ["1", "2"]
    assert same(project, whole, *tables)


@pytest.fixture(scope="session")
def storm(whole, tmp_path_factory):
    """Four trainings of which each meets a mishap, under a controller that goes away.

    A minute is all that a pretraining's job gets, and one of them needs more.
    """
    project = new(tmp_path_factory.mktemp("storm"), data=whole)
    project.edit(
        "workflow/profiles/slurm/profile.yaml",
        'round(60 * gpu["hours"])',
        '1 if rule == "pretrain_autoencoder" else 10',
    )
    slow = '{"pretrained/photos": 2.5, "pretrained/labelled": 3, "/L/": 2, "/R/": 0}'
    with running(project, PHOTOS, LABELLED, L, R, slow=slow) as run:
        for text in ("photos", "labelled", "0_L"):
            run.until(lambda text=text: at_work(project, text), f"{text} is at work")
        run.until((project.root / "broke").exists, "R is broken")
        cluster.stop("slurmctld")
        run.until(lambda: "Slurm does not answer" in run.said, "silence is noticed")
        cluster.controller()
        cluster.answers("scancel", at_work(project, "0_L")[0])
        down = at_work(project, "labelled")[1]
        cluster.answers(
            "scontrol", "update", f"nodename={down}", "state=down", "reason=test"
        )

        def elsewhere():
            found = at_work(project, "labelled")
            return found and found[1] != down

        run.until(elsewhere, "labelled is at work on the other node")
        cluster.answers("scontrol", "update", f"nodename={down}", "state=resume")
        assert run.ends() == 0, run.said + project.logs()
    return project, run.said


def restarts(said, job):
    """How often Slurm put the first submission of a job back into its queue."""
    number = re.search(rf"/{job}/(\d+)\.log", said).group(1)
    shown = cluster.answers("scontrol", "show", "job", number)
    return int(re.search(r"Restarts=(\d+)", shown).group(1))


def test_a_controller_that_goes_away_loses_no_job(storm):
    _, said = storm
    assert said.index("Slurm does not answer") < said.index("(100%) done")


def test_a_job_that_fails_once_succeeds_on_its_retry(storm, whole):
    project, said = storm
    assert "Error in rule train_classifier" in said
    assert same(project, whole, R)


def test_a_cancelled_job_is_submitted_again(storm, whole):
    project, said = storm
    assert "SLURM status is: 'CANCELLED'" in said
    assert same(project, whole, L)


def test_a_training_on_a_node_that_goes_down_is_resumed(storm, whole):
    project, said = storm
    assert restarts(said, "0_labelled") > 0
    assert same(project, whole, LABELLED)


def test_a_training_longer_than_the_limit_goes_on_to_the_same_weights(storm, whole):
    project, said = storm
    assert restarts(said, "0_photos") > 0
    assert "pretrain_autoencoder" not in "".join(re.findall("Error in rule .*", said))
    assert same(project, whole, PHOTOS)


def test_a_killed_snakemake_run_again_submits_nothing_twice(whole, tmp_path):
    project = new(tmp_path, data=whole)
    keep = ["--slurm-keep-successful-logs"]
    with running(project, L, R, slow='{"/L/": 2}', flags=keep) as first:
        first.until(lambda: at_work(project, "0_L"), "L is at work")
        first.until((project.root / R).exists, "R is done")
        first.process.kill()
        first.process.wait()
        project.snakemake("--unlock")
        second = Run(project, L, R, flags=keep)
        assert second.ends() == 0, second.said
    assert "Waiting for Slurm's jobs of an earlier run here" in second.said
    assert "submitted with SLURM" not in second.said
    assert len(submissions(project, "train_classifier/0_L")) == 1
    assert len(submissions(project, "train_classifier/0_R")) == 1
    assert same(project, whole, L, R)


@pytest.mark.parametrize(
    ("site", "parts"),
    [
        ({"account": "nobody"}, ["Invalid account", "nobody"]),
        ({"gpu": SITE["gpu"] | {"partition": "gpuu"}}, ["invalid partition", "gpuu"]),
        ({"gpu": SITE["gpu"] | {"model": "a1000"}}, ["sbatch failed", "a1000"]),
    ],
)
def test_a_wrong_account_partition_or_gpu_is_named(whole, tmp_path, site, parts):
    project = new(tmp_path, site, whole)
    with running(project, L, flags=["--retries", "0"]) as run:
        assert run.ends(60) != 0
    assert all(part in run.said for part in parts)


def test_a_job_that_no_partition_lets_start_is_told(whole, tmp_path):
    project = new(tmp_path, {"gpu": SITE["gpu"] | {"hours": 40}}, whole)
    with running(project, L) as run:
        run.until(lambda: "will not start by itself: Partition" in run.said, "warning")


def test_a_training_asked_for_on_two_nodes_takes_all_their_gpus(whole, tmp_path):
    project = new(tmp_path, {"training": {"gpus": 2, "nodes": 2}}, whole)
    with running(project, L, flags=["--retries", "0"]) as run:
        assert run.ends(120) == 0, run.said + project.logs()
    assert (project.root / L).exists()
    for rank in range(4):
        assert f"GLOBAL_RANK: {rank}, MEMBER: {rank + 1}/4" in project.logs()
