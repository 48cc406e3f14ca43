"""Digests of what code means, by which Snakemake tells whether to rerun a job.

A definition counts by its syntax tree and by the digests of the project's definitions
that it refers to. Names of modules, files and top-level definitions, comments,
docstrings and annotations do not count: moving or renaming code reruns nothing, and a
changed loss retrains just what it trained.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, write_json

NEUTRAL = (
    "s2snets.config",
    "s2snets.runtime.errors",
    "s2snets.runtime.fingerprint",
    "s2snets.runtime.progress",
    "s2snets.runtime.records",
    "s2snets.runtime.slurm",
    "s2snets.study.stage",
)
"""Modules and packages that change no result, or whose effect Snakemake sees anyway:
the value of every setting is part of a rule's ``params``."""

EVERYTHING = "*"  # a module that is used as an object: all of its definitions
EFFECTS = ""  # what importing a module does besides defining names

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Symbol(NamedTuple):
    """A top-level definition of the project."""

    module: str
    name: str


class Found(NamedTuple):
    """A definition that a dotted name leads to, and the attributes asked of it."""

    symbol: Symbol
    attributes: list[str]


class Meaning(NamedTuple):
    """A definition's syntax tree without names, and what it refers to, in order."""

    text: str
    references: tuple[Symbol, ...]
    imports: tuple[str, ...] = ()  # modules that are imported where it runs


def file_digest(paths: Iterable[Path]) -> str:
    """Return twelve hex digits over files' names and contents, in the given order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def is_docstring(node: ast.stmt) -> bool:
    """Return whether a statement is a string (or another constant) on its own."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def imports_for_types(node: ast.stmt) -> bool:
    """Return whether a statement is ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def bound_names(scope: ast.AST) -> set[str]:
    """Return the names that a function or comprehension binds for itself."""
    names, queue = set(), [scope]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        else:
            if isinstance(node, DEFINITIONS) and node is not scope:
                names.add(node.name)
            queue += ast.iter_child_nodes(node)
    return names


class Module:
    """The syntax tree of one module, its top-level definitions and its imports."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        self.tree.body = [one for one in self.tree.body if not imports_for_types(one)]
        self.is_package = path.name == "__init__.py"
        self.definitions: dict[str, list[ast.stmt]] = {}
        self.effects: list[ast.stmt] = []
        for statement in self.tree.body:
            self._sort(statement)
        self.imports: dict[str, str] = {}  # local name -> dotted path
        for statement in statements_in(self.tree):
            self.imports |= imported_names(statement)
        self.imported = [
            path for node in self.tree.body for path in imported_paths(node)
        ]

    def _sort(self, statement: ast.stmt) -> None:
        """File a statement under the names that it defines, or under the effects."""
        if isinstance(statement, DEFINITIONS):
            self.definitions[statement.name] = [statement]
            if any(isinstance(one, ast.Call) for one in statement.decorator_list):
                self.effects.append(statement)  # it may register what it decorates
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            pass
        elif not is_docstring(statement):
            targets = [
                one.id
                for one in ast.walk(statement)
                if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
            ]
            for name in targets:
                self.definitions.setdefault(name, []).append(statement)
            if not targets or not isinstance(statement, ast.Assign | ast.AnnAssign):
                self.effects.append(statement)


