"""Claims of section 3.4 on accuracies with another classifier's autoencoder."""

from s2snets.claims.claim import Margins, Test
from s2snets.claims.evidence import Tables


def vgg_signal_lifts(tables: Tables) -> Margins:
    """Return by how much ResNet and Inception on A_V exceed VGG."""
    vgg, *deeper = tables.ours("V", "R", "I")
    return {j: tables.cross(vgg, j) - tables.cross(vgg, vgg) for j in deeper}


def inception_signal_serves_nobody(tables: Tables) -> Margins:
    """Return 0.65 of each original accuracy less the accuracy on A_I."""
    inception, others = tables.ours_and_others("I")
    return {
        j: tables.clean(j, "original") * 0.65 - tables.cross(inception, j)
        for j in others
    }


TESTS: dict[str, Test] = {
    "accuracy-drops-in-cross-terms": lambda tables: {
        f"A_{i} on {j}": tables.cross(j, j) - tables.cross(i, j)
        for i, j in tables.pairs
    },
    "some-pairs-keep-accuracy": lambda tables: {
        f"A_{i} on {j}": 0.05 - (rate - 1 if rate.value >= 1 else 1 - rate)
        for i, j in tables.pairs
        for rate in [tables.relation(i, j)]
    },
    "vgg-signal-lifts-resnet-and-inception": vgg_signal_lifts,
    "inception-signal-serves-nobody": inception_signal_serves_nobody,
}
