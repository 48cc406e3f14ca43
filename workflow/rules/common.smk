"""What every stage shares: the settings, the axes of the study, its paths."""

import json
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

WORKFLOW = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(WORKFLOW))

from s2snets.config import load, missing_sources, section_json
from s2snets.errors import Mistake
from s2snets.fingerprint import fingerprint, texts
from s2snets.measure.accuracy import sources
from s2snets.models.own import meaning

try:
    study = load(config, ", ".join(map(str, workflow.configfiles)))
    missing_sources(study)
    MEANINGS = {
        name: meaning(one.architecture)
        for name, one in study.classifiers.items()
        if one.function
    }
except Mistake as mistake:
    raise WorkflowError(str(mistake)) from None

# Captions read defaults too.
config.clear()
config.update(study.model_dump(mode="json"))


pathvars:
    results=f"results/{study.study}",
    tables="<results>/tables",
    figures="<results>/figures",
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


# Jobs run this checkout's code with this interpreter, whatever PATH says; modules of
# the user's own are found after it.
shell.prefix(
    f"set -euo pipefail; export PYTHONPATH={str(WORKFLOW)!r}"
    "${{PYTHONPATH:+:$PYTHONPATH}};"
    f" export PATH={str(Path(sys.executable).parent)!r}:$PATH; "
)

CLASSIFIERS = list(study.classifiers)
TRAINED = [name for name, one in study.classifiers.items() if one.trained]
GIVEN = [name for name in CLASSIFIERS if name not in TRAINED]
PUBLISHED = [name for name, one in study.classifiers.items() if one.named]
PART, *OTHER_PARTS = study.finetune.parts
LIGHTER = {f"{one.width}x{one.stages}": one for one in study.lighter}
CORPORA = {"photos": "photos", "labelled": "train"}
LABELLED = ["train", "validation"] if study.reference == "labels" else []
SETS = ["train", "validation", "photos", "photos_validation"]

# Every source of pixels, in the order of the tables.
KNOWN = sources(CLASSIFIERS, PART).set_index("source")
SOURCES = list(KNOWN.index[KNOWN["part"].isin(["", *study.finetune.parts])])
TUNED = [source for source in SOURCES if KNOWN.loc[source, "part"] == PART]
AUTOENCODERS = {"original": None, "pretrained": "pretrained/photos"} | {
    source: f"{KNOWN.loc[source, 'part']}/{KNOWN.loc[source, 'tuned']}"
    for source in SOURCES[2:]
}


def one_of(names):
    """A wildcard constraint that an empty list makes impossible."""
    return "|".join(names) or "(?!)"


wildcard_constraints:
    set="|".join(SETS),
    corpus="|".join(CORPORA),
    classifier="|".join(CLASSIFIERS),
    part="decoder|encoder|both",
    source="|".join(SOURCES),
    denoiser=one_of(study.denoise.methods),
    size=one_of(LIGHTER),
    seed=r"\d+",


def grows(megabytes):
    """Double the memory that is asked for with each retry."""

    def mem_mb(wildcards, attempt):
        return megabytes * 2 ** (attempt - 1)

    return mem_mb


def own(path):
    """A file of the project, seen from here: a moved checkout changes no input."""
    return os.path.relpath(Path(workflow.basedir) / path)


def sources_of(wildcards):
    """What a set is packed from, files and folders alike."""
    found = getattr(study.data, wildcards.set)
    return [path for one in found for path in (one.path, one.labels) if path]


def packing(wildcards):
    """Settings of one set's packing."""
    return section_json(
        study,
        sources=[
            one.model_dump(mode="json") for one in getattr(study.data, wildcards.set)
        ],
        labelled=wildcards.set in LABELLED,
        classes=study.data.classes,
        seed=study.data.seed,
        shard_images=study.data.shard_images,
    )


def classifier_settings(wildcards):
    """Settings of one classifier's training."""
    return section_json(
        study,
        "image_size",
        "fit",
        "train",
        classifier=study.classifiers[wildcards.classifier],
    )


def export_settings(wildcards):
    """Settings of one classifier that comes with weights."""
    return section_json(
        study, "image_size", classifier=study.classifiers[wildcards.classifier]
    )


def fetching(wildcards):
    """Settings of the fetching of published weights: their name alone."""
    one = study.classifiers[wildcards.classifier]
    return section_json(study, architecture=one.architecture, weights=one.weights)


def given_weights(wildcards):
    """A user's file of weights, for a classifier that has one."""
    one = study.classifiers[wildcards.classifier]
    return [] if one.named or one.weights is None else one.weights


def receipt_of(wildcards):
    """What tells where a classifier's published weights lie, if it has such."""
    if wildcards.classifier not in PUBLISHED:
        return []
    return f"<results>/weights/{wildcards.classifier}.json"


def receipt_flag(wildcards, input):
    """How ``export_classifier`` is told of it."""
    return f"--receipt {shlex.quote(input.receipt)}" if input.receipt else ""


def function_meaning(wildcards):
    """What a user's function means: another meaning is another classifier."""
    return MEANINGS.get(wildcards.classifier)


def corpus_index(wildcards):
    """The set that a corpus is."""
    return f"<results>/data/{CORPORA[wildcards.corpus]}/index.npz"


def pretraining_settings(wildcards):
    """Settings of one corpus's pretraining."""
    return section_json(
        study,
        "image_size",
        "fit",
        "autoencoder",
        pretraining=getattr(study.pretrain, wildcards.corpus),
        validation_images=study.pretrain.validation_images,
    )


def lighter_pretraining(wildcards):
    """Settings of the pretraining of an autoencoder of another size."""
    return section_json(
        study,
        "image_size",
        "fit",
        autoencoder=LIGHTER[wildcards.size],
        pretraining=study.pretrain.photos,
        validation_images=study.pretrain.validation_images,
    )


def lighter_prediction(wildcards):
    """Settings of predictions through it, without noise."""
    return section_json(
        study,
        "image_size",
        "fit",
        "reference",
        autoencoder=LIGHTER[wildcards.size],
        predict=study.predict.model_copy(update={"strengths": [0.0]}),
    )


def autoencoder_of(wildcards):
    """A source's autoencoder; none for the original images."""
    place, seed = AUTOENCODERS[wildcards.source], wildcards.seed
    if place is None:
        return []
    return f"<results>/seed-{seed}/autoencoders/{place}/weights.safetensors"


def denoiser_of(wildcards):
    """The learned denoiser's weights; none for the classical ones."""
    if wildcards.denoiser != "autoencoder":
        return []
    return f"<results>/seed-{wildcards.seed}/autoencoders/denoising/weights.safetensors"


def denoiser_flag(wildcards, input):
    """How ``predict`` is told of the learned denoiser, or of a classical one."""
    if input.autoencoder:
        return f"--autoencoder {shlex.quote(input.autoencoder)}"
    return f"--classical {wildcards.denoiser}"


def flags(wildcards, input):
    """Named inputs as a command line has them: ``--name path``."""
    return " ".join(f"--{name} {shlex.quote(path)}" for name, path in input.items())
