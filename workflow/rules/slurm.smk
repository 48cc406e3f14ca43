"""Slurm: where its executor plugin would wait for ever. No rules here.

Of snakemake-executor-plugin-slurm 2.8.0; docs/slurm.md has what users see.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import time

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

plugin = sys.modules.get("snakemake_executor_plugin_slurm")

# Why a job waits that will not start by itself; `man squeue` lists all reasons.
HOPELESS = re.compile(
    r"PartitionTimeLimit|PartitionNodeLimit|BadConstraints|Invalid|NotAllowed|PerJob"
    r"|Held|NeverSatisfied",
    re.IGNORECASE,
)


def steady(query):
    """A query of the jobs' states that Slurm's silence and short memory do not harm.

    The plugin drops its jobs where no query of a poll is answered, does not know
    "CANCELLED by 0", and takes a job that was preempted for good, or that Slurm has
    forgotten, for one that waits.

    Args:
        query: the plugin's; (command, logger) -> states by job, seconds.
    """
    known, told = set(), set()

    async def states_of(command, logger):
        states, seconds = await query(command, logger)
        if states is None:
            logger.warning("Slurm does not answer; its jobs are asked for again.")
            return {}, 0.0  # a job that is not mentioned stays
        states = {job: state.split(" ")[0] for job, state in states.items()}
        gone = {}
        if command.startswith("squeue"):
            # The plugin lets Snakemake look at the files of a job in this state.
            gone = dict.fromkeys(known - states.keys(), "UNKNOWN")
            known.clear()
            known.update(states)
            # A job that goes back into the queue is never shown as preempted.
            ended = {"PREEMPTED": "CANCELLED"}
            states = {job: ended.get(state, state) for job, state in states.items()}
        if "PENDING" in states.values():
            end_hopeless(command.split()[-1], told, logger)
        return states | gone, seconds

    return states_of


def end_hopeless(run, told, logger):
    """Warn once of each job that will wait for ever; cancel those held by a failure.

    A node that could not launch a job has it held; cancelled, it is submitted again.
    """
    command = ["squeue", "--noheader", "--states=PENDING", "--name", run]
    done = subprocess.run(
        [*command, "--format=%i|%r|%k"], capture_output=True, text=True
    )
    for line in done.stdout.splitlines():
        job, reason, comment = line.split("|", 2)
        if not HOPELESS.search(reason) or line in told:
            continue
        told.add(line)
        if failed := reason.replace("_", " ").startswith("launch failed"):
            subprocess.run(["scancel", job])
        logger.warning(
            f"Slurm's job {job} ({comment}) will not start by itself: {reason}."
            + (" It is cancelled." if failed else " docs/slurm.md says what helps.")
        )


def others():
    """Slurm's jobs of this folder that an earlier Snakemake submitted, by number."""
    done = subprocess.run(
        ["squeue", "--me", "--noheader", "--array", "--format=%i|%Z|%j"],
        capture_output=True,
        text=True,
    )
    rows = [line.split("|") for line in done.stdout.splitlines()]
    here = os.path.realpath(os.getcwd())
    return [
        job
        for job, folder, name in rows
        if name.startswith("s2snets_") and os.path.realpath(folder) == here
    ]


def after_others(prepare):
    """Plan only once the jobs of a Snakemake that was killed have ended.

    They would be submitted again while they run; now their results count.
    """

    @functools.wraps(prepare)
    def prepared(*arguments, **options):
        slurm = workflow.executor_plugin and workflow.executor_plugin.name == "slurm"
        if slurm and not shutil.which("sbatch"):
            raise WorkflowError(
                "there is no sbatch on this machine; run Snakemake where jobs are"
                " submitted, on a login node"
            )
        told = None
        while slurm and workflow.is_main_process and (jobs := others()):
            if jobs != told:
                logger.warning(
                    f"Waiting for Slurm's jobs of an earlier run here: {' '.join(jobs)}."
                    " To end them: scancel, with these numbers."
                )
            told = jobs
            time.sleep(5)
        return prepare(*arguments, **options)

    return prepared


if plugin and workflow.modifier.is_main_snakefile():
    workflow._prepare_dag = after_others(workflow._prepare_dag)
    vars(plugin).update(
        query_job_status=steady(plugin.query_job_status),
        # Else jobs for an array wait for those that the cap on jobs holds back, and
        # these for them.
        pending_jobs_for_rule=lambda dag, name: 0,
    )
