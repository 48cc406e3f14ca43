"""The floors of the library, and the map of it in docs/architecture.md."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LIBRARY = PROJECT / "workflow" / "s2snets"
MAP = (PROJECT / "docs" / "architecture.md").read_text()

# From the top: a part of the library imports only parts of the floors below its own.
FLOORS = (
    ("cli",),
    ("stages",),
    ("report",),
    ("figures",),
    ("study",),
    ("claims",),
    ("synthesis", "reversal", "depth"),
    ("training", "evaluation"),
    ("networks",),
    ("cleaning",),
    ("data",),
    ("measure",),
    ("config",),
    ("runtime",),
)
FLOOR = {part: -number for number, parts in enumerate(FLOORS) for part in parts}
HEAVY = {"matplotlib", "numpy", "pandas", "PIL", "pyarrow", "scipy", "torch"}


def modules_of(part):
    """Return the files of one part of the library."""
    folder = LIBRARY / part
    return sorted(folder.rglob("*.py")) or [folder.with_suffix(".py")]


def imports_of(path):
    """Yield the dotted paths that a module imports, with the line of each."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield one.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: the import is relative"
            for one in node.names:
                yield f"{node.module}.{one.name}", node.lineno


def test_every_part_of_the_library_has_a_floor():
    parts = {
        path.stem
        for path in LIBRARY.iterdir()
        if path.suffix == ".py" or any(path.rglob("*.py"))
    }
    assert parts - {"__init__"} == set(FLOOR)


@pytest.mark.parametrize("part", FLOOR)
def test_a_part_imports_only_parts_of_the_floors_below(part):
    wrong = []
    for path in modules_of(part):
        for dotted, line in imports_of(path):
            package, *names = dotted.split(".")
            other = names[0] if package == "s2snets" and names else part
            upwards = other != part and FLOOR[other] >= FLOOR[part]
            if upwards or package == "snakemake":  # rules import the library
                wrong.append(f"{path.relative_to(LIBRARY)}:{line} imports {dotted}")
    assert not wrong


def test_what_rules_import_loads_no_library_of_numbers():
    """A dry run and a job's start would otherwise take seconds longer."""
    modules = [
        ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts)
        for part in ("config", "figures", "stages")
        for path in modules_of(part)
        if path.stem not in ("__init__", "__main__")
    ]
    modules += ["s2snets.study.axes", "s2snets.study.stage"]
    program = "\n".join(
        [
            "import sys",
            *(f"import {name}" for name in modules),
            f"print(*sorted({HEAVY} & set(sys.modules)))",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=LIBRARY.parent,
    )
    assert (done.stderr, done.stdout.split()) == ("", [])


def test_the_map_has_one_line_for_every_part_of_the_library():
    lines = re.findall(r"^  (\w+)(/|\.py) {2,}\S", MAP, re.MULTILINE)
    parts = {
        path.name if path.suffix else path.name + "/"
        for path in LIBRARY.iterdir()
        if not path.name.startswith("__")
    }
    assert sorted(name + end for name, end in lines) == sorted(parts - {"py.typed"})


def test_the_map_shows_the_floors_in_their_order():
    (shown,) = re.findall(r"^> (.+)$", MAP, re.MULTILINE)
    floors = [re.findall(r"\w+", floor) for floor in shown.split(">")]
    assert tuple(map(tuple, floors)) == FLOORS


def test_the_maps_table_names_rules_that_exist():
    rules = set()
    for path in (PROJECT / "workflow" / "rules").glob("*.smk"):
        found = re.findall(
            r"^(?:use )?rule (\w+)(?: as (\w+))?", path.read_text(), re.M
        )
        rules |= {new or name for name, new in found}
    table = MAP.partition("| rule |")[2].partition("\n\n")[0]
    first = [row.split(" | ")[0] for row in table.splitlines()]
    named = {name for cell in first for name in re.findall(r"`(\w+)`", cell)}
    assert len(named) > 30
    assert named - rules == {"figure_6"}  # made in a loop
