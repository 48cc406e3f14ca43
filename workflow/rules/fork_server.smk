"""One process that has imported torch, from which this machine's jobs fork. No rules."""

from contextlib import ExitStack

from s2snets.runtime.fork_server import fork_server

FEW = 3
"""Jobs that have imported what they need before a server would have."""

running = ExitStack()

if IS_MAIN:

    onstart:
        here = [job for job in workflow.dag.needrun_jobs() if job.is_local]
        # Environments of conda and containers have their own Python.
        if len(here) > FEW and not workflow.deployment_settings.deployment_method:
            running.enter_context(fork_server())

    onsuccess:
        running.close()

    onerror:
        running.close()
