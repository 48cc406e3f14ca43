"""Networks of the user's: functions that the settings name by their import path.

torch is imported late: the rules ask this module for a function's source digest.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import os
import sys
from collections.abc import Callable, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from s2snets.config import Classifier, explain
from s2snets.runtime.errors import UserError

if TYPE_CHECKING:
    from torch import nn

PREPROCESSING = ("resize", "crop", "interpolation", "mean", "std")
MUST_RETURN = (
    f"must return a torch module and a mapping of {', '.join(PREPROCESSING)}"
    " or categories"
)


class WithoutDocstrings(ast.NodeTransformer):
    """Removes strings that stand alone; the parser has removed the comments."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Return the statement unless it is a constant."""
        return None if isinstance(node.value, ast.Constant) else node


def locate_module(architecture: str) -> Path:
    """Return the file of a function's module, without importing it.

    Args:
        architecture: ``package.module:function``.

    Raises:
        UserError: no such module in the working directory or on PYTHONPATH.
    """
    module = architecture.partition(":")[0]
    places, found, prefix = [os.getcwd(), *sys.path], None, ""
    for name in module.split("."):
        prefix = f"{prefix}.{name}".lstrip(".")
        found = PathFinder.find_spec(prefix, places)
        places = (found and found.submodule_search_locations) or []
    if found is None or not str(found.origin).endswith(".py"):
        raise UserError(
            f"architecture: {architecture}: there is no module {module!r} in the"
            " working directory or on PYTHONPATH"
        )
    return Path(str(found.origin))


def source_digest(architecture: str) -> str:
    """Return a hash of the file of a function, without comments and docstrings.

    Returns:
        Twelve hex digits.

    Raises:
        UserError: no such module, or no Python in it.
    """
    path = locate_module(architecture)
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        raise UserError(
            f"architecture: {path}, line {error.lineno}: {error.msg}"
        ) from None
    text = ast.dump(WithoutDocstrings().visit(tree))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def digest_functions(networks: Mapping[str, Classifier]) -> dict[str, str]:
    """Return the source digests of those networks that are functions, by name.

    Raises:
        UserError: no such module, or no Python in it.
    """
    return {
        name: source_digest(network.architecture)
        for name, network in networks.items()
        if network.is_function
    }


def import_function(architecture: str) -> Callable[[], object]:
    """Return the function that an import path names.

    Raises:
        UserError: no such module, or nothing of that name to call in it.
    """
    locate_module(architecture)
    module, _, name = architecture.partition(":")
    if os.getcwd() not in sys.path:  # a console script's own folder stands there
        sys.path.insert(0, os.getcwd())
    function = getattr(importlib.import_module(module), name, None)
    if not callable(function):
        raise UserError(f"architecture: {module} has no function {name!r}")
    return function


def call_user_function(
    architecture: str,
) -> tuple[nn.Module, dict[str, Any], list[str] | None]:
    """Return what a user's function returns, checked.

    Returns:
        The module, from normalised images (N, 3, H, W) to logits (N, classes); those of
        ``PREPROCESSING`` that it sets; the names of its classes, if it gives any.

    Raises:
        UserError: no such function, or another kind of value.
    """
    from torch import nn

    match import_function(architecture)():
        case (nn.Module() as net, Mapping() as mapping):
            given = dict(mapping)
        case _:
            raise UserError(f"architecture: {architecture} {MUST_RETURN}")
    categories = given.pop("categories", None)
    if unknown := set(given) - set(PREPROCESSING):
        raise UserError(
            f"architecture: {architecture} {MUST_RETURN},"
            f" not {min(map(str, unknown))!r}"
        )
    try:
        checked = Classifier.model_validate({"architecture": architecture, **given})
    except ValidationError as error:
        raise UserError(explain(error, f"architecture: {architecture}")) from None
    return net, checked.model_dump(include=set(given), exclude_none=True), categories
