"""Claims of section 3.3.1: colours of the encoded representations."""

from s2snets.claims.claim import Margins, Test, exceeds_others
from s2snets.claims.evidence import Estimate, Tables


def channels_change(tables: Tables) -> Margins:
    """Return how much farther from the original's A_i's colours lie than A_S's."""
    return {
        f"A_{name}, {channel}": tables.color(f"A_{name}", "distance", channel)
        - tables.color("A_S", "distance", channel)
        for name in tables.classifiers
        for channel in "Lab"
    }


def closeness(tables: Tables, name: str) -> Estimate:
    """Return minus the distance of A_i's colours, channels summed."""
    return -tables.color(f"A_{name}", "distance", "Lab")


def alexnet_and_resnet_leave_peaks(tables: Tables) -> Margins:
    """Return how many peaks more the histograms of a and b have than the original's."""
    return {
        f"A_{name}, {channel}": tables.color(f"A_{name}", "peaks", channel)
        - tables.color("original", "peaks", channel)
        for name in tables.ours("A", "R")
        for channel in "ab"
    }


def resnet_and_inception_compress_luminance(tables: Tables) -> Margins:
    """Return how far L's deviation within an image falls below the original's."""
    return {
        f"A_{name}": tables.color("original", "deviation", "L")
        - tables.color(f"A_{name}", "deviation", "L")
        for name in tables.ours("R", "I")
    }


def resnet_and_inception_flatten_luminance(tables: Tables) -> Margins:
    """Return how far L's lower tenth rises, and how far its upper tenth falls."""
    margins = {}
    for name in tables.ours("R", "I"):
        for measure, sign in (("dark", 1), ("bright", -1)):
            change = tables.color(f"A_{name}", measure, "L") - tables.color(
                "original", measure, "L"
            )
            margins[f"A_{name}, {measure}"] = change if sign > 0 else -change
    return margins


def shifts_most(letter: str, channel: str) -> Test:
    """Return a test that one A_i's mean lies above the original's and all others'."""

    def test(tables: Tables) -> Margins:
        ours, others = tables.ours_and_others(letter)
        mean = tables.color(f"A_{ours}", "mean", channel)
        return {
            f"A_{ours} above {label}": mean - tables.color(label, "mean", channel)
            for label in ("original", *(f"A_{name}" for name in others))
        }

    return test


TESTS: dict[str, Test] = {
    "all-channels-change": channels_change,
    "vgg-changes-least": exceeds_others("V", closeness),
    "alexnet-and-resnet-leave-peaks": alexnet_and_resnet_leave_peaks,
    "resnet-and-inception-compress-luminance": resnet_and_inception_compress_luminance,
    "resnet-and-inception-flatten-luminance": resnet_and_inception_flatten_luminance,
    "inception-shifts-to-yellow": shifts_most("I", "b"),
    "alexnet-shifts-to-pink": shifts_most("A", "a"),
}
