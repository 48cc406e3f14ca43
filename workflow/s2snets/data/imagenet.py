"""ImageNet as it is handed out: its classes, its devkit, lists of labels."""

import csv
import io
import tarfile
from functools import cache
from pathlib import Path, PurePosixPath

from s2snets.data.images import SUFFIXES
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError

CLASSES = ASSETS / "imagenet/synsets.txt"
META = "meta.mat"
TRUTH = "ILSVRC2012_validation_ground_truth.txt"
HEADERS = [
    [file, label]
    for file in ("imageid", "image", "file", "filename", "name", "path")
    for label in ("predictionstring", "label", "class", "synset", "wnid", "labels")
]


@cache
def synsets():
    """The 1,000 classes in the order of their labels: synset -> its lemmas."""
    rows = (line.split("\t") for line in CLASSES.read_text().splitlines())
    return {synset: lemmas.split(", ") for synset, lemmas in rows}


def is_synset(text):
    """Whether a text looks like ``n01440764``."""
    return len(text) == 9 and text[0] == "n" and text[1:].isdecimal()


def devkit_files(path):
    """The devkit's two files that matter, from its folder, its tar or its truth.

    Returns:
        The bytes of ``meta.mat`` and of the validation images' ground truth.

    Raises:
        UserError: a damaged tar, or a devkit that lacks one of the two.
    """
    found = {}
    if path.is_file() and path.name != TRUTH:
        try:
            with tarfile.open(path) as tar:
                for entry in tar:
                    if (name := Path(entry.name).name) in (META, TRUTH):
                        found[name] = tar.extractfile(entry).read()
        except (tarfile.TarError, OSError, EOFError) as error:
            raise UserError(
                f"{path}: damaged devkit ({error}); fetch it anew"
            ) from None
    else:
        folder = path if path.is_dir() else path.parent
        for name in (META, TRUTH):
            for place in ("", "data/", "*/data/"):
                for file in folder.glob(place + name):
                    found[name] = file.read_bytes()
    for name in (META, TRUTH):
        if name not in found:
            raise UserError(
                f"{path}: no {name} there; give the devkit, ILSVRC2012_devkit_t12, as"
                " its folder or .tar.gz"
            )
    return found[META], found[TRUTH]


def devkit_labels(path):
    """Synsets of the validation images in the order of their numbers.

    The ground truth numbers the classes in an order of its own, ILSVRC2012_ID, which
    is not that of the sorted synsets: ``meta.mat`` translates.

    Raises:
        UserError: not a devkit of ILSVRC 2012, or a damaged one.
    """
    from scipy.io import loadmat  # late: half a second that only a devkit costs

    meta, truth = devkit_files(path)
    try:
        table = loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
        names = {
            int(number): str(synset)
            for number, synset in zip(
                table["ILSVRC2012_ID"], table["WNID"], strict=True
            )
        }
        return [names[int(line)] for line in truth.split()]
    except KeyError as error:
        raise UserError(
            f"{path}: {META} has no {error}, which the devkit of ILSVRC 2012 has"
        ) from None
    except Exception as error:  # SciPy's reader raises whatever damage leads it to
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path}: damaged devkit ({first}); fetch it anew") from None


def listed_labels(path):
    """Labels from a text: ``file label`` or ``file,label`` a line, or a label a line.

    A label is a class's name, its number in the order of the classes, or begins with
    its synset, as in Kaggle's ``LOC_val_solution.csv``.

    Returns:
        dict of file name without folder and suffix -> label; or a list of labels.

    Raises:
        UserError: no text, an empty one, lines of both kinds, or a file named twice.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UserError(
            f"{path}: no text of labels; give lines such as"
            " `ILSVRC2012_val_00000001.JPEG n01751748`"
        ) from None
    rows = [
        [cell.strip() for cell in next(csv.reader([line]))[:2]]
        if "," in line
        else line.rsplit(maxsplit=1)
        for line in lines
        if line.strip()
    ]
    if rows and [cell.lower() for cell in rows[0]] in HEADERS:
        del rows[0]
    if not rows or len({len(row) for row in rows}) > 1:
        raise UserError(
            f"{path}: give each of its lines a file and a label, or a label"
        )
    labels = [label_of(row[-1]) for row in rows]
    if len(rows[0]) == 1:
        return labels
    found = dict(zip((stem(row[0]) for row in rows), labels, strict=True))
    if len(found) < len(rows):
        raise UserError(f"{path}: names {len(rows) - len(found)} of its files twice")
    return found


def stem(name):
    """A file's name without folder and image suffix, which lists often leave out."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in SUFFIXES else path.name


def label_of(text):
    """A class's number, its synset where the text begins with one, or its name."""
    if text.isdecimal():
        return int(text)
    first = (text.split() or [""])[0]
    return first if is_synset(first) else text


def read_labels(path):
    """Labels of unlabelled images: by name of file, or in the sorted files' order.

    Args:
        path: a devkit (folder, tar or its ground truth), or a text.

    Raises:
        UserError: neither of these, or a damaged one.
    """
    path = Path(path)
    if path.is_dir() or path.name == TRUTH or ".tar" in path.suffixes:
        return devkit_labels(path)
    return listed_labels(path)


def read_names(path):
    """Class names, one a line, in the order of their numbers; what a tab ends.

    Raises:
        UserError: no text, or an empty one.
    """
    try:
        lines = Path(path).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    names = [line.split("\t")[0].strip() for line in lines if line.strip()]
    if not names:
        raise UserError(
            f"{path}: give a text of class names, one a line, such as"
            " resources/imagenet/synsets.txt"
        )
    return names
