"""Hand Snakemake's processes to the tests' server, as the library does with stages.

Python imports this module when it starts. The library's module is read from its file,
since a test's own copy of the project may be the one that is imported.
"""

import os
import runpy
import sys

if sys.orig_argv[1:3] == ["-m", "snakemake"]:
    client = runpy.run_path(os.environ["S2SNETS_TESTS_CLIENT"])
    client["hand_over"]("snakemake", sys.orig_argv[3:])
