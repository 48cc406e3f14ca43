"""The command line of every figure: ``python -m s2snets.figures STEM --help``."""

import sys

from s2snets.runtime.fork_server import hand_over


def main() -> None:
    """Run what the command line names."""
    import s2snets.figures
    from s2snets.figures.base import Figure
    from s2snets.runtime.command import run_command
    from s2snets.study.stage import run_named

    run_command(lambda: run_named(s2snets.figures, Figure, sys.argv[1:]))


if __name__ == "__main__":
    hand_over("s2snets.figures", sys.argv[1:])
    main()