def statements_in(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield every statement below a node, without looking into expressions."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for one in getattr(node, field, ()):
            yield one
            yield from statements_in(one)


def imported_paths(node: ast.AST) -> list[str]:
    """Return the dotted paths that an import statement loads."""
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{one.name}" for one in node.names]
    return []


def imported_names(node: ast.AST) -> dict[str, str]:
    """Return what an import statement binds: local name -> dotted path."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return {}
    names = {}
    for one, path in zip(node.names, imported_paths(node), strict=True):
        if isinstance(node, ast.Import) and not one.asname:
            path = path.partition(".")[0]  # ``import a.b`` binds ``a``
        names[one.asname or one.name.partition(".")[0]] = path
    return names


class Reader:
    """Writes statements as text in which references are marks, and collects these."""

    def __init__(self, code: Code, module: Module) -> None:
        self.code, self.module = code, module
        self.text: list[str] = []
        self.references: dict[Symbol, int] = {}
        self.imports: list[str] = []
        self.local: list[set[str]] = []  # names that the scopes around bind
        self.in_class = False

    def read(self, statements: list[ast.stmt]) -> Meaning:
        """Return the meaning of statements that define one name."""
        for statement in statements:
            self.write(statement)
        return Meaning(" ".join(self.text), tuple(self.references), tuple(self.imports))

    def write(self, node: object) -> None:
        """Write a node, a list of nodes or a plain value."""
        if isinstance(node, ast.AST):
            kind = type(node).__name__
            special = getattr(self, f"write_{kind}", None)
            if special is None:
                self.write_fields(node)
            else:
                special(node)
        elif isinstance(node, list):
            self.text.append("[")
            for one in node:
                self.write(one)
            self.text.append("]")
        else:
            self.text.append(repr(node))

    def write_fields(self, node: ast.AST, without: tuple[str, ...] = ()) -> None:
        """Write a node's kind and its fields."""
        self.text.append(type(node).__name__)
        for name in node._fields:
            if name not in ("ctx", "type_comment", *without):
                self.write(getattr(node, name, None))

    def mark(self, dotted: list[str]) -> str | None:
        """Return what stands for a dotted name; None where it is a local one."""
        first, *rest = dotted
        if first in self.module.imports:
            path = ".".join([self.module.imports[first], *rest])
        elif first in self.module.definitions:
            path = ".".join([self.module.name, *dotted])
        else:
            return None
        if any(first in names for names in self.local):
            return None
        found = self.code.resolve(path)
        if isinstance(found, str):
            return found
        number = ""
        if not self.code.is_neutral(found.symbol.module):
            number = str(self.references.setdefault(found.symbol, len(self.references)))
        return ".".join([f"@{number}", *found.attributes])

    def write_Name(self, node: ast.Name) -> None:
        """Write a name; one that is being defined at the top level has none."""
        stored = isinstance(node.ctx, ast.Store)
        if stored and not self.local and node.id in self.module.definitions:
            self.text.append("_")
        else:
            self.text.append((not stored and self.mark([node.id])) or node.id)

    def write_Attribute(self, node: ast.Attribute) -> None:
        """Write a dotted name such as ``module.function`` as a whole."""
        dotted, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            dotted.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id in self.module.imports:
            marked = self.mark([inner.id, *dotted])
            if marked is not None:
                self.text.append(marked)
                return
        self.write_fields(node)

    def write_Expr(self, node: ast.Expr) -> None:
        """Leave out docstrings."""
        if not is_docstring(node):
            self.write_fields(node)

    def write_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Leave out an import, but note the modules that it loads."""
        self.imports += self.code.modules_of(imported_paths(node))

    write_ImportFrom = write_Import

    def write_arg(self, node: ast.arg) -> None:
        """Leave out an argument's annotation."""
        self.text.append(node.arg)

    def write_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Leave out a variable's annotation, but not a field's."""
        field = self.in_class and not self.local
        self.write_fields(node, () if field else ("annotation",))

    def write_ClassDef(self, node: ast.ClassDef) -> None:
        """Leave out the fields of settings and stages: they are ``params``."""
        bases = [ast.unparse(base).split(".") for base in node.bases]
        declares = any(map(self.is_neutral, bases))
        outer, self.in_class = self.in_class, True
        self.write_fields(node, ("name", "body"))
        for statement in node.body:
            if not declares or isinstance(statement, DEFINITIONS):
                self.write(statement)
        self.in_class = outer

    def is_neutral(self, dotted: list[str]) -> bool:
        """Return whether a dotted name leads into a module that never counts."""
        first = self.module.imports.get(dotted[0], dotted[0])
        found = self.code.resolve(".".join([first, *dotted[1:]]))
        return isinstance(found, Found) and self.code.is_neutral(found.symbol.module)

    def write_scope(self, node: ast.AST) -> None:
        """Write a function or comprehension, whose own names are no references."""
        top_level = not self.local and not self.in_class
        self.local.append(bound_names(node))
        self.write_fields(node, ("returns", "name") if top_level else ("returns",))
        self.local.pop()

    write_FunctionDef = write_AsyncFunctionDef = write_Lambda = write_scope
    write_ListComp = write_SetComp = write_DictComp = write_GeneratorExp = write_scope


class Code:
    """The source code of one package below a folder.

    Args:
        root: folder that holds the package.
        package: its name.
        neutral: modules and packages that never count.
    """

    def __init__(self, root: Path, package: str, neutral: tuple[str, ...] = ()) -> None:
        self.root, self.package, self.neutral = root, package, neutral
        self.modules: dict[str, Module | None] = {}
        self.meanings: dict[Symbol, Meaning] = {}

    def module(self, name: str) -> Module | None:
        """Return a module of the package; None where there is none of this name."""
        if name not in self.modules:
            folder = self.root.joinpath(*name.split("."))
            paths = [folder.with_suffix(".py"), folder / "__init__.py"]
            inside = name.split(".")[0] == self.package
            path = next((one for one in paths if inside and one.is_file()), None)
            self.modules[name] = Module(name, path) if path else None
        return self.modules[name]

    def is_neutral(self, module: str) -> bool:
        """Return whether a module never counts."""
        return any(f"{module}.".startswith(f"{one}.") for one in self.neutral)

    def resolve(self, path: str) -> Found | str:
        """Return the definition that a dotted path names, and what follows it.

        What a module imports from elsewhere is looked up there. A path that leads out
        of the package comes back as text.
        """
        parts = path.split(".")
        cut = len(parts)
        while cut and self.module(".".join(parts[:cut])) is None:
            cut -= 1
        module = self.module(".".join(parts[:cut]))
        if module is None:
            return path
        name, *rest = parts[cut:] or [EVERYTHING]
        if name in module.imports and name not in module.definitions:
            return self.resolve(".".join([module.imports[name], *rest]))
        return Found(Symbol(module.name, name), rest)

    def modules_of(self, paths: Iterable[str]) -> list[str]:
        """Return the modules of the package that imported dotted paths load."""
        found = map(self.resolve, paths)
        return [one.symbol.module for one in found if isinstance(one, Found)]

    def meaning(self, symbol: Symbol) -> Meaning:
        """Return what one symbol is and refers to."""
        if symbol not in self.meanings:
            self.meanings[symbol] = self._meaning(symbol)
        return self.meanings[symbol]

    def _meaning(self, symbol: Symbol) -> Meaning:
        module = self.module(symbol.module)
        if module is None:
            raise ValueError(f"{symbol.module} is no module below {self.root}")
        if symbol.name == EVERYTHING:
            return Meaning(
                "", tuple(Symbol(module.name, one) for one in module.definitions)
            )
        if symbol.name == EFFECTS:
            return Reader(self, module).read(module.effects)
        name, _, method = symbol.name.partition(".")
        statements = module.definitions.get(name, [])
        if method:
            statements = [
                one
                for statement in statements
                for one in getattr(statement, "body", ())
                if isinstance(one, DEFINITIONS) and one.name == method
            ]
        if not statements:
            raise ValueError(f"{symbol.module} defines no {symbol.name}")
        return Reader(self, module).read(statements)

    def reached(self, symbol: Symbol) -> list[Symbol]:
        """Return a symbol and all that it refers to, in the order of a first visit."""
        order: dict[Symbol, None] = {}
        queue = [symbol]
        while queue:
            one = queue.pop()
            if one not in order:
                order[one] = None
                queue += reversed(self.meaning(one).references)
        return list(order)

    def text(self, symbol: Symbol) -> str:
        """Return all that a symbol means; references are numbers, so without names."""
        order = self.reached(symbol)
        numbers = {one: number for number, one in enumerate(order)}
        return "\n".join(
            f"{meaning.text} {[numbers[one] for one in meaning.references]}"
            for meaning in map(self.meaning, order)
        )

    def effects(self, symbol: Symbol) -> list[Symbol]:
        """Return what importing the modules does that a symbol needs."""
        queue, seen = [symbol], set()
        found: list[Symbol] = []
        while queue:
            symbols = self.reached(queue.pop())
            names = {one.module for one in symbols}
            names |= {name for one in symbols for name in self.meaning(one).imports}
            while names:
                module = self.module(names.pop())
                if (
                    module is None
                    or module.name in seen
                    or self.is_neutral(module.name)
                ):
                    continue
                seen.add(module.name)
                names.update(self.modules_of(module.imported))
                if module.effects:
                    found.append(Symbol(module.name, EFFECTS))
                    queue.append(found[-1])
        return found

    def digest(self, symbol: Symbol) -> str:
        """Return twelve hex digits over the meaning of a symbol."""
        effects = sorted(map(self.text, self.effects(symbol)))
        text = "\n\n".join([self.text(symbol), *effects])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class DigestCache:
    """Digests of a package's definitions in a file, as long as no module changes.

    Reading the whole package takes seconds, which every job would spend anew. Like
    compiled modules, the digests are valid for files' sizes and times of change. The
    cache may be deleted, and is not kept where it cannot be written.
    """

    def __init__(self, code: Code) -> None:
        self.code = code
        self.path = code.root / code.package / "__pycache__/fingerprints.json"

    @cached_property
    def state(self) -> str:
        """A digest of the package's files by their sizes and times of change."""
        listed = [sys.version]
        for folder, _, names in sorted(os.walk(self.code.root / self.code.package)):
            for name in sorted(names):
                if name.endswith(".py"):
                    about = os.stat(os.path.join(folder, name))
                    listed.append(
                        f"{folder}/{name} {about.st_size} {about.st_mtime_ns}"
                    )
        return hashlib.sha256("\n".join(listed).encode()).hexdigest()

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digests that are known, by definition."""
        with suppress(UserError, OSError, TypeError, KeyError):
            content = read_json(self.path)
            if content["state"] == self.state:
                return dict(content["digests"])
        return {}

    def digest(self, symbol: Symbol) -> str:
        """Return ``Code.digest`` of a symbol."""
        name = ":".join(symbol)
        if name not in self.digests:
            self.digests[name] = self.code.digest(symbol)
            with suppress(UserError, OSError):
                write_json(self.path, {"state": self.state, "digests": self.digests})
        return self.digests[name]


PROJECT = Code(Path(__file__).parents[2], "s2snets", NEUTRAL)
CACHE = DigestCache(PROJECT)


def fingerprint(definition: type | Callable[..., object]) -> str:
    """Return twelve hex digits over the meaning of a function or class of the project.

    Imports must be absolute and static to be followed.

    Raises:
        ValueError: it is no top-level definition of the project.
    """
    return CACHE.digest(Symbol(definition.__module__, definition.__qualname__))
