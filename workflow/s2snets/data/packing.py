"""From a set's sources to its tar shards: which images it has, and the packing."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from s2snets.data.classes import (
    check_classes,
    class_number,
    describe_counts,
    find_classes,
)
from s2snets.data.composite import composite_items
from s2snets.data.crops import random_crop, resized
from s2snets.data.images import decode, encode_png
from s2snets.data.shards import (
    COLUMNS,
    UNLABELLED,
    shard_entry,
    write_index,
    write_shard,
)
from s2snets.data.sources import Item, is_idx, read_items
from s2snets.runtime.errors import UserError
from s2snets.runtime.progress import Progress

if TYPE_CHECKING:
    from s2snets.config import Crops, Source

T = TypeVar("T")
R = TypeVar("R")


def set_classes(
    sources: Sequence[Source],
    classes: list[str] | None,
    named_by: Sequence[Source] | None,
) -> list[str]:
    """Return the class names of a labelled set, once its sources fit them.

    Args:
        sources: of the set.
        classes: the names, if the settings list them.
        named_by: the sources whose classes the set must have; None: its own.

    Raises:
        UserError: other classes than those, a name that is no Unicode, or an image
            without a label.
    """
    names = find_classes(named_by or sources) if classes is None else classes
    if classes is not None or named_by:
        check_classes(sources, names, complete=classes is None)
    for name in names:
        if name.encode(errors="replace").decode() != name:
            raise UserError(
                f"{sources[0].path}: class {name!r} has a name that is not UTF-8;"
                " rename its folder"
            )
    return names


def crop_items(item: Item, crops: Crops, seed: Sequence[int]) -> Iterator[Item]:
    """Yield random square crops of one image, each as a lossless PNG."""
    image = decode(item.read(), item.name)
    draw = np.random.default_rng(seed)
    for number in range(crops.count):
        crop = random_crop(image, crops.side, draw)
        pixels = np.asarray(resized(crop, crops.size) if crops.size else crop)
        name, group = f"{item.name}#{number}", item.group or item.name
        yield Item(name, ".png", item.label, partial(encode_png, pixels), group)


def with_group(pattern: str, item: Item) -> Item:
    """Return an item with the part of its name that images of a group share.

    Raises:
        UserError: its name has none.
    """
    if (match := re.search(pattern, item.name)) is None:
        raise UserError(f"{item.name}: group: {pattern!r} is not found in this path")
    return item._replace(group=match[match.lastindex or 0])


def source_items(
    source: Source, classes: Sequence[str] | None, seed: tuple[int, ...]
) -> Iterator[Item]:
    """Yield what a set takes from one source, in a fixed order, labelled by numbers.

    Args:
        classes: class names; None for an unlabelled set.
        seed: of the source's subset and of its crops.

    Raises:
        UserError: a missing, empty or malformed source.
    """
    if classes is None and not is_idx(source.path):
        source = source.model_copy(update={"labels": None})
    items: Iterable[Item] = read_items(source)
    if source.images is not None:
        everything = list(items)
        if source.images > len(everything):
            raise UserError(
                f"{source.path}: images: {source.images} asked for, {len(everything)}"
                " there"
            )
        order = np.random.default_rng(seed).permutation(len(everything))
        items = [everything[number] for number in sorted(order[: source.images])]
    if source.group is not None:
        items = map(partial(with_group, source.group), items)
    if source.repeat > 1:
        items = (
            item._replace(group=item.group or item.name)
            for item in items
            for _ in range(source.repeat)
        )
    if source.background:
        items = composite_items(items, source.background, seed)
    if source.crops:
        items = chain.from_iterable(
            crop_items(item, source.crops, (*seed, number))
            for number, item in enumerate(items)
        )
    numbers = {name: number for number, name in enumerate(classes or ())}
    for item in items:
        label = UNLABELLED
        if classes is not None:
            label = class_number(item.label, numbers, item.name)
        yield item._replace(label=label)


def set_items(
    sources: Iterable[Source], classes: Sequence[str] | None, seed: int
) -> Iterator[Item]:
    """Yield the images of every source in turn; print each class's count at the end."""
    counts = Counter[object]()
    for number, source in enumerate(sources):
        for item in source_items(source, classes, (seed, number)):
            counts[item.label] += 1
            yield item
    if classes is not None:
        by_name = {name: counts[number] for number, name in enumerate(classes)}
        print(describe_counts(by_name))


def map_ahead(
    pool: Executor, function: Callable[[T], R], items: Iterable[T], depth: int
) -> Iterator[R]:
    """Yield results in order, like ``pool.map``, at most ``depth`` items ahead."""
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > depth:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def read_decodable(item: Item) -> bytes:
    """Return an item's bytes, or raise ``UserError`` where they do not decode."""
    data = item.read()
    decode(data, item.name)
    return data


def pack(
    items: Iterable[Item],
    folder: str | Path,
    index: str | Path,
    *,
    classes: list[str] | None,
    shard_images: int,
    threads: int = 1,
) -> None:
    """Write items as tar shards and the index over them.

    Every image is decoded once, so that an unreadable one stops the packing and not,
    days later, a training.

    Args:
        items: with a number, or ``UNLABELLED``, as label.
        folder: where the shards go.
        index: path of ``index.npz``; ``index.json`` goes beside it.
        classes: class names, None for an unlabelled set.
        shard_images: number of images in a shard.
        threads: number of threads that decode.

    Raises:
        UserError: an unreadable image, no image at all, a full disk.
    """
    folder, index = Path(folder), Path(index)
    rows, groups, shards, done, report = [], [], [], 0, Progress()
    with ThreadPoolExecutor(threads) as pool:
        items = iter(items)
        for number in count():
            if not (batch := tuple(islice(items, shard_images))):
                break
            path = folder / f"{number:06d}.tar"
            data = map_ahead(pool, read_decodable, batch, 4 * threads)
            suffixes = (item.suffix for item in batch)
            extents = write_shard(path, zip(suffixes, data, strict=True), done)
            rows += [
                (number, *extent, item.label)
                for extent, item in zip(extents, batch, strict=True)
            ]
            groups += [item.group for item in batch]
            shards.append(shard_entry(path, len(batch), index.parent))
            done += len(batch)
            report(done)
    if not rows:
        raise UserError(f"{index}: no images to pack; see the sources under data")
    columns: dict[str, Sequence[int]] = dict(
        zip(COLUMNS, zip(*rows, strict=True), strict=True)
    )
    if any(group is not None for group in groups):
        columns["group"] = number_groups(groups)
    write_index(index, columns, shards, classes=classes)


def number_groups(groups: Sequence[str | None]) -> list[int]:
    """Return a number for each image: the same for those of the same group.

    Args:
        groups: of the images; None: an image that depends on no other.
    """
    numbers: dict[str | int, int] = {}
    keys = (n if group is None else group for n, group in enumerate(groups))
    return [numbers.setdefault(key, len(numbers)) for key in keys]
