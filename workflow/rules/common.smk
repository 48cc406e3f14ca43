"""What every stage shares: the settings, the axes of the study, its paths."""

import json
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

WORKFLOW = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(WORKFLOW))

from s2snets.config import load, missing_sources, section_json
from s2snets.errors import Mistake
from s2snets.fingerprint import fingerprint
from s2snets.measure.accuracy import sources

try:
    study = load(config, ", ".join(map(str, workflow.configfiles)))
    missing_sources(study)
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


# Jobs run this checkout's code with this interpreter, whatever PATH says.
shell.prefix(
    f"set -euo pipefail; export PYTHONPATH={str(WORKFLOW)!r};"
    f" export PATH={str(Path(sys.executable).parent)!r}:$PATH; "
)

CLASSIFIERS = list(study.classifiers)
TRAINED = [name for name, one in study.classifiers.items() if one.weights is None]
GIVEN = [name for name in CLASSIFIERS if name not in TRAINED]
PART, *OTHER_PARTS = study.finetune.parts
CORPORA = {"photos": "photos", "labelled": "train"}
SETS = {"train": True, "validation": True, "photos": False, "photos_validation": False}

# Every source of pixels, in the order of the tables.
KNOWN = sources(CLASSIFIERS, PART).set_index("source")
SOURCES = list(KNOWN.index[KNOWN["part"].isin(["", *study.finetune.parts])])
TUNED = [source for source in SOURCES if KNOWN.loc[source, "part"] == PART]
AUTOENCODERS = {"original": None, "pretrained": "pretrained/photos"} | {
    source: f"{KNOWN.loc[source, 'part']}/{KNOWN.loc[source, 'tuned']}"
    for source in SOURCES[2:]
}


wildcard_constraints:
    set="|".join(SETS),
    corpus="|".join(CORPORA),
    classifier="|".join(CLASSIFIERS),
    part="decoder|encoder|both",
    source="|".join(SOURCES),
    seed=r"\d+",


def grows(megabytes):
    """Double the memory that is asked for with each retry."""

    def mem_mb(wildcards, attempt):
        return megabytes * 2 ** (attempt - 1)

    return mem_mb
