"""What every figure shares: theme, colours, markers, spelling of labels."""

import re

from matplotlib.figure import Figure

INK, MUTED, FAINT = "#1a1a1a", "#6b6b6b", "#c9c9c9"
MARKERS = "osD^vPXp<>h*"
LETTER = 0.07
"""Inches that a letter takes at the size of labels, rather more than less."""

THEME = {
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
    "svg.hashsalt": "s2snets",
}


def canvas(style, height, share=1.0):
    """An empty figure ``height`` inches tall, ``share`` of the settings' width."""
    return Figure(
        figsize=(style.width * share, height), dpi=style.dpi, layout="constrained"
    )


def ordered(style, classifiers):
    """Classifiers in the palette's order, then the others by name."""
    known = [name for name in style.palette if name in set(classifiers)]
    return known + sorted(set(classifiers) - set(known))


def colours(style, classifiers):
    """Classifier -> colour: the palette's, evenly spaced hues for the others."""
    unnamed = sorted(set(classifiers) - set(style.palette))
    if not unnamed:
        return dict(style.palette)
    import seaborn  # slow to import, and most studies name every colour

    return dict(style.palette) | dict(
        zip(unnamed, seaborn.husl_palette(len(unnamed), l=0.55), strict=True)
    )


def markers(style, classifiers):
    """Classifier -> marker: tells the lines apart without colour."""
    names = ordered(style, classifiers)
    return {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(names)}


def tuned_for(label):
    """The ``V`` of ``A_V``; of ``A_V (encoder)`` too. None for other labels."""
    found = re.match(r"A_(\S+)", label)
    return found and found[1]


def mathtext(label):
    """``A_V (encoder)`` as the paper sets it: an italic A with a subscript."""
    name = tuned_for(label)
    if name is None:
        return label
    subscript = name if len(name) == 1 else rf"\text{{{name}}}"
    return f"$A_{{{subscript}}}$" + label[len(f"A_{name}") :]


def legend_columns(style, labels):
    """Columns of a legend as wide as the figure: one row where it fits."""
    needed = [0.6 + LETTER * len(label) for label in labels]
    if sum(needed) <= style.width:
        return len(labels)
    return max(1, int(style.width / max(needed)))


def variable(name):
    """A classifier's name as the paper sets it: one letter as a variable."""
    return f"${name}$" if len(name) == 1 else name


def letter(index):
    """(a), (b), … of a panel."""
    return f"({chr(ord('a') + index)})"


def bare(axes):
    """No ticks, no frame: for images."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return axes
