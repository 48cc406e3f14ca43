"""Signal by depth: what is left of an image at each layer, and where it is lost.

An autoencoder tuned for layer l may change whatever that layer does not use. What is
left of the image in its output is the signal at l; what a next layer leaves less of is
lost between both.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from s2snets.config import Information
from s2snets.config.depth import INPUT, RANDOM, TRAINED
from s2snets.measure import sources
from s2snets.measure.bootstrap import (
    LEVEL,
    by_training,
    independent,
    interval,
    resample,
)
from s2snets.measure.color import color_rows
from s2snets.measure.information import nmi, shuffle_pixels
from s2snets.measure.spectrum import band_edges, band_powers

PRETRAINED, PREDICTION = sources.PRETRAINED.label, "A_C"
"""Autoencoders beside those of layers: before tuning, and tuned as in the paper."""

KEYS = ["weights", "classifier", "source", "measure", "at"]
SIGNAL = "nmi"
"""The measure by which the loss of signal is located."""

NOTICED = "noticed"
"""How much a layer notices of a part of the image, when another image's is put in."""

COLOURS = ("red", "green", "blue")


def picture_rows(
    numbers: np.ndarray,
    originals: np.ndarray,
    difference: np.ndarray,
    levels: tuple[np.ndarray, np.ndarray],
    *,
    bands: int,
    information: Information,
    histogram_bins: int,
) -> Iterator[pd.DataFrame]:
    """Yield what is left of images, in measures that no network takes part in.

    Args:
        numbers: of the images (N,).
        originals: pixels (N, 3, H, W) in [0, 1].
        difference: of the reconstructions from them, likewise.
        levels: originals and reconstructions as uint8 (N, H, W, 3).
        bands: of spatial frequency.
        information: of nMI.
        histogram_bins: of the LAB histograms.

    Yields:
        image, measure, at, value, scale; a mean over images is the sum of ``value`` by
        that of ``scale``. Measures: ``nmi`` and ``null`` (pixels shuffled); ``mse``;
        ``band``: power of the difference against the original's, by band (its upper
        limit, cycles per pixel); ``colour``, ``place``: squared difference against the
        original's deviations from the mean colour, by channel, and by quarter of the
        image; ``lab``: distance of the LAB histograms (see
        ``color_rows``), by channel.
    """
    before, after = levels
    shuffled = shuffle_pixels(after, [(0, int(number)) for number in numbers])
    for measure, other in ((SIGNAL, after), ("null", shuffled)):
        values = nmi(
            before,
            other,
            bins=information.bins[0],
            channels=information.channels,
            average_method=information.average_method,
        )
        yield measured(numbers, measure, "", values)
    errors = np.square(difference, dtype=float).mean(axis=(1, 2, 3))
    yield measured(numbers, "mse", "", errors)
    lost, there = band_powers(difference, bands), band_powers(originals, bands)
    for band, edge in enumerate(band_edges(bands)[1:]):
        yield measured(numbers, "band", f"{edge:g}", lost[:, band], there[:, band])
    lost = np.square(difference, dtype=float)
    there = np.square(originals - originals.mean(axis=(0, 2, 3), keepdims=True))
    for channel, name in enumerate(COLOURS):
        sums = (one[:, channel].sum(axis=(1, 2)) for one in (lost, there))
        yield measured(numbers, "colour", name, *sums)
    for name, (high, wide) in quarters(*originals.shape[2:]).items():
        sums = (one[:, :, high, wide].sum(axis=(1, 2, 3)) for one in (lost, there))
        yield measured(numbers, "place", name, *sums)
    colours = color_rows(numbers, before, after, histogram_bins, {})
    for letter, rows in colours.groupby("channel", sort=False):
        yield measured(numbers, "lab", str(letter), rows["distance"].to_numpy())


