"""What all figures share: theme, colours, markers, labels, and places in inches."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from s2snets.config import Figures
from s2snets.figures.types import MplAxes, MplFigure

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

INK, MUTED, FAINT = "#1a1a1a", "#6b6b6b", "#c9c9c9"
MARKERS = "osD^vPXp<>h*"
LETTER_WIDTH = 0.07
"""Upper bound for the mean width of a label's letters, inches."""

THEME: dict[RcKeyType, Any] = {
    "font.size": 8,
    "mathtext.fontset": "dejavuserif",  # a sans-serif I is a bare stroke
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "pdf.fonttype": 42,
    "image.composite_image": False,  # a PDF keeps each image as it is
    "svg.hashsalt": "s2snets",
}


def page(settings: Figures, width: float, height: float) -> MplFigure:
    """Return an empty figure of a size in inches, without a layout engine."""
    from matplotlib.figure import Figure as MplFigure

    return MplFigure(figsize=(width, height), dpi=settings.dpi)


def canvas(settings: Figures, height: float, share: float = 1.0) -> MplFigure:
    """Return an empty figure for charts.

    Args:
        settings: its width and resolution.
        height: inches.
        share: of the settings' width.
    """
    figure = page(settings, settings.width * share, height)
    figure.set_layout_engine("constrained")
    return figure


def add_axes(
    figure: MplFigure, left: float, top: float, width: float, height: float
) -> MplAxes:
    """Add axes at a place in inches from the upper left corner."""
    wide, tall = figure.get_size_inches()
    box = (left / wide, 1 - (top + height) / tall, width / wide, height / tall)
    return figure.add_axes(box)


def add_text(
    figure: MplFigure, left: float, top: float, text: str, **properties: Any
) -> None:
    """Write text at a place in inches from the upper left corner."""
    wide, tall = figure.get_size_inches()
    figure.text(left / wide, 1 - top / tall, text, **properties)


def remove_frame(axes: MplAxes) -> MplAxes:
    """Remove ticks and frame from axes that show an image."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return axes


def palette_order(settings: Figures, classifiers: Iterable[str]) -> list[str]:
    """Return classifiers in the palette's order, then the others by name."""
    names = set(classifiers)
    known = [name for name in settings.palette if name in names]
    return known + sorted(names - set(known))


def colours(settings: Figures, classifiers: Iterable[str]) -> dict[str, Any]:
    """Return colours by classifier: the palette's, evenly spaced hues for others."""
    unnamed = sorted(set(classifiers) - set(settings.palette))
    if not unnamed:
        return dict(settings.palette)
    import seaborn  # slow to import, and most studies name every colour

    return dict(settings.palette) | dict(
        zip(unnamed, seaborn.husl_palette(len(unnamed), l=0.55), strict=True)
    )


def markers(settings: Figures, classifiers: Iterable[str]) -> dict[str, str]:
    """Return markers by classifier, which tell lines apart without colour."""
    names = palette_order(settings, classifiers)
    return {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(names)}


def tuned_network(label: str) -> str | None:
    """Return the ``V`` of ``A_V`` and ``A_V (encoder)``; None for other labels."""
    match = re.match(r"A_(\S+)", label)
    return match and match[1]


def label_text(label: str) -> str:
    """Return a label such as ``A_V (encoder)`` in mathtext, as the paper sets it."""
    name = tuned_network(label)
    if name is None:
        return label
    subscript = name if len(name) == 1 else rf"\text{{{name}}}"
    return f"$A_{{{subscript}}}$" + label[len(f"A_{name}") :]


def classifier_text(name: str) -> str:
    """Return a classifier's name as the paper sets it: one letter in italics."""
    return f"${name}$" if len(name) == 1 else name


def literal(text: str) -> str:
    """Return a class's or file's name so that matplotlib draws it as it is written.

    A dollar would begin mathtext, and what is not Unicode cannot be drawn.
    """
    return text.encode(errors="replace").decode().replace("$", r"\$")


def legend_columns(settings: Figures, labels: Collection[str]) -> int:
    """Return the columns of a legend as wide as the figure: one row where it fits."""
    widths = [0.6 + LETTER_WIDTH * len(label) for label in labels]
    if sum(widths) <= settings.width:
        return len(labels)
    return max(1, int(settings.width / max(widths)))


def add_network_legend(
    figure: MplFigure, settings: Figures, names: Collection[str], title: str
) -> None:
    """Add a legend of the networks' colours above a chart, in the names' order."""
    from matplotlib.patches import Patch

    known = colours(settings, names)
    figure.legend(
        handles=[
            Patch(color=known[name], label=classifier_text(name)) for name in names
        ],
        title=title,
        loc="outside upper center",
        ncols=legend_columns(settings, names),
        handlelength=1,
    )


def panel_letter(index: int) -> str:
    """Return ``(a)``, ``(b)``, … for a panel."""
    return f"({chr(ord('a') + index)})"
