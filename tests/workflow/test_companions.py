"""The companion studies as users meet them, without the rest of the study."""

import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from project import ROOT, Project, one_line

STUDIES = {
    "companions": {"N": {"architecture": "small_alexnet_lrn"}},
    "salient": {
        "classifiers": ["N", "R"],
        "layers": {"R": ["1", "logits"]},
        "examples": 1,
        "measured": 8,
        "batch": 4,
        "segmentation": {"path": "few", "side": 64, "iterations": 1},
        "inversion": {"images": 32, "batch": 8, "check_every": 16},
    },
    "synthesis": {
        "classifiers": ["R"],
        "judge": "L",
        "classes": ["8", "9", "4"],
        "scratch": {"steps": 4},
        "pretrained": {"steps": 4},
        "decoder": {"images": 48, "batch": 16, "check_every": 16, "corpus": "photos"},
        "filters": {"R": [{"layer": "0", "channels": 2}]},
        "compounds": [["8", "9"]],
        "beside": 2,
    },
}
"""Of R a few layers; of N what it has."""

PANELS = ["architectures", "variants", "neurons", "support", "phase", "lrn"]
FIGURES = [f"salient-{name}" for name in PANELS]
FIGURES += ["salient-selectivity", "salient-inversion", "salient-segmentation"]
FIGURES += [
    f"synthesis-{name}"
    for name in ("modes", "bias", "filters", "compounds", "measures")
]
SHEETS = [f"synthesis-sheet-R-{mode}" for mode in ("scratch", "pretrained")]
TARGETS = ["salient", "synthesis"]
TARGETS += [f"results/smoke/figures/{stem}.pdf" for stem in FIGURES + SHEETS]


@pytest.fixture(scope="module")
def companions(tmp_path_factory):
    """Both companion studies with all their figures, from nothing."""
    project = Project(tmp_path_factory.mktemp("companions"))
    whole = ROOT / "resources/demo/segmentation"
    for masks in sorted(whole.glob("masks/*"))[:2]:
        for mask in sorted(masks.glob("*.png"))[:1]:
            for kind in ("images", "masks"):
                found = next((whole / kind / masks.name).glob(f"{mask.stem}.*"))
                place = project.root / "few" / found.relative_to(whole)
                place.parent.mkdir(parents=True)
                shutil.copy(found, place)
    path = project.variant("companions", **STUDIES)
    done = project.snakemake(*TARGETS, preset=path)
    return SimpleNamespace(
        project=project,
        preset=path,
        out=done.stdout,
        results=project.root / "results/smoke",
    )


def test_they_need_the_classifiers_and_the_images_of_the_study_and_no_more(companions):
    ran = set(re.findall(r"^(?:local)?rule (\w+):", companions.out, re.M))
    rules = ROOT / "workflow/rules"
    own = "".join(
        (rules / f"{name}.smk").read_text() for name in ("salient", "synthesis")
    )
    drawn = {name.replace("-", "_") for name in FIGURES + SHEETS}
    defined = set(re.findall(r"^rule (\w+):", own, re.M))
    others = {"pack_images", "check_classes", "train_classifier"}
    assert ran == defined | drawn | others
    again = companions.project.snakemake(*TARGETS, preset=companions.preset)
    assert "Nothing to be done" in again.stdout


def test_the_main_studys_jobs_go_first(companions):
    """What the dry run says of each job: its rule, its network, its priority."""
    out = companions.project.snakemake(
        "--dry-run", "--forceall", preset=companions.preset
    ).stdout
    jobs = re.split(r"^(?:local)?rule ", out.partition("Job stats:")[2], flags=re.M)
    first, later = set(), set()
    for job in jobs[1:]:
        name = job.partition(":")[0]
        (first if re.search(r"^ +priority: 1$", job, re.M) else later).add(
            f"{name} N" if "classifier=N" in job else name
        )
    assert {"main_report", "tabulate_main_costs", "figure_9", "predict"} <= first
    assert not {"train_generator", "synthesis_modes", "segment"} & first
    assert {"reverse_network", "reverse_network N", "train_classifier N"} <= later
    assert "train_classifier" in first - later


def test_they_write_every_figure_and_table(companions):
    for figure in FIGURES + SHEETS:
        for form in ("pdf", "png", "csv"):
            assert (companions.results / f"figures/{figure}.{form}").stat().st_size > 0
    for table in ("selectivity", "inversion", "segmentation", "synthesis"):
        assert len(pd.read_csv(companions.results / f"tables/{table}.csv"))


def test_the_sought_are_the_classes_the_filters_and_the_compounds(companions):
    rows = pd.read_parquet(companions.results / "seed-0/preferred/scratch/R.parquet")
    assert rows["kind"].value_counts().to_dict() == {
        "class": 3, "filter": 2, "compound": 1,
    }  # fmt: skip
    with np.load(companions.results / "seed-0/preferred/scratch/R.npz") as arrays:
        assert arrays["pictures"].shape == (6, 32, 32, 3)


@pytest.mark.parametrize(
    ("changes", "reruns"),
    [
        ({"salient": {"measured": 6}}, {"reverse_network"}),
        ({"salient": {"segmentation": {"iterations": 2}}}, {"segment"}),
        ({"salient": {"inversion": {"learning_rate": 0.1}}}, {"train_inverse"}),
        ({"synthesis": {"scratch": {"steps": 5}}}, {"synthesise"}),
        ({"synthesis": {"decoder": {"noise": 0.2}}}, {"train_generator"}),
        ({"synthesis": {"beside": 1}}, {"rank_images"}),
    ],
)
def test_a_setting_reruns_what_reads_it_and_what_follows(companions, changes, reruns):
    path = companions.project.variant("changed", base="companions", **changes)
    slow = {"reverse_network", "segment", "train_inverse", "train_generator",
            "rank_images", "synthesise", "train_classifier"}  # fmt: skip
    follow = {"train_generator": {"synthesise"}}
    planned = set(companions.project.plan(*TARGETS, preset=path)) & slow
    assert planned == reruns | set().union(*(follow.get(one, set()) for one in reruns))


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"salient": {"classifiers": ["X"]}}, ["salient.classifiers", "'X'", "N"]),
        ({"synthesis": {"judge": "X"}}, ["synthesis.judge", "'X'"]),
        ({"companions": {"L": {"architecture": "lenet5"}}}, ["companions.L", "rename"]),
        (
            {"companions": {"baseline": {"architecture": "lenet5"}}},
            ["baseline", "rename"],
        ),
        ({"salient": {"segmentation": {"path": "no.mat"}}}, ["no.mat", "segmentation"]),
    ],
)
def test_what_they_name_and_is_not_there_is_told_in_one_line(
    companions, changes, parts
):
    path = companions.project.variant("wrong", base="companions", **changes)
    one_line(companions.project.snakemake("-n", preset=path, check=False), *parts)


def test_a_network_without_rectifiers_is_told_in_one_line(companions):
    project = companions.project
    path = project.variant("tanh", base="companions", salient={"classifiers": ["L"]})
    target = "results/smoke/seed-0/reversed/L.npz"
    done = project.snakemake(target, preset=path, check=False)
    assert done.returncode != 0
    log = project.root / "results/smoke/logs/reverse_network/seed-0/L.log"
    assert "rectifier" in log.read_text()
    assert "Traceback" not in log.read_text()
