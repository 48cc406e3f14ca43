"""A correction of Snakemake's scheduler, which wakes up ever more often. No rules here.

It is for Snakemake 9.27. Whenever the scheduler has looked for jobs to start, it asks
to be woken up once more after the time of its rate limit, one second. So every job that
ends adds a wake-up in each second of the remaining run, and Snakemake spends minutes on
looking. It need be woken up by time only where the limit holds a job back.
"""

from snakemake.scheduling.job_scheduler import JobScheduler

wake_up = getattr(JobScheduler, "_schedule_reevalutation", None)


def wake_up_if_limited(scheduler, delay):
    """Wake the scheduler up after a time, where its rate limit holds jobs back."""
    if scheduler.job_rate_limiter.get_free_jobs() == 0:
        wake_up(scheduler, delay)


if wake_up and workflow.modifier.is_main_snakefile():
    JobScheduler._schedule_reevalutation = wake_up_if_limited
