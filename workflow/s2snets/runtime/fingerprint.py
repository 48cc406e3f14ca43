"""A short hash of what a module, and every project module it imports, means.

Snakemake reruns a job whose ``params`` changed. With this hash among them, a changed
loss retrains what the loss trained, and a changed comment or docstring nothing.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

# What these do to a result shows elsewhere: every setting's value stands in the
# rule's params, and messages and records change no number.
NEUTRAL = {
    f"s2snets.{name}"
    for name in (
        "config",
        "errors",
        "fingerprint",
        "progress",
        "record",
        "slurm",
        "stage",
    )
}


class WithoutDocstrings(ast.NodeTransformer):
    """Drops strings that stand alone; the parser has dropped the comments."""

    def visit_Expr(self, node):
        return None if isinstance(node.value, ast.Constant) else node


@cache
def parsed(module):
    """A project module's syntax tree as text and the names it imports; else None."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        return None
    tree = ast.parse(path.read_text(), str(path))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {node.module}
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    return ast.dump(WithoutDocstrings().visit(tree)), imported


def texts(folder):
    """Twelve hex digits over the files right in a folder, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def modules(module):
    """Names of a module and of every project module that it reaches by imports."""
    reached, queue = set(), {module}
    while queue:
        name = queue.pop()
        known = name in reached or ".".join(name.split(".")[:2]) in NEUTRAL
        if not known and (found := parsed(name)):
            reached.add(name)
            queue |= found[1]
    return sorted(reached)


def fingerprint(module):
    """Twelve hex digits over the meaning of ``module``, such as ``s2snets.stages.x``.

    Imports must be absolute and static to be followed.

    Raises:
        ValueError: there is no such module in the project.
    """
    names = modules(module)
    if not names:
        raise ValueError(f"{module} is no module of {ROOT}")
    text = "\n".join(f"{name} {parsed(name)[0]}" for name in names)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
