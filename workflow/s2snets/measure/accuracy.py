"""From predictions to the paper's accuracy tables."""

from collections.abc import Iterable
from typing import get_args

import numpy as np
import pandas as pd

from s2snets.config.base import Part, Reference
from s2snets.config.measuring import NoiseKind
from s2snets.measure.bootstrap import by_training, independent, interval
from s2snets.measure.bootstrap import resample as resample_means
from s2snets.measure.sources import (
    ORIGINAL,
    OWN_AUTOENCODER,
    PRETRAINED,
    UNTUNED_LABELS,
    pixel_sources,
)
from s2snets.runtime.errors import UserError

CLASSES = [f"class_{rank}" for rank in range(1, 6)]
SCORES = ["top1", "top5"]
KEYS = ["source", "classifier", "noise", "strength"]


def sources(classifiers: Iterable[str], part: Part) -> pd.DataFrame:
    """Return ``pixel_sources`` as a table: source, part, tuned, label."""
    return pd.DataFrame(pixel_sources(classifiers, part))


def apply_reference(rows: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Replace ``label`` by the reference that predictions are compared with.

    Args:
        rows: predictions, as ``score`` takes them; ``predictions`` needs those on the
            originals without noise among them.
        reference: ``labels``: the true labels, as they are; ``predictions``: the same
            classifier's first class on the original, so that top-1 is agreement, and 1
            on the originals.

    Raises:
        UserError: a prediction on an original is missing.
    """
    if reference == "labels":
        return rows
    keys = ["seed", "image", "classifier"]
    clean = rows[(rows["source"] == ORIGINAL.source) & (rows["strength"] == 0)]
    labels = clean[[*keys, "class_1"]].rename(columns={"class_1": "label"})
    labelled = rows.drop(columns="label").merge(labels, "left", on=keys)
    if len(lost := labelled[labelled["label"].isna()]):
        seed, image, classifier = lost[keys].iloc[0]
        raise UserError(
            f"predictions: seed {seed}, {classifier}: none on the original of image"
            f" {image}, which the others are compared with; predict source original"
            " again"
        )
    return labelled


def tag_agreement(table: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Mark a table that holds agreement instead of accuracy by a column reference."""
    return table if reference == "labels" else table.assign(reference=reference)


def label_sources(
    rows: pd.DataFrame, classifiers: Iterable[str], part: Part
) -> pd.DataFrame:
    """Return rows of a column ``source`` with the sources' labels, such as A_S."""
    labels = sources(classifiers, part)[["source", "label"]]
    return rows.merge(labels, on="source", validate="many_to_one")


def chance(rows: pd.DataFrame, classifiers: Iterable[str]) -> np.ndarray:
    """Return the accuracy that guessing by the frequencies of the classes would have.

    It is the sum of the squared frequencies of the references on the originals: of the
    true labels, 1 / K for K equally frequent classes; or of the classifier's own
    predictions, if agreement with these is measured.

    Args:
        rows: as ``apply_reference`` returns them.
        classifiers: names.

    Returns:
        float64 (classifiers,).
    """
    clean = rows[(rows["source"] == ORIGINAL.source) & (rows["strength"] == 0)]
    labels = clean.groupby("classifier", observed=True)["label"]
    shares = labels.value_counts(normalize=True)
    squares = (shares**2).groupby("classifier").sum()
    return squares.reindex(list(classifiers)).to_numpy()


def score(rows: pd.DataFrame) -> pd.DataFrame:
    """Return whether each prediction has the label first, and among its first five.

    Args:
        rows: a row for each prediction: seed, replicate, source, image, perhaps its
            group, classifier, noise (its kind), strength, label, class_1 to class_5
            (-1 past the last class).

    Returns:
        seed, replicate, image, group if there is one, source, classifier, noise,
        strength, top1, top5 (bool).
    """
    hits = rows[CLASSES].eq(rows["label"], axis=0)
    group = rows.columns.intersection(["group"])
    keys = rows[["seed", "replicate", "image", *group, *KEYS]]
    return keys.assign(top1=hits["class_1"], top5=hits.any(axis=1))


def mean_scores(
    hits: pd.DataFrame, keys: list[str], *, observed: bool = True
) -> pd.DataFrame:
    """Average predictions by keys.

    Args:
        hits: as ``score`` returns it.
        keys: columns that become the index.
        observed: whether combinations of categories without rows are left out.

    Returns:
        rows, images, seeds, replicates (counts), top1, top5 (means).
    """
    return hits.groupby(keys, observed=observed).agg(
        rows=("top1", "size"),
        images=("image", "nunique"),
        seeds=("seed", "nunique"),
        replicates=("replicate", "nunique"),
        top1=("top1", "mean"),
        top5=("top5", "mean"),
    )


def tabulate(rows: pd.DataFrame, classifiers: list[str], part: Part) -> pd.DataFrame:
    """Average predictions by source, classifier and noise: ``accuracy.csv``.

    Args:
        rows: predictions, as ``score`` takes them.
        classifiers: names in the config's order.
        part: the main part (see ``pixel_sources``).

    Returns:
        source, part, tuned, label, classifier, noise, strength, images, seeds, top1,
        top1_sd, top5: means over images and trainings, and the deviation over these
        (over seeds, or over the replicates of one; missing for one); sorted by source,
        classifier, noise and strength.

    Raises:
        UserError: an unknown source or classifier, or a training or source that lacks
            images of another under the same noise.
    """
    known = sources(classifiers, part)
    hits = score(rows)
    for column, names in (
        ("source", list(known["source"])),
        ("classifier", classifiers),
        ("noise", get_args(NoiseKind)),
    ):
        unknown = ~hits[column].isin(names)
        if unknown.any():
            name = hits.loc[unknown, column].iloc[0]
            raise UserError(f"predictions: {column} {name!r} is not in the config")
        hits[column] = pd.Categorical(hits[column], list(names))
    table = mean_scores(hits, KEYS)
    _check_images(table, hits)
    spread = independent(by_training(hits, KEYS, ["top1"]))["top1"].std()
    table.insert(list(table).index("top5"), "top1_sd", spread)
    table = table.drop(columns=["rows", "replicates"]).reset_index()
    table = table.astype({"source": str, "classifier": str, "noise": str})
    return known.merge(table, on="source")


def _check_images(table: pd.DataFrame, hits: pd.DataFrame) -> None:
    """Raise ``UserError`` where a training or source lacks images of another."""
    trainings = table["seeds"] * table["replicates"]
    uneven = table[table["rows"] != table["images"] * trainings]
    if len(uneven):
        (source, classifier, _, strength), row = uneven.index[0], uneven.iloc[0]
        raise UserError(
            f"predictions: {source}, {classifier}, strength {strength}:"
            f" {row['rows']:.0f} rows are not {row['images']:.0f} images"
            f" x {row['seeds']:.0f} seeds x {row['replicates']:.0f} replicates;"
            " predict that source again"
        )
    everywhere = hits.groupby(KEYS[2:], observed=True).agg(all=("image", "nunique"))
    fewer = table[table["images"] < table.join(everywhere, on=KEYS[2:])["all"]]
    if len(fewer):
        source, classifier, _, strength = fewer.index[0]
        raise UserError(
            f"predictions: {source}, {classifier}, strength {strength}: lacks images"
            " that another source has, so they cannot be compared; predict it again"
        )


def resample(rows: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Return draws of the accuracies, shared by all sources and classifiers.

    Args:
        rows: predictions, as ``score`` takes them.
        resamples: how many (see ``bootstrap.resample``).
        seed: of the draws.

    Returns:
        A row for each draw, columns (score, source, classifier, noise, strength), in
        [0, 1].
    """
    drawn = resample_means(score(rows), KEYS, SCORES, resamples=resamples, seed=seed)
    return drawn.clip(0, 1)


def accuracy_by_training(rows: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies of each seed and replicate alone, columns as ``resample``."""
    return by_training(score(rows), KEYS, SCORES)


def add_intervals(accuracy: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Add 95 % intervals to accuracies: top1_low, top1_high, top5_low, top5_high.

    Args:
        accuracy: as ``tabulate`` returns it.
        samples: as ``resample`` returns it.
    """
    for name in SCORES:
        bounds = interval(_samples_of(samples, name, accuracy))
        accuracy = _insert_bounds(accuracy, name, bounds)
    return accuracy


def cross_samples(
    samples: pd.DataFrame, classifiers: list[str], part: Part
) -> np.ndarray:
    """Return Table 2 of every draw, or of every training.

    Args:
        samples: as ``resample`` or ``accuracy_by_training`` returns it.
        classifiers: names in the config's order.
        part: the main part.

    Returns:
        float32 (rows, N, N): [..., i, j] = acc(A_i ∘ j), top-1, without noise.
    """
    pairs = pd.DataFrame(
        [(f"{part}-{i}", j, "none", 0.0) for i in classifiers for j in classifiers],
        columns=KEYS,
    )
    size = len(classifiers)
    drawn = _samples_of(samples, "top1", pairs).reshape(-1, size, size)
    return drawn.astype(np.float32)


def table1(
    accuracy: pd.DataFrame, part: Part, samples: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return each classifier's accuracy on originals, A_S and its own A_i: Table 1.

    Args:
        accuracy: as ``tabulate`` or ``add_intervals`` returns it, or read back from
            its file.
        part: the main part.
        samples: as ``resample`` returns it: gives differences their intervals,
            paired over the same images and trainings; None: no intervals.

    Returns:
        classifier, input (original, A_S, A_i), images, seeds, top1,
        top1_difference, top5, top5_difference: without noise, differences
        from the originals (missing for those themselves); each with its _low
        and _high where known, and top1_sd.
    """
    table = _name_inputs(_without_noise(accuracy), part)
    table = _subtract_originals(table, samples)
    order = {key: place for place, key in enumerate(_classifiers(accuracy))}
    table = table.sort_values(
        "classifier", key=lambda keys: keys.map(order), kind="stable"
    )
    return _select_scores(table, "classifier", "input")


def table2(accuracy: pd.DataFrame, part: Part) -> pd.DataFrame:
    """Return top-1 of every classifier with every autoencoder, without noise: Table 2.

    Returns:
        autoencoder (A_i), then a column for each classifier.
    """
    clean = _without_noise(accuracy)
    tuned = clean[clean["part"] == part]
    table = tuned.pivot(index="label", columns="classifier", values="top1")
    table = table.reindex(tuned["label"].unique(), columns=_classifiers(accuracy))
    return table.rename_axis(index="autoencoder", columns=None).reset_index()


def parts(accuracy: pd.DataFrame, samples: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what fine-tuning the encoder, the decoder or both gains (section 3.3).

    Args:
        accuracy: as ``table1`` takes it.
        samples: as ``table1`` takes them.

    Returns:
        part, classifier, images, seeds, top1, top1_difference, top5,
        top5_difference: each classifier with its own autoencoder, without
        noise, differences from A_S; with intervals as in ``table1``.
    """
    clean = _without_noise(accuracy)
    own = clean[clean["tuned"] == clean["classifier"]]
    pretrained = clean[clean["source"] == PRETRAINED.source]
    return _select_scores(
        _add_differences(own, pretrained, samples), "part", "classifier"
    )


def rows_under_noise(rows: pd.DataFrame, part: Part) -> pd.DataFrame:
    """Return predictions under noise, and without it on the same images.

    Strength 0 was predicted once, on all images. Here it begins the curve of every kind
    of noise, on just the images that got noise, so that steps from 0 are paired.

    Args:
        rows: predictions, as ``score`` takes them.
        part: the main part.

    Returns:
        Rows of the originals, A_S and each classifier's own autoencoder, the kind of
        the noise also where its strength is 0; those without noise if there are no
        others.
    """
    untuned = rows["source"].isin(list(UNTUNED_LABELS))
    own = rows["source"].astype(str) == part + "-" + rows["classifier"].astype(str)
    rows = rows[untuned | own]
    noisy = rows[rows["strength"] > 0]
    if noisy.empty:
        return rows
    clean = rows[(rows["strength"] == 0) & rows["image"].isin(noisy["image"].unique())]
    starts = [clean.assign(noise=kind) for kind in noisy["noise"].unique()]
    return pd.concat([*starts, noisy], ignore_index=True)


def noise(
    accuracy: pd.DataFrame, part: Part, samples: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return accuracy under growing noise on each input: Figure 5.

    Args:
        accuracy: as ``tabulate`` makes it of ``rows_under_noise``.
        part: the main part.
        samples: as ``resample`` makes them of these rows; None: no intervals.

    Returns:
        input (original, A_S, A_i), classifier, noise, strength, images, seeds, top1,
        top1_difference, top5, top5_difference: differences from the originals under
        the same noise (missing for those themselves); each with its _low and _high
        where there are samples, and top1_sd.
    """
    if samples is not None:
        accuracy = add_intervals(accuracy, samples)
    table = _subtract_originals(_name_inputs(accuracy, part), samples)
    return _select_scores(table, "input", *KEYS[1:])


def _classifiers(accuracy: pd.DataFrame) -> list[str]:
    return list(accuracy["classifier"].unique())


def _without_noise(accuracy: pd.DataFrame) -> pd.DataFrame:
    clean = accuracy[accuracy["strength"] == 0]
    if clean.empty:
        raise UserError("accuracy: no row has strength 0; predict without noise too")
    return clean


def _name_inputs(accuracy: pd.DataFrame, part: Part) -> pd.DataFrame:
    """Return the rows of originals, A_S and own A_i, named in a column ``input``."""
    own = (accuracy["part"] == part) & (accuracy["tuned"] == accuracy["classifier"])
    names = accuracy["source"].map(UNTUNED_LABELS).mask(own, OWN_AUTOENCODER)
    return accuracy.assign(input=names).dropna(subset="input")


def _add_differences(
    table: pd.DataFrame, baseline: pd.DataFrame, samples: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Add differences from the same classifier's row of ``baseline``, same noise."""
    columns = ["source", *SCORES]
    base = table[KEYS[1:]].merge(baseline[[*KEYS[1:], *columns]], "left", on=KEYS[1:])
    for name in SCORES:
        difference = table[name] - base[name].to_numpy()
        table = table.assign(**{f"{name}_difference": difference})
        if samples is not None:
            paired = _samples_of(samples, name, table) - _samples_of(
                samples, name, base
            )
            table = _insert_bounds(table, f"{name}_difference", interval(paired))
    return table


def _subtract_originals(
    table: pd.DataFrame, samples: pd.DataFrame | None
) -> pd.DataFrame:
    """Add differences from the originals; those of the originals are missing."""
    original = table["input"] == ORIGINAL.label
    table = _add_differences(table, table[original], samples)
    differences = table.columns[table.columns.str.contains("_difference")]
    table.loc[original, differences] = float("nan")
    return table


def _samples_of(samples: pd.DataFrame, name: str, table: pd.DataFrame) -> np.ndarray:
    """Return one score's resamples (resamples, rows) for the keys of a table's rows."""
    drawn = samples[name]
    places = drawn.columns.get_indexer(pd.MultiIndex.from_frame(table[KEYS]))
    if (places < 0).any():
        missing = table[KEYS].iloc[places.argmin()]
        raise UserError(f"predictions: {', '.join(map(str, missing))}: no such rows")
    return drawn.to_numpy()[:, places]


def _insert_bounds(
    table: pd.DataFrame, name: str, bounds: tuple[np.ndarray, np.ndarray]
) -> pd.DataFrame:
    """Insert columns ``name``_low and ``name``_high after ``name``."""
    table, place = table.copy(), list(table).index(name)
    for shift, end in enumerate(("low", "high")):
        table.insert(place + 1 + shift, f"{name}_{end}", bounds[shift])
    return table


def _select_scores(table: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Return the keys, the counts and every column of top-1 and top-5 in order."""
    scores = [
        column
        for name in SCORES
        for kind in (name, f"{name}_difference")
        for column in (kind, f"{kind}_low", f"{kind}_high", f"{kind}_sd")
        if column in table
    ]
    return table[[*keys, "images", "seeds", *scores]].reset_index(drop=True)
