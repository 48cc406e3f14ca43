"""Format and lint, of Python and of the rules."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]


def run(*command):
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], cwd=ROOT, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [("ruff", "check"), ("ruff", "format", "--check"), ("snakefmt", "--check", *RULES)],
    ids=["check", "format", "snakefmt"],
)
def test_code_is_clean(command):
    done = run(*command)
    assert done.returncode == 0, done.stdout


def test_snakemakes_lint_misses_only_conda():
    out = run("snakemake", "--lint").stdout
    complaints = [line for line in out.splitlines() if line.startswith("    * ")]
    others = [line for line in complaints if "conda environment" not in line]
    assert not others, out


def test_nothing_names_what_is_not_in_the_project():
    """The project stands alone: no path or host of the machine it was written on."""
    strange = ("/work/", "../shared", "/tmp/", "pypi.org", "download.pytorch.org")
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT)
        if inside.parts[0] in {".git", ".venv", "results", ".snakemake"} or (
            path.suffix
            not in {".py", ".md", ".smk", ".yaml", ".txt", ".rst", ".toml", ".j2"}
            or path == Path(__file__)
        ):
            continue
        text = path.read_text()
        assert not [word for word in strange if word in text], inside
