"""Contact sheet of one sweep: every image of one network in one mode."""

from collections.abc import Iterator

from s2snets.figures.base import (
    Axes,
    Drawing,
    Figure,
    Figures,
    InputFile,
    Study,
    first_seed_path,
)
from s2snets.figures.picture_strips import Strip, draw_strips, key_table, strip_table
from s2snets.figures.types import Arrays, DataFrame, MplFigure

ACROSS, MORE, MANY = 10, 14, 60
"""Pictures in a row; the number for a sweep of more than so many pictures."""


def pictures_across(sweep: Arrays) -> int:
    """Return the number of pictures in a row of a sweep's sheet."""
    return MORE if len(sweep["pictures"]) > MANY else ACROSS


def strips(sweep: Arrays, settings: Figures) -> Iterator[Strip]:
    """Yield bands of targets: classes, compounds, then filters and groups by layer."""
    keys = key_table(sweep)
    across = pictures_across(sweep)
    kinds = keys["kind"].map({"class": "classes", "compound": "compounds"})
    sections = kinds.fillna("layer " + keys["layer"])
    for section in dict.fromkeys(sections):
        shown = keys[sections == section]
        # A filter's name repeats its layer, which is the heading.
        numbers = shown["target"].str.rpartition(": ")[2]
        names = shown["target"].where(shown["layer"] == "logits", numbers)
        for first in range(0, len(shown), across):
            yield Strip(
                shown.index[first : first + across].tolist(),
                heading="" if first else section,
                above=tuple(names.iloc[first : first + across]),
            )


def rows(sweep: Arrays, settings: Figures) -> DataFrame:
    """Return row, column and the keys of every picture."""
    return strip_table(strips(sweep, settings), key_table(sweep))


def draw(sweep: Arrays, settings: Figures) -> MplFigure:
    """Draw every picture of a sweep."""
    shown = list(strips(sweep, settings))
    return draw_strips(shown, sweep["pictures"], settings, pictures_across(sweep))


class SweepSheet(Figure):
    """Every preferred image of a network (Despraz et al. 2017, section 4)."""

    stem = "synthesis-sheet"
    section = "synthesis"
    title = "Contact sheet"
    alternative_text = "Grid of images: every preferred image of a network in one mode."
    reported = False
    draw = staticmethod(draw)
    rows = staticmethod(rows)

    sweep: InputFile

    @classmethod
    def drawings(cls, axes: Axes) -> list[Drawing]:
        """Return a sheet for each network and mode."""
        return [
            Drawing(
                cls,
                f"{cls.stem}-{name}-{mode}",
                {"sweep": first_seed_path(axes, f"preferred/{mode}/{name}.npz")},
            )
            for name in axes.preferring
            for mode in axes.modes
        ]

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return what is shown."""
        return (
            "All images of one run: the preferred images of one network in one mode,"
            " for every class, compound and filter of the settings. Despraz et al."
            " 2017, section 4."
        )
