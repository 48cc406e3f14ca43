"""Bundles: a study's autoencoders for others, without its images and predictions.

A bundle is laid out as the study's own folder, so that ``load_study`` reads both. It
holds weights as safetensors, records, tables and a card, and nothing that is run.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import yaml

from s2snets.config import Classifier
from s2snets.runtime.assets import ASSETS, render_text
from s2snets.runtime.errors import UserError, one_line
from s2snets.runtime.files import read_json, replacing_folder, sha256
from s2snets.runtime.tables import read_csv

CARD, CHECKSUMS, SETTINGS = "README.md", "SHA256SUMS", "study.yaml"

SHIPPED = ASSETS / "packaged"
"""The bundle that comes with the library: ImageNet networks on photographs."""

TABLES = ("table1", "table2", "rrc", "agreement", "orders", "costs")

PUBLISHED = (
    "report.json",
    "data/validation/index.json",
    *(f"tables/{name}.csv" for name in TABLES),
    "seed-*/autoencoders/*/*/curve.csv",
    "seed-*/autoencoders/*/*/record.json",
    "seed-*/autoencoders/*/*/weights.safetensors",
    "seed-*/classifiers/*/record.json",
    "seed-*/classifiers/*/spec.json",
)
"""Files of a study that a bundle has, as patterns."""

SUFFIXES = {".safetensors", ".json", ".csv", ".yaml", ".md"}
"""Of the files that a bundle may hold: none of them is run."""

HUB = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})")
"""A repository of a model hub at one commit: ``owner/name@commit``."""


def published_files(study: Path) -> Iterator[Path]:
    """Yield the files of a finished study that its bundle has, relative to the study.

    The weights of a classifier are among them unless a library or a package has them.
    """
    for pattern in PUBLISHED:
        for path in sorted(study.glob(pattern)):
            if "pretrained/labelled" not in path.as_posix():
                yield path.relative_to(study)
    for spec in sorted(study.glob("seed-*/classifiers/*/spec.json")):
        record = read_json(spec.with_name("record.json"))
        network = Classifier.model_validate(record["settings"]["classifier"])
        if not (network.is_published or network.is_function):
            yield spec.with_name("weights.safetensors").relative_to(study)


def check_place(bundle: Path) -> None:
    """Raise ``UserError`` if a bundle would replace something else."""
    if bundle.exists() and not (bundle / CHECKSUMS).is_file():
        raise UserError(f"{bundle}: exists and is no bundle; give another folder")


def copy_files(names: Iterable[str | Path], source: Path, target: Path) -> None:
    """Copy files from one folder to another, each to the same place."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)


def publish(
    study: Path, bundle: Path, licence: str | None = None, images: str | None = None
) -> None:
    """Write the bundle of a finished study.

    Args:
        study: its folder, such as ``results/demo``.
        bundle: folder to be written, or written anew if it is a bundle.
        licence: of the weights, as an SPDX identifier.
        images: what the images are, and their licence; a sentence for the card.

    Raises:
        UserError: an unfinished study, or a folder that is something else.
    """
    if not (study / "report.json").is_file():
        raise UserError(f"{study}: no finished study; run it up to its report first")
    check_place(bundle)
    record = read_json(study / "report.json")
    with replacing_folder(bundle) as draft:
        copy_files(published_files(study), study, draft)
        settings = yaml.safe_dump(
            record["settings"], sort_keys=False, allow_unicode=True
        )
        (draft / SETTINGS).write_text(settings, encoding="utf-8")
        card = describe(draft, record, licence, images)
        (draft / CARD).write_text(card, encoding="utf-8")
        files = sorted(path for path in draft.rglob("*") if path.is_file())
        sums = [f"{sha256(path)}  {path.relative_to(draft)}\n" for path in files]
        (draft / CHECKSUMS).write_text("".join(sums), encoding="utf-8")


def describe(
    bundle: Path, record: dict[str, object], licence: str | None, images: str | None
) -> str:
    """Return the card of a bundle: Markdown after metadata that model hubs read."""
    table2 = read_csv(bundle / "tables/table2.csv").set_index("autoencoder")
    return render_text(
        "bundle/card.md.j2",
        record=record,
        settings=record["settings"],
        licence=licence,
        images=images,
        table1=read_csv(bundle / "tables/table1.csv").to_dict("records"),
        table2=table2,
    )


def stated_checksums(bundle: Path) -> dict[str, str]:
    """Return the files that a bundle says it has, with their SHA-256.

    Raises:
        UserError: no bundle, or a file outside it or of a kind that it may not hold.
    """
    path = bundle / CHECKSUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UserError(f"{bundle}: no bundle; there is no {CHECKSUMS}") from None
    stated = {}
    for number, line in enumerate(lines, 1):
        digest, _, name = line.partition("  ")
        file = PurePosixPath(name)
        if not re.fullmatch("[0-9a-f]{64}", digest) or not name:
            raise UserError(f"{path}, line {number}: no checksum and file")
        if file.is_absolute() or ".." in file.parts or file.suffix not in SUFFIXES:
            raise UserError(f"{path}, line {number}: a bundle cannot have {name}")
        stated[name] = digest
    return stated


def verify(bundle: Path) -> list[str]:
    """Return the files of a bundle, each of which is what its checksum says.

    Raises:
        UserError: no bundle; a file that is missing or differs.
    """
    stated = stated_checksums(bundle)
    for name, digest in stated.items():
        path = bundle / name
        if not path.is_file():
            raise UserError(f"{path}: missing; get the bundle anew")
        if sha256(path) != digest:
            raise UserError(f"{path}: not what {CHECKSUMS} says; get the bundle anew")
    return list(stated)


def locate(source: str) -> Path:
    """Return the folder of a study or a bundle, fetched if it is a hub's repository.

    Args:
        source: a folder, or ``owner/name@commit``.

    Raises:
        UserError: no such folder; a repository without a commit, or out of reach.
    """
    folder, found = Path(source), HUB.fullmatch(source)
    if folder.exists():
        return folder
    if found is None:
        raise UserError(
            f"{source}: no such folder; of a hub's repository give"
            " owner/name@commit, with all 40 digits"
        )
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError:
        raise UserError(
            f"{source}: pip install huggingface_hub, which reads repositories"
        ) from None
    patterns = [CHECKSUMS, *(f"*{suffix}" for suffix in SUFFIXES)]
    try:
        fetched = snapshot_download(
            found["repo"], revision=found["revision"], allow_patterns=patterns
        )
    except (OSError, ValueError) as error:
        raise UserError(f"{source}: cannot be fetched ({one_line(error)})") from None
    verify(Path(fetched))
    return Path(fetched)


def pull(source: str, bundle: Path) -> int:
    """Copy a bundle, verified, and return its number of files.

    Args:
        source: a bundle's folder, or ``owner/name@commit`` of a hub.
        bundle: folder to be written, or written anew if it is a bundle.

    Raises:
        UserError: no bundle, a damaged one, or a folder that is something else.
    """
    folder = locate(source)
    files = verify(folder)
    check_place(bundle)
    with replacing_folder(bundle) as draft:
        copy_files([*files, CHECKSUMS], folder, draft)
    return len(files)
