"""One image through a study: its reconstructions, and each network's best classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from s2snets.config import Figures
from s2snets.figures import style
from s2snets.figures.types import MplAxes, MplFigure

if TYPE_CHECKING:
    from s2snets.study.view import NetworkView

CELL, GAP, MARGIN, HEAD, LINE, SPACE = 1.15, 0.08, 0.62, 0.5, 0.13, 0.12
"""Inches: a column, between cells, left of them; above; a line; between classifiers."""

LETTERS = 14
"""Maximal length of a class's name, beside its probability."""


def shorten(name: str) -> str:
    """Return a class's name with spaces, cut to the room that there is."""
    name = name.replace("_", " ")
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1].rstrip()}…"


def format_percent(share: float) -> str:
    """Return a probability in whole percent; only 0 and 1 become ``0`` and ``100``."""
    if 0.995 <= share < 1:
        return ">99"
    return "<1" if 0 < share < 0.005 else f"{100 * share:.0f}"


def order_labels(settings: Figures, labels: Iterable[str]) -> list[str]:
    """Return the image, A_S, then the A_i part by part in the palette's order."""
    labels = list(labels)
    tuned = {name for label in labels if (name := style.tuned_network(label))} - {"S"}
    ranks: dict[str | None, int] = {None: -2, "S": -1}
    ranks |= {
        name: rank for rank, name in enumerate(style.palette_order(settings, tuned))
    }
    parts = {label: label.partition(" ")[2] for label in labels}
    order = list(parts.values())
    return sorted(
        labels,
        key=lambda label: (
            order.index(parts[label]),
            ranks[style.tuned_network(label)],
        ),
    )


def draw_classes(
    axes: MplAxes, best: Sequence[tuple[str, float]], colour: Any, lines: int
) -> None:
    """List a classifier's best classes, with their probabilities as bars behind."""
    axes.set(xlim=(0, 1), ylim=(lines - 0.5, -0.5))
    for place, (name, share) in enumerate(best):
        axes.barh(place, share, height=0.86, color=colour, alpha=0.28, lw=0)
        axes.text(0.03, place, style.literal(shorten(name)), va="center", size=6.8)
        axes.text(
            0.97, place, format_percent(share), va="center", ha="right", size=6.8,
            color=style.INK if place == 0 else style.MUTED,
        )  # fmt: skip


def draw(
    view: NetworkView,
    title: str,
    settings: Figures,
    make: Callable[..., MplFigure] | None = None,
) -> MplFigure:
    """Draw an image beside its reconstructions, their differences, and best classes.

    Args:
        view: of one image.
        title: one line.
        settings: appearance.
        make: (figsize, dpi) -> figure; default: one that no window shows.
    """
    from matplotlib.figure import Figure as MplFigure

    names = style.palette_order(settings, view.top)
    colours = style.colours(settings, names)
    order = order_labels(settings, view.pictures)
    titles = [style.label_text(label).replace(" (", "\n(") for label in order]
    margin = max([MARGIN, *(0.2 + 0.09 * len(name) for name in names)])
    head = HEAD + LINE * any("\n" in text for text in titles)
    lines = max(
        (len(best) for tops in view.top.values() for best in tops.values()), default=0
    )
    block = lines * LINE + SPACE
    wide = margin + len(order) * (CELL + GAP)
    tall = head + 2 * (CELL + GAP) + SPACE + len(names) * block
    figure = (make or MplFigure)(figsize=(wide, tall), dpi=settings.dpi)
    side = {"ha": "right", "va": "center"}
    style.add_text(
        figure, margin, 0.15, style.literal(title), va="center", size=7,
        color=style.MUTED,
    )  # fmt: skip
    second = head + CELL + GAP
    style.add_text(
        figure, margin - 0.1, second + CELL / 2, f"difference\n× {view.gain}", size=7,
        color=style.MUTED, **side,
    )  # fmt: skip
    for column, label in enumerate(order):
        left = margin + column * (CELL + GAP)
        axes = style.remove_frame(style.add_axes(figure, left, head, CELL, CELL))
        axes.imshow(view.pictures[label], interpolation="nearest")
        axes.set_title(titles[column], size=8.5, pad=4)
        axes = style.remove_frame(style.add_axes(figure, left, second, CELL, CELL))
        if label in view.differences:
            axes.imshow(view.differences[label], interpolation="nearest")
        else:
            axes.text(
                0.5, 0.5, "grey: unchanged", size=7, color=style.MUTED,
                ha="center", va="center", transform=axes.transAxes,
            )  # fmt: skip
        for row, name in enumerate(names):
            top = second + CELL + SPACE + row * block
            axes = style.add_axes(figure, left, top, CELL, lines * LINE)
            style.remove_frame(axes)
            draw_classes(axes, view.top[name][label], colours[name], lines)
            if style.tuned_network(label) == name:
                axes.spines[:].set(visible=True, color=colours[name], linewidth=0.9)
            if column == 0:
                style.add_text(
                    figure, margin - 0.1, top + lines * LINE / 2,
                    style.classifier_text(name), size=9, **side,
                )  # fmt: skip
    return figure
