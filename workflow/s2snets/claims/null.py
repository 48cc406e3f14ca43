"""How often each claim holds in studies without structure.

``python -m s2snets.claims.null`` prints the shares for a study of the paper's size.
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from s2snets.claims.claim import Claim
from s2snets.claims.evidence import FAMILIES, Tables, Untestable
from s2snets.claims.inputs import IMAGENET_IMAGES, printed_tables
from s2snets.claims.registry import claims
from s2snets.claims.verdicts import NULL_DRAWS, margins_of, outcome
from s2snets.config import Information, Predict
from s2snets.measure.accuracy import SCORES
from s2snets.measure.color import MEASURES
from s2snets.measure.rrc import rrc_matrix, rrc_table

SEED = 0
RESAMPLES = 200  # of Table 2 in each drawn study
NORMAL_95 = 1.96  # half of a 95 % interval over the standard error
JITTER = 0.05  # of curves, standard deviation of the logarithm
CURVES = ("training", "validation_photos", "validation_labelled")
LEAST = 1e-6  # accuracy, so that no RRC divides by zero


def null_rates(
    tables: Tables, draws: int = NULL_DRAWS, seed: int = SEED
) -> dict[str, float]:
    """Return the share of studies without structure in which each claim holds.

    Args:
        tables: of the study whose size the drawn ones have.
        draws: number of drawn studies.
        seed: of the draws.

    Returns:
        Claim's id -> share in [0, 1], for the claims that ``tables`` can test.
    """
    generator = np.random.default_rng(seed)
    testable = [claim for claim in claims() if verdict(claim, tables) is not None]
    held: Counter[str] = Counter()
    for _ in range(draws):
        study = structureless(tables, generator)
        held.update(each.id for each in testable if verdict(each, study) == "holds")
    return {claim.id: held[claim.id] / draws for claim in testable}


def verdict(claim: Claim, tables: Tables) -> str | None:
    """Return a claim's verdict on a study's tables; None: untestable."""
    try:
        return outcome(claim, margins_of(claim, tables))
    except Untestable:
        return None


def structureless(tables: Tables, generator: np.random.Generator) -> Tables:
    """Draw a study of the same size in which nothing depends on anything.

    Whatever the network, the autoencoder, the input or the strength of noise: true
    accuracies are uniform between chance and 1, nMI between 0 and 1. The measured ones
    scatter about these as their intervals are wide here. All learning curves fall by a
    power of the number of checks, uniform between 0.5 and 1.5, with a jitter of 5 %.
    Each measure of colours is that of another source, in random order.

    Args:
        tables: with the rows and intervals that the drawn ones have.
        generator: of the draws.
    """
    chance = _by_classifier(tables.table("rrc"), "chance")
    floor = float(chance.mean())
    drawn: dict[str, Any] = {}
    for name in ("table1", "parts", "noise"):
        if (table := getattr(tables, name)) is not None:
            drawn[name] = _draw_scores(table, SCORES, floor, generator)
    if tables.information is not None:
        drawn["information"] = _draw_scores(
            tables.information, ("mean",), 0.0, generator, prefix=""
        )
    if tables.depth is not None:
        (own,) = generator.spawn(1)  # other tables' draws are as without it
        drawn["depth"] = _draw_scores(tables.depth, ("mean",), 0.0, own, prefix="")
    if tables.curves is not None:
        drawn["curves"] = _draw_curves(tables.curves, generator)
    if tables.colors is not None:
        drawn["colors"] = _permute_sources(tables.colors, generator)
    names = list(chance.index)
    labels = [f"A_{name}" for name in names]
    cells = pd.MultiIndex.from_product([labels, names], names=["label", "classifier"])
    accuracy = pd.DataFrame(index=cells).reset_index().assign(strength=0.0)
    if tables.accuracy is not None:
        accuracy = accuracy.merge(tables.accuracy, "left")
    accuracy = _draw_scores(accuracy, ("top1",), floor, generator)
    square = (len(names),) * 2
    table2 = accuracy["top1"].to_numpy().reshape(square)
    samples = None
    if "top1_low" in accuracy:
        error = (accuracy["top1_high"] - accuracy["top1"]).to_numpy() / NORMAL_95
        noise = generator.normal(size=(RESAMPLES, *square)) * error.reshape(square)
        samples = (table2 + noise).clip(LEAST, 1)
    frame = pd.DataFrame(table2, pd.Index(labels, name="autoencoder"), names)
    frame = frame.reset_index()
    return replace(
        tables,
        accuracy=accuracy,
        table2=frame,
        rrc=rrc_table(frame, samples, chance=chance.to_numpy()),
        samples=None if samples is None else rrc_matrix(samples),
        **drawn,
    )


def _by_classifier(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of ``rrc.csv`` that classifiers determine, by their names."""
    return table.groupby("classifier", sort=False)[column].first()


