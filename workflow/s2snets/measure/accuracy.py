"""From predictions to the paper's accuracy tables."""

import numpy as np
import pandas as pd

from s2snets.measure.bootstrap import by_seed, interval
from s2snets.measure.bootstrap import resample as resample_means
from s2snets.runtime.errors import UserError

PARTS = ("decoder", "encoder", "both")
CLASSES = [f"class_{place}" for place in range(1, 6)]
SCORES = ["top1", "top5"]
KEYS = ["source", "classifier", "strength"]


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


def referred(rows, reference):
    """Predictions with what they are held against as their ``label``.

    Args:
        rows: predictions, as ``score`` takes them, among them, for ``predictions``,
            those on the originals without noise.
        reference: ``labels``: the images' own; ``predictions``: what the same
            classifier says first of the original, so that top-1 is agreement, and 1 on
            the originals.

    Raises:
        UserError: a prediction on an original is missing.
    """
    if reference == "labels":
        return rows
    keys = ["seed", "image", "classifier"]
    clean = rows[(rows["source"] == "original") & (rows["strength"] == 0)]
    own = clean[[*keys, "class_1"]].rename(columns={"class_1": "label"})
    found = rows.drop(columns="label").merge(own, "left", on=keys)
    if len(lost := found[found["label"].isna()]):
        seed, image, classifier = lost[keys].iloc[0]
        raise UserError(
            f"predictions: seed {seed}, {classifier}: none on the original of image"
            f" {image}, to hold the others against; predict source original again"
        )
    return found


def marked(table, reference):
    """A table of accuracies that says where they are none but agreement."""
    return table if reference == "labels" else table.assign(reference=reference)


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
        top1_sd, top5: means over images and seeds, and the deviation over seeds
        (missing for one); sorted by source, classifier and strength.

    Raises:
        UserError: an unknown source or classifier, or a seed or source that lacks
            images of another at the same strength.
    """
    known = sources(classifiers, part)
    hits = score(rows)
    for column, names in (("source", known["source"]), ("classifier", classifiers)):
        strange = ~hits[column].isin(names)
        if strange.any():
            name = hits.loc[strange, column].iloc[0]
            raise UserError(f"predictions: {column} {name!r} is not in the config")
        hits[column] = pd.Categorical(hits[column], list(names))
    table = hits.groupby(KEYS, observed=True).agg(
        rows=("top1", "size"),
        images=("image", "nunique"),
        seeds=("seed", "nunique"),
        top1=("top1", "mean"),
        top5=("top5", "mean"),
    )
    uneven = table[table["rows"] != table["images"] * table["seeds"]]
    if len(uneven):
        (source, classifier, strength), row = next(uneven.iterrows())
        raise UserError(
            f"predictions: {source}, {classifier}, strength {strength}:"
            f" {row['rows']:.0f} rows are not {row['images']:.0f} images"
            f" x {row['seeds']:.0f} seeds; predict that source again"
        )
    everywhere = hits.groupby("strength")["image"].nunique()
    fewer = table[table["images"] < table.index.get_level_values(2).map(everywhere)]
    if len(fewer):
        source, classifier, strength = fewer.index[0]
        raise UserError(
            f"predictions: {source}, {classifier}, strength {strength}: lacks images"
            " that another source has, so they cannot be compared; predict it again"
        )
    spread = by_seed(hits, KEYS, ["top1"])["top1"].std()
    table.insert(table.columns.get_loc("top5"), "top1_sd", spread)
    table = table.drop(columns="rows").reset_index()
    table = table.astype({"source": str, "classifier": str})
    return known.merge(table, on="source")


def resample(rows, resamples, seed):
    """Accuracies over resampled images, the same for every source and classifier.

    Args:
        rows: predictions, as ``score`` takes them.
        resamples, seed: as ``bootstrap.means`` takes them.

    Returns:
        DataFrame: a row a resample, columns (score, source, classifier, strength).
    """
    return resample_means(score(rows), KEYS, SCORES, resamples=resamples, seed=seed)


def repeat(rows):
    """Accuracies of each seed by itself: rows seeds, columns as ``resample``'s."""
    return by_seed(score(rows), KEYS, SCORES)


def bound(accuracy, samples):
    """Put 95 % intervals beside accuracies: top1_low, top1_high, top5_low, top5_high.

    Args:
        accuracy: as ``tabulate`` returns it.
        samples: as ``resample`` returns it.
    """
    for name in SCORES:
        accuracy = _beside(accuracy, name, interval(_drawn(samples, name, accuracy)))
    return accuracy


