"""Denoisers beside the autoencoders: the noise sweep on the same images."""

import pandas as pd

from s2snets.measure.accuracy import referred, score
from s2snets.runtime.errors import UserError


def compare(predicted, denoised, classifiers, denoisers, part, reference="labels"):
    """Accuracies under noise, of all inputs on just the images that were denoised.

    Args:
        predicted: predictions of the originals, A_S and every A_i, as
            ``accuracy.score`` takes them.
        denoised: those of the denoisers, the denoiser's name as their source.
        classifiers, denoisers: names in the order of the table.
        part: the part whose autoencoders are the A_i.
        reference: see ``accuracy.referred``.

    Returns:
        source (original, A_S, A_i, then the denoisers), classifier, strength, images,
        seeds, top1, top5.

    Raises:
        UserError: some input was not measured on an image that a denoiser was.
    """
    rows = pd.concat([predicted, denoised], ignore_index=True)
    rows = referred(rows, reference)
    own = rows["source"] == part + "-" + rows["classifier"].astype(str)
    known = {"original": "original", "pretrained": "A_S"}
    known |= {name: name for name in denoisers}
    rows["source"] = rows["source"].map(known).mask(own, "A_i")
    shared = ["seed", "image", "strength"]
    rows = rows.dropna(subset="source").merge(denoised[shared].drop_duplicates())
    order = ["original", "A_S", "A_i", *denoisers]
    hits = score(rows)
    hits["source"] = pd.Categorical(hits["source"], order)
    hits["classifier"] = pd.Categorical(hits["classifier"].astype(str), classifiers)
    table = hits.groupby(
        ["source", "classifier", "strength"], observed=False
    ).agg(
        rows=("top1", "size"),
        images=("image", "nunique"),
        seeds=("seed", "nunique"),
        top1=("top1", "mean"),
        top5=("top5", "mean"),
    ).reset_index()  # fmt: skip
    most = table.groupby("strength")["rows"].transform("max")
    if (short := table[table["rows"] < most]).size:
        first = short.iloc[0]
        raise UserError(
            f"predictions: {first['source']}, {first['classifier']}, strength"
            f" {first['strength']:g}: {first['rows']} rows where others have"
            f" {most[first.name]}; predict that source again"
        )
    return table.drop(columns="rows").astype({"source": str, "classifier": str})
