"""One image through a study: its reconstructions, and what every classifier names."""

from matplotlib.figure import Figure

from s2snets.figures import style as look

CELL, GAP, MARGIN, HEAD, LINE, SPACE = 1.15, 0.08, 0.62, 0.5, 0.13, 0.12
"""Inches: a column, between cells, left of them; above; a line; between classifiers."""

LETTERS = 14
"""Of a class's name, in a column beside its probability."""


def spelt(name):
    """A class's name in the room that there is."""
    name = name.replace("_", " ")
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1].rstrip()}…"


def percent(share):
    """A probability in whole percent; none that is not certain looks so."""
    if 0.995 <= share < 1:
        return ">99"
    return "<1" if 0 < share < 0.005 else f"{100 * share:.0f}"


def ordered(style, labels):
    """The image, A_S, then part by part the classifiers' own in the palette's order."""
    tuned = {name for label in labels if (name := look.tuned_for(label))} - {"S"}
    ranks = {None: -2, "S": -1}
    ranks |= {name: rank for rank, name in enumerate(look.ordered(style, tuned))}
    notes = [label.partition(" ")[2] for label in labels]

    def place(label):
        return notes.index(label.partition(" ")[2]), ranks[look.tuned_for(label)]

    return sorted(labels, key=place)


def guesses(axes, best, colour, lines):
    """A classifier's best classes, each with its probability as a bar behind it."""
    axes.set(xlim=(0, 1), ylim=(lines - 0.5, -0.5))
    for place, (name, share) in enumerate(best):
        axes.barh(place, share, height=0.86, color=colour, alpha=0.28, lw=0)
        axes.text(0.03, place, spelt(name), va="center", size=6.8)
        axes.text(
            0.97, place, percent(share), va="center", ha="right", size=6.8,
            color=look.INK if place == 0 else look.MUTED,
        )  # fmt: skip


def draw(seen, title, style, make=Figure):
    """The image beside its reconstructions, their differences, every top-5.

    Args:
        seen: a ``see.Seen``.
        title: one line.
        style: a ``config.Figures``.
        make: (figsize, dpi) -> figure.
    """
    names = look.ordered(style, seen.top)
    colours = look.colours(style, names)
    order = ordered(style, seen.pictures)
    titles = [look.mathtext(label).replace(" (", "\n(") for label in order]
    margin = max(MARGIN, 0.2 + 0.09 * max(map(len, names)))
    head = HEAD + LINE * any("\n" in one for one in titles)
    lines = max(len(best) for per in seen.top.values() for best in per.values())
    block = lines * LINE + SPACE
    wide = margin + len(order) * (CELL + GAP)
    tall = head + 2 * (CELL + GAP) + SPACE + len(names) * block
    figure = make(figsize=(wide, tall), dpi=style.dpi)

    def place(column, top, high):
        left = margin + column * (CELL + GAP)
        box = (left / wide, 1 - (top + high) / tall, CELL / wide, high / tall)
        return look.bare(figure.add_axes(box))

    def say(top, text, **how):
        left = (margin - 0.1) / wide
        figure.text(left, 1 - top / tall, text, ha="right", va="center", **how)

    figure.text(
        margin / wide, 1 - 0.15 / tall, title, va="center", size=7, color=look.MUTED
    )
    second = head + CELL + GAP
    say(second + CELL / 2, f"difference\n× {seen.gain}", size=7, color=look.MUTED)
    for column, label in enumerate(order):
        axes = place(column, head, CELL)
        axes.imshow(seen.pictures[label], interpolation="nearest")
        axes.set_title(titles[column], size=8.5, pad=4)
        axes = place(column, second, CELL)
        if label in seen.differences:
            axes.imshow(seen.differences[label], interpolation="nearest")
        else:
            axes.text(
                0.5, 0.5, "grey: as it was", size=7, color=look.MUTED,
                ha="center", va="center", transform=axes.transAxes,
            )  # fmt: skip
        for row, name in enumerate(names):
            top = second + CELL + SPACE + row * block
            axes = place(column, top, lines * LINE)
            guesses(axes, seen.top[name][label], colours[name], lines)
            if look.tuned_for(label) == name:
                axes.spines[:].set(visible=True, color=colours[name], linewidth=0.9)
            if column == 0:
                say(top + lines * LINE / 2, look.variable(name), size=9)
    return figure