def _draw_scores(
    table: pd.DataFrame,
    columns: Iterable[str],
    low: float,
    generator: np.random.Generator,
    prefix: str | None = None,
) -> pd.DataFrame:
    """Return a table with columns drawn anew, and their intervals about them.

    Args:
        table: with bounds in ``NAME_low`` and ``NAME_high``, or without.
        columns: their names.
        low: the least true value; the greatest is 1.
        generator: of the draws.
        prefix: of the bounds' names, if it is not ``NAME_``.
    """
    table = table[[name for name in table if "_difference" not in str(name)]].copy()
    for column in columns:
        stem = f"{column}_" if prefix is None else prefix
        below, above = f"{stem}low", f"{stem}high"
        half = np.zeros(len(table))
        if below in table:
            half = ((table[above] - table[below]) / 2).fillna(0).to_numpy()
        value = generator.uniform(low, 1, len(table))
        value += generator.normal(size=len(table)) * half / NORMAL_95
        table[column] = value.clip(LEAST, 1)
        if below in table:
            table[below], table[above] = table[column] - half, table[column] + half
    return table


def _draw_curves(curves: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Return falling curves that are independent of each other."""
    curves = curves.copy()
    trainings = curves.groupby(["corpus", "seed"])
    checks, training = trainings["images"].rank().to_numpy(), trainings.ngroup()
    for column in CURVES:
        power = generator.uniform(0.5, 1.5, training.max() + 1)[training]
        jitter = generator.normal(scale=JITTER, size=len(curves))
        curves[column] = checks**-power * np.exp(jitter)
    return curves


def _permute_sources(
    colors: pd.DataFrame, generator: np.random.Generator
) -> pd.DataFrame:
    """Return colours whose sources have changed places, each measure on its own."""
    values = [name for name in ("value", "low", "high") if name in colors]
    order = colors.groupby(["measure", "channel"]).ngroup().to_numpy()
    places = np.argsort(order, kind="stable")
    shuffled = np.lexsort((generator.random(len(colors)), order))
    colors = colors.copy()
    columns = [list(colors).index(name) for name in values]
    colors.iloc[places, columns] = colors.iloc[shuffled, columns].to_numpy()
    return colors


def paper_sized() -> Tables:
    """Return tables of the paper's rows and of intervals as wide as its images give.

    Only the rows and the widths of intervals mean anything. Learning curves are of
    three seeds, since those of one leave every claim on them undecided.
    """
    letters, bins = list(FAMILIES), Information().bins[0]
    half = NORMAL_95 / 2 / IMAGENET_IMAGES**0.5  # the widest: of accuracy 0.5
    bounds = {f"{score}_low": -half for score in SCORES}
    bounds |= {f"{score}_high": half for score in SCORES}
    printed = printed_tables()
    labels = [f"A_{name}" for name in letters]

    def table(**levels: Iterable[str | float]) -> pd.DataFrame:
        """Return every combination of the levels, with intervals of accuracies."""
        rows = pd.MultiIndex.from_product(list(levels.values()), names=list(levels))
        return rows.to_frame(index=False).assign(top1=0.0, top5=0.0, **bounds)

    information = table(label=["A_S", *labels], measure=["intra", "inter"], bins=[bins])
    curves = table(
        corpus=["photos", "labelled"], seed=[0, 1, 2], images=np.arange(1, 93) * 1e6
    )
    colors = table(
        label=["original", "A_S", *labels], measure=MEASURES, channel=["L", "a", "b"]
    )
    summed = colors[(colors["measure"] == "distance") & (colors["channel"] == "L")]
    colors = pd.concat([colors, summed.assign(channel="Lab")], ignore_index=True)
    return replace(
        printed,
        table1=printed.table("table1").assign(**bounds),
        accuracy=table(label=labels, classifier=letters, strength=[0.0]),
        parts=table(part=["decoder", "encoder", "both"], classifier=letters),
        noise=table(
            input=["original", "A_S", "A_i"],
            classifier=letters,
            noise=["clipped", "unclipped"],
            strength=Predict().strengths,
        ),
        information=information.assign(mean=0.5, low=-half, high=half, images=1),
        curves=curves.assign(**dict.fromkeys(CURVES, 1e6 / curves["images"])),
        colors=colors.assign(value=np.arange(len(colors), dtype=float)),
        depth=table(
            weights=["trained"], classifier=letters, depth=range(6), measure=["nmi"]
        ).assign(mean=0.5, low=-half, high=half),
        sizes=dict(zip("AVIRL", (61e6, 138e6, 27e6, 26e6, 0.1e6), strict=True)),
    )


def main(argv: list[str] | None = None) -> None:
    """Print how often each claim holds in studies without structure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--draws", type=int, default=NULL_DRAWS, help="number of studies"
    )
    parser.add_argument("--seed", type=int, default=SEED, help="of the draws")
    options = parser.parse_args(argv)
    for name, share in null_rates(paper_sized(), options.draws, options.seed).items():
        print(f"{share:6.1%}  {name}")


if __name__ == "__main__":
    main()
