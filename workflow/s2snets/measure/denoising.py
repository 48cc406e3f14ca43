"""Comparison of denoisers with the autoencoders on the same noisy images."""

import pandas as pd

from s2snets.config.base import Part, Reference
from s2snets.measure.accuracy import apply_reference, mean_scores, score
from s2snets.measure.sources import (
    ORIGINAL,
    OWN_AUTOENCODER,
    PRETRAINED,
    UNTUNED_LABELS,
)
from s2snets.runtime.errors import UserError


def compare(
    predicted: pd.DataFrame,
    denoised: pd.DataFrame,
    classifiers: list[str],
    denoisers: list[str],
    part: Part,
    reference: Reference = "labels",
) -> pd.DataFrame:
    """Return accuracies of all inputs, on the denoised images and under their noise.

    Args:
        predicted: predictions of the originals, A_S and every A_i, as
            ``accuracy.score`` takes them.
        denoised: those of the denoisers, the denoiser's name as their source.
        classifiers: names in the order of the table.
        denoisers: likewise.
        part: the part whose autoencoders are the A_i.
        reference: see ``accuracy.apply_reference``.

    Returns:
        source (original, A_S, A_i, then the denoisers), classifier, strength, images,
        seeds, top1, top5.

    Raises:
        UserError: an input lacks predictions on an image that a denoiser has.
    """
    rows = pd.concat([predicted, denoised], ignore_index=True)
    rows = apply_reference(rows, reference)
    own = rows["source"] == part + "-" + rows["classifier"].astype(str)
    labels = UNTUNED_LABELS | {name: name for name in denoisers}
    rows["source"] = rows["source"].map(labels).mask(own, OWN_AUTOENCODER)
    shared = ["seed", "image", "noise", "strength"]
    rows = rows.dropna(subset="source").merge(denoised[shared].drop_duplicates())
    order = [ORIGINAL.label, PRETRAINED.label, OWN_AUTOENCODER, *denoisers]
    hits = score(rows)
    hits["source"] = pd.Categorical(hits["source"], order)
    hits["classifier"] = pd.Categorical(hits["classifier"].astype(str), classifiers)
    keys = ["source", "classifier", "strength"]
    table = mean_scores(hits, keys, observed=False).reset_index()
    most = table.groupby("strength")["rows"].transform("max")
    if (short := table[table["rows"] < most]).size:
        first = short.iloc[0]
        raise UserError(
            f"predictions: {first['source']}, {first['classifier']}, strength"
            f" {first['strength']:g}: {first['rows']} rows where others have"
            f" {most[short.index[0]]}; predict that source again"
        )
    table = table.drop(columns=["rows", "replicates"])
    return table.astype({"source": str, "classifier": str})
