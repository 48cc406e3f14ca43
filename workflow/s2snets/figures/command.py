"""The command line that every figure module has."""

import matplotlib
import numpy as np
import pandas

from s2snets.config import Figures
from s2snets.figures.style import THEME
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing
from s2snets.runtime.tables import write_csv
from s2snets.stages.base import arguments


def at_strength(gallery, strength):
    """Position of one noise strength in a gallery.

    Raises:
        UserError: the gallery was made without it.
    """
    near = np.isclose(gallery["strengths"], strength)
    if not near.any():
        raise UserError(
            f"gallery: no images at strength {strength:g}, only at"
            f" {', '.join(f'{s:g}' for s in gallery['strengths'])};"
            " add it to gallery.strengths"
        )
    return int(near.argmax())


def picture_table(cells):
    """The table of what an image figure shows: one row a picture."""
    names = ["panel", "row", "column", "image", "source", "label", "strength"]
    return pandas.DataFrame(cells, columns=names)


def example_source(gallery, style):
    """Position of the fine-tuned autoencoder that the settings single out.

    ``noise_example`` null: the first fine-tuned one.

    Raises:
        UserError: the gallery has no such autoencoder.
    """
    labels = [str(label) for label in gallery["labels"]]
    tuned = [label for label in labels if label not in ("original", "A_S")]
    wanted = f"A_{style.noise_example}" if style.noise_example else tuned[0]
    if wanted not in labels:
        raise UserError(
            f"figures.noise_example: the gallery has no {wanted}, only"
            f" {', '.join(tuned)}"
        )
    return labels.index(wanted)


def command(draw, rows, argv=None, several=(), **readers):
    """Read tables, draw them, write PDF, PNG and a CSV of what was drawn.

    Args:
        draw: (*tables, style) -> figure.
        rows: (*tables, style) -> DataFrame.
        several: tables that come in several files; their readers take a list of paths.
        readers: table -> function of its path; every table becomes a flag.
    """
    paths = (*(name for name in readers if name not in several), "pdf", "png", "csv")
    job = arguments(draw.__doc__, paths=paths, lists=several, model=Figures).parse_args(
        argv
    )
    tables = [read(getattr(job, table)) for table, read in readers.items()]
    with matplotlib.rc_context(THEME):
        figure = draw(*tables, job.settings)
        with replacing(job.pdf) as draft:
            figure.savefig(draft, metadata={"CreationDate": None})
        with replacing(job.png) as draft:
            figure.savefig(draft)
    write_csv(rows(*tables, job.settings), job.csv)
