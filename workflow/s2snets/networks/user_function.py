"""A user's own network: a function that the settings name by its import path.

torch is imported late: the rules ask this module for a function's meaning.
"""

import ast
import hashlib
import importlib
import os
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from pathlib import Path

from pydantic import ValidationError

from s2snets.config import Classifier, explain
from s2snets.runtime.errors import UserError
from s2snets.runtime.fingerprint import WithoutDocstrings

PREPROCESSING = ("resize", "crop", "interpolation", "mean", "std")
RETURNED = (
    f"must return a torch module and a mapping of {', '.join(PREPROCESSING)}"
    " or categories"
)


def located(architecture):
    """The file of a function's module; nothing is imported to find it.

    Args:
        architecture: ``package.module:function``.

    Raises:
        UserError: no such module on the working directory or PYTHONPATH.
    """
    module = architecture.partition(":")[0]
    places, found, seen = [os.getcwd(), *sys.path], None, ""
    for name in module.split("."):
        seen = f"{seen}.{name}".lstrip(".")
        found = PathFinder.find_spec(seen, places)
        places = (found and found.submodule_search_locations) or []
    if found is None or not str(found.origin).endswith(".py"):
        raise UserError(
            f"architecture: {architecture}: there is no module {module!r} in the"
            " working directory or on PYTHONPATH"
        )
    return Path(found.origin)


def meaning(architecture):
    """Twelve hex digits over the file of a function, without comments, docstrings.

    Raises:
        UserError: no such module, or no Python in it.
    """
    path = located(architecture)
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        raise UserError(
            f"architecture: {path}, line {error.lineno}: {error.msg}"
        ) from None
    text = ast.dump(WithoutDocstrings().visit(tree))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def function_of(architecture):
    """The function that an import path names.

    Raises:
        UserError: no such module, or nothing of that name to call in it.
    """
    located(architecture)
    module, _, name = architecture.partition(":")
    if os.getcwd() not in sys.path:  # a console script's own folder stands there
        sys.path.insert(0, os.getcwd())
    function = getattr(importlib.import_module(module), name, None)
    if not callable(function):
        raise UserError(f"architecture: {module} has no function {name!r}")
    return function


def called(architecture):
    """The network that a user's function returns, and its preprocessing.

    Returns:
        The module, from normalised images (N, 3, H, W) to logits (N, classes); what it
        gives of ``PREPROCESSING``, a dict; its categories' names, or None.

    Raises:
        UserError: no such function, or another kind of answer.
    """
    from torch import nn

    match function_of(architecture)():
        case (nn.Module() as net, Mapping() as given):
            given = dict(given)
        case _:
            raise UserError(f"architecture: {architecture} {RETURNED}")
    categories = given.pop("categories", None)
    if strange := set(given) - set(PREPROCESSING):
        raise UserError(
            f"architecture: {architecture} {RETURNED}, not {min(map(str, strange))!r}"
        )
    try:
        checked = Classifier.model_validate({"architecture": architecture, **given})
    except ValidationError as error:
        raise UserError(explain(error, f"architecture: {architecture}")) from None
    return net, checked.model_dump(include=set(given), exclude_none=True), categories
