"""The variance of each accuracy, split into its sources: images, replicates, seeds."""

import numpy as np
import pandas as pd

from s2snets.measure.accuracy import score
from s2snets.measure.sources import PixelSource

COLUMNS = ["label", "classifier", "images", "replicates", "seeds", "top1"]
COLUMNS += ["images_sd", "replicates_sd", "seeds_sd"]


def components(
    rows: pd.DataFrame, classifiers: list[str], sources: list[PixelSource]
) -> pd.DataFrame:
    """Return how much each accuracy without noise varies, and with what.

    An analysis of variance of the hits, images crossed with trainings. What replicates
    or seeds seem to differ by because they are compared on finitely many images is
    taken off their component, which is 0 where nothing else is left.

    Args:
        rows: predictions, as ``accuracy.score`` takes them.
        classifiers: names in the order of the table.
        sources: likewise; those without predictions are left out.

    Returns:
        label, classifier, images, replicates, seeds (counts), top1, and three standard
        deviations: images_sd, of the accuracy over samples of as many images, the
        networks as they are; replicates_sd, of one fine-tuning's accuracy on endless
        images; seeds_sd, of one seed's, with endless replicates. The latter two are
        missing for one replicate or seed.
    """
    hits = score(rows[rows["strength"] == 0])
    cells = dict(iter(hits.groupby(["source", "classifier"], observed=True)))
    table = []
    for source in sources:
        for classifier in classifiers:
            if (cell := cells.get((source.source, classifier))) is None:
                continue
            keys = ["seed", "replicate", "image"]
            means = cell.set_index(keys)["top1"].astype(float).sort_index()
            counts = [means.index.unique(name).size for name in keys]
            values = means.to_numpy().reshape(counts)
            names, mean = (source.label, classifier), values.mean()
            if "group" in cell:
                groups = cell.drop_duplicates("image").set_index("image")["group"]
                values = by_group(values, groups.sort_index().to_numpy())
            table.append((*names, *counts[::-1], mean, *np.sqrt(split(values))))
    return pd.DataFrame(table, columns=COLUMNS)


def by_group(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return values of groups that vary as the mean over all images does.

    Images of a group depend on each other, so that the group is the unit. A mean over
    groups of different sizes is a ratio; this is its linear part, and its mean that of
    the images.

    Args:
        values: (..., images).
        groups: of the images, (images,).

    Returns:
        (..., groups).
    """
    number, names = pd.factorize(groups)
    mean = values.mean(axis=-1, keepdims=True)
    sums = np.zeros((*values.shape[:-1], len(names)))
    np.add.at(sums.T, number, (values - mean).T)
    return mean + sums * (len(names) / len(groups))


def split(values: np.ndarray) -> tuple[float, float, float]:
    """Return the variances of a mean that come from images, replicates and seeds.

    Args:
        values: (seeds, replicates, images).
    """
    _, replicates, images = values.shape
    of_images = values.var(axis=-1, ddof=1).mean() / images
    of_replicates = np.mean([_between(each) for each in values])
    of_seeds = _between(values.mean(axis=1))
    if replicates > 1:
        of_seeds -= of_replicates / replicates
    # NaN stays NaN.
    return of_images, np.maximum(0.0, of_replicates), np.maximum(0.0, of_seeds)


def _between(values: np.ndarray) -> float:
    """Return the variance between trainings' means, on endless images; NaN for one.

    Args:
        values: (trainings, images).
    """
    trainings, images = values.shape
    if trainings == 1:
        return np.nan
    apart = values.var(axis=1, ddof=1).mean() - values.mean(axis=0).var(ddof=1)
    interaction = apart * trainings / (trainings - 1)
    return values.mean(axis=1).var(ddof=1) - interaction / images