def quarters(height: int, width: int) -> dict[str, tuple[slice, slice]]:
    """Return the rows and columns of an image's quarters, by name."""
    rows = {"top": slice(height // 2), "bottom": slice(height // 2, None)}
    columns = {"left": slice(width // 2), "right": slice(width // 2, None)}
    return {
        f"{high} {wide}": (rows[high], columns[wide])
        for high in rows
        for wide in columns
    }


def measured(
    numbers: np.ndarray,
    measure: str,
    at: str,
    values: np.ndarray,
    scale: np.ndarray | float = 1.0,
) -> pd.DataFrame:
    """Return the rows of one measure of some images, see ``picture_rows``."""
    return pd.DataFrame(
        {
            "image": numbers,
            "measure": measure,
            "at": at,
            "value": values,
            "scale": scale,
        }
    )


def ratios(means: pd.DataFrame) -> pd.DataFrame:
    """Return value by scale of means, as ``resample`` or ``by_training`` give them."""
    return pd.DataFrame(means["value"]) / pd.DataFrame(means["scale"])


def list_layers(passed: Mapping[str, Mapping[str, bool]]) -> pd.DataFrame:
    """Return the layers of each network: ``depth-layers.csv``.

    Args:
        passed: by classifier, its layers, and whether all of its signal passes them.

    Returns:
        classifier, depth, layer, passed_by_all.
    """
    rows = [
        (classifier, depth, layer, is_passed)
        for classifier, layers in passed.items()
        for depth, (layer, is_passed) in enumerate(layers.items(), 1)
    ]
    columns = ["classifier", "depth", "layer", "passed_by_all"]
    return pd.DataFrame(rows, columns=columns)


class Draws:
    """Means of all measures, and draws of them: other images, other trainings.

    Args:
        rows: seed, replicate, ``KEYS``, image, value, scale; group, where there is one.
        resamples: as ``bootstrap.resample`` takes it.
        seed: likewise.
    """

    def __init__(self, rows: pd.DataFrame, resamples: int, seed: int) -> None:
        trainings = by_training(rows, KEYS, ["value", "scale"])
        self.means = ratios(pd.DataFrame(independent(trainings).mean()).T).iloc[0]
        self.spread = ratios(independent(trainings)).std()
        drawn = resample(rows, KEYS, ["value", "scale"], resamples=resamples, seed=seed)
        self.drawn = ratios(drawn)
        rows = rows[rows["measure"] == NOTICED]
        self.parts = list(dict.fromkeys(rows["source"].astype(str)))

    def get(self, *keys: str) -> tuple[float, np.ndarray]:
        """Return a mean and its draws, by ``KEYS``."""
        return float(self.means[keys]), self.drawn[keys].to_numpy()


def summarise(
    rows: pd.DataFrame, draws: Draws, layers: Mapping[str, list[str]]
) -> pd.DataFrame:
    """Return every measure of every autoencoder with its interval: ``depth.csv``.

    Args:
        rows: see ``Draws``.
        draws: of these rows.
        layers: names by classifier, the shallowest first.

    Returns:
        weights, classifier, source (a layer, ``input``, ``A_S`` or ``A_C``, or a part
        that was put in from another image), depth (of layers), measure, at, images,
        mean, low, high, sd (over trainings, missing for one), in the order of the
        networks, and by depth.
    """
    low, high = interval(draws.drawn.to_numpy())
    images = rows.groupby(KEYS, observed=True)["image"].nunique()
    table = draws.means.rename("mean").to_frame()
    table = table.assign(low=low, high=high, sd=draws.spread, images=images)
    table = table.reset_index().astype(dict.fromkeys(KEYS, str))
    places = {
        (classifier, source): (number, place)
        for number, (classifier, names) in enumerate(layers.items())
        for place, source in enumerate(
            [PRETRAINED, INPUT, *names, PREDICTION, *draws.parts], -1
        )
    }
    pairs = zip(table["classifier"], table["source"], strict=True)
    numbers, order = zip(*(places[pair] for pair in pairs), strict=True)
    depth = pd.Series(order, dtype="Int64")
    untuned = table["source"].isin([PRETRAINED, PREDICTION, *draws.parts])
    table = table.assign(network=numbers, place=order, depth=depth.mask(untuned))
    table = table.sort_values(
        ["network", "weights", "place", "measure", "at"],
        ascending=[True, False, True, True, True],
    )
    columns = [*KEYS[:3], "depth", *KEYS[3:], "images", "mean", "low", "high", "sd"]
    return table[columns].reset_index(drop=True)


def least_kept(
    draws: Draws, weights: str, classifier: str, before: str, layer: str
) -> tuple[str, float, float]:
    """Return the part of the image that a layer notices least against one before it.

    Returns:
        The part; how much of it is still noticed, against the part of its kind of which
        most is (0, nothing; 1, as much as of the others), where what was not noticed
        before either counts as kept; and the share of the draws in which no part of its
        kind is noticed less.
    """
    kind = [part.partition(" ")[0] for part in draws.parts]

    def kept(columns: pd.DataFrame) -> pd.DataFrame:
        """Return what is still noticed, a row for each part, a column for each draw."""
        now, then = (
            pd.DataFrame(
                [
                    columns[weights, classifier, part, NOTICED, at]
                    for part in draws.parts
                ],
                draws.parts,
            )
            for at in (layer, before)
        )
        left = now / then.where(then > 0)
        return (left / left.groupby(kind).transform("max")).fillna(1.0)

    found = kept(draws.means.to_frame().T)[0]
    part = str(found.idxmin())
    alike = [one for one, its in zip(draws.parts, kind, strict=True)
             if its == part.partition(" ")[0]]  # fmt: skip
    drawn = kept(draws.drawn).loc[alike]
    return part, float(found.min()), float((drawn.idxmin() == part).mean())


def judge(low: float, share: float) -> str:
    """Return how sure it is that a step loses most, see ``losses``.

    Args:
        low: end of the interval of its loss.
        share: of the draws in which no step loses more.
    """
    if low <= 0:
        return "open"
    return "certain" if share >= LEVEL else "likely"


def losses(draws: Draws, layers: Mapping[str, list[str]]) -> pd.DataFrame:
    """Return the signal that is lost from each layer to the next: ``depth-losses.csv``.

    Returns:
        weights, classifier, layer (where it is lost), before (the layer below), lost
        (nMI below less nMI at the layer), low, high, greatest (whether no layer of the
        network loses more), share (of the draws in which this is so), verdict (of the
        greatest: ``certain``, it loses signal, and most in ``LEVEL`` of the draws;
        ``likely``, it loses signal; ``open``, its interval contains 0; of others none),
        reached (whether the layer's error with its own autoencoder is below that with
        A_S: if not, the training was too short for its loss to mean anything), part (of
        the image, which the layer has ceased to notice most), kept (how much of it is
        still noticed) and part_share (see ``least_kept``).
    """
    rows = []
    for classifier, names in layers.items():
        steps = list(pairwise([INPUT, *names]))
        for weights in (TRAINED, RANDOM):
            signal = {
                source: draws.get(weights, classifier, source, SIGNAL, "")
                for source in (INPUT, *names)
            }
            lost = np.array([signal[a][0] - signal[b][0] for a, b in steps])
            drawn = np.array([signal[a][1] - signal[b][1] for a, b in steps])
            low, high = interval(drawn.T)
            share = np.bincount(drawn.argmax(axis=0), minlength=len(steps))
            for step, (before, layer) in enumerate(steps):
                discarded = least_kept(draws, weights, classifier, before, layer)
                own, pretrained = (
                    draws.get(weights, classifier, source, "response", layer)[0]
                    for source in (layer, PRETRAINED)
                )
                keys = weights, classifier, layer, before
                bounds = lost[step], low[step], high[step]
                is_most = step == lost.argmax()
                most = is_most, share[step] / drawn.shape[1]
                told = judge(low[step], most[1]) if is_most else None
                reached = own < pretrained
                rows.append((*keys, *bounds, *most, told, reached, *discarded))
    columns = ["weights", "classifier", "layer", "before", "lost", "low", "high"]
    columns += ["greatest", "share", "verdict", "reached", "part", "kept", "part_share"]
    return pd.DataFrame(rows, columns=columns)


def orders(draws: Draws, layers: Mapping[str, list[str]]) -> pd.DataFrame:
    """Return which of two networks keeps more, by depth: ``depth-orders.csv``.

    Depths are compared by their number, as far as both networks have them.

    Returns:
        weights, depth, network, other (the one that keeps less), layer, other_layer,
        difference of nMI, low, high, established (whether the interval excludes 0).
    """
    rows = []
    for weights in (TRAINED, RANDOM):
        for one, other in combinations(layers, 2):
            for depth, pair in enumerate(
                zip(layers[one], layers[other], strict=False), 1
            ):
                names, sources = [one, other], list(pair)
                (a, a_drawn), (b, b_drawn) = (
                    draws.get(weights, name, source, SIGNAL, "")
                    for name, source in zip(names, sources, strict=True)
                )
                sign = 1 if a >= b else -1
                low, high = interval(sign * (a_drawn - b_drawn))
                compared = *names[::sign], *sources[::sign]
                bounds = abs(a - b), float(low), float(high), bool(low > 0)
                rows.append((weights, depth, *compared, *bounds))
    columns = ["weights", "depth", "network", "other", "layer", "other_layer"]
    columns += ["difference", "low", "high", "established"]
    return pd.DataFrame(rows, columns=columns)


def triangle(draws: Draws, layers: Mapping[str, list[str]]) -> pd.DataFrame:
    """Return whether shallow signal serves deep layers: ``depth-pairs.csv``.

    For two layers: the relative error at the deep one with the autoencoder of the
    shallow one, and at the shallow one with that of the deep one. Where the latter
    exceeds the former, the table of all pairs is a triangle.

    Returns:
        weights, classifier, shallow, deep, shallow_for_deep, deep_for_shallow,
        difference (of the latter from the former), low, high, serves (``yes``, ``no``,
        or ``open`` where the interval contains 0).
    """
    rows = []
    for classifier, names in layers.items():
        for weights in (TRAINED, RANDOM):
            for shallow, deep in combinations(names, 2):
                upwards, up = draws.get(weights, classifier, shallow, "response", deep)
                downwards, down = draws.get(
                    weights, classifier, deep, "response", shallow
                )
                low, high = map(float, interval(down - up))
                serves = "yes" if low > 0 else "no" if high < 0 else "open"
                errors = upwards, downwards, downwards - upwards
                pair = weights, classifier, shallow, deep
                rows.append((*pair, *errors, low, high, serves))
    columns = ["weights", "classifier", "shallow", "deep", "shallow_for_deep"]
    columns += ["deep_for_shallow", "difference", "low", "high", "serves"]
    return pd.DataFrame(rows, columns=columns)
