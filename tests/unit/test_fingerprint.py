"""Fingerprints of code: meaning counts, names and places do not."""

import re

import pytest

from s2snets.networks.segnet import SegNet
from s2snets.runtime import fingerprint as module
from s2snets.runtime.fingerprint import (
    NEUTRAL,
    PROJECT,
    Code,
    DigestCache,
    Symbol,
    fingerprint,
)
from s2snets.stages.finetuning import FinetuneAutoencoder
from s2snets.stages.predictions import Predict
from s2snets.stages.relations import Relate

MAIN = '"""Doc."""\nfrom p.b import f, unused\n\n\ndef main(x):\n    return f(x) + 1\n'
USED = "def f(x):\n    return x + 1\n\n\ndef unused():\n    return 2\n"


@pytest.fixture
def package(tmp_path):
    """Return a function that writes modules and fingerprints ``p.a``'s ``main``."""

    def digest(name="main", start="p.a", **modules):
        files = {"a": MAIN, "b": USED, "__init__": ""} | modules
        folder = tmp_path / "p"
        for path in folder.rglob("*.py"):
            path.unlink()
        for path, text in files.items():
            if text is not None:
                file = folder / f"{path.replace('.', '/')}.py"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        return Code(tmp_path, "p", ("p.neutral",)).digest(Symbol(start, name))

    return digest


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (f"# a comment\n{USED}", True),
        (USED.replace("x + 1", '(x + 1)\n    "A string on its own."'), True),
        (USED.replace("def f(x)", "def f(x: int) -> int"), True),
        (f"from typing import Any\n{USED}", True),
        (f"{USED}\n\nY = 1\n", True),
        (USED.replace("return 2", "return 3"), True),
        (USED.replace("x + 1", "x + 2"), False),
        (USED.replace("def f(x)", "def f(x, y=1)"), False),
        (USED.replace("x + 1", "x + Y") + "\n\nY = 1\n", False),
        (f"import sys\n{USED}\n\nsys.setrecursionlimit(5)\n", False),
    ],
)
def test_code_counts_by_meaning_also_behind_an_import(package, text, same):
    assert (package(b=text) == package()) is same


def test_what_a_definition_refers_to_counts_however_deep(package):
    deep = {"b": "from p.c import g\n\n\ndef f(x):\n    return g(x)\n\n\nunused = 0\n"}
    one = package(**deep, c="def g(x):\n    return x * LIMIT\n\n\nLIMIT = 1\n")
    two = package(**deep, c="def g(x):\n    return x * LIMIT\n\n\nLIMIT = 2\n")
    assert one != two


def test_order_of_references_counts(package):
    text = "def g(x):\n    return x\n\n\ndef h(x):\n    return -x\n"
    start = "from p.b import g, h\n\n\ndef main(x):\n    return {}\n"
    calls = ["g(h(g(x)))", "g(h(h(x)))", "h(g(h(x)))"]
    digests = {package(a=start.format(call), b=text) for call in calls}
    assert len(digests) == 3


def test_moving_or_renaming_a_module_changes_nothing(package):
    moved = MAIN.replace("p.b", "p.deep.other")
    assert package(a=moved, b=None, **{"deep.other": USED}) == package()


def test_renaming_the_module_of_the_start_changes_nothing(package):
    assert package(start="p.new", a=None, new=MAIN) == package()


def test_moving_a_definition_to_another_module_changes_nothing(package):
    f, unused = USED.split("\n\n\n")
    a = MAIN.replace("p.b import f, unused", "p.c import f")
    assert package(a=a, b=unused, c=f) == package()


def test_renaming_a_definition_changes_nothing(package):
    a = MAIN.replace("f, unused", "plus_one").replace("f(x)", "plus_one(x)")
    assert package(a=a, b=USED.replace("def f", "def plus_one")) == package()


def test_reaching_it_through_a_module_or_a_reexport_changes_nothing(package):
    a = MAIN.replace("from p.b import f, unused", "from p import b").replace(
        "f(x)", "b.f(x)"
    )
    assert package(a=a) == package()
    a = MAIN.replace("p.b import f, unused", "p.c import f")
    assert package(a=a, c="from p.b import f\n") == package()


def test_an_import_inside_a_function_is_followed(package):
    a = "def main(x):\n    from p.b import f\n\n    return f(x) + 1\n"
    assert package(a=a) == package()
    assert package(a=a, b=USED.replace("x + 1", "x + 2")) != package()


def test_a_local_variable_is_not_the_definition_of_its_name(package):
    a = "def main(f):\n    unused = f\n    return unused\n\n\ndef f():\n    return {}\n"
    assert package(a=a.format(1)) == package(a=a.format(2))


def test_functions_that_call_each_other_are_told_apart(package):
    a = "def main(x):\n    return g(x)\n\n\ndef g(x):\n    return x and main(x - {})\n"
    assert package(a=a.format(1)) != package(a=a.format(2))


