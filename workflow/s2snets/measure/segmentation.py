"""How well a foreground is found: per-pixel accuracy, intersection over union."""

import numpy as np
import pandas as pd

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


def scores(found, masks):
    """Of one image, against the mask that fits best, for each score by itself.

    Mahendran & Vedaldi 2016, section 3.5, as their published code reckons.

    Args:
        found: bool (H, W), the foreground.
        masks: bool (K, H, W), each a foreground as one person drew it.

    Returns:
        Per-pixel accuracy and intersection over union, both in [0, 1]. Where nothing
        is found and nothing was to be, both are 1.
    """
    union = (masks | found).sum((1, 2))
    shared = (masks & found).sum((1, 2))
    overlap = np.where(union, shared / np.maximum(union, 1), 1.0)
    return (masks == found).mean((1, 2)).max(), overlap.max()


def class_means(values, categories, times=None):
    """Mean over the images of each class, then over classes.

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


def resampled(values, categories, resamples, seed):
    """Bootstrap of ``class_means`` over images, one set of resamples for all columns.

    Returns:
        float64 (resamples, columns).
    """
    count, drawn = len(values), np.random.default_rng(seed)
    found = np.empty((resamples, np.shape(values)[1]))
    for start in range(0, resamples, BLOCK):
        block = found[start : start + BLOCK]
        times = [
            np.bincount(drawn.integers(count, size=count), minlength=count)
            for _ in block
        ]
        block[:] = class_means(values, categories, np.stack(times))
    return found


def summarise(rows, resamples, seed):
    """Scores of every method and network, averaged over seeds, with intervals.

    Args:
        rows: seed, classifier, method, set, image, category, pp, iou: a row an image.
        resamples, seed: of the bootstrap.

    Returns:
        DataFrame in the order of the rows: classifier, method, set, images, classes,
        seeds; pp, iou and their ``_low``, ``_high``.

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
    for (classifier, method), one in counts.iterrows():
        if one["rows"] != one["images"] * one["seeds"] or one["images"] != (
            rows["image"].nunique()
        ):
            raise UserError(
                f"scores: {classifier}, {method}: lacks images that others have;"
                " segment the same images with all"
            )
    wide = rows.pivot_table(SCORES, "image", KEYS, observed=True)
    categories = rows.drop_duplicates("image").set_index("image")["category"]
    categories = categories.loc[wide.index].to_numpy()
    drawn = resampled(wide, categories, resamples, seed)
    table = pd.DataFrame(
        np.stack([class_means(wide, categories)[0], *interval(drawn)]),
        index=["", "_low", "_high"],
        columns=wide.columns,
    )
    found = counts.drop(columns="rows")
    for score in SCORES:
        for suffix, values in table[score].iterrows():
            found[score + suffix] = values
    return found.reset_index()


def beside(table, printed, architectures, published):
    """Measured scores with the printed ones, which are rows of their own as well.

    Args:
        table: as ``summarise`` gives it.
        printed: network, method, pp, iou as fractions: empty networks have none.
        architectures: classifier -> architecture.
        published: the ``set`` whose scores are printed: beside others they would mean
            nothing.

    Returns:
        ``source`` (measured, printed), ``network`` (the paper's, where it is one of
        its) and the columns of ``table``; ``printed_pp``, ``printed_iou`` where the
        paper has the same network and method on the same images.
    """
    networks = [NETWORKS.get(architectures.get(one), "") for one in table["classifier"]]
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
