"""What a study has: its sets, networks, sources of pixels and companion studies.

Rules read the axes of their wildcards here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import get_args

from s2snets.config import Autoencoder, Classifier, Study
from s2snets.config.base import Informed
from s2snets.config.depth import RANDOM, TRAINED
from s2snets.measure.sources import (
    ORIGINAL,
    PARTS,
    PRETRAINED,
    PixelSource,
    pixel_sources,
)

IMAGE_SETS = ("train", "validation", "photos", "photos_validation")
CORPORA = {"photos": "photos", "labelled": "train"}
"""Corpus of a pretraining -> the image set that it is."""
INFORMED_BY: tuple[Informed, ...] = get_args(Informed)
"""What an inverse network is informed by (Mahendran & Vedaldi 2016, section 3.3)."""
BASELINE = "baseline"  # segments by a Gaussian blob, without a network


def one_of(names: Iterable[str]) -> str:
    """Return a regular expression for one of the names; for none it never matches."""
    return "|".join(names) or "(?!)"


class Axes:
    """The axes of one study, each a list of names in the order of its tables."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.seeds = study.seeds
        self.classifiers = list(study.classifiers)
        self.part, *self.other_parts = study.finetune.parts
        self.parts = study.finetune.parts
        self.replicates = range(1, study.finetune.replicates)  # beside the first

    # Networks

    @cached_property
    def networks(self) -> dict[str, Classifier]:
        """Every classifier by name, those of the companion studies too."""
        return self.study.networks

    @cached_property
    def trained(self) -> list[str]:
        """Classifiers that the workflow trains."""
        return [name for name, one in self.networks.items() if one.is_trained]

    @cached_property
    def exported(self) -> list[str]:
        """Classifiers that come with weights."""
        return [name for name in self.networks if name not in self.trained]

    @cached_property
    def published(self) -> list[str]:
        """Classifiers whose weights a library publishes by name."""
        return [name for name, one in self.networks.items() if one.is_published]

    @cached_property
    def lighter(self) -> dict[str, Autoencoder]:
        """Autoencoders of other sizes by their size, such as ``32x4``."""
        return {one.size: one for one in self.study.lighter}

    @cached_property
    def learned_denoiser(self) -> bool:
        """Whether a SegNet is trained to denoise."""
        return "autoencoder" in self.study.denoise.methods

    # Image sets

    @cached_property
    def packed(self) -> list[str]:
        """Image sets that are packed as they are."""
        return [name for name in IMAGE_SETS if getattr(self.study.data, name)]

    @cached_property
    def cleaned(self) -> list[str]:
        """Image sets that the cleaning makes."""
        return [name for name in IMAGE_SETS if name not in self.packed]

    @cached_property
    def batches(self) -> range:
        """Batches of the cleaning."""
        return range(self.study.clean.batches if self.study.clean else 0)

    @cached_property
    def listings(self) -> dict[str, str]:
        """Sources of the cleaning's rows: metadata files by number, or a tree."""
        clean = self.study.clean
        if clean is None:
            return {}
        if clean.metadata:
            return {str(place): path for place, path in enumerate(clean.metadata)}
        return {"tree": str(clean.tree)}

    @cached_property
    def metadata(self) -> dict[str, str]:
        """Those and the file of hashes, if there is one."""
        hashes = self.study.clean and self.study.clean.hashes
        return self.listings | ({"hashes": hashes} if hashes else {})

    # Sources of pixels

    @cached_property
    def sources(self) -> dict[str, PixelSource]:
        """Every source that is measured, by name."""
        return {
            one.source: one
            for one in pixel_sources(self.classifiers, self.part)
            if one.part in ("", *self.parts)
        }

    @cached_property
    def tuned(self) -> list[str]:
        """Sources that are fine-tuned in the main part: the A_i."""
        return [name for name, one in self.sources.items() if one.part == self.part]

    @cached_property
    def replicated(self) -> list[str]:
        """Sources that each replicate makes anew: every part's A_i."""
        return [name for name, one in self.sources.items() if one.part]

    @cached_property
    def main_sources(self) -> list[str]:
        """The originals, A_S and the A_i."""
        return [ORIGINAL.source, PRETRAINED.source, *self.tuned]

    # Signal by depth; empty where a study does without

    @cached_property
    def looked_into(self) -> list[str]:
        """Networks whose signal is measured by depth."""
        return self.study.depth.classifiers if self.study.depth else []

    @cached_property
    def repeats(self) -> range:
        """Trainings of each autoencoder of a layer, the first among them."""
        return range(self.study.depth.replicates if self.study.depth else 0)

    def depths(self, classifier: str, weights: str) -> range:
        """Return the depths that a network's autoencoders are tuned for.

        0 is its input, which no weights decide: with random ones it is not tuned for.
        """
        assert self.study.depth is not None
        first = 0 if weights == TRAINED else 1
        return range(first, self.study.depth.count(classifier) + 1)

    # Companion studies; empty where a study does without

    @cached_property
    def reversed(self) -> list[str]:
        """Networks that are reversed."""
        return self.study.salient.classifiers if self.study.salient else []

    @cached_property
    def normalising(self) -> list[str]:
        """Those of them with local response normalisation."""
        return [name for name in self.reversed if self.networks[name].has_lrn]

    @cached_property
    def inverted(self) -> list[str]:
        """The network that inverse networks are trained for; at most one."""
        salient = self.study.salient
        return [salient.inverted] if salient and salient.inversion else []

    @cached_property
    def segmenters(self) -> list[str]:
        """Networks that segment, and the baseline without one."""
        salient = self.study.salient
        return [*self.reversed, BASELINE] if salient and salient.segmentation else []

    @cached_property
    def preferring(self) -> list[str]:
        """Networks whose preferred images are sought."""
        return self.study.synthesis.classifiers if self.study.synthesis else []

    @cached_property
    def preferred_classes(self) -> bool:
        """Whether preferred images of single classes are sought."""
        synthesis = self.study.synthesis
        return synthesis is not None and synthesis.classes != []

    @cached_property
    def preferred_compounds(self) -> bool:
        """Whether preferred images of several classes at once are sought."""
        return bool(self.study.synthesis and self.study.synthesis.compounds)

    @cached_property
    def preferred_filters(self) -> bool:
        """Whether preferred images of filters are sought."""
        filters = self.study.synthesis.filters if self.study.synthesis else {}
        return any(map(filters.get, self.preferring))

    @cached_property
    def modes(self) -> list[str]:
        """Modes of the generator in which they are."""
        return list(self.study.synthesis.modes) if self.study.synthesis else []

    def constraints(self) -> dict[str, str]:
        """Return a regular expression for each wildcard of the workflow."""
        return {
            "set": one_of(self.packed),
            "metadata": one_of(self.metadata),
            "batch": r"\d+",
            "corpus": one_of(CORPORA),
            "classifier": one_of(self.networks),
            "part": one_of(PARTS),
            "source": one_of(self.sources),
            "denoiser": one_of(self.study.denoise.methods),
            "size": one_of(self.lighter),
            "informed": one_of(INFORMED_BY),
            "segmenter": one_of(self.segmenters),
            "mode": one_of(self.modes),
            "weights": one_of((TRAINED, RANDOM)),
            "depth": r"\d+",
            "repeat": r"\d+",
            "seed": r"\d+",
            "replicate": r"[1-9]\d*",
        }
