"""What autoencoders leave of images, and what a network's layers notice of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from s2snets.config import Information
from s2snets.evaluation import Batch, Network, to_uint8
from s2snets.measure.depth import COLOURS, NOTICED, measured, picture_rows, quarters
from s2snets.measure.spectrum import band_edges
from s2snets.networks.depths import all_activations


def square_distance(first: Tensor, second: Tensor) -> np.ndarray:
    """Return the squared distance of activations, image by image, float64 (N,)."""
    difference = (first - second).flatten(1).double()
    return difference.square().sum(1).cpu().numpy()


def half_distance(activations: Tensor) -> np.ndarray:
    """Return half the squared distance of each image's activations from another's.

    Its mean is the variance of the activations, for images in random order.
    """
    return square_distance(activations, activations.roll(1, 0)) / 2


def variance(activations: nn.Module, batches: Iterable[Tensor]) -> float:
    """Return the variance of a layer's activations, summed over its units.

    Args:
        activations: pixels -> the layer's output.
        batches: pixels (N, 3, H, W), in random order.
    """
    with torch.inference_mode():
        return float(
            np.concatenate(
                [half_distance(activations(each)) for each in batches]
            ).mean()
        )


def error_rows(
    numbers: np.ndarray,
    measure: str,
    changed: Mapping[str, Tensor],
    original: Mapping[str, Tensor],
    scales: Mapping[str, np.ndarray],
) -> list[pd.DataFrame]:
    """Return the rows of how far each layer's activations are from the original's.

    Args:
        numbers: of the images.
        measure: name of the measure.
        changed: activations by layer.
        original: likewise.
        scales: of each image's squared distance, by layer.
    """
    return [
        measured(
            numbers, measure, name, square_distance(changed[name], before), scales[name]
        )
        for name, before in original.items()
    ]


def swap_parts(pixels: Tensor, bands: int) -> dict[str, Tensor]:
    """Return images into which one part of another image is put, by part.

    Args:
        pixels: (N, 3, H, W), in random order.
        bands: of spatial frequency, see ``band_edges``.

    Returns:
        By ``colour red``, ``place top left``, ``band 0.25`` and the like; bands are
        taken without the mean colour, and may leave [0, 1].
    """
    other, found = pixels.roll(1, 0), {}
    height, width = pixels.shape[2:]
    frequency = [torch.fft.fftfreq(side) for side in (height, width)]
    radius = torch.hypot(frequency[0][:, None], frequency[1]).to(pixels.device)
    own_waves, other_waves = torch.fft.fft2(pixels), torch.fft.fft2(other)
    edges = band_edges(bands)
    for low, high in pairwise(edges):
        inside = (radius > low) & (radius <= high)
        waves = torch.where(inside, other_waves, own_waves)
        found[f"band {high:g}"] = torch.fft.ifft2(waves).real.to(pixels.dtype)
    for channel, name in enumerate(COLOURS):
        swapped = pixels.clone()
        swapped[:, channel] = other[:, channel]
        found[f"colour {name}"] = swapped
    for name, (rows, columns) in quarters(height, width).items():
        swapped = pixels.clone()
        swapped[:, :, rows, columns] = other[:, :, rows, columns]
        found[f"place {name}"] = swapped
    return found


@torch.inference_mode()
def depth_tables(
    groups: Iterable[Iterable[Batch]],
    autoencoders: Mapping[str, Network],
    classifier: nn.Module,
    layers: Sequence[str],
    judges: Mapping[str, Network],
    *,
    own_labels: bool,
    bands: int,
    information: Information,
    histogram_bins: int,
) -> Iterator[pd.DataFrame]:
    """Yield what each autoencoder leaves of groups of images.

    An image goes once through the network, and once through each autoencoder, whose
    output all measures share.

    Args:
        groups: see ``evaluation.iterate_batches``.
        autoencoders: by the name of their source, in evaluation mode.
        classifier: the network that is looked into.
        layers: its layers, the shallowest first.
        judges: frozen classifiers by name, whose accuracy is measured.
        own_labels: whether an image's label is what the judge itself predicts for it.
        bands: see ``picture_rows``.
        information: likewise.
        histogram_bins: likewise.

    Yields:
        For each group the rows of ``picture_rows``, with a column ``source``, and those
        of two more measures: ``response``: squared error of a layer's activations, over
        their variance; ``accuracy`` of a judge. Of each part of ``swap_parts``, in the
        place of an autoencoder: ``noticed``, the same error over that of putting in the
        whole of the other image.
    """
    for group in groups:
        tables = []
        for numbers, pixels, labels, _ in group:
            activations = all_activations(classifier, pixels, layers)
            scales = {name: half_distance(each) for name, each in activations.items()}
            truth = {
                name: judge(pixels).argmax(1).cpu() if own_labels else labels
                for name, judge in judges.items()
            }
            originals, levels = pixels.cpu().numpy(), to_uint8(pixels)
            for part, other in swap_parts(pixels, bands).items():
                seen = all_activations(classifier, other, layers)
                twice = {name: 2 * scale for name, scale in scales.items()}
                rows = error_rows(numbers, NOTICED, seen, activations, twice)
                tables.append(pd.concat(rows, ignore_index=True).assign(source=part))
            for source, autoencoder in autoencoders.items():
                output = autoencoder(pixels)
                rows = [
                    *picture_rows(
                        numbers,
                        originals,
                        (output - pixels).cpu().numpy(),
                        (levels, to_uint8(output)),
                        bands=bands,
                        information=information,
                        histogram_bins=histogram_bins,
                    )
                ]
                changed = all_activations(classifier, output, layers)
                rows += error_rows(numbers, "response", changed, activations, scales)
                for name, judge in judges.items():
                    hits = judge(output).argmax(1).cpu() == truth[name]
                    rows.append(
                        measured(numbers, "accuracy", name, hits.double().numpy())
                    )
                tables.append(pd.concat(rows, ignore_index=True).assign(source=source))
        yield pd.concat(tables, ignore_index=True)
