"""What the figures of signal by depth share: their table, and words for it."""

from s2snets.config.depth import RANDOM, TRAINED
from s2snets.figures.base import Figure, InputFile, Study, table
from s2snets.figures.types import DataFrame

TITLES = {TRAINED: "own weights", RANDOM: "random weights"}
"""Weights of a network, as its titles call them."""


def names_of(depth: DataFrame) -> list[str]:
    """Return the networks in the table's order."""
    return list(dict.fromkeys(depth["classifier"]))


def pick(measures: DataFrame, weights: str, measure: str) -> DataFrame:
    """Return one measure of the autoencoders that are tuned for layers, by depth."""
    chosen = (measures["weights"] == weights) & (measures["measure"] == measure)
    return measures[chosen & measures["depth"].notna()].sort_values("depth")


def layers_of(depth: DataFrame, name: str) -> list[str]:
    """Return a network's layers, the input first."""
    own = depth[depth["classifier"] == name]
    return list(pick(own, TRAINED, "nmi")["source"])


def intervals(study: Study) -> str:
    """Return what the intervals contain the variance of, in words."""
    replicates = study.depth.replicates if study.depth else 1
    several = replicates * len(study.seeds) > 1
    return "images and trainings" if several else "images"


class DepthFigure(Figure):
    """A figure of signal by depth; it reads at least ``depth.csv``."""

    section = "depth"
    needs = "looked_into"

    depth: InputFile = table(
        "depth.csv",
        ["weights", "classifier", "source", "depth", "measure", "at", "mean"],
    )