def test_a_decorator_that_registers_is_an_effect_of_its_module(package):
    a = (
        "TABLE = []\n\n\ndef entry(name):\n    return TABLE.append\n\n\n"
        "@entry('one')\ndef one():\n    return {}\n\n\ndef main(x):\n    return TABLE\n"
    )
    assert package(a=a.format(1)) != package(a=a.format(2))


def test_an_import_for_its_effects_counts(package):
    a = f"import p.effect  # noqa\n{MAIN}"
    effect = "import torch\n\ntorch.set_num_threads({})\n"
    digests = {package(a=a, effect=effect.format(n)) for n in (1, 2)}
    assert len({*digests, package()}) == 3


def test_a_neutral_module_does_not_count(package):
    a = MAIN.replace("p.b import f, unused", "p.neutral import f")
    digests = {package(a=a, neutral=f"def f(x):\n    return {n}\n") for n in (1, 2)}
    assert len(digests) == 1


def test_a_method_counts_alone_and_fields_of_settings_never(package):
    a = (
        "from p.neutral import Stage\n\n\nclass Job(Stage):\n    {}\n\n"
        "    def run(self):\n        return {}\n\n    def other(self):\n        return {}\n"
    )
    one = package("Job.run", a=a.format("x: int = 1", 1, 1), neutral="Stage = object\n")
    two = package("Job.run", a=a.format("x: int = 2", 1, 2), neutral="Stage = object\n")
    three = package(
        "Job.run", a=a.format("x: int = 1", 2, 1), neutral="Stage = object\n"
    )
    assert one == two != three


def test_a_stage_reaches_the_models_and_the_objectives_and_no_more():
    reached = PROJECT.reached(
        Symbol(FinetuneAutoencoder.__module__, "FinetuneAutoencoder.run")
    )
    names = {symbol.module for symbol in reached}
    assert {"s2snets.networks.segnet", "s2snets.training.objectives"} <= names
    assert "s2snets.measure.rrc" not in names
    assert Symbol("s2snets.networks.segnet", "Decoder") in reached


def test_a_setting_counts_by_its_value_not_by_the_code_that_declares_it():
    for stage in (FinetuneAutoencoder, Predict, Relate):
        reached = PROJECT.reached(Symbol(stage.__module__, f"{stage.__name__}.run"))
        assert not [one for one in reached if PROJECT.is_neutral(one.module)]


@pytest.mark.parametrize("name", NEUTRAL)
def test_neutral_modules_exist(name):
    assert PROJECT.module(name) is not None


def test_digests_are_the_same_in_another_process():
    assert re.fullmatch(r"[0-9a-f]{12}", fingerprint(SegNet))
    again = Code(PROJECT.root, PROJECT.package, NEUTRAL)
    assert fingerprint(SegNet) == again.digest(
        Symbol("s2snets.networks.segnet", "SegNet")
    )


@pytest.mark.parametrize("name", ["nothing", "Code.nothing"])
def test_what_is_not_defined_has_no_fingerprint(name):
    with pytest.raises(ValueError, match="defines no"):
        PROJECT.digest(Symbol(module.__name__, name))
    with pytest.raises(ValueError, match="no module"):
        PROJECT.digest(Symbol("s2snets.stages.nowhere", "x"))


@pytest.fixture
def cached(package, tmp_path, monkeypatch):
    """Return a function that digests definitions in a new process, so to say."""
    package()
    computed = []

    def digest(self, symbol):
        computed.append(symbol)
        return f"{len(computed)}"

    def digests(*symbols):
        cache = DigestCache(Code(tmp_path, "p"))
        return [cache.digest(one) for one in symbols]

    monkeypatch.setattr(Code, "digest", digest)
    return digests


ONE, TWO = Symbol("p.a", "main"), Symbol("p.b", "f")


def test_a_digest_is_computed_once_until_a_module_changes(cached, tmp_path):
    assert cached(ONE, TWO, ONE) == ["1", "2", "1"]
    assert cached(TWO, ONE) == ["2", "1"]
    (tmp_path / "p/b.py").write_text(f"{USED}# longer")
    assert cached(ONE) == ["3"]
    (tmp_path / "p/new.py").touch()
    assert cached(ONE) == ["4"]


@pytest.mark.parametrize("content", ["", "[]", '{"state": 1}', "{", "\0"])
def test_a_damaged_cache_is_computed_anew(cached, tmp_path, content):
    cached(ONE)
    (tmp_path / "p/__pycache__/fingerprints.json").write_text(content)
    assert cached(ONE) == ["2"]


def test_a_cache_that_cannot_be_written_is_none(cached, tmp_path):
    (tmp_path / "p/__pycache__").write_text("no folder")
    assert cached(ONE, ONE) == ["1", "1"]
    assert cached(ONE) == ["2"]


def test_the_projects_digests_are_those_of_its_code():
    for stage in (Predict, Relate):
        symbol = Symbol(stage.__module__, f"{stage.__name__}.run")
        assert fingerprint(stage.run) == PROJECT.digest(symbol)
        assert fingerprint(stage.run) == fingerprint(stage.run)
