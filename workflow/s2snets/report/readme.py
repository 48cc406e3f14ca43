"""The demo's numbers in ``README.md`` and ``docs/depth.md``, from a finished run.

``python -m s2snets.report.readme results/demo README.md docs`` writes them anew, with
the commit and the processor of the run, and copies the pictures to ``docs/images``.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from s2snets.config.depth import RANDOM, TRAINED
from s2snets.measure.bootstrap import LEVEL
from s2snets.runtime.files import read_json, replacing
from s2snets.runtime.tables import read_csv

START, END = "<!-- demo -->\n", "<!-- /demo -->"
DEPTH_START, DEPTH_END = "<!-- depth -->\n", "<!-- /depth -->"
TRAININGS = ("train_classifier", "pretrain_autoencoder", "finetune_autoencoder")
PICTURES: dict[str, tuple[str, tuple[int, int] | None]] = {
    "figure-3.png": ("reconstructions.png", None),
    "figure-5.png": ("noise.png", None),
    "depth-profile.png": ("depth.png", None),
    "depth-noticed.png": ("depth-noticed.png", None),
    "salient-architectures.png": ("reversed.png", (0, 618)),  # the first network
    "synthesis-modes.png": ("preferred.png", (350, 1030)),  # the second and the third
}
"""Figure of the study -> its name among the documents' images, and the rows of its
pixels that are shown there, from the first to before the last; null: all."""
FAINT = 0.1
"""Strength of the noise of which the text speaks: the least of the demo."""


def training_records(results: Path) -> dict[str, dict[str, Any]]:
    """Return the record of one training of each stage that fits weights."""
    records = (read_json(path) for path in sorted(results.rglob("record.json")))
    by_stage = {record["stage"]: record for record in records}
    return {stage: by_stage[stage] for stage in TRAININGS}


def digests(results: Path) -> str:
    """Return the hidden line that says which training code a study's numbers are of."""
    records = training_records(results)
    codes = (f"{stage} {record['code']}" for stage, record in records.items())
    return f"<!-- {', '.join(codes)} -->"


def accuracy_table(accuracy: pd.DataFrame) -> list[str]:
    """Return top-1 without noise as Markdown; each classifier's own A_i is bold."""
    clean = accuracy[accuracy["strength"] == 0]
    table = clean.pivot(index="label", columns="classifier", values="top1")
    order = clean.drop_duplicates("label")
    columns = list(dict.fromkeys(clean["classifier"]))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for label, tuned in zip(order["label"], order["tuned"], strict=True):
        cells = [
            f"**{100 * value:.1f}**" if name == tuned else f"{100 * value:.1f}"
            for name, value in table.loc[label, columns].items()
        ]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return lines


def sentences(accuracy: pd.DataFrame, noise: pd.DataFrame) -> list[str]:
    """Return what the run shows, in numbers, whichever way they point.

    Args:
        accuracy: ``accuracy.csv``.
        noise: ``noise.csv``; a classifier gains or loses if the 95 % interval of its
            difference from the noisy original lies on one side of 0.
    """
    clean = accuracy[accuracy["strength"] == 0].set_index("classifier")
    original, pretrained = (
        clean.loc[clean["label"] == label, "top1"] for label in ("original", "A_S")
    )
    own = clean.loc[clean["tuned"] == clean.index, "top1"]
    cost, back = 100 * (original - pretrained), 100 * (own - pretrained)
    lines = [
        f"- A_S costs the classifiers {cost.min():.1f} to {cost.max():.1f} points of"
        f" accuracy. Fine-tuning its decoder for each gives back {back.min():.1f} to"
        f" {back.max():.1f} points."
    ]
    faint = noise[(noise["strength"] == FAINT) & (noise["input"] == "A_i")]
    for kind, rows in faint.groupby("noise", sort=False):
        gains = rows["top1_difference_low"] > 0
        losses = rows["top1_difference_high"] < 0
        lines.append(
            f"- Under uniform noise of strength {FAINT}, {kind}, {gains.sum()} of"
            f" {len(rows)} classifiers recognise more behind their own autoencoder than"
            f" without one, {losses.sum()} less; of the others, the 95 % interval of"
            " the difference contains 0."
        )
    return lines


