"""Claims of section 3.3.1: colours of the encoded representations."""

import numpy as np

from s2snets.claims.claim import Margins, Test, exceeds_others
from s2snets.claims.evidence import Estimate, Tables, Untestable


class Histograms:
    """The LAB histograms of a study; each number is a mean over its example images."""

    def __init__(self, tables: Tables) -> None:
        self.table = tables.table("lab")

    def fractions(self, label: str, channel: str) -> tuple[np.ndarray, np.ndarray]:
        """Return fractions (images, bins) of a source, and the bins' centres."""
        rows = self.table
        rows = rows[(rows["label"] == label) & (rows["channel"] == channel)]
        if rows.empty:
            raise Untestable(f"there is no histogram of {label}")
        rows = rows.assign(centre=(rows["low"] + rows["high"]) / 2)
        wide = rows.pivot(index="image", columns="centre", values="fraction")
        return wide.to_numpy(), wide.columns.to_numpy()

    def distance(self, label: str, channel: str) -> float:
        """Return the earth mover's distance from the original's histogram."""
        before, centres = self.fractions("original", channel)
        after, _ = self.fractions(label, channel)
        distances = np.abs(np.cumsum(after - before, axis=1)).sum(axis=1)
        return float(distances.mean() * (centres[1] - centres[0]))

    def mean(self, label: str, channel: str) -> float:
        """Return the mean of the channel."""
        share, centres = self.fractions(label, channel)
        return float((share @ centres).mean())

    def deviation(self, label: str, channel: str) -> float:
        """Return the standard deviation of the channel within an image."""
        share, centres = self.fractions(label, channel)
        mean = share @ centres
        return float(np.sqrt(np.maximum(share @ centres**2 - mean**2, 0)).mean())

    def peaks(self, label: str, channel: str) -> float:
        """Count the bins of at least 1 % that are higher than both their neighbours."""
        share, _ = self.fractions(label, channel)
        share = np.pad(share, ((0, 0), (1, 1)))
        middle = share[:, 1:-1]
        peak = (middle > share[:, :-2]) & (middle > share[:, 2:]) & (middle >= 0.01)
        return float(peak.sum(axis=1).mean())


def channels_change(tables: Tables) -> Margins:
    """Return how much farther from the original's A_i's histograms lie than A_S's."""
    lab = Histograms(tables)
    return {
        f"A_{name}, {channel}": Estimate(
            lab.distance(f"A_{name}", channel) - lab.distance("A_S", channel)
        )
        for name in tables.classifiers
        for channel in "Lab"
    }


def closeness(tables: Tables, name: str) -> Estimate:
    """Return minus the distance of A_i's histograms, channels summed."""
    lab = Histograms(tables)
    return Estimate(-sum(lab.distance(f"A_{name}", channel) for channel in "Lab"))


def alexnet_and_resnet_leave_peaks(tables: Tables) -> Margins:
    """Return how many peaks more the histograms of a and b have than the original's."""
    lab = Histograms(tables)
    return {
        f"A_{name}, {channel}": Estimate(
            lab.peaks(f"A_{name}", channel) - lab.peaks("original", channel)
        )
        for name in tables.ours("A", "R")
        for channel in "ab"
    }


def resnet_and_inception_compress_luminance(tables: Tables) -> Margins:
    """Return how far L's deviation within an image falls below the original's."""
    lab = Histograms(tables)
    return {
        f"A_{name}": Estimate(
            lab.deviation("original", "L") - lab.deviation(f"A_{name}", "L")
        )
        for name in tables.ours("R", "I")
    }


def shifts_most(letter: str, channel: str) -> Test:
    """Return a test that one A_i's mean lies above the original's and all others'."""

    def test(tables: Tables) -> Margins:
        ours, others = tables.ours_and_others(letter)
        lab = Histograms(tables)
        mean = lab.mean(f"A_{ours}", channel)
        return {
            f"A_{ours} above {label}": Estimate(mean - lab.mean(label, channel))
            for label in ("original", *(f"A_{name}" for name in others))
        }

    return test


TESTS: dict[str, Test] = {
    "all-channels-change": channels_change,
    "vgg-changes-least": exceeds_others("V", closeness),
    "alexnet-and-resnet-leave-peaks": alexnet_and_resnet_leave_peaks,
    "resnet-and-inception-compress-luminance": resnet_and_inception_compress_luminance,
    "inception-shifts-to-yellow": shifts_most("I", "b"),
    "alexnet-shifts-to-pink": shifts_most("A", "a"),
}
