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
from s2snets.runtime.errors import UserError
from s2snets.runtime.fingerprint import fingerprint, texts
from s2snets.measure.accuracy import sources
from s2snets.networks.user_function import meaning

try:
    study = load(config, ", ".join(map(str, workflow.configfiles)))
    missing_sources(study)
    MEANINGS = {
        name: meaning(one.architecture)
        for name, one in study.networks.items()
        if one.function
    }
except UserError as mistake:
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
NETWORKS = list(study.networks)
TRAINED = [name for name, one in study.networks.items() if one.trained]
GIVEN = [name for name in NETWORKS if name not in TRAINED]
PUBLISHED = [name for name, one in study.networks.items() if one.named]
PART, *OTHER_PARTS = study.finetune.parts
LIGHTER = {f"{one.width}x{one.stages}": one for one in study.lighter}
CORPORA = {"photos": "photos", "labelled": "train"}
LABELLED = ["train", "validation"] if study.reference == "labels" else []
SETS = ["train", "validation", "photos", "photos_validation"]
PACKED = [name for name in SETS if getattr(study.data, name)]
CLEANED = [name for name in SETS if name not in PACKED]
BATCHES = range(study.clean.batches if study.clean else 0)

# What the cleaning reads its rows from: metadata files by number, or a folder.
METADATA = dict(enumerate(study.clean.metadata if study.clean else ()))
if study.clean and not METADATA:
    METADATA["tree"] = study.clean.tree
LISTED = [str(name) for name in METADATA]
if study.clean and study.clean.hashes:
    METADATA["hashes"] = study.clean.hashes
METADATA = {str(name): path for name, path in METADATA.items()}

# Every source of pixels, in the order of the tables.
KNOWN = sources(CLASSIFIERS, PART).set_index("source")
SOURCES = list(KNOWN.index[KNOWN["part"].isin(["", *study.finetune.parts])])
TUNED = [source for source in SOURCES if KNOWN.loc[source, "part"] == PART]
AUTOENCODERS = {"original": None, "pretrained": "pretrained/photos"} | {
    source: f"{KNOWN.loc[source, 'part']}/{KNOWN.loc[source, 'tuned']}"
    for source in SOURCES[2:]
}


# The companion studies' axes; empty where a study does without.
SALIENT, SYNTHESIS = study.salient, study.synthesis
REVERSED = SALIENT.classifiers if SALIENT else []
INVERTED = SALIENT.inverted if SALIENT and SALIENT.inversion else ""
INFORMED_BY = ["neither", "masks", "switches", "both"]
SEGMENTERS = [*REVERSED, "baseline"] if SALIENT and SALIENT.segmentation else []
PREFERRING = SYNTHESIS.classifiers if SYNTHESIS else []
MODES = SYNTHESIS.modes if SYNTHESIS else []
# Figures of pictures: those of what a study has.
SALIENT_PANELS = ["architectures", "variants", "neurons", "support", "phase"]
NORMALISING = [name for name in REVERSED if study.networks[name].normalises]
SYNTHESIS_PANELS = ["modes", "bias"]
SYNTHESIS_PANELS += ["filters"] if SYNTHESIS and SYNTHESIS.filters else []
SYNTHESIS_PANELS += ["compounds"] if SYNTHESIS and SYNTHESIS.compounds else []


def one_of(names):
    """A wildcard constraint that an empty list makes impossible."""
    return "|".join(names) or "(?!)"


wildcard_constraints:
    set=one_of(PACKED),
    cleaned=one_of(CLEANED),
    metadata=one_of(METADATA),
    batch=r"\d+",
    corpus="|".join(CORPORA),
    classifier="|".join(NETWORKS),
    part="decoder|encoder|both",
    source="|".join(SOURCES),
    denoiser=one_of(study.denoise.methods),
    size=one_of(LIGHTER),
    informed="|".join(INFORMED_BY),
    segmenter=one_of(SEGMENTERS),
    mode=one_of(MODES),
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
    """Settings of one set's packing; the training set names the other's classes."""
    named_by = None
    if wildcards.set == "validation" and study.data.classes is None:
        keys = {"path", "labels"}
        named_by = [one.model_dump(include=keys) for one in study.data.train]
    return section_json(
        study,
        sources=[
            one.model_dump(mode="json") for one in getattr(study.data, wildcards.set)
        ],
        labelled=wildcards.set in LABELLED,
        classes=study.data.classes,
        named_by=named_by,
        seed=study.data.seed,
        shard_images=study.data.shard_images,
    )


