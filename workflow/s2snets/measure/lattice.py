"""Formal concept analysis of RRC: which classifiers use which signal."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from concepts import Context

from s2snets.runtime.errors import UserError

SWEEPS = 8  # of the layout, alternately up and down
CLEARANCE = 0.3  # least distance of a node from foreign edges, in layout units
TRIES = 200  # random shifts until the layout has that distance
MAX_LISTED = 64  # concepts up to which a surveyed lattice is listed and laid out
MAX_COUNTED = 10_000  # concepts up to which those of a surveyed lattice are counted


def context(rrc: pd.DataFrame, threshold: float) -> Context:
    """Return the context at one threshold: j uses A_i where RRC(A_i ∘ j) >= t.

    Palacio et al. 2018, section 3.4. Objects are the classifiers, attributes
    the autoencoders, both in the order of Table 2.

    Args:
        rrc: as ``rrc_table`` returns it, or read back from its file.
        threshold: t in [0, 1].

    Raises:
        UserError: a threshold outside [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise UserError(
            f"lattice.thresholds: {threshold} lies outside [0, 1]; give a share of"
            " the weaker classifier's accuracy, such as 0.8"
        )
    table = matrix(rrc)
    uses = table.to_numpy() >= threshold
    return Context(list(table.index), list(table.columns), uses.tolist())


def matrix(rrc: pd.DataFrame) -> pd.DataFrame:
    """Return RRC with a row for each classifier and a column for each autoencoder.

    Both are in Table 2's order.
    """
    # The diagonal ties at 1, so it alone keeps the table's order in this file.
    own = rrc[rrc["autoencoder"] == "A_" + rrc["classifier"]]
    table = rrc.pivot(index="classifier", columns="autoencoder", values="rrc")
    return table.loc[own["classifier"], own["autoencoder"]]


def interval(rrc: pd.DataFrame, threshold: float) -> tuple[float, float]:
    """Return bounds (low, high] of the thresholds that give the same context."""
    values = rrc["rrc"].to_numpy()
    low = values[values < threshold].max(initial=0.0)
    high = values[values >= threshold].min(initial=1.0)
    return float(low), float(high)


def thresholds(rrc: pd.DataFrame) -> list[float]:
    """Return one threshold for each distinct context over [0, 1], ascending.

    They are the intervals' upper bounds: every RRC value up to 1. Only where a value
    is 0 does t = 0 give a context of its own.
    """
    values = np.unique(rrc["rrc"])
    return values[values <= 1].tolist()


def build_lattice(rrc: pd.DataFrame, threshold: float) -> dict[str, Any]:
    """Return the concept lattice at one threshold: an entry of ``lattices.json``.

    Palacio et al. 2018, section 3.4 and Figure 7.

    Args:
        rrc: as ``context`` takes it.
        threshold: likewise.

    Returns:
        threshold; low, high (see ``interval``); objects, attributes,
        relation (objects x attributes, bool); concepts, each with extent,
        intent, its reduced labels (objects, attributes) and a place x, y; covers
        as pairs [upper, lower] of positions in ``concepts``, which lists a
        concept after all those below it; chain: whether the order is total.

    Raises:
        UserError: a threshold outside [0, 1].
    """
    formal = context(rrc, threshold)
    concepts = list(formal.lattice)
    position = {concept.extent: place for place, concept in enumerate(concepts)}
    covers = [
        [upper, position[lower.extent]]
        for upper, concept in enumerate(concepts)
        for lower in concept.lower_neighbors
    ]
    low, high = interval(rrc, threshold)
    return {
        "threshold": float(threshold),
        "low": low,
        "high": high,
        "objects": list(formal.objects),
        "attributes": list(formal.properties),
        "relation": [list(row) for row in formal.bools],
        "concepts": [
            {
                "extent": list(concept.extent),
                "intent": list(concept.intent),
                "objects": list(concept.objects),
                "attributes": list(concept.properties),
                "x": x,
                "y": y,
            }
            for concept, (x, y) in zip(
                concepts, layout(len(concepts), covers), strict=True
            )
        ],
        "covers": covers,
        "chain": len(covers) == len({upper for upper, _ in covers}),
    }


def survey(
    rrc: pd.DataFrame,
    samples: np.ndarray | None = None,
    trainings: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Return every distinct context over t in [0, 1]: ``distinct-lattices.json``.

    Args:
        rrc: as ``context`` takes it.
        samples: resampled RRC (B, N, N) as ``rrc_matrix`` gives it, autoencoders in
            rows, in Table 2's order.
        trainings: that of each seed and replicate, likewise.

    Returns:
        Entries as ``build_lattice``'s by rising t, with concepts_count (None past
        MAX_COUNTED), share (of the samples in which this very context occurs at some
        t) and trainings_share; None where samples, or several trainings, are not
        given. Past MAX_LISTED concepts relation, concepts and covers are empty.
    """
    places = thresholds(rrc)
    shares = [
        np.full(len(places), np.nan) if drawn is None else recurrence(rrc, drawn)
        for drawn in (samples, _several(trainings))
    ]
    table = matrix(rrc)
    entries = []
    for place, threshold in enumerate(places):
        uses = table.to_numpy() >= threshold
        concepts = count(uses)
        if concepts is not None and concepts <= MAX_LISTED:
            entry = build_lattice(rrc, threshold)
        else:
            low, high = interval(rrc, threshold)
            entry = {
                "threshold": threshold,
                "low": low,
                "high": high,
                "objects": list(table.index),
                "attributes": list(table.columns),
                "relation": [],
                "concepts": [],
                "covers": [],
                "chain": bool(nested(uses)),
            }
        entry["concepts_count"] = concepts
        for name, share in zip(("share", "trainings_share"), shares, strict=True):
            known = not np.isnan(share[place])
            entry[name] = float(share[place]) if known else None
        entries.append(entry)
    return entries


def tabulate(entries: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a survey as a table: ``distinct-lattices.csv``.

    Returns:
        low, high, concepts (their number), chain, share, trainings_share.
    """
    return pd.DataFrame(
        [
            {
                "low": entry["low"],
                "high": entry["high"],
                "concepts": entry["concepts_count"],
                "chain": entry["chain"],
                "share": entry["share"],
                "trainings_share": entry["trainings_share"],
            }
            for entry in entries
        ]
    ).astype({"concepts": "Int64"})


def recurrence(rrc: pd.DataFrame, samples: np.ndarray) -> np.ndarray:
    """Return how often each distinct context occurs at some threshold of another RRC.

    A context is the set of pairs from some rank upwards. It recurs where the least
    of them exceeds the greatest of the rest: no context need be built.

    Args:
        rrc: as ``context`` takes it.
        samples: (B, N, N), as ``survey`` takes them.

    Returns:
        Shares of the samples, one for each of ``thresholds(rrc)``.
    """
    values = matrix(rrc).to_numpy().ravel()
    order = np.argsort(values, kind="stable")
    drawn = np.swapaxes(samples, -1, -2).reshape(len(samples), -1)[:, order]
    least = np.minimum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
    most = np.maximum.accumulate(drawn, axis=1)
    most = np.concatenate([np.full((len(drawn), 1), -np.inf), most], axis=1)
    first = np.searchsorted(values[order], thresholds(rrc))
    return (least[:, first] > most[:, first]).mean(axis=0)


def relations(
    rrc: pd.DataFrame,
    thresholds: Sequence[float],
    samples: np.ndarray | None = None,
    trainings: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return how often i uses j's signal, RRC(A_i ∘ j) >= t: ``relations.csv``.

    Args:
        rrc: as ``survey`` takes it.
        thresholds: t.
        samples: as ``survey`` takes them.
        trainings: likewise.

    Returns:
        autoencoder, classifier, rrc, threshold, uses (bool), share (of the samples
        in which it does), trainings_share; those missing as in ``survey``.
    """
    table = matrix(rrc)
    i = table.columns.get_indexer(pd.Index(rrc["autoencoder"]))
    j = table.index.get_indexer(pd.Index(rrc["classifier"]))

    def by_pair(uses: np.ndarray) -> np.ndarray:
        """Return the relation (B, N, N) in the order of ``rrc``."""
        return uses[:, i, j]

    return pd.concat(
        [
            rrc[["autoencoder", "classifier", "rrc"]].assign(
                threshold=threshold,
                uses=rrc["rrc"] >= threshold,
                **_shares(by_pair, threshold, samples, trainings),
            )
            for threshold in thresholds
        ],
        ignore_index=True,
    )


def chains(
    rrc: pd.DataFrame,
    thresholds: Sequence[float],
    samples: np.ndarray | None = None,
    trainings: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return how often the order is total at each threshold: ``chains.csv``.

    Args:
        rrc: as ``survey`` takes it.
        thresholds: t.
        samples: as ``survey`` takes them.
        trainings: likewise.

    Returns:
        threshold, chain (bool), share (of the samples in which it is), trainings_share.
    """
    table = matrix(rrc).to_numpy()
    return pd.DataFrame(
        [
            {
                "threshold": threshold,
                "chain": bool(nested(table >= threshold)),
                **_shares(nested, threshold, samples, trainings),
            }
            for threshold in thresholds
        ]
    )


def nested(relation: np.ndarray) -> np.ndarray:
    """Return whether of any two rows one contains the other: the lattice is a chain.

    Args:
        relation: bool (..., rows, columns); transposed it gives the same.
    """
    size = relation.sum(axis=-1)
    order = np.argsort(size, axis=-1, kind="stable")[..., None]
    rows = np.take_along_axis(relation, order, axis=-2)
    return ~(rows[..., :-1, :] & ~rows[..., 1:, :]).any(axis=(-2, -1))


def count(relation: np.ndarray, limit: int = MAX_COUNTED) -> int | None:
    """Return the number of formal concepts.

    It is that of distinct intersections of rows, that of no rows included.

    Args:
        relation: bool (rows, columns).
        limit: where to give up, since contexts of n may have 2^n.

    Returns:
        The number, or None past the limit.
    """
    everything = np.ones_like(relation[:1])
    packed = np.packbits(np.concatenate([everything, relation]), axis=1)
    first, *rows = (int.from_bytes(row.tobytes(), "big") for row in packed)
    intents = {first}
    for row in set(rows):
        intents |= {row & intent for intent in intents}
        if len(intents) > limit:
            return None
    return len(intents)


def _several(trainings: np.ndarray | None) -> np.ndarray | None:
    """Return the trainings if there are two at least: one says nothing."""
    return trainings if trainings is not None and len(trainings) > 1 else None


def _shares(
    test: Callable[[np.ndarray], np.ndarray],
    threshold: float,
    samples: np.ndarray | None,
    trainings: np.ndarray | None,
) -> dict[str, Any]:
    """Return how often a test of RRC >= t holds, over samples and over trainings."""
    several = _several(trainings)
    return {
        name: np.nan if drawn is None else test(drawn >= threshold).mean(axis=0)
        for name, drawn in (("share", samples), ("trainings_share", several))
    }


def layout(count: int, covers: list[list[int]]) -> list[tuple[float, float]]:
    """Return places for a Hasse diagram in which no node lies on a foreign edge.

    A layer for each height (longest path from the bottom), ordered by
    barycentre sweeps in which long edges hold a slot in every layer they cross.

    Args:
        count: nodes, each numbered after all those below it.
        covers: pairs (upper, lower) of them.

    Returns:
        (x, y) for each node: y the height, x about one unit apart in a layer.
    """
    height = np.zeros(count, dtype=int)
    for upper, lower in sorted(covers):
        height[upper] = max(height[upper], height[lower] + 1)
    x = _slots(height, covers)
    best, most = x, _clearance(x, height, covers)
    random = np.random.default_rng(0)  # almost any shift breaks an alignment
    for width in np.linspace(0, 1.5, TRIES):
        if most >= CLEARANCE:
            break
        shifted = x + width * random.uniform(-1, 1, count)
        clearance = _clearance(shifted, height, covers)
        if clearance > most:
            best, most = shifted, clearance
    return [(float(across), float(up)) for across, up in zip(best, height, strict=True)]


def _slots(height: np.ndarray, covers: list[list[int]]) -> np.ndarray:
    """Return x of each node: its centred slot in its layer once crossings are few."""
    layers = [np.flatnonzero(height == up).tolist() for up in range(height.max() + 1)]
    links = []  # between neighbouring layers: (upper, lower)
    bends = len(height)
    for upper, lower in covers:
        last = lower
        for up in range(height[lower] + 1, height[upper]):
            layers[up].append(bends)
            links.append((bends, last))
            last, bends = bends, bends + 1
        links.append((upper, last))
    below: list[list[int]] = [[] for _ in range(bends)]
    above: list[list[int]] = [[] for _ in range(bends)]
    for upper, lower in links:
        below[upper].append(lower)
        above[lower].append(upper)
    x = np.zeros(bends)
    for layer in layers:
        x[layer] = np.arange(len(layer)) - (len(layer) - 1) / 2
    for sweep in range(SWEEPS):
        near, run = (below, layers[1:]) if sweep % 2 == 0 else (above, layers[-2::-1])
        for layer in run:
            layer.sort(key=lambda node: (x[near[node]].mean(), x[node]))
            x[layer] = np.arange(len(layer)) - (len(layer) - 1) / 2
    return x[: len(height)]


def _clearance(x: np.ndarray, height: np.ndarray, covers: list[list[int]]) -> float:
    """Return the least horizontal distance of a node from its layer and other edges."""
    order = np.lexsort((x, height))
    gaps = np.diff(x[order])[np.diff(height[order]) == 0]
    least = gaps.min(initial=np.inf)
    for upper, lower in covers:
        passed = (height > height[lower]) & (height < height[upper])
        if passed.any():
            share = (height[passed] - height[lower]) / (height[upper] - height[lower])
            edge = x[lower] + share * (x[upper] - x[lower])
            least = min(least, np.abs(x[passed] - edge).min())
    return least
