"""Selection of the preferred images and ranked training images that figures show."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

MIN_CLASSES = 10
"""Classes shown at least, where there are so many: a row of a figure."""

KEYS = ["classifier", "mode", "kind", "layer", "target", "label"]
TRAINING = "training"  # the kind of the training images

Arrays = Mapping[str, np.ndarray]


def choose_classes(
    classes: Sequence[str], compounds: Iterable[Sequence[str]]
) -> list[str]:
    """Return a sweep's classes that are in compounds, and others evenly spaced."""
    chosen = {name for parts in compounds for name in parts} & set(classes)
    others = [name for name in classes if name not in chosen]
    room = max(0, min(MIN_CLASSES - len(chosen), len(others)))
    chosen |= {others[place * len(others) // room] for place in range(room)}
    return [name for name in classes if name in chosen]


def key_table(arrays: Arrays) -> pd.DataFrame:
    """Return a gallery's keys as a table; those that it lacks are empty."""
    keys = {name: arrays[name] for name in KEYS if name in arrays}
    return pd.DataFrame(keys).reindex(columns=KEYS, fill_value="")


def select_pictures(
    sweeps: Iterable[Arrays], names: Iterable[str], rankings: Iterable[Arrays]
) -> dict[str, np.ndarray]:
    """Return the pictures of sweeps and of training images that figures show.

    Sweeps are arrays of ``preferred.picture_arrays``, each of the network of this name;
    rankings those of ``ranking.ranking_arrays``. Of the classes' images some are shown,
    of the others all.

    Returns:
        The arrays of one gallery: ``pictures`` and ``KEYS``.
    """
    tables, pictures = [], []
    classes: dict[str, set[str]] = {}  # shown of each network
    for arrays, name in zip(sweeps, names, strict=True):
        keys = key_table(arrays).assign(classifier=name)
        of_class = keys["kind"] == "class"
        compounds = keys.loc[keys["kind"] == "compound", "target"]
        chosen = choose_classes(
            keys.loc[of_class, "target"].tolist(),
            compounds.str.split(" + ", regex=False),
        )
        shown = ~of_class | keys["target"].isin(chosen)
        classes.setdefault(name, set()).update(chosen)
        tables.append(keys[shown])
        pictures.append(arrays["pictures"][shown])
    for arrays in rankings:
        keys = key_table(arrays).assign(kind=TRAINING)
        shown = keys["target"].isin(classes.get(keys["classifier"].iloc[0], set()))
        tables.append(keys[shown])
        pictures.append(arrays["pictures"][shown])
    table = pd.concat(tables)
    return {
        "pictures": np.concatenate(pictures),
        **{name: table[name].to_numpy(str) for name in KEYS},
    }
