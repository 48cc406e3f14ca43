"""From predictions to the paper's accuracy tables."""

import pandas as pd

from s2snets.errors import Mistake

PARTS = ("decoder", "encoder", "both")
INPUTS = ("original", "A_S", "A_i")
CLASSES = [f"class_{place}" for place in range(1, 6)]
SCORES = ["top1", "top5"]


def sources(classifiers, part):
    """Every source of pixels a study can have, in the order of its tables.

    Args:
        classifiers: keys in the config's order.
        part: the main part, whose autoencoders are labelled plainly: "A_L";
            those of another part say so: "A_L (encoder)".

    Returns:
        DataFrame: source (file stem), part, tuned (the classifier it was tuned
        for; both empty for the originals and A_S), label.
    """
    rows = [("original", "", "", "original"), ("pretrained", "", "", "A_S")]
    for kind in (part, *(kind for kind in PARTS if kind != part)):
        note = "" if kind == part else f" ({kind})"
        rows += [(f"{kind}-{key}", kind, key, f"A_{key}{note}") for key in classifiers]
    return pd.DataFrame(rows, columns=["source", "part", "tuned", "label"])


def score(rows):
    """Whether each prediction holds the truth first, and among its first five.

    Args:
        rows: one row a prediction: seed, source, image, classifier, strength,
            label, class_1 to class_5 (-1 past the last class).

    Returns:
        seed, source, image, classifier, strength, top1, top5 (bool).
    """
    hits = rows[CLASSES].eq(rows["label"], axis=0)
    keys = rows[["seed", "source", "image", "classifier", "strength"]]
    return keys.assign(top1=hits["class_1"], top5=hits.any(axis=1))


def tabulate(rows, classifiers, part):
    """Accuracies by source, classifier and noise strength: ``accuracy.csv``.

    Args:
        rows: predictions, as ``score`` takes them.
        classifiers: keys in the config's order.
        part: the main part (see ``sources``).

    Returns:
        source, part, tuned, label, classifier, strength, images, seeds, top1,
        top5: means over images and seeds, sorted by source, classifier and
        strength.

    Raises:
        Mistake: an unknown source or classifier, or a seed that lacks images.
    """
    known = sources(classifiers, part)
    hits = score(rows)
    for column, names in (("source", known["source"]), ("classifier", classifiers)):
        strange = ~hits[column].isin(names)
        if strange.any():
            name = hits.loc[strange, column].iloc[0]
            raise Mistake(f"predictions: {column} {name!r} is not in the config")
        hits[column] = pd.Categorical(hits[column], list(names))
    keys = ["source", "classifier", "strength"]
    table = hits.groupby(keys, observed=True).agg(
        rows=("top1", "size"),
        images=("image", "nunique"),
        seeds=("seed", "nunique"),
        top1=("top1", "mean"),
        top5=("top5", "mean"),
    )
    uneven = table[table["rows"] != table["images"] * table["seeds"]]
    if len(uneven):
        (source, classifier, strength), row = next(uneven.iterrows())
        raise Mistake(
            f"predictions: {source}, {classifier}, strength {strength}:"
            f" {row['rows']:.0f} rows are not {row['images']:.0f} images"
            f" x {row['seeds']:.0f} seeds; predict that source again"
        )
    table = table.drop(columns="rows").reset_index()
    table = table.astype({"source": str, "classifier": str})
    return known.merge(table, on="source")


def table1(accuracy, part):
    """Each classifier on the originals, A_S and its own autoencoder: Table 1.

    Args:
        accuracy: as ``tabulate`` returns it, or read back from its file.
        part: the main part.

    Returns:
        classifier, input (original, A_S, A_i), images, seeds, top1,
        top1_difference, top5, top5_difference: without noise, differences
        against the originals (missing for those themselves).
    """
    table = _inputs(_clean(accuracy), part)
    originals = table[table["input"] == "original"]
    table = _against(table, originals)
    differences = [f"{name}_difference" for name in SCORES]
    table.loc[table["input"] == "original", differences] = float("nan")
    order = {key: place for place, key in enumerate(_classifiers(accuracy))}
    table = table.sort_values(
        "classifier", key=lambda keys: keys.map(order), kind="stable"
    )
    return _columns(table, "classifier", "input")


def table2(accuracy, part):
    """Top-1 accuracy of every classifier with every autoencoder: Table 2.

    Returns:
        autoencoder (A_i), then a column for each classifier; without noise.
    """
    clean = _clean(accuracy)
    tuned = clean[clean["part"] == part]
    table = tuned.pivot(index="label", columns="classifier", values="top1")
    table = table.reindex(tuned["label"].unique(), columns=_classifiers(accuracy))
    return table.rename_axis(index="autoencoder", columns=None).reset_index()


def parts(accuracy):
    """What fine-tuning the encoder, the decoder or both brings (section 3.3).

    Returns:
        part, classifier, images, seeds, top1, top1_difference, top5,
        top5_difference: each classifier with its own autoencoder, without
        noise, against A_S.
    """
    clean = _clean(accuracy)
    own = clean[clean["tuned"] == clean["classifier"]]
    table = _against(own, clean[clean["source"] == "pretrained"])
    return _columns(table, "part", "classifier")


def noise(accuracy, part):
    """Accuracy under growing noise on each input: Figure 5.

    Returns:
        input (original, A_S, A_i), classifier, strength, images, seeds, top1,
        top5.
    """
    columns = ["input", "classifier", "strength", "images", "seeds", *SCORES]
    return _inputs(accuracy, part)[columns].reset_index(drop=True)


def _classifiers(accuracy):
    return list(accuracy["classifier"].unique())


def _clean(accuracy):
    clean = accuracy[accuracy["strength"] == 0]
    if clean.empty:
        raise Mistake("accuracy: no row has strength 0; predict without noise too")
    return clean


def _inputs(accuracy, part):
    """The rows of originals, A_S and each classifier's own A_i, so named."""
    own = (accuracy["part"] == part) & (accuracy["tuned"] == accuracy["classifier"])
    names = accuracy["source"].map({"original": "original", "pretrained": "A_S"})
    return accuracy.assign(input=names.mask(own, "A_i")).dropna(subset="input")


def _against(table, baseline):
    """Add differences to the same classifier's row of ``baseline``."""
    baseline = baseline.set_index("classifier")[SCORES]
    return table.assign(
        **{
            f"{name}_difference": table[name] - table["classifier"].map(baseline[name])
            for name in SCORES
        }
    )


def _columns(table, *keys):
    scores = [column for name in SCORES for column in (name, f"{name}_difference")]
    return table[[*keys, "images", "seeds", *scores]].reset_index(drop=True)
