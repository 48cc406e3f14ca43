"""The workflow as a module of another one, as docs/module.md has it."""

import json
import os
import re
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from project import ROOT, Project, merged, one_line

BEFORE = """
import sys

before = list(sys.path)
"""
AFTER = """
import json
from pathlib import Path

Path("seen.json").write_text(
    json.dumps({"config": config, "added": [p for p in sys.path if p not in before]})
)


rule report:
    output:
        "{seed}.txt",
    shell:
        "echo $PATH > {output}"
"""
TWO_STUDIES = """
configfile: "config.yaml"

module one:
    snakefile: "s2snets/Snakefile"
    config: config["study"]
    prefix: "networks"

module two:
    snakefile: "s2snets/Snakefile"
    config: config["study"]
    pathvars:
        results="second",

use rule * from one as one_*
use rule * from two as two_*
use rule predict from two as two_predict with:
    threads: 2
"""
FEWER = {
    "lighter": [],
    "denoise": {"methods": ["median"]},
    "finetune": {"parts": ["decoder"], "replicates": 1},
}
"""Changes to the smoke study that leave out what is no different in a module."""


class Importer(Project):
    """A folder with a workflow of its own, and the project cloned into `s2snets`."""

    def __init__(self, root):
        self.root = root
        (root / "s2snets").mkdir()
        Project(root / "s2snets")
        smoke = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
        for sources in smoke["data"].values():
            for source in sources if isinstance(sources, list) else ():
                for key in {"path", "labels"} & source.keys():
                    source[key] = str(ROOT / source[key])
        self.config = {"study": merged(smoke, FEWER), "colour": "red"}
        (root / "config.yaml").write_text(yaml.safe_dump(self.config))

    def snakemake(self, *arguments, preset="config.yaml", **options):
        """Run the importer's Snakefile with its own settings."""
        return super().snakemake(*arguments, preset=preset, **options)


@pytest.fixture(scope="module")
def importer(tmp_path_factory):
    """The Snakefile of docs/module.md, run from nothing to its end."""
    importer = Importer(tmp_path_factory.mktemp("importer"))
    document = (ROOT / "docs/module.md").read_text()
    example = re.search(r"```python\n(.*?)```", document, re.S)[1]
    (importer.root / "Snakefile").write_text(BEFORE + example + AFTER)
    with pytest.MonkeyPatch.context() as patch:
        # As in an activated environment with the clone's library installed.
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        patch.setenv("PYTHONPATH", str(importer.root / "s2snets/workflow"))
        importer.path = os.environ["PATH"]
        importer.out = importer.snakemake("all", "north.txt").stdout
        yield importer


def test_results_lie_below_the_prefix(importer):
    results = importer.root / "networks/results/smoke"
    assert "data:image/png" in (results / "report.html").read_text()
    assert len(pd.read_csv(results / "tables/costs.csv"))
    assert (results / "figures/figure-6.pdf").exists()
    assert {path.name for path in importer.root.iterdir()} == {
        ".snakemake", "Snakefile", "accuracy.csv", "config.yaml", "networks",
        "north.txt", "s2snets", "seen.json",
    }  # fmt: skip
    assert [path.name for path in (importer.root / "networks").iterdir()] == ["results"]
    assert not (importer.root / "s2snets/results").exists()


def test_nothing_leaks_into_the_importer(importer):
    # The wildcard `seed` takes a word, and a rule may be named as one of the module's.
    assert (importer.root / "north.txt").read_text().strip() == importer.path
    seen = json.loads((importer.root / "seen.json").read_text())
    assert seen["config"] == importer.config
    clone = importer.root / "s2snets"
    assert set(seen["added"]) == {str(clone), str(clone / "workflow/rules")}
    assert "localrules" not in importer.out


def test_a_second_run_has_nothing_to_do(importer):
    assert not importer.plan()


def test_snakemakes_own_report_finds_the_captions(importer):
    importer.snakemake("--report", "snakemake.html")
    page = (importer.root / "snakemake.html").read_text()
    assert '"caption": "<p>Top-1 accuracy' in page
    (importer.root / "snakemake.html").unlink()


def test_two_studies_and_a_changed_rule(tmp_path):
    importer = Importer(tmp_path)
    (tmp_path / "Snakefile").write_text(TWO_STUDIES)
    costs = "networks/results/smoke/tables/costs.csv", "second/tables/costs.csv"
    plan = importer.plan(*costs)
    assert plan["one_predict"] == plan["two_predict"] == 4
    assert plan["one_pack_images"] == plan["two_pack_images"] == 4
    out = importer.snakemake(*costs, "--dry-run").stdout
    jobs = re.findall(r"rule (\w+_predict):(?:\n    .*)*\n    threads: 2", out)
    assert set(jobs) == {"two_predict"}


def test_a_module_without_settings_is_refused(tmp_path):
    importer = Importer(tmp_path)
    text = TWO_STUDIES.replace('    config: config["study"]\n', "", 1)
    (tmp_path / "Snakefile").write_text(text)
    done = importer.snakemake("--dry-run", check=False)
    one_line(done, "config of module one: ", "study: is missing")
