"""Does an interrupted demo end as an undisturbed one?

    PYTHONPATH=workflow python benchmarks/interruptions.py CHECKOUT results/demo

Starts ``make demo`` in another checkout of this commit, ends it at three random moments
by Ctrl-C, by SIGKILL of every process and by Ctrl-C, lets it end with the same command,
and compares what it wrote with an undisturbed run's. Minutes to an hour.
"""

import argparse
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

SIGNALS = (signal.SIGINT, signal.SIGKILL, signal.SIGINT)
WAIT = (90.0, 420.0)
"""Seconds before an interruption, from shortest to longest."""
COMPARED = ("*.csv", "*.npz", "*.parquet", "*.png", "*.safetensors", "lattices.json")
TIMES = ("costs.csv", "events", "benchmarks")
"""Parts of paths of files that hold times of day or seconds."""


def session_processes(leader: int) -> list[int]:
    """Return the processes of a session, as Linux lists them."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = Path(f"/proc/{process}/stat").read_text()
        except OSError:
            continue  # it has ended
        if int(text.rpartition(")")[2].split()[3]) == leader:
            found.append(int(process))
    return found


def interrupt(checkout: Path, how: signal.Signals, seconds: float) -> None:
    """Start the demo, and end it after a time.

    Args:
        checkout: where.
        how: SIGINT, which the foreground's processes get, or SIGKILL of all.
        seconds: to wait.
    """
    run = subprocess.Popen(
        ["make", "demo"],
        cwd=checkout,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds)
    if run.poll() is not None:
        print(f"it ended before {how.name} after {seconds:.0f} s", flush=True)
    elif how is signal.SIGKILL:
        for process in session_processes(run.pid):
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(process, how)
    else:
        os.killpg(run.pid, how)
    print(f"{how.name} after {seconds:.0f} s: {run.wait()}", flush=True)


def differences(ours: Path, theirs: Path) -> Iterator[str]:
    """Yield the results that are not equal to the bit, or in only one of two folders.

    Args:
        ours: of the undisturbed run.
        theirs: of the interrupted one.
    """
    names = {
        path.relative_to(folder)
        for folder in (ours, theirs)
        for pattern in COMPARED
        for path in folder.rglob(pattern)
    }
    compared = [one for one in sorted(names) if not set(one.parts) & set(TIMES)]
    print(f"{len(compared)} files are compared")
    for name in compared:
        pair = [folder / name for folder in (ours, theirs)]
        if not all(path.exists() for path in pair):
            yield f"{name} is in one of them"
        elif pair[0].read_bytes() != pair[1].read_bytes():
            yield f"{name} differs"


def main() -> None:
    """Interrupt the demo three times, let it end, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=Path, help="another one, of this commit")
    parser.add_argument("undisturbed", type=Path, help="results of a whole run")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument(
        "--compare", action="store_true", help="only compare what is there"
    )
    options = parser.parse_args()
    # A shell's background job ignores Ctrl-C, and so would what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    generator = random.Random(options.seed)
    if not options.compare:
        for how in SIGNALS:
            interrupt(options.checkout, how, generator.uniform(*WAIT))
        subprocess.run(["make", "demo"], cwd=options.checkout, check=True)
    found = list(differences(options.undisturbed, options.checkout / "results/demo"))
    print("\n".join(found) or "all equal")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
