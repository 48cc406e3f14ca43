"""Would another run have said the same? The table of docs/repetition.md.

    PYTHONPATH=workflow nice -n 19 python benchmarks/repetition.py run
    PYTHONPATH=workflow python benchmarks/repetition.py tabulate

``run`` makes the demo's main study again with one thing changed: the threads of a job,
the processor's instructions, the seed of everything, three replicates of the
fine-tuning, or the precision of the autoencoders' trainings. Called again, it goes on
where it was stopped. ``tabulate`` compares those that are finished with
``results/demo`` and writes the table into docs/repetition.md.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from common import markdown, write_tables
from snakemake.utils import update_config

from s2snets.config import load
from s2snets.report.readme import digests
from s2snets.runtime.files import read_json, replacing
from s2snets.runtime.tables import read_csv

ROOT = Path(__file__).parents[1]
DOC = ROOT / "docs/repetition.md"
FOLDER = Path("results/repetition")
DEMO = Path("results/demo")

BFLOAT16 = {"precision": "bf16-mixed"}
TRAININGS = ("train_classifier", "pretrain_autoencoder", "finetune_autoencoder")


@dataclass(frozen=True)
class Variation:
    """What is changed in a run of the demo's main study."""

    title: str
    settings: dict[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()  # of Snakemake
    least_cores: int = 1
    environment: dict[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ("compare_with_paper", "lattices")


VARIATIONS = {
    "threads": Variation(
        "two threads a training",
        options=("--set-threads", *(f"{name}=2" for name in TRAININGS)),
        least_cores=2,  # with fewer, Snakemake takes one thread
    ),
    "instructions": Variation(
        "instructions of SSE4.1 only",
        environment={
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        },
    ),
    "seed": Variation("another seed of everything", {"seeds": [1]}),
    "replicates": Variation(
        "three replicates of fine-tuning",
        {"finetune": {"replicates": 3}},
        targets=("report",),
    ),
    "bfloat16": Variation(
        "autoencoders trained in bfloat16",
        {"pretrain": {"photos": BFLOAT16}, "finetune": BFLOAT16},
    ),
}


def settings(name: str) -> dict[str, Any]:
    """Return the demo's settings, its main study alone, with a variation's changes."""
    values = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    values |= {"study": f"repetition_{name}", "lighter": []}
    update_config(values, VARIATIONS[name].settings)
    for section in ("companions", "salient", "synthesis"):
        values.pop(section, None)
    load(values, name)
    return values


def run(names: list[str], cores: int) -> None:
    """Make each variation's tables, in its own run of Snakemake."""
    for name in names:
        path = FOLDER / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_text(yaml.safe_dump(settings(name), sort_keys=False))
        given = max(cores, VARIATIONS[name].least_cores)
        command = [sys.executable, "-m", "snakemake", "--cores", str(given)]
        command += ["--configfile", str(path), "--rerun-incomplete"]
        command += [*VARIATIONS[name].options, "--", *VARIATIONS[name].targets]
        subprocess.run(
            command, check=True, env=os.environ | VARIATIONS[name].environment
        )


def orders(folder: Path) -> pd.Series:
    """Return which of two networks' signals serves more others, by threshold and pair.

    Returns:
        Index threshold, network, other (in alphabetical order); 1, 0 or -1.
    """
    table = read_csv(folder / "tables/orders.csv")
    pair, sign = np.sort(table[["network", "other"]], axis=1), np.sign
    turned = np.where(pair[:, 0] == table["network"], 1, -1)
    keys = [table["threshold"], pair[:, 0], pair[:, 1]]
    return pd.Series((sign(table["difference"]) * turned).to_numpy(), index=keys)


def lattices(folder: Path) -> dict[float, Any]:
    """Return which autoencoder serves which network, by threshold."""
    found = read_json(folder / "tables/lattices.json")
    return {one["threshold"]: one["relation"] for one in found}


def verdicts(folder: Path) -> pd.DataFrame:
    """Return the verdicts on claims of the demo (ours) and of a run (theirs), by id."""
    tables = {
        name: read_csv(base / "tables/comparison.csv").set_index("id")
        for name, base in (("ours", DEMO), ("theirs", folder))
    }
    judged = tables["ours"]["kind"] == "claim"
    columns = {name: table["verdict"] for name, table in tables.items()}
    return pd.DataFrame(columns)[judged]


def reversed_claims(judged: pd.DataFrame) -> list[str]:
    """Return the ids of the claims that hold in one of two runs and fail in the other.

    Args:
        judged: as ``verdicts`` returns it.
    """
    opposite = judged.apply(lambda row: {*row} == {"holds", "fails"}, axis=1)
    return list(judged.index[opposite])


def differences(folder: Path) -> dict[str, Any]:
    """Return how a run differs from the demo in numbers, orders and verdicts.

    Args:
        folder: the run's results.

    Returns:
        By column of the table: the greatest difference of an accuracy behind an
        autoencoder without noise, in percentage points; the accuracies outside the
        demo's 95 % interval; the greatest difference of an RRC; the pairs of networks,
        at all thresholds, whose order is reversed, and those that have lost theirs; the
        lattices that are the same; the claims that hold in one and fail in the other,
        and those of another verdict.
    """

    def both(name: str, keys: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
        ours, theirs = (
            read_csv(base / "tables" / name).set_index(keys) for base in (DEMO, folder)
        )
        return ours, theirs.loc[ours.index]

    ours, theirs = both("accuracy.csv", ["label", "classifier", "noise", "strength"])
    chosen = ours["source"].ne("original") & (ours.index.get_level_values(3) == 0)
    ours, theirs = ours[chosen], theirs[chosen]
    moved = 100 * (theirs["top1"] - ours["top1"]).abs()
    outside = ~theirs["top1"].between(ours["top1_low"], ours["top1_high"])
    rrc, other_rrc = both("rrc.csv", ["autoencoder", "classifier"])
    pairs = orders(DEMO)
    product = pairs * orders(folder)
    same = [
        lattices(folder)[one] == relation for one, relation in lattices(DEMO).items()
    ]
    judged = verdicts(folder)
    opposite = reversed_claims(judged)
    changed = judged["ours"] != judged["theirs"]
    return {
        "Table 2 moves by up to": f"{moved.max():.1f} points",
        "outside the interval": f"{outside.sum()} of {len(outside)}",
        "RRC moves by up to": f"{(other_rrc['rrc'] - rrc['rrc']).abs().max():.2f}",
        "orders reversed": f"{(product < 0).sum()} of {len(pairs)}",
        "orders tied": f"{((product == 0) & (pairs != 0)).sum()}",
        "same lattice": f"{sum(same)} of {len(same)}",
        "verdicts reversed": f"{len(opposite)} of {len(judged)}",
        "other verdicts changed": f"{changed.sum() - len(opposite)}",
    }


def agreement(folder: Path) -> pd.DataFrame:
    """Return what a run's trainings agree on, by threshold.

    Args:
        folder: results with several replicates.
    """
    order = read_csv(folder / "tables/orders.csv")
    order = order[order["established"]]
    pairs = (order["network"] + " > " + order["other"]).groupby(order["threshold"])
    table = read_csv(folder / "tables/agreement.csv")
    return pd.DataFrame(
        {
            "threshold": table["threshold"],
            "Kendall's W": table["kendall_w"].round(2),
            "trainings with the mean's lattice": [
                f"{share:.0%}" for share in table["lattice_share"]
            ],
            "established in all": table["threshold"].map(pairs.agg(", ".join)),
        }
    ).fillna("–")


def tables() -> str:
    """Return the tables of all finished runs, as Markdown.

    Raises:
        FileNotFoundError: no run is finished.
    """
    rows, named, made, codes = [], [], set(), {digests(DEMO)}
    for name, variation in VARIATIONS.items():
        folder = Path(f"results/repetition_{name}")
        if (folder / "tables/comparison.csv").exists():
            rows.append({"changed": variation.title} | differences(folder))
            if claims := reversed_claims(verdicts(folder)):
                listed = ", ".join(f"`{claim}`" for claim in claims)
                named.append(f"Reversed by {variation.title}: {listed}.")
            (path,) = folder.glob("seed-*/predictions/pretrained.json")
            record = read_json(path)
            made.add(f"{record['commit']} on {record['device']}")
            codes.add(digests(folder))
    if not rows:
        raise FileNotFoundError(
            "no run is finished: python benchmarks/repetition.py run"
        )
    lines = [f"Made by commit {' and '.join(sorted(made))}."]
    lines += ["", *markdown(pd.DataFrame(rows)), ""]
    for sentence in named:
        lines += [sentence, ""]
    replicates = Path("results/repetition_replicates")
    if (replicates / "tables/comparison.csv").exists():
        lines += ["What the three replicates agree on:", ""]
        lines += [*markdown(agreement(replicates)), ""]
    return "\n".join([*lines, *sorted(codes), ""])


def main() -> None:
    """Run the variations, or write their table into the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["run", "tabulate"])
    parser.add_argument(
        "--only", nargs="+", choices=list(VARIATIONS), default=list(VARIATIONS)
    )
    parser.add_argument("--cores", type=int, default=1)
    options = parser.parse_args()
    if options.what == "run":
        run(options.only, options.cores)
    else:
        write_tables(DOC, tables())


if __name__ == "__main__":
    main()
