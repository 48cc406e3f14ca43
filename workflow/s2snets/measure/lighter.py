"""Accuracy through lighter autoencoders against their cost."""

import pandas as pd

from s2snets.measure.accuracy import score
from s2snets.measure.sources import ORIGINAL
from s2snets.runtime.errors import UserError


def against_cost(
    rows: pd.DataFrame, costs: pd.DataFrame, classifiers: list[str]
) -> pd.DataFrame:
    """Return accuracy through each pretrained autoencoder, and what that one costs.

    Args:
        rows: predictions, as ``accuracy.score`` takes them; those without noise count.
        costs: a row for each autoencoder: source, width, stages, parameters,
            multiply_adds, mse.
        classifiers: names in the order of the table.

    Returns:
        The columns of ``costs`` (missing for the originals), classifier, images, seeds,
        top1: the originals first, then the autoencoders from light to heavy.

    Raises:
        UserError: an autoencoder lacks predictions of a classifier.
    """
    hits = score(rows[rows["strength"] == 0])
    hits["classifier"] = hits["classifier"].astype(str)
    means = hits.groupby(["source", "classifier"]).agg(
        images=("image", "nunique"), seeds=("seed", "nunique"), top1=("top1", "mean")
    )
    order = [ORIGINAL.source, *costs.sort_values("multiply_adds")["source"]]
    wanted = pd.MultiIndex.from_product(
        [order, classifiers], names=["source", "classifier"]
    )
    if len(missing := wanted[~wanted.isin(means.index)]):
        source, classifier = missing[0]
        raise UserError(f"predictions: no {classifier} on {source}; predict it again")
    table = means.loc[wanted].reset_index().merge(costs, "left", on="source")
    scores = ["classifier", "images", "seeds", "top1"]
    return table[[*costs.columns, *scores]]
