"""A Slurm job's time limit, and when the job is requeued."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from s2snets.runtime import slurm
from s2snets.runtime.signals import EXIT_RETRY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45", 45), ("2:05", 125), ("1:00:00", 3600), ("2-03:00:01", 183601),
        ("UNLIMITED", None), ("NOT_SET", None), ("INVALID", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_slurms_times_are_read(text, expected):
    assert slurm.parse_duration(text) == expected


@pytest.mark.parametrize("name", ["study", "a|b", "s2snets_|x"])
def test_jobs_of_the_same_folder_are_found_whatever_others_are_called(tmp_path, name):
    here, other = tmp_path / name, tmp_path / "other"
    here.mkdir()
    (tmp_path / "link").symlink_to(here)
    lines = [
        f"1|{here}|s2snets_4f5a", f"2|{here}|train|s2snets_x", f"3_7|{here}|s2snets_9d",
        f"4|{other}|s2snets_4f5a", f"5|{here}|a|b|c", f"6|{tmp_path}/link|s2snets_4f5a",
        "7|", "", f"8|{here}|",
    ]  # fmt: skip
    assert slurm.jobs_submitted_in(str(here), "\n".join(lines)) == ["1", "3_7", "6"]


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job with a second left, whose requeuing is noted."""
    noted = []
    answers = {"%L": "1", "%T": "RUNNING"}
    monkeypatch.setattr(slurm, "query_job", answers.get)
    monkeypatch.setattr(slurm, "requeue", lambda: noted.append("again"))
    before = signal.getsignal(signal.SIGUSR1)
    yield SimpleNamespace(folder=tmp_path, noted=noted, answers=answers)
    signal.signal(signal.SIGUSR1, before)


def checkpoint_path(job):
    return job.folder / "checkpoint.pt"


def requeued(job):
    return slurm.requeue_at_time_limit(checkpoint_path(job))


def train(job, checkpoint=True):
    if checkpoint:
        checkpoint_path(job).touch()
    job.answers["%L"] = "0"
    time.sleep(30)


def test_a_training_that_ran_out_of_time_goes_back_into_the_queue(job):
    with pytest.raises(SystemExit) as end, requeued(job):
        train(job)
    assert end.value.code == EXIT_RETRY
    assert job.noted == ["again"]


def test_without_a_checkpoint_it_fails_instead(job):
    with pytest.raises(SystemExit), requeued(job):
        train(job, checkpoint=False)
    assert not job.noted


def test_a_job_whose_end_has_come_is_left_to_snakemake(job):
    job.answers["%T"] = "TIMEOUT"
    with pytest.raises(SystemExit), requeued(job):
        train(job)
    assert not job.noted


def test_another_signal_or_failure_requeues_nothing(job):
    job.answers["%L"] = "1:00:00"

    def stopped():
        checkpoint_path(job).touch()
        sys.exit(EXIT_RETRY)

    with pytest.raises(SystemExit), requeued(job):
        stopped()
    assert not job.noted


def test_outside_of_slurm_a_training_is_as_it_was(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    before = signal.getsignal(signal.SIGUSR1)
    with slurm.requeue_at_time_limit(Path("checkpoint.pt")):
        assert signal.getsignal(signal.SIGUSR1) is before
    slurm.launch_on_all_gpus()


def test_a_job_of_many_gpus_starts_itself_on_each(monkeypatch):
    monkeypatch.setattr(slurm, "query_job", {"%D %C": "2 24"}.get)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "stage", "--seed", "0"])
    started = []
    monkeypatch.setattr(os, "execvp", lambda _, command: started.append(command))
    slurm.launch_on_all_gpus()
    assert {"--nodes=2", "--ntasks-per-node=4", "--cpus-per-task=3"} < set(started[0])
    assert started[0][-5:] == [sys.executable, "-m", "stage", "--seed", "0"]
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "8")
    slurm.launch_on_all_gpus()
    assert len(started) == 1


def test_a_silent_slurm_is_no_answer(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setattr(slurm.shutil, "which", lambda _: "squeue")

    def silent(*_, **__):
        raise subprocess.TimeoutExpired("squeue", 60)

    monkeypatch.setattr(subprocess, "run", silent)
    assert slurm.query_job("%L") is None
