"""The command line of every figure: ``python -m s2snets.figures STEM --help``."""

import sys

import s2snets.figures
from s2snets.figures.base import Figure
from s2snets.runtime.command import run_command
from s2snets.study.stage import run_named

if __name__ == "__main__":
    run_command(lambda: run_named(s2snets.figures, Figure, sys.argv[1:]))
