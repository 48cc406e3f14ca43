"""Contact sheet of one sweep: every image of one network in one mode."""

from s2snets.figures import strips as page
from s2snets.figures.command import command
from s2snets.runtime.tables import read_arrays
from s2snets.stages.base import run

ACROSS, MORE, MANY = 10, 14, 60
"""Pictures in a row; from so many on, so many."""


def across_of(sweep):
    """Pictures in a row of a sweep's sheet."""
    return MORE if len(sweep["pictures"]) > MANY else ACROSS


def strips(sweep, style):
    """Bands of targets: classes, compounds, then filters and groups by layer."""
    keys = page.listing(sweep)
    across = across_of(sweep)
    kinds = keys["kind"].map({"class": "classes", "compound": "compounds"})
    sections = kinds.fillna("layer " + keys["layer"])
    for section in dict.fromkeys(sections):
        own = keys[sections == section]
        # A filter's name repeats its layer, which stands above.
        names = own["target"].where(own["layer"] == "logits", short(own["target"]))
        for first in range(0, len(own), across):
            yield page.Strip(
                own.index[first : first + across].tolist(),
                heading="" if first else section,
                above=tuple(names.iloc[first : first + across]),
            )


def short(names):
    """Names without what comes before their colon."""
    return names.str.rpartition(": ")[2]


def rows(sweep, style):
    """row, column and the keys of every picture."""
    return page.rows(list(strips(sweep, style)), page.listing(sweep))


def draw(sweep, style):
    """Every preferred image of a network (Despraz et al. 2017, section 4)."""
    shown = list(strips(sweep, style))
    return page.draw(shown, sweep["pictures"], style, across_of(sweep))


def main(argv=None):
    command(draw, rows, argv, sweep=read_arrays)


if __name__ == "__main__":
    run(main)
