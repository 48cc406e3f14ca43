"""The data files of the package."""

from pathlib import Path
from typing import Any

ASSETS = Path(__file__).parents[1] / "assets"
"""Folder of class names, printed tables, captions and templates."""


def render_text(template: str, **values: Any) -> str:
    """Return a plain-text template, by its path below ``ASSETS``, filled in.

    Raises:
        jinja2.UndefinedError: a value that the template names is not given.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(ASSETS),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return pages.get_template(template).render(**values)
