"""Numbers and names as text for the report's page."""

import math
import re
from collections.abc import Sequence

from markupsafe import Markup, escape

MINUS = "\N{MINUS SIGN}"


def typeset_signals(text: str) -> Markup:
    """Return text as safe HTML in which ``A_V`` has a subscript, as in the paper."""
    return Markup(re.sub(r"\bA_(\w+)", r"<i>A</i><sub>\1</sub>", str(escape(text))))


def percent(share: float, signed: bool = False) -> str:
    """Return a share in [0, 1] in percent; an empty text for NaN."""
    if math.isnan(share):
        return ""
    return f"{100 * share:{'+' if signed else ''}.2f}".replace("-", MINUS)


def duration(seconds: float) -> str:
    """Return a duration such as 8.4 s, 3 min 20 s, 5 h 03 min; empty for NaN."""
    if math.isnan(seconds):
        return ""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def megabytes(size: float) -> str:
    """Return an amount of memory in MB; an empty text for NaN (not measured)."""
    return "" if math.isnan(size) else f"{size:,.0f} MB"


def cell_text(value: float | str) -> str:
    """Return a number with four significant digits, text as it is, NaN as empty."""
    try:
        number = float(value)
    except ValueError:
        return str(value)
    return "" if math.isnan(number) else f"{number:.4g}".replace("-", MINUS)


def join_names(names: Sequence[str]) -> str:
    """Return a list in words: ``a``, ``a and b``, ``a, b and c``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


FILTERS = {
    function.__name__: function
    for function in (
        typeset_signals,
        percent,
        duration,
        megabytes,
        cell_text,
        join_names,
    )
}
"""The page's Jinja filters by name."""
