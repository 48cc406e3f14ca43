"""The classes of labelled sources: their names, order, and what may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from s2snets.data.sources import Label, read_items, suffix_of, tar_class
from s2snets.data.tars import iterate_members
from s2snets.runtime.errors import UserError

if TYPE_CHECKING:
    from s2snets.config import Source

MAX_CLASSES = 100_000
"""Of so many classes none has a number as its name: a greater number is a mistake."""


def abbreviate(names: Sequence[str]) -> str:
    """Return names as a list; of more than 12, the first five and their number."""
    if len(names) > 12:
        return f"{', '.join(names[:5])} … ({len(names)})"
    return ", ".join(names)


def source_labels(source: Source) -> set[int | str]:
    """Return the labels that a source has; no image is read.

    Raises:
        UserError: an image without a label.
    """
    path = Path(source.path)
    if source.labels is None and path.is_file() and path.suffix == ".tar":
        members = list(iterate_members(path))
        if {suffix_of(member) for member in members} == {".tar"}:
            return {tar_class(member) for member in members}  # a second, not minutes
    labels = set()
    for item in read_items(source):
        if item.label is None:
            raise UserError(
                f"{item.name}: has no label; use one folder a class, or give `labels`:"
                " the devkit, or a list of files and classes"
            )
        labels.add(item.label)
    return labels


def find_classes(sources: Sequence[Source]) -> list[str]:
    """Return the class names of labelled sources, in the order of the labels.

    Names are sorted; where a source numbers its classes, the numbers are the names.

    Raises:
        UserError: an image without a label; fewer than two classes; numbers and names.
    """
    labels = set().union(*map(source_labels, sources))
    path = sources[0].path
    numbers = {label for label in labels if isinstance(label, int)}
    names = {label for label in labels if isinstance(label, str)}
    if numbers and names:
        raise UserError(
            f"{path}: some of these images have numbers as labels, some names; list the"
            " names in data.classes"
        )
    if len(labels) < 2:
        raise UserError(
            f"{path}: a labelled set needs two classes and one folder a class, or"
            f" `labels`; here is {abbreviate(sorted(map(str, labels)))}"
        )
    if not numbers:
        return sorted(names)
    if max(numbers) >= MAX_CLASSES:
        raise UserError(
            f"{path}: has a class of number {max(numbers)}; count the classes from 0"
        )
    return [str(number) for number in range(max(numbers) + 1)]


def class_number(label: Label, classes: dict[str, int], name: str) -> int:
    """Return a label's number among the classes.

    Args:
        classes: number of each class by name.
        name: what to call the image or source in an error message.

    Raises:
        UserError: the label is none of the classes.
    """
    if label is None:
        raise UserError(f"{name}: has no label")
    number = label if isinstance(label, int) else classes.get(label, -1)
    if not 0 <= number < len(classes):
        raise UserError(
            f"{name}: {label!r} is no class; the classes are"
            f" {abbreviate(list(classes))}"
        )
    return number


def check_classes(
    sources: Sequence[Source], classes: Sequence[str], complete: bool
) -> None:
    """Raise unless the sources have no classes but those given.

    Args:
        classes: names in the order of the labels.
        complete: whether each must have an image.

    Raises:
        UserError: a class too many, or one without images.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    present = {
        class_number(label, numbers, source.path)
        for source in sources
        for label in source_labels(source)
    }
    empty = [name for name, number in numbers.items() if number not in present]
    if complete and empty:
        raise UserError(
            f"{sources[0].path}: no image of {abbreviate(empty)}, which data.train has;"
            " give both sets the same classes, or list them in data.classes"
        )


def describe_counts(counts: dict[str, int]) -> str:
    """Return one line on the images of each class: least, most, and classes without."""
    least, most = (
        min(counts, key=counts.__getitem__),
        max(counts, key=counts.__getitem__),
    )
    empty = [name for name, count in counts.items() if not count]
    return (
        f"{sum(counts.values()):,} images of {len(counts):,} classes, from"
        f" {counts[least]:,} ({least}) to {counts[most]:,} ({most})"
        + (f"; none of {abbreviate(empty)}" if empty else "")
    )
