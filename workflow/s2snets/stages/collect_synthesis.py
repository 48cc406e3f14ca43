"""Command line of rule ``collect_synthesis``: the pictures that figures show."""

import numpy as np
import pandas as pd

from s2snets.runtime.files import replacing
from s2snets.runtime.tables import read_arrays
from s2snets.stages.base import arguments, run

CLASSES = 10
"""Classes shown at least, where there are so many: a figure's row of them."""

KEYS = ["classifier", "mode", "kind", "layer", "target", "label"]
TRAINING = "training"  # the kind of the training images


def shown_classes(classes, compounds):
    """Those that make up compounds, and others evenly spaced; in their order.

    Args:
        classes: of a sweep, in order.
        compounds: lists of classes.
    """
    chosen = {name for parts in compounds for name in parts} & set(classes)
    others = [name for name in classes if name not in chosen]
    room = max(0, min(CLASSES - len(chosen), len(others)))
    chosen |= {others[place * len(others) // room] for place in range(room)}
    return [name for name in classes if name in chosen]


def keys_of(arrays):
    """A gallery's keys as a table; those it lacks are empty."""
    keys = {name: arrays[name] for name in KEYS if name in arrays}
    return pd.DataFrame(keys).reindex(columns=KEYS, fill_value="")


def selected(preferred, names, ranked):
    """Which pictures of the sweeps, and of the training images, figures show.

    Args:
        preferred: sweeps' arrays, see ``synthesise``.
        names: the network of each.
        ranked: classifiers' ranked images, see ``rank_images``.

    Returns:
        The arrays of one gallery: ``pictures`` and `KEYS`; of the classes' images just
        some, of the others all.
    """
    parts = []
    for arrays, name in zip(preferred, names, strict=True):
        keys = keys_of(arrays).assign(classifier=name)
        of_class = keys["kind"] == "class"
        compounds = keys.loc[keys["kind"] == "compound", "target"]
        compounds = compounds.str.split(" + ", regex=False)
        kept = shown_classes(keys.loc[of_class, "target"].tolist(), compounds)
        parts.append((keys, arrays, ~of_class | keys["target"].isin(kept)))
    for arrays in ranked:
        keys = keys_of(arrays).assign(kind=TRAINING)
        kept = {
            name
            for other, _, chosen in parts[: len(preferred)]
            for name in other.loc[chosen & (other["kind"] == "class"), "target"]
            if other["classifier"].iloc[0] == keys["classifier"].iloc[0]
        }
        parts.append((keys, arrays, keys["target"].isin(kept)))
    table = pd.concat([keys[chosen] for keys, _, chosen in parts])
    pictures = [arrays["pictures"][chosen] for _, arrays, chosen in parts]
    return {
        "pictures": np.concatenate(pictures),
        **{name: column.to_numpy(str) for name, column in table.items()},
    }


def main(argv=None):
    job = arguments(
        __doc__, paths=("gallery",), lists=("preferred", "names", "ranked")
    ).parse_args(argv)
    arrays = selected(
        [read_arrays(path) for path in job.preferred],
        job.names,
        [read_arrays(path) for path in job.ranked],
    )
    with replacing(job.gallery) as draft:
        np.savez_compressed(draft, **arrays)


if __name__ == "__main__":
    run(main)
