"""Does today's training code still give the weights that an earlier commit's gave?

    python benchmarks/same_training.py COMMIT

trains the demo's networks and autoencoders on few of its images with the code of both
commits, in checkouts of their own. Each stage whose weights are all equal to the bit is
a row of ``results/same_training.csv``; documents whose numbers come from the earlier
code then count as of today's, and need no run of hours. Exits with 1 if weights differ.
"""

import argparse
import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import yaml
from common import RESULTS
from snakemake.utils import update_config

from s2snets.runtime.files import read_json, replacing

ROOT = Path(__file__).parents[1]
TABLE = RESULTS / "same_training.csv"
STUDY = "same_training"
FEW: dict[str, Any] = {
    "train": {"images": 640},
    "pretrain": {
        "validation_images": 50,
        "photos": {"images": 480},
        "labelled": {"images": 480},
    },
    "finetune": {"images": 480},
}
"""Images that each training sees; its other settings are the demo's."""
KEPT = ("image_size", "resize_mode", "data", "classifiers", "train", "autoencoder")
KEPT += ("pretrain", "finetune")


def settings(demo: dict[str, Any]) -> dict[str, Any]:
    """Return the demo's settings of its trainings, with few images."""
    study = copy.deepcopy({key: demo[key] for key in KEPT}) | {"study": STUDY}
    for source in (*study["data"]["train"], *study["data"]["validation"]):
        source["images"] = 400
    for source in (*study["data"]["photos"], *study["data"]["photos_validation"]):
        source["crops"]["count"] = 3
    update_config(study, FEW)
    return study


def train(checkout: Path, demo: dict[str, Any]) -> Path:
    """Make the trainings of a checkout; return its results."""
    config = checkout / f"{STUDY}.yaml"
    config.write_text(yaml.safe_dump(settings(demo), sort_keys=False))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile"]
    environment = {**os.environ, "PYTHONPATH": "workflow", "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*command, str(config), "--", "finetuning"],
        cwd=checkout, check=True, env=environment,
    )  # fmt: skip
    return checkout / "results" / STUDY


def compare(before: Path, after: Path) -> Iterator[dict[str, Any]]:
    """Yield for each stage that trains how many of its weights are equal to the bit.

    Args:
        before: results of the earlier commit.
        after: results of the later one, of the same trainings.

    Yields:
        Stage, number of trainings, of which equal; code and commit of both; processor.
    """
    paths = sorted(path.relative_to(before) for path in before.rglob("record.json"))
    rows = []
    for path in paths:
        weights = path.with_name("weights.safetensors")
        if not (before / weights).exists():
            continue
        old, new = read_json(before / path), read_json(after / path)
        same = (before / weights).read_bytes() == (after / weights).read_bytes()
        rows.append(
            {
                "stage": old["stage"], "equal": same,
                "code_before": old["code"], "code_after": new["code"],
                "commit_before": old["commit"], "commit_after": new["commit"],
                "device": new["device"],
            }
        )  # fmt: skip
    keys = [key for key in rows[0] if key != "equal"]
    for group, stage in pd.DataFrame(rows).groupby(keys, sort=False)["equal"]:
        values = dict(zip(keys, group, strict=True))
        yield values | {"trainings": len(stage), "equal": int(stage.sum())}


def main() -> int:
    """Compare two commits' trainings, and record the stages that are equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commit", help="the earlier one; the later one is HEAD")
    commit = parser.parse_args().commit
    with TemporaryDirectory() as folder:
        results = []
        demo = None
        for name in (commit, "HEAD"):
            checkout = Path(folder) / name.replace("/", "-")
            subprocess.run(
                ["git", "clone", "--quiet", "--no-checkout", str(ROOT), str(checkout)],
                check=True,
            )
            subprocess.run(
                ["git", "checkout", "--quiet", name], cwd=checkout, check=True
            )
            demo = demo or yaml.safe_load((checkout / "config/demo.yaml").read_text())
            results.append(train(checkout, demo))
        found = pd.DataFrame(compare(*results))
    print(found.to_string(index=False))
    equal = found[found["equal"] == found["trainings"]]
    changed = equal[equal["code_before"] != equal["code_after"]]
    known = pd.read_csv(TABLE) if TABLE.exists() else changed[:0]
    rows = pd.concat([known, changed]).drop_duplicates()
    with replacing(TABLE) as draft:
        rows.to_csv(draft, index=False)
    return int(len(equal) < len(found))


if __name__ == "__main__":
    sys.exit(main())
