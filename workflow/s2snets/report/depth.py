"""Signal by depth, summarised for the page: where each network loses it, and what."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from s2snets.config.depth import RANDOM, TRAINED
from s2snets.measure.bootstrap import LEVEL

TABLES = {
    "depth_losses": (
        "weights",
        "classifier",
        "layer",
        "before",
        "lost",
        "low",
        "share",
    ),
    "depth_orders": ("weights", "depth", "network", "other", "established"),
    "depth_pairs": ("weights", "classifier", "shallow", "deep", "serves"),
    "depth_layers": ("classifier", "layer", "passed_by_all"),
}
"""Optional tables of the report, as CSV -> the columns that it needs."""

KINDS = {
    "band": "spatial frequencies up to {} cycles per pixel",
    "colour": "{}",
    "place": "the {} quarter",
}
"""Kind of a part of the image -> how it is called in a sentence."""


def name_part(part: str) -> str:
    """Return a part of the image, such as ``colour red``, in words."""
    kind, _, at = part.partition(" ")
    return KINDS[kind].format("1/2" if at == "1" else at)


def summarise_network(rows: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, Any]:
    """Return what is said of one network.

    Args:
        rows: its losses, see ``measure.depth.losses``.
        pairs: its pairs of layers, see ``measure.depth.triangle``.

    Returns:
        name; most: the row of its greatest loss, with its part in words, if it is that
        part in ``LEVEL`` of the draws; random: the
        row of the same step with random weights; unreached: layers whose tuning was too
        short; pairs (how many), serves (pairs where it holds), others (those where it
        does not or is open).
    """
    own = rows[rows["weights"] == TRAINED]
    most = own[own["greatest"]].iloc[0].to_dict()
    random = rows[(rows["weights"] == RANDOM) & (rows["layer"] == most["layer"])]
    trained = pairs[pairs["weights"] == TRAINED]
    kept = trained[trained["serves"] != "yes"]
    return {
        "name": most["classifier"],
        "most": most
        | {"part": name_part(most["part"]) if most["part_share"] >= LEVEL else None},
        "random": random.iloc[0].to_dict(),
        "unreached": [
            f"{row.layer} ({'own' if row.weights == TRAINED else 'random'} weights)"
            for row in rows[~rows["reached"]].itertuples()
        ],
        "pairs": len(trained),
        "serves": int((trained["serves"] == "yes").sum()),
        "others": [
            f"{row.shallow} for {row.deep} ({row.serves})" for row in kept.itertuples()
        ],
    }


def summarise_depth(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any] | None:
    """Return what the page says of signal by depth; None where a study lacks it.

    Returns:
        networks: see ``summarise_network``; orders: the order of every two networks at
        their last layers; bypassed: layers that some of the signal does not pass.
    """
    if "depth_losses" not in tables:
        return None
    losses, pairs = tables["depth_losses"], tables["depth_pairs"]
    orders = tables["depth_orders"]
    orders = orders[orders["weights"] == TRAINED]
    pairs_of = [
        "/".join(sorted(pair))
        for pair in zip(orders["network"], orders["other"], strict=True)
    ]
    deepest = orders.groupby(pairs_of)["depth"].transform("max") == orders["depth"]
    layers = tables["depth_layers"]
    return {
        "networks": [
            summarise_network(rows, pairs[pairs["classifier"] == name])
            for name, rows in losses.groupby("classifier", sort=False)
        ],
        "orders": orders[deepest].to_dict("records"),
        "bypassed": [
            f"{row.layer} of {row.classifier}"
            for row in layers[~layers["passed_by_all"]].itertuples()
        ],
    }
