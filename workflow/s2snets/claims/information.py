"""Claims of section 3.5: information in reconstructions."""

from itertools import pairwise
from math import nan

from s2snets.claims.claim import Margins, Test, exceeds_others
from s2snets.claims.evidence import Estimate, Tables, Untestable

INFORMATION_ORDER = "VILRA"


def ordered_by(measure: str) -> Test:
    """Return a test that nMI falls from one to the next in the printed order."""
    return lambda tables: {
        f"A_{more} above A_{less}": tables.nmi(f"A_{more}", measure)
        - tables.nmi(f"A_{less}", measure)
        for more, less in pairwise(tables.ours(*INFORMATION_ORDER))
    }


def alexnet_and_resnet_inter_is_high(tables: Tables) -> Margins:
    """Return how far A_A's and A_R's inter over intra nMI exceeds the others'."""
    high = tables.ours("A", "R")

    def ratio(j: str) -> Estimate:
        """Return inter over intra nMI; the ends of its interval at their widest."""
        intra, inter = tables.nmi(f"A_{j}"), tables.nmi(f"A_{j}", "inter")
        if not intra.value:
            raise Untestable(f"A_{j} preserves nothing: its intra nMI is 0")
        return Estimate(
            inter.value / intra.value,
            inter.low / intra.high if intra.high else nan,
            inter.high / intra.low if intra.low else nan,
        )

    return {
        f"A_{i} above A_{j}": ratio(i) - ratio(j)
        for i in high
        for j in tables.classifiers
        if j not in high
    }


def follows_lattice(tables: Tables) -> Margins:
    """Return differences of intra nMI along the order in the lattice of Figure 7b."""
    threshold = tables.thresholds[1]
    lattice = tables.lattice(threshold)
    serves = {
        label: {
            j
            for j, row in zip(lattice["objects"], lattice["relation"], strict=True)
            if row[k]
        }
        for k, label in enumerate(lattice["attributes"])
    }
    margins = {
        f"{more} above {less}": tables.nmi(more) - tables.nmi(less)
        for more in serves
        for less in serves
        if serves[more] > serves[less]
    }
    if not margins:
        raise Untestable(
            f"at t = {threshold:g} no autoencoder serves more networks than another"
        )
    return margins


TESTS: dict[str, Test] = {
    "pretrained-preserves-most": lambda tables: {
        f"A_{j}": tables.nmi("A_S") - tables.nmi(f"A_{j}") for j in tables.classifiers
    },
    "vgg-preserves-most": exceeds_others("V", lambda tables, j: tables.nmi(f"A_{j}")),
    "order-by-intra": ordered_by("intra"),
    "order-by-inter": ordered_by("inter"),
    "inter-is-low": lambda tables: {
        f"A_{j}": tables.nmi(f"A_{j}") - tables.nmi(f"A_{j}", "inter")
        for j in ("S", *tables.classifiers)
    },
    "alexnet-and-resnet-inter-is-high": alexnet_and_resnet_inter_is_high,
    "information-follows-lattice": follows_lattice,
}
