"""What the companion studies found, out of their tables."""

ARCHITECTURES = {
    "deconvnet": "DeConvNet",
    "salinet": "SaliNet",
    "desalinet": "DeSaliNet",
    "gaussian": "Gaussian",
}
"""Name -> as the paper spells it."""

TABLES = {
    "selectivity": ("classifier", "depth", "layer", "architecture", "pair", "cosine"),
    "inversion": ("error", "informed", "against", "value", "low", "high", "printed"),
    "segmentation": ("source", "network", "method", "pp", "iou", "images"),
    "synthesis": ("classifier", "kind", "mode", "against", "measure", "mean"),
}
"""Tables that a report may have, as CSV -> columns that it cannot do without."""


def selectivity(table):
    """Each network's deepest layer: how much a neuron decides, and how much the image.

    Returns:
        Rows: classifier, layer, architecture, neurons (cosine of the responses for the
        most active and for a random neuron), image (that of two images, same neuron),
        each with _low and _high.
    """
    found = []
    for classifier, own in table.groupby("classifier", sort=False):
        deepest = own[own["depth"] == own["depth"].max()]
        for architecture, rows in deepest.groupby("architecture", sort=False):
            by = rows.set_index("pair")
            found.append({
                "classifier": classifier,
                "layer": by["layer"].iloc[0],
                "architecture": ARCHITECTURES[architecture],
            } | {
                name + end: by.at[pair, "cosine" + end]
                for name, pair in (("neurons", "strongest-random"), ("image", "image"))
                for end in ("", "_low", "_high")
            })  # fmt: skip
    return found


def inversion(table):
    """Relative errors of the inverse networks, and the reductions that are printed."""
    relative = table[table["error"] == "relative"]
    compared = relative["against"].notna()
    return {
        "errors": relative[~compared].to_dict("records"),
        "reductions": relative[compared].to_dict("records"),
    }


def segmentation(table):
    """Rows of Table 1, measured ones first."""
    counted = table.assign(images=table["images"].astype("Int64"))
    shown = counted.replace({"method": ARCHITECTURES}).astype(object)
    return shown.where(shown.notna(), "").to_dict("records")


def synthesis(table):
    """Of each network and mode, over its classes: what its preferred images reach.

    Returns:
        Rows: classifier, mode, targets, and mean, low and high by measure.
    """
    classes = table[(table["kind"] == "class") & table["against"].isna()]
    found = []
    for (classifier, mode), rows in classes.groupby(["classifier", "mode"], sort=False):
        by = rows.set_index("measure")
        found.append({
            "classifier": classifier,
            "mode": mode,
            "targets": int(by["targets"].max()),
            "by": by[["mean", "low", "high"]].T.to_dict(),
        })  # fmt: skip
    return found


FOUND = {
    "selectivity": selectivity,
    "inversion": inversion,
    "segmentation": segmentation,
    "synthesis": synthesis,
}
"""Table -> what the page makes of it."""


def companions(tables):
    """By table what it says; None of a table that a study has not.

    Args:
        tables: DataFrames by name, some of ``TABLES``.
    """
    return {
        name: find(tables[name]) if name in tables else None
        for name, find in FOUND.items()
    }
