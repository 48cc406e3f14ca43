"""Slurm: where its executor plugin would wait for ever. No rules here.

Of snakemake-executor-plugin-slurm 2.8.0; docs/slurm.md has what users see.
"""

import re
import subprocess
import sys

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
    "CANCELLED by 0", and takes a job that Slurm has forgotten for one that waits.

    Args:
        query: the plugin's; (command, logger) -> states by job, seconds.
    """
    known, told = set(), set()

    async def states_of(command, logger):
        states, seconds = await query(command, logger)
        if states is None:
            logger.warning("Slurm does not answer; its jobs are asked for again.")
            return {}, 0.0  # a job that is not mentioned stays
        states = {job: state.split()[0] for job, state in states.items()}
        # The plugin lets Snakemake look at the files of a job in this state.
        gone = dict.fromkeys(known - states.keys(), "UNKNOWN")
        known.update(states)
        if "PENDING" in states.values():
            tell_hopeless(command.split()[-1], told, logger)
        return states | gone, seconds

    return states_of


def tell_hopeless(run, told, logger):
    """Warn once of each job that will wait for ever."""
    command = ["squeue", "--noheader", "--states=PENDING", "--name", run]
    done = subprocess.run(
        [*command, "--format=%i|%r|%k"], capture_output=True, text=True
    )
    for line in done.stdout.splitlines():
        job, reason, comment = line.split("|", 2)
        if HOPELESS.search(reason) and line not in told:
            told.add(line)
            logger.warning(
                f"Slurm's job {job} ({comment}) will not start by itself: {reason}."
                " docs/slurm.md says what helps."
            )


if plugin:
    plugin.query_job_status = steady(plugin.query_job_status)
    # Else jobs for an array wait for those that the cap on jobs holds back, and these
    # for them.
    plugin.pending_jobs_for_rule = lambda dag, rule: 0
