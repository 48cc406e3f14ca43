"""The addition that CONTRIBUTING.md records: a stage, its table and a figure of it."""

import re
import subprocess
from pathlib import Path

import pandas as pd

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()


def test_the_recorded_addition_of_a_stage_and_a_figure_works(copy):
    diff = re.search(r"```diff\n(.*?)```", TEXT, re.S)[1]
    assert 0 < len(re.findall(r"^\+\+\+ ", diff, re.M)) <= 3
    subprocess.run(["git", "apply"], input=diff, text=True, cwd=copy.root, check=True)
    ran = re.findall(r"^(?:local)?rule (\w+):", copy.snakemake().stdout, re.M)
    assert sorted(ran) == ["all", "report", "tabulate_usefulness", "usefulness"]

    results = copy.root / "results/smoke"
    table2 = pd.read_csv(results / "tables/table2.csv", index_col="autoencoder")
    for form in ("csv", "pdf", "png"):
        assert (results / f"figures/usefulness.{form}").stat().st_size > 0
    drawn = pd.read_csv(results / "figures/usefulness.csv", index_col="autoencoder")
    assert drawn.loc["A_L", "mean"] == table2.loc["A_L", "R"]
    assert "Usefulness of each autoencoder" in (results / "report.html").read_text()
