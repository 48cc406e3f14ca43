"""How far the report's answer can be trusted: intervals, resamples, chance."""

import itertools

import numpy as np

NEAR = 0.02
"""An accuracy so close to chance says nothing about what a network uses."""


def use(rrc, threshold):
    """Which places in the order by use the intervals of RRC leave open.

    A_i serves j surely where the whole 95 % interval of RRC(A_i∘j) reaches t, and
    perhaps where only its upper end does.

    Args:
        rrc: ``rrc.csv``.
        threshold: t.

    Returns:
        dict: pairs (number of pairs of two networks), open (those whose interval has
        t inside), least, most (name -> networks that its signal serves surely, at
        most), first, last (names that lead and end the order whatever the open
        pairs do).
    """
    others = rrc[rrc["autoencoder"] != "A_" + rrc["classifier"]]
    network = others["autoencoder"].str.removeprefix("A_")
    sure = (others["rrc_low"] >= threshold).groupby(network, sort=False).sum()
    perhaps = (others["rrc_high"] >= threshold).groupby(network, sort=False).sum()
    return {
        "pairs": len(others),
        "open": int((perhaps - sure).sum()),
        "least": sure.to_dict(),
        "most": perhaps.to_dict(),
        "first": [i for i in sure.index if sure[i] > perhaps.drop(i).max()],
        "last": [i for i in sure.index if perhaps[i] < sure.drop(i).min()],
    }


def ties(information, bins):
    """Neighbours in the order by information whose 95 % intervals overlap.

    Args:
        information: ``information.csv``.
        bins: histogram bins of the order.

    Returns:
        Pairs of names, the one with more information first.
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


def support(chains, lattice):
    """Share of the resamples in which a lattice is a chain, or none, as it is here.

    Args:
        chains: ``chains.csv``.
        lattice: an entry of ``lattices.json``.

    Returns:
        A share in [0, 1]; nan where the table lacks the threshold.
    """
    row = chains[np.isclose(chains["threshold"], lattice["threshold"])]
    share = row["share"].mean()
    return float(share if lattice["chain"] else 1 - share)


def weakness(table1, classes):
    """Networks of which an accuracy can say little.

    Args:
        table1: ``table1.csv``.
        classes: number of classes; None: unknown, and chance negligible.

    Returns:
        dict: chance; guessing (names within 2 points of chance on the originals);
        lost (others that keep less than half of what lies above chance through A_S).
    """
    top1 = table1.pivot(index="classifier", columns="input", values="top1")
    chance = 1 / classes if classes else 0.0
    top1 = top1.reindex(table1["classifier"].unique()) - chance
    guessing = top1["original"] <= NEAR
    lost = ~guessing & (top1["A_S"] < top1["original"] / 2)
    return {
        "chance": chance,
        "guessing": list(top1.index[guessing]),
        "lost": list(top1.index[lost]),
    }


def findings(table1, rrc):
    """What the sections of the report say before they show it.

    Returns:
        dict: cost (least and most top-1 that A_S takes, in [0, 1]), regained (names
        that their own autoencoder gives back their original accuracy), gained (those
        that it gives more than A_S leaves), networks (their number), worst, best (rows
        of ``rrc.csv`` between two networks).
    """
    top1 = table1.pivot(index="classifier", columns="input", values="top1")
    top1 = top1.reindex(table1["classifier"].unique())
    cost = top1["original"] - top1["A_S"]
    others = rrc[rrc["autoencoder"] != "A_" + rrc["classifier"]]
    return {
        "cost": (cost.min(), cost.max()),
        "regained": list(top1.index[top1["A_i"] >= top1["original"]]),
        "gained": list(top1.index[top1["A_i"] > top1["A_S"]]),
        "networks": len(top1),
        "worst": others.loc[others["rrc"].idxmin()].to_dict(),
        "best": others.loc[others["rrc"].idxmax()].to_dict(),
    }
