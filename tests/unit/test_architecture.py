"""The floors of the library, and the map of it in docs/architecture.md."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from s2snets.runtime.fingerprint import imported_paths, imports_for_types

PROJECT = Path(__file__).parents[2]
LIBRARY = PROJECT / "workflow" / "s2snets"

# From the top; a folder imports only folders of the floors below its own.
FLOORS = (
    ("cli",),
    ("stages",),
    ("report",),
    ("figures",),
    ("study",),
    ("claims",),
    ("synthesis", "reversal"),
    ("training", "evaluation"),
    ("networks",),
    ("cleaning",),
    ("data",),
    ("measure",),
    ("config",),
    ("runtime",),
)
FLOOR = {part: -number for number, parts in enumerate(FLOORS) for part in parts}


def parts_imported(path):
    """Yield the parts of the library that a module imports, with the line of each."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for dotted in imported_paths(node):
                names = dotted.split(".")
                if names[0] == "s2snets" and names[1] in FLOOR:
                    yield names[1], node.lineno


def test_every_part_of_the_library_has_a_floor():
    parts = {
        path.stem
        for path in LIBRARY.iterdir()
        if path.suffix == ".py" or any(path.rglob("*.py"))
    }
    assert parts - {"__init__"} == set(FLOOR)


@pytest.mark.parametrize("part", FLOOR)
def test_a_part_imports_only_floors_below(part):
    folder = LIBRARY / part
    paths = folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]
    upwards = [
        f"{path.relative_to(LIBRARY)}:{line} imports {other}"
        for path in sorted(paths)
        for other, line in parts_imported(path)
        if other != part and FLOOR[other] >= FLOOR[part]
    ]
    assert not upwards


if __name__ == "__main__":
    pass
