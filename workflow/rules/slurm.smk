"""Corrections of the Slurm executor where it would wait for ever. No rules here.

They are for snakemake-executor-plugin-slurm 2.8.0; docs/slurm.md says what users see.
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

from s2snets.runtime.slurm import jobs_submitted_in

plugin = sys.modules.get("snakemake_executor_plugin_slurm")

# Reasons of jobs that will not start by themselves; `man squeue` lists all reasons.
STALLED = re.compile(
    r"PartitionTimeLimit|PartitionNodeLimit|BadConstraints|Invalid|NotAllowed|PerJob"
    r"|Held|NeverSatisfied",
    re.IGNORECASE,
)


def tolerant_query(query):
    """Return a query of the jobs' states that survives what Slurm leaves out.

    The plugin forgets its jobs when no query of a poll is answered, does not know the
    state "CANCELLED by 0", and believes that a job waits which was preempted for good,
    or which Slurm has forgotten.

    Args:
        query: the plugin's query; (command, logger) -> states by job, seconds.
    """
    known, reported = set(), set()

    async def states_of(command, logger):
        states, seconds = await query(command, logger)
        if states is None:
            logger.warning("Slurm does not answer; its jobs are asked for again.")
            return {}, 0.0  # a job that is not mentioned stays
        states = {job: state.split(" ")[0] for job, state in states.items()}
        gone = {}
        if command.startswith("squeue"):
            # In this state the plugin lets Snakemake look for the job's output files.
            gone = dict.fromkeys(known - states.keys(), "UNKNOWN")
            known.clear()
            known.update(states)
            # A job that goes back into the queue is never shown as preempted.
            ended = {"PREEMPTED": "CANCELLED"}
            states = {job: ended.get(state, state) for job, state in states.items()}
        if "PENDING" in states.values():
            report_stalled(command.split()[-1], reported, logger)
        return states | gone, seconds

    return states_of


def report_stalled(run, reported, logger):
    """Warn once of each job that will wait for ever; cancel jobs that failed to launch.

    Slurm holds a job that a node could not launch; once cancelled, it is submitted
    again.

    Args:
        run: name of the run's jobs.
        reported: lines of squeue that were warned of; new ones are added.
        logger: Snakemake's.
    """
    command = ["squeue", "--noheader", "--states=PENDING", "--name", run]
    done = subprocess.run(
        [*command, "--format=%i|%r|%k"], capture_output=True, text=True
    )
    for line in done.stdout.splitlines():
        job, reason, comment = line.split("|", 2)
        if not STALLED.search(reason) or line in reported:
            continue
        reported.add(line)
        if failed := reason.replace("_", " ").startswith("launch failed"):
            subprocess.run(["scancel", job])
        logger.warning(
            f"Slurm's job {job} ({comment}) will not start by itself: {reason}."
            + (" It is cancelled." if failed else " docs/slurm.md says what helps.")
        )


def earlier_jobs():
    """Return the numbers of Slurm's jobs that an earlier Snakemake submitted here."""
    done = subprocess.run(
        ["squeue", "--me", "--noheader", "--array", "--format=%i|%Z|%j"],
        capture_output=True,
        text=True,
    )
    return jobs_submitted_in(os.getcwd(), done.stdout)


def wait_for_earlier_jobs(prepare):
    """Return a planning that begins once the jobs of a killed Snakemake have ended.

    Otherwise these jobs would be submitted again while they run.

    Args:
        prepare: the workflow's planning.
    """

    @functools.wraps(prepare)
    def prepared(*arguments, **options):
        slurm = workflow.executor_plugin and workflow.executor_plugin.name == "slurm"
        if slurm and not shutil.which("sbatch"):
            raise WorkflowError(
                "there is no sbatch on this machine; run Snakemake where jobs are"
                " submitted, on a login node"
            )
        reported = None
        while slurm and workflow.is_main_process and (jobs := earlier_jobs()):
            if jobs != reported:
                logger.warning(
                    f"Waiting for Slurm's jobs of an earlier run here: {' '.join(jobs)}."
                    " To end them: scancel, with these numbers."
                )
            reported = jobs
            time.sleep(5)
        return prepare(*arguments, **options)

    return prepared


if plugin and workflow.modifier.is_main_snakefile():
    workflow._prepare_dag = wait_for_earlier_jobs(workflow._prepare_dag)
    vars(plugin).update(
        query_job_status=tolerant_query(plugin.query_job_status),
        # Otherwise the jobs of an array wait for those that the limit on jobs holds
        # back, and these wait for the array.
        pending_jobs_for_rule=lambda dag, name: 0,
    )
