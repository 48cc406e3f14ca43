"""The profiles fit the rules."""

import re

import pytest
import yaml
from project import ROOT, Project
from snakemake.profiles import ProfileConfigFileParser

RULES = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
BODIES = dict(re.findall(r"^rule (\w+):\n(.*?)(?=^\S)", RULES, re.M | re.S))
for base, name in re.findall(r"^use rule (\w+) as (\w+) with:", RULES, re.M):
    BODIES[name] = BODIES[base]


def profile(name, monkeypatch):
    """A profile as Snakemake reads it; nested keys as ``rule:resource=value`` lines."""
    monkeypatch.chdir(ROOT)
    with (ROOT / f"workflow/profiles/{name}/profile.yaml").open() as stream:
        return ProfileConfigFileParser().parse(stream)


@pytest.mark.parametrize("name", ["slurm", "workstation"])
def test_every_rule_that_a_profile_names_exists(name, monkeypatch):
    found = profile(name, monkeypatch)
    lines = [*found["set-threads"], *found.get("set-resources", [])]
    named = {re.split("[:=]", line)[0] for line in lines}
    named |= set(filter(None, found.get("slurm-array-jobs", "").split(",")))
    assert named <= set(BODIES)


def test_every_rule_with_a_gpu_goes_to_the_gpus(monkeypatch):
    lines = profile("slurm", monkeypatch)["set-resources"]
    gpu = {rule for rule, body in BODIES.items() if "gpu=1" in body}
    assert len(gpu) > 5
    assert {line.split(":")[0] for line in lines if "partition=gpu" in line} == gpu


def test_every_job_of_a_rule_that_is_submitted_has_an_hour_that_its_partition_has(
    monkeypatch,
):
    lines = profile("slurm", monkeypatch)["set-resources"]
    timed = {line.split(":")[0] for line in lines if ":runtime=" in line}
    assert {rule for rule, body in BODIES.items() if "threads: 1" in body} <= timed


def test_the_slurm_profile_plans_from_a_fresh_clone(tmp_path):
    project = Project(tmp_path)
    (tmp_path / "slurm").symlink_to("workflow/profiles/slurm")
    path = tmp_path / "slurm/cluster.yaml"
    site = yaml.safe_load(path.read_text()) | {"account": "vision"}
    site["gpu"]["model"] = "a100"
    site["training"] = {"gpus": 4, "nodes": 2}
    path.write_text(yaml.safe_dump(site))
    out = project.snakemake("--profile", "slurm", "--dry-run").stdout
    assert "workflow specific profile profiles/default" in out
    block = re.search(r"rule pretrain_autoencoder:\n(?:    .*\n)+", out)[0]
    for part in ("gres=gpu:a100:4", "nodes=2", "tasks_per_node=4", "slurm_account=vision",
                 "slurm_partition=gpu", "runtime=1440", "mem_mb=128000"):  # fmt: skip
        assert part in block
    assert "gpu_model=a100" in re.search(r"rule predict:\n(?:    .*\n)+", out)[0]


def test_a_users_own_profile_keeps_its_say_beside_the_default_one(tmp_path):
    project = Project(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/profile.yaml").write_text("set-threads: {pack_images: 2}\n")
    out = project.snakemake("data", "--profile", "mine", "--dry-run").stdout
    assert "profile mine" in out
    assert "profiles/default" in out
    assert "threads: 2" in out
