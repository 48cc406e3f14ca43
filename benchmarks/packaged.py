"""What makes a good A_S of photographs? The curves and tables of docs/packaged.md.

    PYTHONPATH=workflow nice -n 19 python benchmarks/packaged.py pretrain
    PYTHONPATH=workflow nice -n 19 python benchmarks/packaged.py finetune
    PYTHONPATH=workflow python benchmarks/packaged.py tabulate

All need ``config/packaged.yaml`` run up to ``pretraining``. ``pretrain`` makes the same
pretraining again with one thing changed, ``finetune`` a shorter fine-tuning; called
again, they go on where they were stopped. ``tabulate`` measures how often each network
of the study predicts on the reconstructions what it predicts on the originals, writes
the tables to ``benchmarks/results``, draws them, and writes docs/packaged.md's.
"""

import argparse
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml
from common import RESULTS, markdown, write_tables
from matplotlib.figure import Figure
from torch import Tensor, nn

from s2snets.config import Autoencoder, Study, load
from s2snets.data.imageset import ImageSet
from s2snets.networks.checkpoints import load_autoencoder, load_classifier
from s2snets.runtime.files import read_json, replacing
from s2snets.runtime.tables import read_csv, write_csv
from s2snets.stages.finetuning import FinetuneAutoencoder
from s2snets.stages.pretraining import PretrainAutoencoder

ROOT = Path(__file__).parents[1]
DOC, PICTURE = ROOT / "docs/packaged.md", ROOT / "docs/images/packaged-agreement.png"
STUDY = Path("results/packaged")
FIGURES = {"figure-3": "packaged", "figure-7": "packaged-lattices"}
"""Figure of the study -> its name among the documents' images."""
TRIALS = STUDY / "trials"
PRETRAINED = STUDY / "seed-0/autoencoders/pretrained/photos"
BATCH = 50

VARIATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "12,000 images": ({}, {"images": 12_000}),
    "24,000 images": ({}, {"images": 24_000}),
    "48,000 images": ({}, {"images": 48_000}),
    "norm by batches": ({}, {"images": 24_000, "freeze_norm": 1.0}),
    "two stages": ({"stages": 2}, {"images": 12_000}),
    "width 16": ({"width": 16}, {"images": 12_000}),
}
"""Name -> changes to the autoencoder's and to the pretraining's settings."""

TUNED_FOR = "E1"
SHORT = {"images": 8_000}
ADAM = {"optimiser": "adam", "freeze_norm": 0.0}
FINETUNINGS: dict[str, dict[str, Any]] = {
    "as the study": {},
    "all probabilities": {"target": "probabilities"},
    "rate 0.001": {"learning_rate": 0.001},
    "rate 0.001, frozen norm": {"learning_rate": 0.001, "freeze_norm": 0.0},
    "rate 0.0002, frozen norm": {"learning_rate": 0.0002, "freeze_norm": 0.0},
    "Adam 0.0003, frozen norm": ADAM | {"learning_rate": 0.0003},
    "Adam 0.001, frozen norm": ADAM | {"learning_rate": 0.001},
    "Adam 0.001, frozen norm, all probabilities": ADAM
    | {"learning_rate": 0.001, "target": "probabilities"},
}
"""Name -> changes to the settings of a short fine-tuning for one network."""

SHARES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15)
"""Of the error of A_S that is laid over the originals, to see what a network bears."""


def settings() -> Study:
    """Return the study's settings."""
    path = ROOT / "config/packaged.yaml"
    return load(yaml.safe_load(path.read_text()), str(path))


def folder_of(name: str) -> Path:
    """Return the folder of a trial."""
    return TRIALS / name.replace(" ", "-").replace(",", "")


