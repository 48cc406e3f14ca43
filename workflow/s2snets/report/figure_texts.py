"""Titles and alternative texts of the figures that the report shows."""

from collections.abc import Sequence
from pathlib import Path

from s2snets.config import Study
from s2snets.report.captions import (
    CAPTIONS,
    SCORES,
    read_caption,
    render_caption,
)
from s2snets.report.figures import ReportFigure
from s2snets.runtime.errors import UserError

FIGURES = {
    "cleaned-photographs": (
        "Outcomes of the cleaning",
        "Two charts: the number of rows with each outcome as dots on a logarithmic"
        " axis, and the share that each shard rejects as points within the band"
        " expected by chance.",
    ),
    "figure-2": (
        "Figure 2. Reconstruction error",
        "Line chart: the mean square error falls with the number of training images,"
        " for both pretraining corpora, in training and in validation.",
    ),
    "lighter-autoencoders": (
        "Lighter autoencoders",
        "Two line charts over multiply-adds: the reconstruction error of autoencoders"
        " of several widths and depths, and each network's accuracy on their"
        " reconstructions.",
    ),
    "figure-3": (
        "Figure 3. Reconstructions",
        "Grid of images: the original and every autoencoder's reconstruction, each"
        " with an enlarged centre and three colour histograms.",
    ),
    "figure-4": (
        "Figure 4. Reconstructions of noisy images",
        "Grid of images: one image under increasing noise, as the input and as two"
        " autoencoders reconstruct it.",
    ),
    "figure-5": (
        "Figure 5. Robustness to noise",
        "Two line charts: accuracy falls with noise strength; dashed lines for the"
        " noisy images, solid lines for their reconstructions.",
    ),
    "denoisers": (
        "Denoisers in place of the autoencoder",
        "Line charts, one for each network: accuracy over noise strength, on the noisy"
        " images, through A_S and A_i, and through each denoiser.",
    ),
    "cross-evaluation": (
        "Table 2 as a heat map",
        "Heat map: accuracy of every network on every autoencoder's reconstructions;"
        " Table 2 holds the same numbers.",
    ),
    "figure-6": (
        "Figure 6. Relative rate of change",
        "Bar chart: the relative rate of change of every pair in ascending order, with"
        " a line at 1; the table of RRC holds the same numbers.",
    ),
    "figure-7": (
        "Figure 7. Concept lattices",
        "Line diagrams of concept lattices, one for each threshold: nodes in layers,"
        " joined by edges, with networks above and signals below them.",
    ),
    "lattice-barcode": (
        "All concept lattices",
        "Chart over the threshold: the number of concepts, how often each lattice"
        " recurs, and for each concept a horizontal bar over the thresholds at which it"
        " exists, in one colour where the order is total and in another where it is"
        " not.",
    ),
    "figure-8": (
        "Figure 8. Pairs of images compared",
        "Two images and their reconstructions; arrows marked intra join an image with"
        " its reconstructions, arrows marked inter join the two images.",
    ),
    "figure-9": (
        "Figure 9. Normalised mutual information",
        "Points with error bars: intra, inter and shuffled mutual information of each"
        " autoencoder, ordered by intra.",
    ),
    "salient-architectures": (
        "Three reversed architectures",
        "Grid of images: inputs, and beside each its reversal by DeConvNet, SaliNet and"
        " DeSaliNet, from a middle layer and from the logits.",
    ),
    "salient-variants": (
        "All eight reversed architectures",
        "Grid of images: one input reversed with four rules for rectifiers and two for"
        " max-poolings.",
    ),
    "salient-neurons": (
        "Responses from different neurons",
        "Grid of images: responses from the most active neuron, from a random one and"
        " from a mixture of all, layer by layer, in three architectures.",
    ),
    "salient-selectivity": (
        "Neuron selectivity",
        "Line charts over depth: similarity of the responses from two neurons for one"
        " image, and from one neuron for two images.",
    ),
    "salient-support": (
        "Finite support of a neuron",
        "Grid of images: a DeSaliNet response, the same with its weak parts amplified,"
        " the same without information from the forward pass, and with random weights.",
    ),
    "salient-phase": (
        "Bottleneck information and phase",
        "Grid of images: an input, its Fourier transform inverted, the same with random"
        " amplitudes, and two reversed networks with a random start.",
    ),
    "salient-lrn": (
        "Local response normalisation",
        "Grid of images: responses with the normalisation reversed by backpropagation"
        " and by the identity.",
    ),
    "salient-inversion": (
        "Errors of the inverse networks",
        "Points with error bars: errors of four inverse networks, and the reductions"
        " between them beside the printed ones.",
    ),
    "salient-segmentation": (
        "Foreground segmentation by saliency",
        "Points with error bars for per-pixel accuracy and intersection over union,"
        " and examples: images, their saliency and the foreground found.",
    ),
    "synthesis-modes": (
        "Preferred images of classes",
        "Grid of images: for each class the image made by a generator from scratch"
        " and by a pretrained one.",
    ),
    "synthesis-bias": (
        "Preferred images and training images",
        "Grid of images: for each class its preferred images above the training images"
        " that the network ranks highest.",
    ),
    "synthesis-filters": (
        "Preferred images of filters",
        "Grid of images: images that excite single filters, layer by layer.",
    ),
    "synthesis-compounds": (
        "Two classes in one image",
        "Grid of images: the preferred image of each of two classes, and of both at"
        " once.",
    ),
    "synthesis-measures": (
        "Measurements of the preferred images",
        "Points with error bars: confidence, smoothness and agreement of both kinds of"
        " generator.",
    ),
}
"""File stem -> title, alternative text for readers who cannot see the figure."""

OPTIONAL = {"cleaned-photographs", "lighter-autoencoders"}
OPTIONAL |= {stem for stem in FIGURES if stem.startswith(("salient-", "synthesis-"))}
"""Figures that only some studies have."""


def describe_figures(
    paths: Sequence[Path], study: Study, captions: Path = CAPTIONS
) -> list[ReportFigure]:
    """Return the report's figures with their texts, in the order of ``FIGURES``.

    Args:
        paths: PNGs.
        study: settings, which the texts quote.
        captions: folder of the captions.

    Raises:
        UserError: a figure or its caption is missing, or the report has no place for
            it.
    """
    by_stem = {path.stem: path for path in paths}
    if unknown := sorted(set(by_stem) - set(FIGURES)):
        raise UserError(f"--figures: the report has no place for {', '.join(unknown)}")
    absent = [stem for stem in FIGURES if stem not in {*by_stem, *OPTIONAL}]
    if absent:
        raise UserError(f"--figures: {', '.join(absent)} missing; make figures first")
    for path in paths:
        if not path.is_file():
            raise UserError(f"{path}: no such figure; make figures first")
    score, config = SCORES[study.reference], study.model_dump(mode="json")
    return [
        ReportFigure(
            by_stem[stem],
            title,
            alternative.replace("accuracy", score),
            render_caption(read_caption(captions, stem), config),
        )
        for stem, (title, alternative) in FIGURES.items()
        if stem in by_stem
    ]