def cross(samples, classifiers, part):
    """Table 2 of every resample, or of every seed.

    Args:
        samples: as ``resample`` or ``repeat`` returns it.
        classifiers: keys in the config's order.
        part: the main part.

    Returns:
        float32 (rows, N, N): [..., i, j] = acc(A_i ∘ j), top-1, without noise.
    """
    pairs = pd.DataFrame(
        [(f"{part}-{i}", j, 0.0) for i in classifiers for j in classifiers],
        columns=KEYS,
    )
    size = len(classifiers)
    drawn = _drawn(samples, "top1", pairs).reshape(-1, size, size)
    return drawn.astype(np.float32)


def table1(accuracy, part, samples=None):
    """Each classifier on the originals, A_S and its own autoencoder: Table 1.

    Args:
        accuracy: as ``tabulate`` or ``bound`` returns it, or read back from its file.
        part: the main part.
        samples: as ``resample`` returns it: gives differences their intervals,
            paired over the same images; None: none.

    Returns:
        classifier, input (original, A_S, A_i), images, seeds, top1,
        top1_difference, top5, top5_difference: without noise, differences
        against the originals (missing for those themselves); each with its _low
        and _high where known, and top1_sd.
    """
    table = _inputs(_clean(accuracy), part)
    originals = table[table["input"] == "original"]
    table = _against(table, originals, samples)
    differences = table.columns[table.columns.str.contains("_difference")]
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


def parts(accuracy, samples=None):
    """What fine-tuning the encoder, the decoder or both brings (section 3.3).

    Args:
        accuracy, samples: as ``table1`` takes them.

    Returns:
        part, classifier, images, seeds, top1, top1_difference, top5,
        top5_difference: each classifier with its own autoencoder, without
        noise, against A_S; with intervals as in ``table1``.
    """
    clean = _clean(accuracy)
    own = clean[clean["tuned"] == clean["classifier"]]
    table = _against(own, clean[clean["source"] == "pretrained"], samples)
    return _columns(table, "part", "classifier")


def noise(accuracy, part):
    """Accuracy under growing noise on each input: Figure 5.

    Returns:
        input (original, A_S, A_i), classifier, strength, images, seeds, top1,
        top5, with their intervals and deviation where ``accuracy`` has them.
    """
    return _columns(_inputs(accuracy, part), "input", "classifier", "strength")


def _classifiers(accuracy):
    return list(accuracy["classifier"].unique())


def _clean(accuracy):
    clean = accuracy[accuracy["strength"] == 0]
    if clean.empty:
        raise UserError("accuracy: no row has strength 0; predict without noise too")
    return clean


def _inputs(accuracy, part):
    """The rows of originals, A_S and each classifier's own A_i, so named."""
    own = (accuracy["part"] == part) & (accuracy["tuned"] == accuracy["classifier"])
    names = accuracy["source"].map({"original": "original", "pretrained": "A_S"})
    return accuracy.assign(input=names.mask(own, "A_i")).dropna(subset="input")


def _against(table, baseline, samples=None):
    """Add differences to the same classifier's row of ``baseline``."""
    baseline = baseline.set_index("classifier")
    for name in SCORES:
        difference = table[name] - table["classifier"].map(baseline[name])
        table = table.assign(**{f"{name}_difference": difference})
        if samples is not None:
            source = table["classifier"].map(baseline["source"])
            other = _drawn(samples, name, table.assign(source=source))
            paired = _drawn(samples, name, table) - other
            table = _beside(table, f"{name}_difference", interval(paired))
    return table


def _drawn(samples, name, table):
    """One score's resamples (resamples, rows) of the means that a table's rows name."""
    drawn = samples[name]
    places = drawn.columns.get_indexer(pd.MultiIndex.from_frame(table[KEYS]))
    if (places < 0).any():
        missing = table[KEYS].iloc[places.argmin()]
        raise UserError(f"predictions: {', '.join(map(str, missing))}: no such rows")
    return drawn.to_numpy()[:, places]


def _beside(table, name, bounds):
    """Columns ``name``_low and ``name``_high, beside ``name``."""
    table, place = table.copy(), table.columns.get_loc(name) + 1
    for shift, (end, values) in enumerate(zip(("low", "high"), bounds, strict=True)):
        table.insert(place + shift, f"{name}_{end}", values)
    return table


def _columns(table, *keys):
    """The keys, then all that is known of top-1 and top-5, accuracy first."""
    scores = [
        column
        for name in SCORES
        for kind in (name, f"{name}_difference")
        for column in (kind, f"{kind}_low", f"{kind}_high", f"{kind}_sd")
        if column in table
    ]
    return table[[*keys, "images", "seeds", *scores]].reset_index(drop=True)
