"""What the benchmarks share: ways measured in turn, processes of their own, tables."""

import csv
import platform
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import pandas as pd

from s2snets.runtime.files import replacing

RESULTS = Path(__file__).parent / "results"


def in_turn(ways, turns):
    """Measure all in every turn, so that whatever else the machine does falls on all.

    Args:
        ways: dict of name -> function without arguments that returns what it measured.

    Returns:
        dict of name -> what it returned, turn by turn.
    """
    found = [[measure() for measure in ways.values()] for _ in range(turns)]
    return dict(zip(ways, zip(*found, strict=True), strict=True))


def ratio(over, under):
    """The median of the turns' ratios."""
    return median(a / b for a, b in zip(over, under, strict=True))


def speeds(found, what):
    """Rows of a speed's median, its best, and its ratio to the first way's.

    Args:
        found: as ``in_turn`` gives it; the more, the faster.
        what: stands before each way's name.
    """
    first = next(iter(found.values()))
    for name, own in found.items():
        told = f"{median(own):.0f}", f"{max(own):.0f}", f"{ratio(own, first):.2f}"
        yield f"{what}{name}", *told


def record(name, header, rows):
    """Write ``results/NAME.csv``, whole or not at all; show each row as it comes."""
    with (
        replacing(RESULTS / f"{name}.csv") as draft,
        draft.open("w", newline="") as file,
    ):
        table = csv.writer(file)
        table.writerow(header)
        for row in rows:
            table.writerow(row)
            print(*row, sep=", ", flush=True)


def alone(function, *args):
    """What a call returns, in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(function, *args).result()


def highest():
    """The peak of this process's memory, bytes, as Linux tells it."""
    # Resource usage would start from the peak of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def processor():
    """Its name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(line.split(": ")[1] for line in lines if "model name" in line)


def markdown(rows: pd.DataFrame) -> list[str]:
    """Return the lines of a table; text is on the left, numbers on the right."""
    heads = list(rows)
    aligned = ["--:" if rows[name].dtype.kind in "if" else "---" for name in heads]
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join(aligned)}|"]
    for row in rows.itertuples(index=False):
        cells = (f"{one:.3g}" if isinstance(one, float) else str(one) for one in row)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def with_tables(text: str, tables: str) -> str:
    """Return a document's text with what is between its two marks replaced."""
    start, end = "<!-- tables -->\n", "<!-- /tables -->"
    head, _, rest = text.partition(start)
    return f"{head}{start}\n{tables}\n{end}{rest.partition(end)[2]}"


def write_tables(document: Path, tables: str) -> None:
    """Write a document with what is between its two marks replaced."""
    with replacing(document) as draft:
        draft.write_text(with_tables(document.read_text(), tables))
