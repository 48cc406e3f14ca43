"""The report's answer: the order of the networks by the signals that they keep."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from s2snets.config import Study


class Answer(TypedDict):
    """The networks in order of use and of information, and the lattice behind it."""

    threshold: float  # t
    networks: list[dict[Hashable, Any]]
    """Rows: name, serves, mean_rrc, nmi, low, high, use_rank, information_rank."""
    by_use: str  # such as V > L = R
    by_information: str
    first: list[str]  # in the order by use
    last: list[str]
    most: int  # networks that the signals of the first serve
    least: int  # likewise of the last
    others: int  # networks that a signal could serve
    lattice: Mapping[str, Any]  # that of t
    chains: int  # lattices that are chains


class Trainings(TypedDict):
    """How many trainings a study has, and what their numbers have in common."""

    count: int
    words: str  # such as 3 replicates
    kind: str  # what standard deviations are over: seeds or replicates
    order: dict[str, list[str]]
    """Network -> those whose signals serve fewer others, in all trainings and beyond
    the 95 % intervals."""
    kendall_w: float  # of the orders by use; NaN for one training, or for ties alone
    same_lattice: float  # share of the trainings; NaN for one


def between_networks(rrc: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``rrc.csv`` that pair two different networks."""
    return rrc[rrc["autoencoder"] != "A_" + rrc["classifier"]]


def format_ranks(ranks: pd.Series) -> str:
    """Return names in the order of their ranks, such as ``V > L > A = R``."""
    return " > ".join(" = ".join(equal.index) for _, equal in ranks.groupby(ranks))


def rank_networks(
    rrc: pd.DataFrame,
    lattices: Sequence[Mapping[str, Any]],
    information: pd.DataFrame,
    bins: int,
) -> Answer:
    """Rank the networks by the use of their signals and by their information.

    By use: A_i ranks by the number of other networks j with RRC(A_i∘j) >= t, t the
    middle threshold. By information: by the mean intra nMI at ``bins`` bins.

    Args:
        rrc: ``rrc.csv``.
        lattices: ``lattices.json``.
        information: ``information.csv``.
        bins: histogram bins.
    """
    lattice = sorted(lattices, key=lambda one: one["threshold"])[len(lattices) // 2]
    others = between_networks(rrc)
    served = others[others["rrc"] >= lattice["threshold"]]
    intra = information[
        (information["measure"] == "intra") & (information["bins"] == bins)
    ].set_index("label")
    table = others.groupby("autoencoder", sort=False)["rrc"].mean().to_frame("mean_rrc")
    table = table.reindex(lattice["attributes"])
    pairs = set(zip(served["autoencoder"], served["classifier"], strict=True))
    table["serves"] = [
        [name for name in lattice["objects"] if (label, name) in pairs]
        for label in table.index
    ]
    table[["nmi", "low", "high"]] = intra.reindex(table.index)[["mean", "low", "high"]]
    table.index = table.index.str.removeprefix("A_")
    count = table["serves"].str.len()
    table["use_rank"] = count.rank(ascending=False, method="min").astype(int)
    table["information_rank"] = table["nmi"].rank(ascending=False, method="min")
    rows = table.sort_values(["use_rank", "information_rank"], kind="stable")
    return {
        "threshold": lattice["threshold"],
        "networks": rows.rename_axis("name").reset_index().to_dict("records"),
        "by_use": format_ranks(table["use_rank"]),
        "by_information": format_ranks(table["information_rank"].dropna()),
        "first": list(table.index[count == count.max()]),
        "last": list(table.index[count == count.min()]),
        "most": int(count.max()),
        "least": int(count.min()),
        "others": len(table) - 1,
        "lattice": lattice,
        "chains": sum(one["chain"] for one in lattices),
    }


def describe_trainings(
    study: Study, agreement: pd.DataFrame, orders: pd.DataFrame, threshold: float
) -> Trainings:
    """Return what all trainings of a study agree on at one threshold.

    Args:
        study: its settings.
        agreement: ``agreement.csv``.
        orders: ``orders.csv``.
        threshold: t.
    """
    seeds, replicates = len(study.seeds), study.finetune.replicates
    parts = [
        f"{count} {name}{'s' if count > 1 else ''}"
        for count, name in ((seeds, "seed"), (replicates, "replicate"))
        if count > 1
    ]
    row = agreement[np.isclose(agreement["threshold"], threshold)].iloc[0]
    pairs = orders[np.isclose(orders["threshold"], threshold) & orders["established"]]
    return {
        "count": study.trainings,
        "words": " of ".join(parts) or "1 training",
        "kind": "seeds" if seeds > 1 else "replicates",
        "order": pairs.groupby("network", sort=False)["other"].agg(list).to_dict(),
        "kendall_w": row["kendall_w"],
        "same_lattice": row["lattice_share"],
    }
