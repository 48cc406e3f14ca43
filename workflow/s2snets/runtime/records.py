"""Records of results: from what, on what and at what cost each was made."""

import importlib.metadata
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "torchvision", "numpy", "pandas", "pillow", "scikit-learn",
            "scikit-image", "concepts", "lightning-fabric", "simplejpeg", "timm",
            "snakemake")  # fmt: skip


def versions() -> dict[str, str | None]:
    """Return the versions of Python and of the packages that results depend on."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def commit() -> str | None:
    """Return the project's commit, with ``+`` if files differ; None outside git."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
            cwd=Path(__file__).parent, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()


def device_name() -> str:
    """Return the name of the accelerator in use, else of the machine's processor."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file():
        for line in cpu.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def thread_count() -> int | None:
    """Return the threads that torch computes with; None where it is not in use."""
    torch = sys.modules.get("torch")
    return None if torch is None else int(torch.get_num_threads())


def peak_memory() -> dict[str, int]:
    """Return the peak of this process's memory in MB, and of the accelerator's."""
    unit = 1 if sys.platform == "darwin" else 1024
    peak = {
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit >> 20
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        peak["device_memory_mb"] = torch.cuda.max_memory_allocated() >> 20
    return peak


def cost(started: float) -> dict[str, float]:
    """Return what this process has cost so far: wall time, processor time, memory.

    Processor time is that of this process and of those that it has waited for.

    Args:
        started: ``time.monotonic()`` at the start of its work.
    """
    own, others = map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    processor = sum(one.ru_utime + one.ru_stime for one in (own, others))
    return {
        "seconds": round(time.monotonic() - started, 2),
        "cpu_seconds": round(processor, 2),
        **peak_memory(),
    }


def make_record(
    stage: str, settings: object, seed: int | None, code: str, started: float
) -> dict[str, Any]:
    """Return a record as a dict for JSON.

    Args:
        stage: the stage's name.
        settings: plain values.
        seed: of everything random; None where nothing is.
        code: fingerprint of the stage's code.
        started: ``time.monotonic()`` at its start.
    """
    return {
        "stage": stage,
        "settings": settings,
        "seed": seed,
        "code": code,
        "commit": commit(),
        "device": device_name(),
        "threads": thread_count(),
        "versions": versions(),
        **cost(started),
    }
