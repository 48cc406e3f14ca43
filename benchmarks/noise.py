"""Is it the clipping, the background, or A_S's error? The tables of docs/noise.md.

    PYTHONPATH=workflow nice -n 19 python benchmarks/noise.py run
    PYTHONPATH=workflow python benchmarks/noise.py tabulate

``run`` writes images and settings to ``results/noise`` and has Snakemake make each
study up to its predictions under noise; called again, it goes on where it was stopped.
``--studies`` and ``--cores`` choose what is run, and on how many. ``tabulate`` writes
the tables into docs/noise.md, from all the studies that are finished.
"""

import argparse
import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from common import markdown, write_tables

from s2snets.config import Study, load
from s2snets.data.sources import read_idx
from s2snets.measure.accuracy import rows_under_noise, score
from s2snets.measure.bootstrap import interval, resample
from s2snets.report.readme import digests
from s2snets.runtime.files import read_json, replacing
from s2snets.runtime.tables import SCORED_COLUMNS, read_csv, read_rows

ROOT = Path(__file__).parents[1]
DOC = ROOT / "docs/noise.md"
FOLDER = Path("results/noise")
FASHION = Path("resources/demo/fashion-mnist")

SIDE = 32
PIXELS = {"black": 0, "grey": 128}
"""Level of what is black in Fashion-MNIST, in studies of these images."""
BACKGROUNDS = {
    "black": "black (Fashion-MNIST)",
    "grey": "mid-grey (Fashion-MNIST, black pixels replaced)",
    "demo": "the demo's images",
}
STUDIES = (*BACKGROUNDS, "sizes")
SIZES = [(16, 1), (16, 2), (16, 3), (16, 5), (32, 2), (64, 2)]
"""Widths and stages of A_S on the demo's images, in a study of their own."""
STRENGTHS = [0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0]
REPLICATES = 3


def write_images(value: int, folder: Path) -> None:
    """Write Fashion-MNIST in frames of 32 pixels, what is black in another grey.

    Args:
        value: the grey of the background, 0 to 255.
        folder: for an IDX file of each set.
    """
    for path in sorted(FASHION.glob("*-images-idx3-ubyte.xz")):
        images = read_idx(path)
        border = (SIDE - images.shape[1]) // 2
        framed = np.pad(images, [(0, 0), (border, border), (border, border)])
        head = bytes([0, 0, 8, 3]) + np.array(framed.shape, ">u4").tobytes()
        with replacing(folder / path.stem) as draft:
            draft.write_bytes(head + np.where(framed, framed, value).tobytes())


def fashion(folder: Path) -> dict[str, Any]:
    """Return the settings of the image sets: a quarter of the corpus is photographs."""

    def crops(name: str) -> dict[str, Any]:
        cut = {"count": 60, "side": [0.25, 0.75], "size": SIDE}
        return {"path": f"resources/demo/photographs/{name}", "crops": cut}

    def labelled(name: str) -> dict[str, str]:
        labels = str(FASHION / f"{name}-labels-idx1-ubyte.xz")
        return {"path": str(folder / f"{name}-images-idx3-ubyte"), "labels": labels}

    unlabelled = str(folder / "unlabelled-images-idx3-ubyte")
    return {
        "train": [labelled("train")],
        "validation": [labelled("validation")],
        "photos": [crops("train"), {"path": unlabelled, "repeat": 5}],
        "photos_validation": [crops("validation")],
    }


def settings(name: str) -> dict[str, Any]:
    """Return the demo's settings with a study's images, or with its sizes of A_S."""
    demo = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    values = copy.deepcopy(demo) | {"study": f"noise_{name}", "lighter": []}
    if name in PIXELS:
        values["data"] = values["data"] | fashion(FOLDER / name)
    if name == "sizes":
        sizes = [{"width": width, "stages": stages} for width, stages in SIZES]
        values["lighter"] = [one for one in sizes if one != values["autoencoder"]]
    else:
        values["finetune"] |= {"replicates": REPLICATES}
    values["predict"] |= {"strengths": STRENGTHS, "clip": [True, False]}
    for section in ("companions", "salient", "synthesis"):
        values.pop(section, None)
    load(values, name)
    return values


def run(studies: list[str], cores: int) -> None:
    """Make each study's predictions, in its own run of Snakemake."""
    for name, value in PIXELS.items():
        if name in studies and not (FOLDER / name).is_dir():
            write_images(value, FOLDER / name)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in studies:
        values = settings(name)
        path = FOLDER / f"{name}.yaml"
        with replacing(path) as draft:
            draft.write_text(yaml.safe_dump(values, sort_keys=False))
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores)]
        command += ["--configfile", str(path), "--rerun-incomplete", "--"]
        target = "lighter" if values["lighter"] else "predictions"
        subprocess.run([*command, target], check=True)