def unfinished(names: Iterable[str]) -> Iterator[tuple[str, dict[str, Path]]]:
    """Yield the trials that are not finished, and the files that each writes."""
    for name in names:
        folder = folder_of(name)
        if (folder / "record.json").exists():
            continue
        print(name, flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        files = ("weights.safetensors", "curve.csv", "record.json")
        yield name, {Path(file).stem: folder / file for file in files}


def pretrain() -> None:
    """Make every pretraining, each as the workflow's stage does."""
    base = PretrainAutoencoder.settings_for(settings(), corpus="photos")
    for name, files in unfinished(VARIATIONS):
        autoencoder, pretraining = VARIATIONS[name]
        PretrainAutoencoder(
            images=STUDY / "data/photos/index.npz",
            validation_photos=STUDY / "data/photos_validation/index.npz",
            validation_labelled=STUDY / "data/validation/index.npz",
            settings=base.model_copy(
                update={
                    "autoencoder": base.autoencoder.model_copy(update=autoencoder),
                    "pretraining": base.pretraining.model_copy(update=pretraining),
                }
            ),
            **files,
        ).execute()


def finetune() -> None:
    """Make every short fine-tuning, each as the workflow's stage does."""
    base = FinetuneAutoencoder.settings_for(settings())
    for name, files in unfinished(FINETUNINGS):
        changes = SHORT | FINETUNINGS[name]
        FinetuneAutoencoder(
            images=STUDY / "data/train/index.npz",
            pretrained=PRETRAINED / "weights.safetensors",
            classifier=STUDY / f"seed-0/classifiers/{TUNED_FOR}/weights.safetensors",
            part="decoder",
            settings=base.model_copy(
                update={"finetune": base.finetune.model_copy(update=changes)}
            ),
            **files,
        ).execute()


@torch.inference_mode()
def predictions(network: nn.Module, pixels: Tensor) -> Tensor:
    """Return the most probable class (N,) of images (N, 3, H, W)."""
    return torch.cat([network(part).argmax(1) for part in pixels.split(BATCH)])


class Agreement:
    """The study's networks, and what they predict on its validation images."""

    def __init__(self, study: Study) -> None:
        images = ImageSet(
            STUDY / "data/validation/index.npz", study.image_size, study.resize_mode
        )
        pixels, _ = images.read(range(len(images)))
        self.pixels = pixels.permute(0, 3, 1, 2).float() / 255
        self.networks = {
            name: load_classifier(STUDY / f"seed-0/classifiers/{name}")
            for name in study.classifiers
        }
        self.originals = {
            name: predictions(network, self.pixels)
            for name, network in self.networks.items()
        }

    @torch.inference_mode()
    def reconstruct(self, folder: Path, autoencoder: Autoencoder) -> Tensor:
        """Return the validation images as the A_S in a folder makes them."""
        network = load_autoencoder(folder / "weights.safetensors", autoencoder)
        return torch.cat([network(part) for part in self.pixels.split(BATCH)])

    def row(self, images: Tensor) -> dict[str, float]:
        """Return the mean square error of images, and each network's agreement, %."""
        agreement = {
            name: 100
            * float(
                (predictions(network, images) == self.originals[name]).float().mean()
            )
            for name, network in self.networks.items()
        }
        return {"mse": float((images - self.pixels).square().mean()), **agreement}


def folders() -> Iterator[tuple[str, Path]]:
    """Yield every finished pretraining's name and folder, the study's own first."""
    yield f"{settings().pretrain.photos.images:,} images (A_S)", PRETRAINED
    for name in VARIATIONS:
        if (folder_of(name) / "record.json").exists():
            yield name, folder_of(name)


def measure(agreement: Agreement) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row for each pretraining, and one for each share of A_S's error."""
    rows, shares = [], []
    for name, folder in folders():
        record = read_json(folder / "record.json")
        made = record["settings"]
        images = agreement.reconstruct(folder, Autoencoder(**made["autoencoder"]))
        rows.append(
            {
                "pretraining": name,
                "width": made["autoencoder"]["width"],
                "stages": made["autoencoder"]["stages"],
                "images": made["pretraining"]["images"],
                **agreement.row(images),
                "commit": record["commit"],
                "device": record["device"],
            }
        )
        if not shares:
            error = images - agreement.pixels
            for share in SHARES:
                part = agreement.row(agreement.pixels + share * error)
                shares.append({"share": share, **part})
    return pd.DataFrame(rows), pd.DataFrame(shares)


def measure_finetunings(agreement: Agreement) -> pd.DataFrame:
    """Return a row for each short fine-tuning that is finished."""
    rows = []
    for name in FINETUNINGS:
        folder = folder_of(name)
        if (folder / "record.json").exists():
            size = settings().autoencoder
            row = agreement.row(agreement.reconstruct(folder, size))
            rows.append({"fine-tuning": name, **row})
    return pd.DataFrame(rows)


def draw(rows: pd.DataFrame, shares: pd.DataFrame, names: list[str]) -> None:
    """Draw agreement against images seen, and against the error."""
    figure = Figure(figsize=(8, 3.4), dpi=150, layout="constrained")
    steps, errors = figure.subplots(1, 2, sharey=True)
    same = rows[
        (rows["width"] == rows["width"][0]) & (rows["stages"] == rows["stages"][0])
    ]
    same = same[~same["pretraining"].str.contains("norm")].sort_values("images")
    for number, name in enumerate(names):
        colour = f"C{number}"
        steps.plot(same["images"], same[name], "o-", color=colour, label=name)
        errors.plot(shares["mse"], shares[name], "-", color=colour, alpha=0.5)
        errors.plot(rows["mse"], rows[name], "o", color=colour)
    steps.set(xscale="log", xlabel="images of pretraining", ylabel="agreement, %")
    errors.set(
        xscale="log", xlabel="mean square error (lines: parts of A_S's own error)"
    )
    steps.set_xticks(same["images"], [f"{count:,}" for count in same["images"]])
    steps.minorticks_off()
    steps.legend()
    for axes in (steps, errors):
        axes.grid(alpha=0.3)
    with replacing(PICTURE) as draft:
        figure.savefig(draft)


def percent(share: float) -> str:
    """Return a share in percent, with one decimal."""
    return f"{100 * share:.1f}"


def result_tables(names: list[str]) -> list[str]:
    """Return Table 1, Table 2 and the RRC of the finished study as Markdown."""
    table1 = read_csv(STUDY / "tables/table1.csv")
    table1 = table1[table1["input"] != "original"]
    inputs = table1["input"].where(
        table1["input"] != "A_i", "A_" + table1["classifier"]
    )
    first = pd.DataFrame(
        {
            "network": table1["classifier"],
            "input": inputs,
            "top-1": table1["top1"].map(percent),
            "95 %": table1["top1_low"].map(percent)
            + " to "
            + table1["top1_high"].map(percent),
            "± of replicates": table1["top1_sd"].map(percent).replace("nan", "–"),
            "top-5": table1["top5"].map(percent),
        }
    )
    accuracy = read_csv(STUDY / "tables/accuracy.csv")
    clean = accuracy[(accuracy["strength"] == 0) & (accuracy["label"] != "original")]
    rrc = read_csv(STUDY / "tables/rrc.csv").pivot(
        index="autoencoder", columns="classifier", values="rrc"
    )
    second = clean.pivot(index="label", columns="classifier", values="top1").map(
        percent
    )
    order = list(dict.fromkeys(clean["label"]))
    tuned = [label for label in order if label in rrc.index]
    lines = [
        *markdown(first),
        "",
        "Top-1 of every network on the images of every autoencoder:",
        "",
    ]
    lines += markdown(second.loc[order, names].rename_axis("top-1").reset_index())
    lines += ["", "Relative rate of change:", ""]
    rates = rrc.loc[tuned, names].map("{:.3f}".format)
    return lines + markdown(rates.rename_axis("RRC").reset_index())


def curve_table() -> pd.DataFrame:
    """Return agreement on the images of training, %, by images seen and autoencoder."""
    curves = {}
    for path in sorted(STUDY.glob("seed-0/autoencoders/decoder/*/curve.csv")):
        curve = read_csv(path).set_index("images")
        curves[f"A_{path.parent.name}"] = (100 * curve["agreement"]).round(1)
    return pd.DataFrame(curves).reset_index()


def tabulate() -> None:
    """Measure, and write the tables and the picture."""
    names = list(settings().classifiers)
    agreement = Agreement(settings())
    rows, shares = measure(agreement)
    write_csv(rows, RESULTS / "packaged-pretraining.csv")
    write_csv(shares, RESULTS / "packaged-bearable.csv")
    draw(rows, shares, names)
    shown = rows.copy()
    for name in ("width", "stages", "images"):
        shown[name] = shown[name].map("{:,}".format)
    shown["mse"] = (1e4 * shown["mse"]).round(2)
    columns = ["pretraining", "width", "stages", "images", "mse", *names]
    text = [
        "### Pretraining",
        "",
        "Mean square error (× 10⁻⁴) and top-1 agreement, %:",
        "",
    ]
    text += markdown(shown[columns])
    bearable = shares.assign(mse=(1e4 * shares["mse"]).round(2))
    text += ["", "### What a network bears", ""]
    text += [
        "Parts of A_S's error laid over the originals: MSE (× 10⁻⁴), agreement, %:",
        "",
    ]
    text += markdown(bearable)
    if (STUDY / "report.json").exists():
        for figure, name in FIGURES.items():
            with replacing(PICTURE.with_name(f"{name}.png")) as draft:
                shutil.copyfile(STUDY / f"figures/{figure}.png", draft)
        curves = curve_table()
        write_csv(curves, RESULTS / "packaged-finetuning.csv")
        curves["images"] = curves["images"].map("{:,}".format)
        text += [
            "",
            "### Fine-tuning",
            "",
            "Agreement on the images of training since the last check, %:",
            "",
        ]
        text += [*markdown(curves), ""]
        tuned = measure_finetunings(agreement)
        write_csv(tuned, RESULTS / "packaged-rates.csv")
        tuned["mse"] = (1e4 * tuned["mse"]).round(2)
        text += [
            f"{SHORT['images']:,} images for {TUNED_FOR}: MSE (× 10⁻⁴), agreement, %:",
            "",
        ]
        text += [*markdown(tuned), "", "### Results", ""]
        text += result_tables(names)
    commit, device = rows["commit"][0], rows["device"][0]
    text += [
        "",
        f"Written by `benchmarks/packaged.py` from weights of `{commit}` on {device}.",
    ]
    write_tables(DOC, "\n".join(text) + "\n")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ways = {"pretrain": pretrain, "finetune": finetune, "tabulate": tabulate}
    parser.add_argument("what", choices=ways)
    ways[parser.parse_args().what]()


if __name__ == "__main__":
    main()
