"""Progress of a study: jobs done, running and left."""

import base64
from pathlib import Path

import pytest

from s2snets.runtime.errors import UserError
from s2snets.study import status

PLAN = """Building DAG of jobs...
[today]
rule train:
    input: data.npz
    output: {folder}/a.pt, {folder}/a.csv
    log: a.log
    jobid: 1
    benchmark: {folder}/a.tsv
    wildcards: name=a
    resources: tmpdir=<TBD>, gpu=2, mem_mb=1

rule train:
    output: {folder}/b.pt
    benchmark: {folder}/b.tsv
    resources: gpu=2

localrule table:
    output: table.csv
    resources: mem_mb=1

localrule all:
    input: table.csv
"""


def test_a_dry_runs_jobs_are_read_and_the_rest_is_estimated(tmp_path):
    every = status.parse_jobs(PLAN.format(folder=tmp_path))
    assert [job.rule for job in every.values()] == ["train", "train", "table"]
    assert every[f"{tmp_path}/a.pt"].gpus == 2
    left = {name: job for name, job in every.items() if "a.pt" not in name}
    (tmp_path / "a.tsv").write_text("s\tcpu_time\n1800\t9\n")
    rows = status.count_jobs(every, left, {f"{tmp_path}/b.pt"}).set_index("rule")
    assert rows.loc["train", ["done", "running", "left"]].tolist() == [1, 1, 1]
    assert rows.loc["train", "gpu_hours_left"] == pytest.approx(1.0)
    told = status.format_status(rows.reset_index(), ["2 pending Resources"])
    assert "2 of 3 jobs left, 1.0 GPU-hours\nSlurm: 2 pending Resources" in told
    unknown = status.format_status(status.count_jobs(every, every, set()), [])
    assert "and those of train" in unknown


@pytest.mark.parametrize(
    ("asked", "gpus"),
    [
        ("gpu=0, mpi=srun, nodes=2, tasks_per_node=4", 8),
        ("gpu=0, mpi=srun, nodes=8, tasks=8", 8),
        ("gpu=1, nodes=1", 1),
        ("mem_mb=1", 0),
    ],
)
def test_a_job_on_several_nodes_counts_its_tasks(asked, gpus):
    text = f"rule train:\n    output: a\n    resources: {asked}\n"
    assert status.parse_jobs(text)["a"].gpus == gpus


def test_begun_jobs_count_while_a_snakemake_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    marker = base64.urlsafe_b64encode(b"results/a.pt").decode()
    for path in (status.INCOMPLETE / marker, status.LOCKS / "0.input.lock"):
        path.parent.mkdir(parents=True)
        path.touch()
    assert status.started_outputs() == {"results/a.pt"}
    Path(status.LOCKS / "0.input.lock").unlink()
    assert status.started_outputs() == set()


def test_a_study_that_cannot_be_planned_is_a_mistake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="Snakemake cannot plan the study"):
        status.status([])
