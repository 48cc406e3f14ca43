"""Formal concept analysis of RRC: who uses whose signal."""

import numpy as np
from concepts import Context

from s2snets.errors import Mistake

SWEEPS = 8
CLEARANCE = 0.3  # wanted between a node and an edge not its own, in layout units
TRIES = 200


def context(rrc, threshold):
    """The formal context at one threshold: j uses A_i where RRC(A_i ∘ j) >= t.

    Palacio et al. 2018, section 3.4. Objects are the classifiers, attributes
    the autoencoders, both in the order of Table 2.

    Args:
        rrc: as ``rrc.relate`` returns it, or read back from its file.
        threshold: t in [0, 1].

    Raises:
        Mistake: a threshold outside [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise Mistake(
            f"lattice.thresholds: {threshold} lies outside [0, 1]; give a share of"
            " the weaker classifier's accuracy, such as 0.8"
        )
    # The diagonal ties at 1, so it alone keeps the table's order in this file.
    own = rrc[rrc["autoencoder"] == "A_" + rrc["classifier"]]
    objects, attributes = list(own["classifier"]), list(own["autoencoder"])
    table = rrc.pivot(index="classifier", columns="autoencoder", values="rrc")
    uses = table.loc[objects, attributes].to_numpy() >= threshold
    return Context(objects, attributes, uses.tolist())


def interval(rrc, threshold):
    """Bounds (low, high] of the thresholds that give the same context."""
    values = rrc["rrc"].to_numpy()
    low = values[values < threshold].max(initial=0.0)
    high = values[values >= threshold].min(initial=1.0)
    return float(low), float(high)


def thresholds(rrc):
    """One threshold for each distinct context over (0, 1], ascending.

    They are the intervals' upper bounds: every RRC value up to 1.
    """
    values = np.unique(rrc["rrc"])
    return values[(values > 0) & (values <= 1)].tolist()


def build(rrc, threshold):
    """The concept lattice at one threshold: an entry of ``lattices.json``.

    Palacio et al. 2018, section 3.4 and Figure 7.

    Args:
        rrc, threshold: as ``context`` takes them.

    Returns:
        dict: threshold; low, high (see ``interval``); objects, attributes,
        relation (objects x attributes, bool); concepts, each with extent,
        intent, its reduced labels (objects, attributes) and a place x, y; covers
        as pairs [upper, lower] of positions in ``concepts``, which lists a
        concept after all those below it; chain: whether the order is total.

    Raises:
        Mistake: a threshold outside [0, 1].
    """
    formal = context(rrc, threshold)
    found = list(formal.lattice)
    position = {concept.extent: place for place, concept in enumerate(found)}
    covers = [
        [upper, position[lower.extent]]
        for upper, concept in enumerate(found)
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
            for concept, (x, y) in zip(found, layout(len(found), covers), strict=True)
        ],
        "covers": covers,
        "chain": len(covers) == len({upper for upper, _ in covers}),
    }


def layout(count, covers):
    """Places for a Hasse diagram in which no node lies on a foreign edge.

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
    chosen, most = x, _clearance(x, height, covers)
    chance = np.random.default_rng(0)  # almost any shift breaks an alignment
    for width in np.linspace(0, 1.5, TRIES):
        if most >= CLEARANCE:
            break
        tried = x + width * chance.uniform(-1, 1, count)
        room = _clearance(tried, height, covers)
        if room > most:
            chosen, most = tried, room
    return [
        (float(across), float(up)) for across, up in zip(chosen, height, strict=True)
    ]


def _slots(height, covers):
    """x of each node: its centred slot in its layer once crossings are few."""
    layers = [list(np.flatnonzero(height == up)) for up in range(height.max() + 1)]
    links = []  # between neighbouring layers: (upper, lower)
    bends = len(height)
    for upper, lower in covers:
        below = lower
        for up in range(height[lower] + 1, height[upper]):
            layers[up].append(bends)
            links.append((bends, below))
            below, bends = bends, bends + 1
        links.append((upper, below))
    below = [[] for _ in range(bends)]
    above = [[] for _ in range(bends)]
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


def _clearance(x, height, covers):
    """Least horizontal distance of a node from its layer and from foreign edges."""
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
