"""Removal of the locks that a killed Snakemake has left. No rules here.

Snakemake locks the files of a run by files of its own, which outlive SIGKILL and power
cuts.
"""

import functools

from snakemake.logging import logger

from s2snets.runtime import run_lock


def without_stale_locks(prepare):
    """Return a planning that first removes the locks of a run that is no more.

    Args:
        prepare: the workflow's planning.
    """

    @functools.wraps(prepare)
    def prepared(*arguments, **options):
        folder = run_lock.PATH.parent
        folder.mkdir(exist_ok=True)
        alone, locks = run_lock.join_run(run_lock.PATH), list(folder.glob("locks/*"))
        if locks and not alone:
            logger.warning(
                "Another Snakemake, or a job of a killed one, is at work here."
            )
        for lock in locks if alone else ():
            lock.unlink()
        return prepare(*arguments, **options)

    return prepared


if IS_MAIN and workflow.is_main_process:
    workflow._prepare_dag = without_stale_locks(workflow._prepare_dag)
