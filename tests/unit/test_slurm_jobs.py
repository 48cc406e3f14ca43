"""A Slurm job's time, and when it asks for more."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from s2snets.runtime import slurm


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45", 45), ("2:05", 125), ("1:00:00", 3600), ("2-03:00:01", 183601),
        ("UNLIMITED", None), ("NOT_SET", None), ("INVALID", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_slurms_times_are_read(text, expected):
    assert slurm.seconds(text) == expected


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job with seconds left, its requeuing noted."""
    noted = []
    answers = {"%L": "1", "%T": "RUNNING"}
    monkeypatch.setattr(slurm, "ask", answers.get)
    monkeypatch.setattr(slurm, "requeue", lambda: noted.append("again"))
    before = signal.getsignal(signal.SIGUSR1)
    yield SimpleNamespace(
        weights=tmp_path / "weights.safetensors", noted=noted, answers=answers
    )
    signal.signal(signal.SIGUSR1, before)


def train(job, checkpoint=True):
    if checkpoint:
        job.weights.with_name("checkpoint.pt").touch()
    job.answers["%L"] = "0"
    time.sleep(30)


def test_a_training_that_ran_out_of_time_goes_back_into_the_queue(job):
    with pytest.raises(SystemExit) as end:
        slurm.continued(train)(job)
    assert end.value.code == slurm.AGAIN
    assert job.noted == ["again"]


def test_without_a_checkpoint_it_fails_instead(job):
    with pytest.raises(SystemExit):
        slurm.continued(train)(job, checkpoint=False)
    assert not job.noted


def test_a_job_whose_end_has_come_is_left_to_snakemake(job):
    job.answers["%T"] = "TIMEOUT"
    with pytest.raises(SystemExit):
        slurm.continued(train)(job)
    assert not job.noted


def test_another_signal_or_failure_requeues_nothing(job):
    job.answers["%L"] = "1:00:00"

    def stopped(job):
        job.weights.with_name("checkpoint.pt").touch()
        sys.exit(slurm.AGAIN)

    with pytest.raises(SystemExit):
        slurm.continued(stopped)(job)
    assert not job.noted


def test_outside_of_slurm_a_training_is_as_it_was(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert slurm.continued(lambda job: "done")(None) == "done"
    slurm.spread()


def test_a_job_of_many_gpus_starts_itself_on_each(monkeypatch):
    monkeypatch.setattr(slurm, "ask", {"%D %C": "2 24"}.get)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "stage", "--seed", "0"])
    started = []
    monkeypatch.setattr(os, "execvp", lambda _, command: started.append(command))
    slurm.spread()
    assert {"--nodes=2", "--ntasks-per-node=4", "--cpus-per-task=3"} < set(started[0])
    assert started[0][-5:] == [sys.executable, "-m", "stage", "--seed", "0"]
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "8")
    slurm.spread()
    assert len(started) == 1


def test_a_silent_slurm_is_no_answer(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setattr(slurm.shutil, "which", lambda _: "squeue")

    def silent(*_, **__):
        raise subprocess.TimeoutExpired("squeue", 60)

    monkeypatch.setattr(subprocess, "run", silent)
    assert slurm.ask("%L") is None
