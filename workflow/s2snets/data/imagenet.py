"""ImageNet as it is distributed: its classes, its devkit, lists of labels."""

import csv
import io
import tarfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path, PurePosixPath

from s2snets.data.images import SUFFIXES
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError, one_line
from s2snets.runtime.files import read_input, reading

CLASSES = ASSETS / "imagenet/synsets.txt"
METADATA = "meta.mat"
GROUND_TRUTH = "ILSVRC2012_validation_ground_truth.txt"
HEADERS = [
    [file, label]
    for file in ("imageid", "image", "file", "filename", "name", "path")
    for label in ("predictionstring", "label", "class", "synset", "wnid", "labels")
]


@cache
def synsets() -> dict[str, list[str]]:
    """Return the lemmas of each of the 1,000 synsets, in the order of the labels."""
    rows = (line.split("\t") for line in CLASSES.read_text().splitlines())
    return {synset: lemmas.split(", ") for synset, lemmas in rows}


def is_synset(text: str) -> bool:
    """Return whether a text looks like ``n01440764``."""
    return len(text) == 9 and text[0] == "n" and text[1:].isdecimal()


def read_devkit(path: Path) -> tuple[bytes, bytes]:
    """Read ``meta.mat`` and the validation images' ground truth from the devkit.

    Args:
        path: the devkit's folder, its tar, or its ground truth.

    Raises:
        UserError: a damaged tar, or a devkit that lacks one of the two.
    """
    needed, files = (METADATA, GROUND_TRUTH), {}
    if not path.is_dir() and path.name != GROUND_TRUTH:
        with reading(path) as packed:
            try:
                with tarfile.open(fileobj=packed) as tar:
                    for entry in tar:
                        name = Path(entry.name).name
                        if name in needed and (file := tar.extractfile(entry)):
                            files[name] = file.read()
            except Exception as error:  # tarfile raises errors of any type on damage
                raise UserError(
                    f"{path}: damaged devkit ({one_line(error)}); fetch it anew"
                ) from None
    else:
        folder = path if path.is_dir() else path.parent
        for name in needed:
            for parent in ("", "data/", "*/data/"):
                for match in folder.glob(parent + name):
                    files[name] = read_input(match)
    for name in needed:
        if name not in files:
            raise UserError(
                f"{path}: no {name} there; give the devkit, ILSVRC2012_devkit_t12, as"
                " its folder or .tar.gz"
            )
    return files[METADATA], files[GROUND_TRUTH]


def devkit_labels(path: Path) -> list[str]:
    """Return the validation images' synsets, in the order of the images' numbers.

    The ground truth numbers the classes by ILSVRC2012_ID, which is not the order of the
    sorted synsets: ``meta.mat`` translates.

    Args:
        path: as in ``read_devkit``.

    Raises:
        UserError: not a devkit of ILSVRC 2012, or a damaged one.
    """
    metadata, truth = read_devkit(path)
    try:
        # Damaged bytes can crash SciPy's reader, and with it the process that it is in.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            names = pool.submit(read_synsets, metadata).result()
        return [names[int(line)] for line in truth.split()]
    except KeyError as error:
        raise UserError(
            f"{path}: {METADATA} has no {error}, which the devkit of ILSVRC 2012 has"
        ) from None
    except Exception as error:  # SciPy raises errors of any type on damaged files
        raise UserError(
            f"{path}: damaged devkit ({one_line(error)}); fetch it anew"
        ) from None


def read_synsets(metadata: bytes) -> dict[int, str]:
    """Return the synset of each ILSVRC2012_ID of a ``meta.mat``, given its bytes."""
    from scipy.io import loadmat  # half a second, which only a devkit is worth

    table = loadmat(io.BytesIO(metadata), squeeze_me=True)["synsets"]
    rows = zip(table["ILSVRC2012_ID"], table["WNID"], strict=True)
    return {int(number): str(synset) for number, synset in rows}


def listed_labels(path: Path) -> dict[str, int | str] | list[int | str]:
    """Read labels from a text file.

    Each line is ``file label`` or ``file,label``, or each is a label. A label is a
    class's name, its number in the order of the classes, or begins with its synset, as
    in Kaggle's ``LOC_val_solution.csv``.

    Returns:
        Label by file name without folder and suffix; or a list of labels.

    Raises:
        UserError: not a text, an empty one, lines of both kinds, or a file named twice.
    """
    data = read_input(path)
    try:
        rows = [
            [cell.strip() for cell in next(csv.reader([line]))[:2]]
            if "," in line
            else line.rsplit(maxsplit=1)
            for line in data.decode("utf-8-sig").splitlines()
            if line.strip()
        ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"{path}: no text of labels ({error}); give lines such as"
            " `ILSVRC2012_val_00000001.JPEG n01751748`"
        ) from None
    if rows and [cell.lower() for cell in rows[0]] in HEADERS:
        del rows[0]
    if not rows or len({len(row) for row in rows}) > 1:
        raise UserError(
            f"{path}: give each of its lines a file and a label, or a label"
        )
    labels = [parse_label(row[-1]) for row in rows]
    if len(rows[0]) == 1:
        return labels
    by_file = dict(zip((image_stem(row[0]) for row in rows), labels, strict=True))
    if len(by_file) < len(rows):
        raise UserError(f"{path}: names {len(rows) - len(by_file)} of its files twice")
    return by_file


def image_stem(name: str) -> str:
    """Return a file's name without folder and image suffix, which lists often omit."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in SUFFIXES else path.name


def parse_label(text: str) -> int | str:
    """Return a class's number, the synset that the text begins with, or its name."""
    if text.isdecimal() and len(text) < 10:
        return int(text)
    first = (text.split() or [""])[0]
    return first if is_synset(first) else text


def read_labels(path: str | Path) -> dict[str, int | str] | Sequence[int | str]:
    """Read labels of images that have none themselves.

    Args:
        path: a devkit (folder, tar or its ground truth), or a text.

    Returns:
        Label by file name without folder and suffix; or labels in the order of the
        sorted files.

    Raises:
        UserError: neither a devkit nor a text, or a damaged one.
    """
    path = Path(path)
    if path.is_dir() or path.name == GROUND_TRUTH or ".tar" in path.suffixes:
        return devkit_labels(path)
    return listed_labels(path)


def read_class_names(path: str | Path) -> list[str]:
    """Read class names, in the order of their numbers: each line up to a tab.

    Raises:
        UserError: not a text, or an empty one.
    """
    try:
        lines = read_input(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        lines = []
    names = [line.split("\t")[0].strip() for line in lines if line.strip()]
    if not names:
        raise UserError(
            f"{path}: give a text of class names, one on each line, as in {CLASSES}"
        )
    return names
