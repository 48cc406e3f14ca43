"""What the rules read, where it depends on their wildcards: their input functions.

Each takes Snakemake's wildcards and returns paths, or an empty list for an input that a
job does without; ``<results>`` is the study's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from s2snets.config import Study
from s2snets.config.cleaning import Clean
from s2snets.config.depth import TRAINED
from s2snets.config.study import class_folders
from s2snets.networks.user_function import digest_functions
from s2snets.study.axes import CORPORA, Axes

LEARNED_DENOISER = "autoencoder"
Paths = str | list[str]


class Wildcards(Protocol):
    """The wildcards of a job."""

    def __getattr__(self, name: str) -> str:
        """Return a wildcard's value."""


def network_weights(seed: str, folder: str) -> str:
    """Return the weights in a network's folder, such as ``classifiers/L``."""
    return f"<results>/seed-{seed}/{folder}/weights.safetensors"


def replicate_seed(seed: int, replicate: int) -> int:
    """Return the seed of a replicate: another one for each seed of the study."""
    digest = sha256(f"{seed} {replicate}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


class Inputs:
    """Input functions of one study.

    Raises:
        UserError: a user's function that is a classifier cannot be read.
    """

    def __init__(self, study: Study) -> None:
        self.study, self.axes = study, Axes(study)
        self.function_digests = digest_functions(study.networks)

    @property
    def clean(self) -> Clean:
        """Settings of the cleaning, of whose rules there are none without them."""
        assert self.study.clean is not None
        return self.study.clean

    # Image sets

    def image_files(self, wildcards: Wildcards) -> Paths:
        """Return what a set is packed from, files and folders alike."""
        sources = getattr(self.study.data, wildcards.set)
        return [path for one in sources for path in one.files.values()]

    def corpus(self, wildcards: Wildcards) -> Paths:
        """Return the index of the image set that a corpus is."""
        return f"<results>/data/{CORPORA[wildcards.corpus]}/index.npz"

    def checked_classes(self, wildcards: Wildcards) -> Paths:
        """Return the result of ``check_classes``, if planning cannot check them."""
        study = self.study
        known = study.data.classes or study.reference != "labels"
        if known or not any(study.named_classes.values()):
            return []
        if class_folders(study.data.train) is not None:
            return []
        return "<results>/data/classes.json"

    # Cleaning

    def listing(self, wildcards: Wildcards) -> Paths:
        """Return one metadata file, or the folder of photographs."""
        return self.axes.metadata[wildcards.metadata]

    def zip_folder(self, wildcards: Wildcards) -> Paths:
        """Return the folder of zip files."""
        assert self.clean.zips is not None
        return self.clean.zips.path

    def shard_store(
        self,
        wildcards: Wildcards,
        input: Mapping[str, list[str]],
        output: list[str],
    ) -> str:
        """Return the folder of cleaned shards: one that studies share, or the study's.

        The study's own is found by the reports of its batches, as
        ``clean/batches/BATCH.json``.
        """
        reports = input.get("reports", output)
        return self.clean.store or str(Path(reports[0]).parents[1])

    def cleaning(self, wildcards: Wildcards) -> dict[str, Paths]:
        """Return what a batch is cleaned from, and by which lists."""
        rows, clean = "<results>/clean/rows", self.clean
        return {
            "rows": [f"{rows}/{name}" for name in self.axes.listings],
            "hashes": f"{rows}/hashes" if clean.hashes else [],
            "zips_index": "<results>/clean/zips.npy" if clean.zips else [],
            "exclude": clean.exclude or [],
            "placeholders": clean.placeholders or [],
        }

    def exclude_list(self, wildcards: Wildcards) -> Paths:
        """Return the list of photographs that must go."""
        return (self.study.clean and self.study.clean.exclude) or []

    # Classifiers

    def given_weights(self, wildcards: Wildcards) -> Paths:
        """Return a user's file of weights."""
        network = self.axes.networks[wildcards.classifier]
        return [] if network.is_published else network.weights or []

    def receipt(self, wildcards: Wildcards) -> Paths:
        """Return what tells where a library's published weights lie."""
        published = wildcards.classifier in self.axes.published
        return f"<results>/weights/{wildcards.classifier}.json" if published else []

    def function_digest(self, wildcards: Wildcards) -> str | None:
        """Return the digest of a user's function: another one is another classifier."""
        return self.function_digests.get(wildcards.classifier)

    # Autoencoders and denoisers

    def autoencoder(self, wildcards: Wildcards) -> Paths:
        """Return a source's autoencoder; none for the original images."""
        folder = self.axes.sources[wildcards.source].autoencoder
        return (
            network_weights(wildcards.seed, f"autoencoders/{folder}") if folder else []
        )

    def replicate(self, wildcards: Wildcards) -> Paths:
        """Return a source's autoencoder of another replicate than the first."""
        folder = self.axes.sources[wildcards.source].autoencoder
        replicate = f"replicate-{wildcards.replicate}"
        return network_weights(wildcards.seed, f"{replicate}/autoencoders/{folder}")

    def replicate_seed(self, wildcards: Wildcards) -> int:
        """Return the seed by which a replicate other than the first is tuned."""
        return replicate_seed(int(wildcards.seed), int(wildcards.replicate))

    def denoiser(self, wildcards: Wildcards) -> Paths:
        """Return the learned denoiser; none for the classical ones."""
        learned = wildcards.denoiser == LEARNED_DENOISER
        return (
            network_weights(wildcards.seed, "autoencoders/denoising") if learned else []
        )

    def classical_denoiser(self, wildcards: Wildcards) -> Paths:
        """Return the name of a classical denoiser; none for the learned one."""
        return [] if wildcards.denoiser == LEARNED_DENOISER else wildcards.denoiser

    # Signal by depth

    def looked_into(self, wildcards: Wildcards) -> Paths:
        """Return a network with its own weights, or with random ones."""
        name = wildcards.classifier
        if wildcards.weights == TRAINED:
            return network_weights(wildcards.seed, f"classifiers/{name}")
        return network_weights(
            wildcards.seed, f"depth/{wildcards.repeat}/{wildcards.weights}/{name}"
        )

    def tuned_for_layers(self, wildcards: Wildcards) -> Paths:
        """Return the autoencoders of a network's input and layers, by depth.

        That of the input, which no weights decide, is one for own and random weights.
        """
        name, folder = wildcards.classifier, f"depth/{wildcards.repeat}"
        return [
            network_weights(
                wildcards.seed,
                f"{folder}/{wildcards.weights if depth else TRAINED}/{name}/{depth}",
            )
            for depth in self.axes.depths(name, TRAINED)
        ]

    def tuned_otherwise(self, wildcards: Wildcards) -> Paths:
        """Return A_S and A_C, once for own weights; A_S for all that are random."""
        folders = ["pretrained/photos"]
        if wildcards.weights == TRAINED:
            folders.append(f"{self.axes.part}/{wildcards.classifier}")
            if wildcards.repeat != "0":
                return []
        return [
            network_weights(wildcards.seed, f"autoencoders/{folder}")
            for folder in folders
        ]

    def repeat_seed(self, wildcards: Wildcards) -> int:
        """Return the seed of a training of a layer's autoencoder, or of weights."""
        seed, repeat = int(wildcards.seed), int(wildcards.repeat)
        return replicate_seed(seed, repeat) if repeat else seed

    # Companion studies

    def inverted(self, wildcards: Wildcards) -> Paths:
        """Return the network that the inverse networks invert."""
        return network_weights(wildcards.seed, f"classifiers/{self.axes.inverted[0]}")

    def segmented_images(self, wildcards: Wildcards) -> Paths:
        """Return the images whose foreground is known."""
        salient = self.study.salient
        assert salient is not None
        assert salient.segmentation is not None
        return salient.segmentation.path

    def segmenter(self, wildcards: Wildcards) -> Paths:
        """Return the network that segments; none for the Gaussian."""
        name = wildcards.segmenter
        if name not in self.axes.reversed:
            return []
        return network_weights(wildcards.seed, f"classifiers/{name}")

    def generator_corpus(self, wildcards: Wildcards) -> Paths:
        """Return the set that the pretrained generator learns."""
        assert self.study.synthesis is not None
        return f"<results>/data/{self.study.synthesis.decoder.corpus}/index.npz"

    def generator(self, wildcards: Wildcards) -> Paths:
        """Return the pretrained generator; none for one that starts from scratch."""
        pretrained = wildcards.mode == "pretrained"
        return network_weights(wildcards.seed, "generator") if pretrained else []

    def judge(self, wildcards: Wildcards) -> Paths:
        """Return the network that judges the preferred images of another."""
        assert self.study.synthesis is not None
        name = self.study.synthesis.judge_of(wildcards.classifier, self.axes.networks)
        return network_weights(wildcards.seed, f"classifiers/{name}")
