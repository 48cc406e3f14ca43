"""What every result carries: from what, on what and at what cost it was made."""

import importlib.metadata
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

PACKAGES = ("torch", "torchvision", "numpy", "pandas", "pillow", "scikit-learn",
            "scikit-image", "concepts", "lightning-fabric", "simplejpeg", "timm",
            "snakemake")  # fmt: skip


def versions():
    """Installed versions of what results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def commit():
    """The project's commit, ``+`` behind it where files differ; None outside git."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
            cwd=Path(__file__).parent, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()


def device_name():
    """The accelerator in use, else the machine's processor."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file():
        for line in cpu.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_memory():
    """Greatest resident memory of this process, MB; of the accelerator, if one."""
    unit = 1 if sys.platform == "darwin" else 1024
    peak = {
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit >> 20
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        peak["device_memory_mb"] = torch.cuda.max_memory_allocated() >> 20
    return peak


def record(stage, settings, seed, code, started):
    """A record as a dict for JSON.

    Args:
        stage: the stage's name.
        settings: plain values.
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
        "versions": versions(),
        "seconds": round(time.monotonic() - started, 2),
        **peak_memory(),
    }
