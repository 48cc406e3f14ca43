"""Scores of a segmented foreground: per-pixel accuracy, intersection over union."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from s2snets.measure.bootstrap import BLOCK, interval
from s2snets.runtime.errors import UserError

SCORES = ["pp", "iou"]
KEYS = ["classifier", "method"]
NETWORKS = {
    "caffe_alexnet": "AlexNet",
    "torchvision/alexnet": "AlexNet",
    "torchvision/vgg16": "VGG-16",
}
"""Architecture -> the paper's network that it is."""


def scores(foreground: np.ndarray, masks: np.ndarray) -> tuple[float, float]:
    """Return the scores of one image with the mask that fits best, for each score.

    Mahendran & Vedaldi 2016, section 3.5, as their published code computes them.

    Args:
        foreground: bool (H, W), as segmented.
        masks: bool (K, H, W), each a foreground as one person drew it.

    Returns:
        Per-pixel accuracy and intersection over union, both in [0, 1]. Where both
        foreground and mask are empty, both are 1.
    """
    union = (masks | foreground).sum((1, 2))
    shared = (masks & foreground).sum((1, 2))
    overlap = np.where(union, shared / np.maximum(union, 1), 1.0)
    return (masks == foreground).mean((1, 2)).max(), overlap.max()


def class_means(
    values: ArrayLike, categories: ArrayLike, times: np.ndarray | None = None
) -> np.ndarray:
    """Average over the images of each class, then over classes.

    Args:
        values: (images, columns).
        categories: (images,), the classes.
        times: (resamples, images), how often each image counts; None: once. A class of
            which a resample has no image counts for nothing in it.

    Returns:
        (resamples, columns); one row without ``times``.
    """
    codes = pd.factorize(np.asarray(categories))[0]
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    times = np.ones((1, len(codes))) if times is None else times[:, order]
    counts = np.add.reduceat(times, starts, axis=1)
    means = [
        np.add.reduceat(times * column, starts, axis=1) / np.maximum(counts, 1)
        for column in np.asarray(values, float)[order].T
    ]
    return np.stack(means, -1).sum(1) / (counts > 0).sum(1, keepdims=True)


def resampled(
    values: ArrayLike, categories: ArrayLike, resamples: int, seed: int
) -> np.ndarray:
    """Return bootstrapped ``class_means`` over images, all columns resampled together.

    Returns:
        float64 (resamples, columns).
    """
    (count, columns), draw = np.shape(values), np.random.default_rng(seed)
    means = np.empty((resamples, columns))
    for start in range(0, resamples, BLOCK):
        block = means[start : start + BLOCK]
        times = [
            np.bincount(draw.integers(count, size=count), minlength=count)
            for _ in block
        ]
        block[:] = class_means(values, categories, np.stack(times))
    return means


def summarise(rows: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Return scores of every method and network, averaged over seeds, with intervals.

    Args:
        rows: seed, classifier, method, set, image, category, pp, iou: a row for each
            image.
        resamples: of the bootstrap.
        seed: likewise.

    Returns:
        classifier, method, set, images, classes, seeds; pp, iou and their ``_low``,
        ``_high``; in the order of the rows.

    Raises:
        UserError: a method or a seed that lacks images which others have.
    """
    counts = rows.groupby(KEYS, sort=False, observed=True).agg(
        set=("set", "first"),
        images=("image", "nunique"),
        classes=("category", "nunique"),
        seeds=("seed", "nunique"),
        rows=("image", "size"),
    )
    everywhere = rows["image"].nunique()
    for classifier, method in counts.index:
        count = counts.loc[(classifier, method)]
        if (
            count["rows"] != count["images"] * count["seeds"]
            or count["images"] != everywhere
        ):
            raise UserError(
                f"scores: {classifier}, {method}: lacks images that others have;"
                " segment the same images with all"
            )
    wide = rows.pivot_table(SCORES, "image", KEYS, observed=True)
    by_image = rows.drop_duplicates("image").set_index("image")["category"]
    categories = by_image.loc[wide.index].to_numpy()
    drawn = resampled(wide, categories, resamples, seed)
    table = pd.DataFrame(
        np.stack([class_means(wide, categories)[0], *interval(drawn)]),
        index=["", "_low", "_high"],
        columns=wide.columns,
    )
    summary = counts.drop(columns="rows")
    for score in SCORES:
        for suffix in table.index:
            summary[f"{score}{suffix}"] = table[score].loc[suffix]
    return summary.reset_index()


def add_printed(
    table: pd.DataFrame,
    printed: pd.DataFrame,
    architectures: dict[str, str],
    published: str,
) -> pd.DataFrame:
    """Add the printed scores to measured ones, and as rows of their own as well.

    Args:
        table: as ``summarise`` gives it.
        printed: network, method, pp, iou as fractions: empty networks have none.
        architectures: classifier -> architecture.
        published: the ``set`` whose scores are printed: with another set they are not
            comparable.

    Returns:
        ``source`` (measured, printed), ``network`` (the paper's, where the
        architecture is one of its) and the columns of ``table``; ``printed_pp``,
        ``printed_iou`` where the paper has the same network and method on the same
        images.
    """
    networks = [
        NETWORKS.get(architectures.get(name, ""), "") for name in table["classifier"]
    ]
    table = table.assign(source="measured", network=networks)
    columns = {score: f"printed_{score}" for score in SCORES}
    table = table.merge(printed.rename(columns=columns), "left", ["network", "method"])
    table.loc[table["set"] != published, list(columns.values())] = np.nan
    printed = printed.assign(source="printed", classifier="", set=published)
    table = pd.concat([table, printed], ignore_index=True)
    counted = ["images", "classes", "seeds"]
    table[counted] = table[counted].astype("Int64")
    first = ["source", "classifier", "network", "method", "set"]
    return table[first + [name for name in table if name not in first]]