def metadata_source(wildcards):
    """One metadata file, or the folder of photographs."""
    return METADATA[wildcards.metadata]


def metadata_settings(wildcards):
    """Settings of its reading: what it is, and how many batches it is dealt out to."""
    name = wildcards.metadata
    return section_json(
        study,
        part=list(METADATA).index(name),
        kind={"tree": "folder", "hashes": "hashes"}.get(name, "metadata"),
        shards=study.clean.shards,
        batches=study.clean.batches,
    )


def store(wildcards):
    """Where the cleaned shards are, the study's own folder or one that studies share."""
    return study.clean.store or f"results/{study.study}/clean"


def zip_folder(wildcards):
    """The folder of zip files."""
    return study.clean.zips.path


def zip_settings(wildcards):
    """Settings of the zip files' index."""
    return study.clean.zips.model_dump_json()


def cleaning_inputs(wildcards):
    """What a batch is cleaned from, and by which lists."""
    rows, clean = "<results>/clean/rows", study.clean
    return {
        "rows": [f"{rows}/{name}" for name in LISTED],
        "hashes": f"{rows}/hashes" if clean.hashes else [],
        "zips_index": "<results>/clean/zips.npy" if clean.zips else [],
    } | {name: getattr(clean, name) or [] for name in ("exclude", "placeholders")}


def cleaning_settings(wildcards):
    """Settings of the cleaning, without those of what comes after it."""
    later = {"held_out", "most_rejected"}
    return json.dumps(study.clean.model_dump(mode="json", exclude=later))


def audit_settings(wildcards):
    """Settings of the audit."""
    return study.clean.model_dump_json(include={"shards", "profile", "most_rejected"})


def photo_index_settings(wildcards):
    """Settings of the index of clean photographs."""
    return study.clean.model_dump_json(include={"shards", "held_out"})


def exclusions(wildcards):
    """The list of photographs that must go, if there is one."""
    return (study.clean and study.clean.exclude) or []


def classifier_settings(wildcards):
    """Settings of one classifier's training."""
    return section_json(
        study,
        "image_size",
        "resize_mode",
        "train",
        classifier=study.networks[wildcards.classifier],
    )


def export_settings(wildcards):
    """Settings of one classifier that comes with weights."""
    return section_json(
        study, "image_size", classifier=study.networks[wildcards.classifier]
    )


def fetching(wildcards):
    """Settings of the fetching of published weights: their name alone."""
    one = study.networks[wildcards.classifier]
    return section_json(study, architecture=one.architecture, weights=one.weights)


def given_weights(wildcards):
    """A user's file of weights, for a classifier that has one."""
    one = study.networks[wildcards.classifier]
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
        "resize_mode",
        "autoencoder",
        pretraining=getattr(study.pretrain, wildcards.corpus),
        validation_images=study.pretrain.validation_images,
    )


def lighter_pretraining(wildcards):
    """Settings of the pretraining of an autoencoder of another size."""
    return section_json(
        study,
        "image_size",
        "resize_mode",
        autoencoder=LIGHTER[wildcards.size],
        pretraining=study.pretrain.photos,
        validation_images=study.pretrain.validation_images,
    )


def lighter_prediction(wildcards):
    """Settings of predictions through it, without noise."""
    return section_json(
        study,
        "image_size",
        "resize_mode",
        "reference",
        autoencoder=LIGHTER[wildcards.size],
        predict=study.predict.model_copy(update={"strengths": [0.0]}),
    )


def place(folder, name):
    """Where a network's arrays lie that figures show: those of the first seed."""
    return f"<results>/seed-{study.seeds[0]}/{folder}/{name}.npz"


