"""The companion studies' tables, summarised for the page."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pandas as pd

ARCHITECTURES = {
    "deconvnet": "DeConvNet",
    "salinet": "SaliNet",
    "desalinet": "DeSaliNet",
    "gaussian": "Gaussian",
}
"""Architecture (or baseline) -> its spelling in the paper."""

TABLES = {
    "selectivity": ("classifier", "depth", "layer", "architecture", "pair", "cosine"),
    "inversion": ("error", "informed", "against", "value", "low", "high", "printed"),
    "segmentation": ("source", "network", "method", "pp", "iou", "images"),
    "synthesis": ("classifier", "kind", "mode", "against", "measure", "mean"),
}
"""Optional tables of the report, as CSV -> the columns that it needs."""

Records = list[dict[Hashable, Any]]


def selectivity(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the selectivity at each network's deepest layer.

    Returns:
        Rows: classifier, layer, architecture, neurons (cosine of the responses for the
        most active and for a random neuron), image (that of two images, same neuron),
        each with _low and _high.
    """
    deepest = table.groupby("classifier", sort=False)["depth"].transform("max")
    table = table[table["depth"] == deepest].replace({"architecture": ARCHITECTURES})
    summary = []
    for (classifier, architecture), rows in table.groupby(
        ["classifier", "architecture"], sort=False
    ):
        by_pair = rows.set_index("pair")
        row = {
            "classifier": classifier,
            "layer": by_pair["layer"].iloc[0],
            "architecture": architecture,
        }
        for name, pair in (("neurons", "strongest-random"), ("image", "image")):
            for end in ("", "_low", "_high"):
                row[name + end] = by_pair.at[pair, "cosine" + end]
        summary.append(row)
    return summary


def inversion(table: pd.DataFrame) -> dict[str, Records]:
    """Return the inverse networks' relative errors, and the reductions between them."""
    relative = table[table["error"] == "relative"]
    compared = relative["against"].notna()
    return {
        "errors": relative[~compared].to_dict("records"),
        "reductions": relative[compared].to_dict("records"),
    }


def segmentation(table: pd.DataFrame) -> Records:
    """Return the rows of the segmentation's Table 1, missing values as empty texts."""
    table = table.assign(images=table["images"].astype("Int64"))
    table = table.replace({"method": ARCHITECTURES}).astype(object)
    return table.where(table.notna(), "").to_dict("records")


def synthesis(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what the preferred images of classes reach, by network and mode.

    Returns:
        Rows: classifier, mode, targets, by (measure -> mean, low, high over classes).
    """
    classes = table[(table["kind"] == "class") & table["against"].isna()]
    summary = []
    for (classifier, mode), rows in classes.groupby(["classifier", "mode"], sort=False):
        by_measure = rows.set_index("measure")
        summary.append({
            "classifier": classifier,
            "mode": mode,
            "targets": int(by_measure["targets"].max()),
            "by": by_measure[["mean", "low", "high"]].T.to_dict(),
        })  # fmt: skip
    return summary


SUMMARIES: dict[str, Callable[[pd.DataFrame], object]] = {
    "selectivity": selectivity,
    "inversion": inversion,
    "segmentation": segmentation,
    "synthesis": synthesis,
}


def summarise_companions(tables: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Return the summary of each companion table; None for one that is absent."""
    return {
        name: summarise(tables[name]) if name in tables else None
        for name, summarise in SUMMARIES.items()
    }
