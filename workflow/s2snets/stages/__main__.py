"""The command line of every stage: ``python -m s2snets.stages NAME --help``."""

import sys

from s2snets.runtime.fork_server import hand_over


def main() -> None:
    """Run what the command line names."""
    import s2snets.stages
    from s2snets.runtime.command import run_command
    from s2snets.study.stage import Stage, run_named

    run_command(lambda: run_named(s2snets.stages, Stage, sys.argv[1:]))


if __name__ == "__main__":
    hand_over("s2snets.stages", sys.argv[1:])
    main()