def with_results(text: str, results: Path) -> str:
    """Return ``README.md`` with the part between its two marks made anew."""
    accuracy = read_csv(results / "tables/accuracy.csv")
    record = training_records(results)["finetune_autoencoder"]
    images = accuracy.loc[accuracy["strength"] == 0, "images"].max()
    half = 50 * (accuracy["top1_high"] - accuracy["top1_low"])
    half = half[accuracy["strength"] == 0].max()
    lines = [
        *sentences(accuracy, read_csv(results / "tables/noise.csv")),
        "",
        *accuracy_table(accuracy),
        "",
        f"Top-1 accuracy on {images:,} validation images, in percent, each within"
        f" {half:.1f} points (95 %). Rows are autoencoders, columns are classifiers."
        f" {source_of(record)}",
        digests(results),
    ]
    return replace_between(text, START, END, lines)


def source_of(record: Mapping[str, Any]) -> str:
    """Return a sentence on the run that numbers are of."""
    return (
        "Written by `python -m s2snets.report.readme` from a run of commit"
        f" `{record['commit']}` on {record['device']} with torch"
        f" {record['versions']['torch'].partition('+')[0]}."
    )


def with_depth(text: str, results: Path) -> str:
    """Return ``docs/depth.md`` with the part between its two marks made anew."""
    losses = read_csv(results / "tables/depth-losses.csv")
    losses = losses.assign(is_sure=losses["part_share"] >= LEVEL)
    drawn = losses[losses["weights"] == RANDOM]
    random = {(row.classifier, row.layer): row for row in drawn.itertuples()}
    lines = [
        "| network | layer | nMI lost since the layer before | most is lost there, of"
        " the draws | notices least of | nMI lost, random weights |",
        "|---|---|--:|--:|---|--:|",
    ]
    for row in losses[losses["weights"] == TRAINED].itertuples():
        other = random[row.classifier, row.layer]
        mark = "" if other.reached else " (tuning too short)"
        part = f"{row.part} ({row.kept:.0%} of the best)"
        part = part if row.is_sure else "not established"
        lines.append(
            f"| {row.classifier} | `{row.layer}` | {row.lost:.3f} ({row.low:.3f} to"
            f" {row.high:.3f}) | {row.share:.0%} | {part} |"
            f" {other.lost:.3f} ({other.low:.3f} to {other.high:.3f})"
            f"{mark} |"
        )
    record = read_json(min(results.glob("seed-*/depth/0/trained/*/measured.json")))
    return replace_between(
        text, DEPTH_START, DEPTH_END, [*lines, "", source_of(record)]
    )


def replace_between(text: str, start: str, end: str, lines: Sequence[str]) -> str:
    """Return a text with other lines between two marks."""
    before, _, rest = text.partition(start)
    return "\n".join([before + start, *lines, "", end + rest.partition(end)[2]])


def main(argv: list[str] | None = None) -> None:
    """Write the numbers and the pictures of a finished run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="results/demo")
    parser.add_argument("document", type=Path, help="README.md")
    parser.add_argument("docs", type=Path, help="docs")
    job = parser.parse_args(argv)
    for path, write in (
        (job.document, with_results),
        (job.docs / "depth.md", with_depth),
    ):
        with replacing(path) as draft:
            draft.write_text(write(path.read_text(), job.results))
    for figure, (name, rows) in PICTURES.items():
        with Image.open(job.results / "figures" / figure) as picture:
            top, bottom = rows or (0, picture.height)
            with replacing(job.docs / "images" / name) as draft:
                picture.crop((0, top, picture.width, bottom)).save(draft, "png")


if __name__ == "__main__":
    main()
