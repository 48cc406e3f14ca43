"""What every section shares: the study, its axes, and how a stage becomes a rule."""

import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.io import flag
from snakemake.path_modifier import PATH_MODIFIER_FLAG

IS_MAIN = workflow.modifier.is_main_snakefile()
LIBRARY = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
# A workflow that imports this one runs the library that is installed, and plans by it.
sys.path.insert(0 if IS_MAIN else len(sys.path), str(LIBRARY))

from s2snets.config import load, check_paths
from s2snets.runtime import run_lock
from s2snets.runtime.errors import UserError
from s2snets.study.axes import one_of
from s2snets.study.inputs import Inputs

if IS_MAIN:
    origin = ", ".join(map(str, workflow.configfiles)) or "config"
else:
    origin = f"config of module {workflow.modifier.namespace}"
    sys.path.pop()  # submodules are found through their package

try:
    study = load(config, origin)
    check_paths(study)
    inputs = Inputs(study)
except UserError as error:
    raise WorkflowError(str(error)) from None

axes = inputs.axes


pathvars:
    results=f"results/{study.study}",
    tables="<results>/tables",
    figures="<results>/figures",
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


wildcard_constraints:
    **axes.constraints(),


def quoted(folder):
    """Return a folder of PATH or PYTHONPATH as text for the shell, braces doubled."""
    if os.pathsep in str(folder):
        raise WorkflowError(f"{folder}: no folder of PATH may contain ':'; move it")
    return shlex.quote(str(folder)).replace("{", "{{").replace("}", "}}")


# Jobs run this checkout's code with this interpreter, whatever PATH says; the user's
# own modules come after it. A workflow that imports this one keeps its own shell.
if IS_MAIN:
    shell.prefix(
        f"set -euo pipefail; export PYTHONPATH={quoted(LIBRARY)}"
        "${{PYTHONPATH:+:$PYTHONPATH}};"
        f" export PATH={quoted(Path(sys.executable).parent)}:$PATH;"
        f" export {run_lock.VARIABLE}={run_lock.PATH}; "
    )


def declared(stage, study=study):
    """Return the params of a stage that its rules share, which are code and settings."""

    def settings(wildcards):
        return stage.settings_json(study, wildcards)

    code = {"code": stage.code()}
    return code | {"settings": settings} if "settings" in stage.model_fields else code


def grows(megabytes):
    """Double the memory that is asked for with each retry."""

    def mem_mb(wildcards, attempt):
        return megabytes * 2 ** (attempt - 1)

    return mem_mb


def checkout_file(path):
    """Return the input file of a path below the checkout.

    It is relative, so that moving the checkout reruns nothing, and local, so that the
    prefix of a module does not apply.
    """
    return local(os.path.relpath(LIBRARY.parent / path))


def benchmarks_of(jobs, **values):
    """Return the benchmark files of a rule's jobs."""
    # `rules` forgets that the prefix of a module is part of the path already.
    return collect(flag(str(jobs.benchmark), PATH_MODIFIER_FLAG), **values)