def caption_of(stem):
    """The caption's file; a sweep's sheet has that of all."""
    sheet = "synthesis-sheet"
    return sheet if stem.startswith(sheet) else stem


def drawn_from(tables):
    """What a figure reads: tables by their name alone, arrays by their place."""
    return {
        flag: f"<tables>/{one}" if isinstance(one, str) else one
        for flag, one in tables.items()
    }


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


def reversal_settings(wildcards):
    """Settings of one network's reversal."""
    name = wildcards.classifier
    own = {"examples", "side", "measured", "batch"}
    return section_json(
        study,
        "image_size",
        "resize_mode",
        "reference",
        salient=SALIENT.model_dump(mode="json", include=own) | {"classifiers": [name]},
        layers=SALIENT.layers.get(name),
    )


def inversion_settings(wildcards):
    """Settings of the inverse networks."""
    return section_json(study, "image_size", "resize_mode", inversion=SALIENT.inversion)


def inverted_weights(wildcards):
    """The network that they invert."""
    name, seed = INVERTED, wildcards.seed
    return f"<results>/seed-{seed}/classifiers/{name}/weights.safetensors"


def inverse_settings(wildcards):
    """Settings of their measurement."""
    return section_json(
        study,
        "image_size",
        "resize_mode",
        layer=SALIENT.inversion.layer,
        batch=SALIENT.batch,
        images=SALIENT.measured,
    )


def segmented_images(wildcards):
    """The images whose foreground is known."""
    return SALIENT.segmentation.path


def segmentation_settings(wildcards):
    """Settings of their segmentation."""
    return section_json(
        study, segmentation=SALIENT.segmentation, examples=SALIENT.examples
    )


def segmenter_of(wildcards):
    """The network that segments; none for the Gaussian."""
    name, seed = wildcards.segmenter, wildcards.seed
    if name not in REVERSED:
        return []
    return f"<results>/seed-{seed}/classifiers/{name}/weights.safetensors"


def generator_corpus(wildcards):
    """The set that the pretrained generator learns."""
    return f"<results>/data/{SYNTHESIS.decoder.corpus}/index.npz"


def generator_settings(wildcards):
    """Settings of its training."""
    size = SYNTHESIS.size or study.image_size
    return section_json(study, "resize_mode", image_size=size, training=SYNTHESIS.decoder)


def generator_of(wildcards):
    """The generator whose weights stay; none where all are sought."""
    if wildcards.mode == "scratch":
        return []
    return f"<results>/seed-{wildcards.seed}/generator/weights.safetensors"


def judge_of(wildcards):
    """The network that says what it sees in another's preferred images."""
    name, seed = SYNTHESIS.judge_of(wildcards.classifier, NETWORKS), wildcards.seed
    return f"<results>/seed-{seed}/classifiers/{name}/weights.safetensors"


def synthesis_settings(wildcards):
    """Settings of one network's preferred images."""
    name = wildcards.classifier
    own = {"scratch", "pretrained", "classes", "compounds", "batch"}
    filters = [one.model_dump(mode="json") for one in SYNTHESIS.filters.get(name, [])]
    return section_json(
        study,
        image_size=SYNTHESIS.size or study.image_size,
        synthesis=SYNTHESIS.model_dump(mode="json", include=own)
        | {"filters": {name: filters}},
    )


def ranking_settings(wildcards):
    """Settings of the ranking of training images."""
    return section_json(
        study,
        "image_size",
        "resize_mode",
        "reference",
        beside=SYNTHESIS.beside,
        ranked=SYNTHESIS.ranked,
        size=SYNTHESIS.size or study.image_size,
    )


def flags(wildcards, input):
    """Named inputs as a command line has them: ``--name path path``; empty ones not."""
    paths = {
        name: [found] if isinstance(found, str) else list(found)
        for name, found in input.items()
    }
    return " ".join(
        f"--{name.replace('_', '-')} {shlex.join(found)}"
        for name, found in paths.items()
        if found
    )
