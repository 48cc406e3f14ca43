"""The command line of every stage: ``python -m s2snets.stages NAME --help``."""

import sys

import s2snets.stages as package
from s2snets.runtime.command import run_command
from s2snets.study.stage import Stage, load_subclasses, run_named

if __name__ == "__main__":
    stages = {one.command_name(): one for one in load_subclasses(package, Stage)}
    run_command(lambda: run_named(Stage.program, stages, sys.argv[1:]))
