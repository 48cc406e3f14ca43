"""How far the report's answer can be trusted: intervals, draws, chance."""

import itertools
from collections.abc import Hashable, Mapping
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from s2snets.report.answer import between_networks

CHANCE_MARGIN = 0.02
"""An accuracy this close to chance says nothing about what a network uses."""


class UseBounds(TypedDict):
    """What the 95 % intervals of RRC leave open in the order by use."""

    pairs: int  # of two networks
    open: int  # pairs whose interval contains t
    least: dict[Hashable, int]  # name -> networks that its signal certainly serves
    most: dict[Hashable, int]  # name -> networks that its signal possibly serves
    first: list[str]  # leads the order, whatever the open pairs do
    last: list[str]  # ends it likewise


class NearChance(TypedDict):
    """Networks whose accuracy is too close to chance to support the answer."""

    chance: float
    guessing: list[str]  # within CHANCE_MARGIN of chance on the originals
    lost: list[str]  # others that lose over half of their margin through A_S


class Findings(TypedDict):
    """What the page's sections say in words."""

    cost: tuple[float, float]  # least and greatest loss of top-1 through A_S
    regained: list[str]  # networks that reach their original accuracy through A_i
    gained: list[str]  # networks with more top-1 through A_i than through A_S
    networks: int
    worst: dict[Hashable, Any]  # row of rrc.csv, of two networks
    best: dict[Hashable, Any]


def use_bounds(rrc: pd.DataFrame, threshold: float) -> UseBounds:
    """Return which places in the order by use their 95 % intervals leave open.

    A_i certainly serves j where the whole 95 % interval of RRC(A_i∘j) reaches t, and
    possibly where only its upper end does.

    Args:
        rrc: ``rrc.csv``.
        threshold: t.
    """
    others = between_networks(rrc)
    network = others["autoencoder"].str.removeprefix("A_")
    reached = (others[["rrc_low", "rrc_high"]] >= threshold).astype(int)
    served = reached.groupby(network, sort=False).sum()
    least, most = served["rrc_low"], served["rrc_high"]
    return {
        "pairs": len(others),
        "open": int((most - least).sum()),
        "least": least.to_dict(),
        "most": most.to_dict(),
        "first": [i for i in least.index if least[i] > most.drop(i).max()],
        "last": [i for i in least.index if most[i] < least.drop(i).min()],
    }


def overlapping_neighbours(
    information: pd.DataFrame, bins: int
) -> list[tuple[str, str]]:
    """Return neighbours in the order by information whose 95 % intervals overlap.

    Args:
        information: ``information.csv``.
        bins: histogram bins of the order.

    Returns:
        Pairs of names, the network with more information first.
    """
    intra = information[
        (information["measure"] == "intra")
        & (information["bins"] == bins)
        & information["label"].str.fullmatch(r"A_\S+")
        & (information["label"] != "A_S")
    ].sort_values("mean", ascending=False, kind="stable")
    rows = intra.assign(name=intra["label"].str.removeprefix("A_")).to_dict("records")
    return [
        (more["name"], less["name"])
        for more, less in itertools.pairwise(rows)
        if less["high"] >= more["low"]
    ]


def resample_support(chains: pd.DataFrame, lattice: Mapping[str, Any]) -> float:
    """Return the share of draws in which a lattice is a chain, or none, as here.

    Args:
        chains: ``chains.csv``.
        lattice: an entry of ``lattices.json``.

    Returns:
        A share in [0, 1]; NaN if the table lacks the threshold.
    """
    row = chains[np.isclose(chains["threshold"], lattice["threshold"])]
    share = row["share"].mean()
    return float(share if lattice["chain"] else 1 - share)


def top1_by_input(table1: pd.DataFrame) -> pd.DataFrame:
    """Return top-1 of ``table1.csv``: networks in its order by original, A_S, A_i."""
    top1 = table1.pivot(index="classifier", columns="input", values="top1")
    return top1.reindex(table1["classifier"].unique())


def near_chance(table1: pd.DataFrame, rrc: pd.DataFrame) -> NearChance:
    """Return the networks of which an accuracy can say little.

    Args:
        table1: ``table1.csv``.
        rrc: ``rrc.csv``, which has the accuracy of guessing.
    """
    chance = rrc.groupby("classifier")["chance"].first()
    margin = top1_by_input(table1).sub(chance, axis=0)
    guessing = margin["original"] <= CHANCE_MARGIN
    lost = ~guessing & (margin["A_S"] < margin["original"] / 2)
    return {
        "chance": chance.max(),
        "guessing": list(margin.index[guessing]),
        "lost": list(margin.index[lost]),
    }


def section_findings(table1: pd.DataFrame, rrc: pd.DataFrame) -> Findings:
    """Return what the sections on signals and on exchange say before their tables.

    Args:
        table1: ``table1.csv``.
        rrc: ``rrc.csv``.
    """
    top1 = top1_by_input(table1)
    cost = top1["original"] - top1["A_S"]
    others = between_networks(rrc)
    return {
        "cost": (cost.min(), cost.max()),
        "regained": list(top1.index[top1["A_i"] >= top1["original"]]),
        "gained": list(top1.index[top1["A_i"] > top1["A_S"]]),
        "networks": len(top1),
        "worst": others.iloc[others["rrc"].argmin()].to_dict(),
        "best": others.iloc[others["rrc"].argmax()].to_dict(),
    }