def effects(table: pd.DataFrame, chance: float) -> Iterator[dict[str, Any]]:
    """Yield for each noise and source how often it raises accuracy, and by how much.

    A cell is a network at a strength s > 0. It counts unless both accuracies are below
    twice chance.

    Args:
        table: ``noise.csv`` of a study.
        chance: the accuracy of guessing.
    """
    keys = ["classifier", "noise", "strength"]
    noisy = table[table["strength"] > 0]
    originals = noisy[noisy["input"] == "original"].set_index(keys)["top1"]
    for (kind, source), rows in noisy.groupby(["noise", "input"], sort=False):
        if source == "original":
            continue
        before = originals.loc[pd.MultiIndex.from_frame(rows[keys])].to_numpy()
        rows = rows[np.maximum(rows["top1"], before) >= 2 * chance]
        gain = rows["top1_difference"]
        yield {
            "noise": kind,
            "source": source,
            "cells": len(rows),
            "above": int((gain > 0).sum()),
            "surely above": int((rows["top1_difference_low"] > 0).sum()),
            "surely below": int((rows["top1_difference_high"] < 0).sum()),
            "mean gain": 100 * gain.mean(),
        }


def size_effects(study: Study) -> Iterator[dict[str, Any]]:
    """Yield for each finished size of A_S its error, and its gain under either noise.

    The gain is that in top-1 over the noisy originals, a mean over networks and s > 0;
    its interval is paired over images.
    """
    base = Path("results") / study.study / "seed-0"
    sizes = {"pretrained": study.autoencoder} | {one.size: one for one in study.lighter}
    folders = {name: f"lighter/{name}" for name in sizes} | {
        "pretrained": "pretrained/photos"
    }
    original = read_rows([base / "predictions/original.parquet"], SCORED_COLUMNS)
    for name, size in sizes.items():
        kind = "predictions" if name == "pretrained" else "lighter"
        predictions = base / kind / f"{name}.parquet"
        if not predictions.exists():
            continue
        rows = read_rows([predictions], SCORED_COLUMNS)
        both = pd.concat([original, rows.assign(source="pretrained")])
        hits = score(rows_under_noise(both, study.finetune.parts[0]))
        hits = hits[hits["strength"] > 0].astype({"source": str, "noise": str})
        given = ["source", "noise"]
        chosen = study.bootstrap
        drawn = resample(
            hits, given, ["top1"], resamples=chosen.resamples, seed=chosen.seed
        )["top1"]
        means = hits.groupby(given)["top1"].mean()
        path = base / "autoencoders" / folders[name] / "curve.csv"
        row: dict[str, Any] = {
            "width": size.width,
            "stages": size.stages,
            "mse": read_csv(path)["validation_labelled"].iloc[-1],
        }
        for noise in hits["noise"].unique():
            low, high = interval(drawn["pretrained", noise] - drawn["original", noise])
            value = means["pretrained", noise] - means["original", noise]
            row[noise] = f"{100 * value:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
        yield row


def tables() -> str:
    """Return the tables of all finished studies, as Markdown.

    Raises:
        FileNotFoundError: no study is finished.
    """
    backgrounds, sizes, made, codes = [], [], set(), set()
    for name in STUDIES:
        folder, settings_path = Path(f"results/noise_{name}"), FOLDER / f"{name}.yaml"
        record = folder / "seed-0/predictions/pretrained.json"
        if not record.exists():
            continue
        study = load(yaml.safe_load(settings_path.read_text()), name)
        if name == "sizes":
            sizes = list(size_effects(study))
        elif (path := folder / "tables/noise.csv").exists():
            chance = 1 / len(study.data.classes or [])
            for row in effects(read_csv(path), chance):
                backgrounds.append({"background": BACKGROUNDS[name]} | row)
        else:
            continue
        made.add("{commit} on {device}".format_map(read_json(record)))
        codes.add(digests(folder))
    if not made:
        raise FileNotFoundError("no study is finished: python benchmarks/noise.py run")
    lines = [f"Made by commit {' and '.join(sorted(made))}."]
    for rows in (backgrounds, sizes):
        if rows:
            lines += ["", *markdown(pd.DataFrame(rows))]
    return "\n".join([*lines, "", *sorted(codes), ""])


def main() -> None:
    """Run the studies, or write their tables into the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["run", "tabulate"])
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=STUDIES)
    parser.add_argument("--cores", type=int, default=1)
    options = parser.parse_args()
    if options.what == "run":
        run(options.studies, options.cores)
        return
    write_tables(DOC, tables())


if __name__ == "__main__":
    main()
