"""Captions: Jinja templates that the page shares with Snakemake's own report."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import StrictUndefined, Template
from markupsafe import Markup

from s2snets.report.formatting import typeset_signals
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError

CAPTIONS = ASSETS / "report"
"""Folder of the captions, the page's templates and its script."""

SCORES = {"labels": "accuracy", "predictions": "agreement"}
"""The study's ``reference`` -> what top-1 and top-5 measure."""


def read_caption(folder: Path, name: str) -> str:
    """Return a caption's template.

    Raises:
        UserError: there is no such caption.
    """
    path = folder / f"{name}.rst"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such caption") from None


def paragraphs_to_html(text: str) -> Markup:
    """Return reStructuredText of paragraphs and inline literals as HTML."""
    paragraphs = [
        re.sub(r"``(.+?)``", r"<code>\1</code>", str(typeset_signals(paragraph)))
        for paragraph in re.split(r"\n\s*\n", text.strip())
    ]
    return Markup("".join(f"<p>{paragraph}</p>" for paragraph in paragraphs))


def render_caption(template: str, config: Mapping[str, Any]) -> str:
    """Return a caption with the study's settings (plain, complete) filled in."""
    caption = Template(
        template, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return caption.render(snakemake=SimpleNamespace(config=config))
