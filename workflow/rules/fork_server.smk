"""One process that has imported torch, from which this machine's jobs fork. No rules."""

from contextlib import ExitStack

from s2snets.runtime.fork_server import fork_server

FEW = 3
"""Jobs that have imported what they need before a server would have."""

running = ExitStack()

if IS_MAIN:

    onstart:
        # Where jobs run on this machine, and in this process's environment.
        here = workflow.executor_plugin.common_settings.local_exec
        deployed = workflow.deployment_settings.deployment_method
        if here and not deployed and len(list(workflow.dag.needrun_jobs())) > FEW:
            running.enter_context(fork_server())

    onsuccess:
        running.close()

    onerror:
        running.close()
