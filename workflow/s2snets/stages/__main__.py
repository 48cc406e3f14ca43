"""The command line of every stage: ``python -m s2snets.stages NAME --help``."""

import sys

import s2snets.stages
from s2snets.runtime.command import run_command
from s2snets.study.stage import Stage, run_named

if __name__ == "__main__":
    run_command(lambda: run_named(s2snets.stages, Stage, sys.argv[1:]))
