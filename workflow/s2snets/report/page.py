"""The study as one offline HTML file: question, answer, evidence, record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from s2snets.config import Study
from s2snets.report.answer import describe_trainings, rank_networks
from s2snets.report.captions import (
    CAPTIONS,
    SCORES,
    paragraphs_to_html,
    read_caption,
    render_caption,
)
from s2snets.report.certainty import (
    near_chance,
    overlapping_neighbours,
    resample_support,
    section_findings,
    use_bounds,
)
from s2snets.report.companions import summarise_companions
from s2snets.report.comparison import VERDICT_MARKS, group_comparison
from s2snets.report.costs import costs_by_rule
from s2snets.report.depth import summarise_depth
from s2snets.report.figures import ReportFigure, embed_figures
from s2snets.report.formatting import FILTERS
from s2snets.report.markdown import markdown_to_html
from s2snets.report.open_definitions import open_definitions
from s2snets.report.report_data import (
    lattice_slider,
    reconstruction_viewer,
    table2_cells,
)
from s2snets.runtime.files import replacing

TABLES = {
    "accuracy": ("strength", "label", "classifier", "top1_low", "top1_high"),
    "table1": ("top1_low", "top1_high", "top1_sd"),
    "table2": ("autoencoder",),
    "parts": ("top1_low", "top1_high", "top1_sd"),
    "rrc": ("rrc_low", "rrc_high", "rrc_sd", "above_chance", "rrc_corrected"),
    "information": ("low", "high"),
    "chains": ("threshold", "share"),
    "agreement": ("threshold", "kendall_w", "lattice_share"),
    "orders": ("threshold", "network", "other", "established"),
    "correlations": ("similarity", "pairs", "rho", "p"),
    "variance": ("label", "classifier", "images_sd", "replicates_sd", "seeds_sd"),
    "comparison": ("kind", "section", "statement", "null", "verdict"),
    "costs": ("rule", "seconds"),
}
"""Tables that the report reads, as CSV -> the columns that it needs."""

PAGE_SIZE, FIGURES_SIZE, GALLERY_SIZE = 9_000_000, 6_000_000, 4_000_000
"""Characters for the figures and the gallery: together, the figures', the gallery's.
The whole page stays below 10 MB."""


@dataclass(frozen=True)
class ReportInputs:
    """Everything that a study's report shows."""

    study: Study
    tables: Mapping[str, pd.DataFrame]
    """All of ``TABLES``, some of ``companions.TABLES``, ``depth.TABLES``, by name."""
    lattices: Sequence[Mapping[str, Any]]  # lattices.json
    distinct: Sequence[Mapping[str, Any]]  # distinct-lattices.json
    gallery: Mapping[str, np.ndarray]  # gallery.npz
    deviations: str  # a Markdown document
    figures: Sequence[ReportFigure]
    record: Mapping[str, Any]  # versions, commit and the like
    cleaning: Mapping[str, Any] | None = None  # cleaning.json, if photographs were
    assets: Path = CAPTIONS  # folder of the templates, the script and the captions


def write(html: Path, inputs: ReportInputs) -> None:
    """Write the report: one file below 10 MB without any reference to another.

    Raises:
        UserError: a table's caption is missing, or a verdict is unknown.
    """
    pages = Environment(
        loader=FileSystemLoader(inputs.assets),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    pages.policies["json.dumps_kwargs"] = {"allow_nan": False}
    pages.filters |= FILTERS
    config = inputs.study.model_dump(mode="json")
    page = pages.get_template("report.html.j2").render(
        **study_values(inputs),
        **signal_values(inputs),
        **image_values(inputs),
        config=config,
        settings=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
        caption=partial(table_caption, inputs.assets, config),
    )
    with replacing(html) as draft:
        draft.write_text(page, encoding="utf-8")


def table_caption(folder: Path, config: Mapping[str, Any], name: str) -> Markup:
    """Return the caption of a table, or of an element drawn by the script, as HTML."""
    return paragraphs_to_html(render_caption(read_caption(folder, name), config))


def study_values(inputs: ReportInputs) -> dict[str, Any]:
    """Return what the page says of the study as a whole: data, comparison, record."""
    cleaning = inputs.cleaning
    if cleaning is not None:
        total = {row["quantity"]: row for row in cleaning["totals"]}
        cleaning = {**cleaning, "total": total}
    rules, total_cost = costs_by_rule(inputs.tables["costs"])
    return {
        "score": SCORES[inputs.study.reference],
        "cleaning": cleaning,
        "companions": summarise_companions(inputs.tables),
        "depth": summarise_depth(inputs.tables),
        "comparison": group_comparison(inputs.tables["comparison"]),
        "VERDICT_MARKS": VERDICT_MARKS,
        "deviations": markdown_to_html(inputs.deviations, level=3),
        "definitions": open_definitions(inputs.study),
        "rules": rules,
        "total": total_cost,
        "record": inputs.record,
    }


def signal_values(inputs: ReportInputs) -> dict[str, Any]:
    """Return what the page says of the networks' signals: answer, certainty, tables."""
    tables, lattices = inputs.tables, inputs.lattices
    bins, *other_bins = inputs.study.information.bins
    answer = rank_networks(tables["rrc"], lattices, tables["information"], bins)
    rrc = tables["rrc"].pivot(index="autoencoder", columns="classifier", values="rrc")
    table2 = tables["table2"].set_index("autoencoder")
    cells = table2_cells(tables["rrc"], tables["accuracy"])
    return {
        "answer": answer,
        "by_bins": {
            other: rank_networks(tables["rrc"], lattices, tables["information"], other)[
                "by_information"
            ]
            for other in other_bins
        },
        "trainings": describe_trainings(
            inputs.study, tables["agreement"], tables["orders"], answer["threshold"]
        ),
        "variance": tables["variance"].to_dict("records"),
        "correlations": tables["correlations"].to_dict("records"),
        "use": use_bounds(tables["rrc"], answer["threshold"]),
        "ties": overlapping_neighbours(tables["information"], bins),
        "support": resample_support(tables["chains"], answer["lattice"]),
        "weak": near_chance(tables["table1"], tables["rrc"]),
        "findings": section_findings(tables["table1"], tables["rrc"]),
        "lattices": lattices,
        "diagrams": lattice_slider(
            inputs.distinct, inputs.study.figures, answer["threshold"]
        ),
        "table1": tables["table1"].to_dict("records"),
        "parts": tables["parts"].to_dict("records"),
        "table2": table2,
        "cells": {(i, j): cells[i, j] for i in table2.index for j in table2.columns},
        "rrc": rrc.loc[table2.index, table2.columns],
        "chance": tables["rrc"]["chance"],
        "guessing": [
            f"{row.autoencoder}∘{row.classifier}"
            for row in tables["rrc"].itertuples()
            if not row.above_chance
        ],
    }


def image_values(inputs: ReportInputs) -> dict[str, Any]:
    """Return the page's images: figures, and as much of the gallery as fits."""
    figures = embed_figures(inputs.figures, FIGURES_SIZE)
    left = PAGE_SIZE - sum(len(figure["src"]) for figure in figures.values())
    pictures = reconstruction_viewer(inputs.gallery, min(GALLERY_SIZE, left))
    return {"figures": figures, "pictures": pictures}
