"""Relative rate of change of accuracy with another classifier's autoencoder."""

import numpy as np
import pandas as pd

from s2snets.measure.bootstrap import interval
from s2snets.runtime.errors import UserError


def rrc_matrix(accuracy: np.ndarray) -> np.ndarray:
    """Return RRC of many tables at once, such as those of a bootstrap.

    Args:
        accuracy: (..., N, N), acc(A_i ∘ j) in row i and column j.

    Returns:
        (..., N, N); NaN where a classifier fails on all of its own images.
    """
    own = np.diagonal(accuracy, axis1=-2, axis2=-1)
    weaker = np.minimum(own[..., :, None], own[..., None, :])
    return np.divide(
        accuracy, weaker, out=np.full_like(accuracy, np.nan), where=weaker > 0
    )


def rrc_table(
    table2: pd.DataFrame,
    samples: np.ndarray | None = None,
    seeds: np.ndarray | None = None,
    chance: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return RRC of every autoencoder and classifier, ascending: ``rrc.csv``, Figure 6.

    RRC(A_i ∘ j) = acc(A_i ∘ j) / min(acc(A_i ∘ i), acc(A_j ∘ j)): 1 on the
    diagonal, above 1 where j does better with A_i than the weaker of both does
    with its own. Palacio et al. 2018, section 3.4, writes acc(i) below the
    line; only each classifier's accuracy with its *own* autoencoder gives the
    printed order.

    Guessing alone gives RRC well above 0 among few classes. With ``chance`` c, the
    corrected RRC is (acc(A_i ∘ j) - c_j) / min(acc(A_i ∘ i) - c_i, acc(A_j ∘ j) - c_j):
    0 where j guesses, and undefined where i or j guesses with its own autoencoder.

    Args:
        table2: autoencoder (A_i), then top-1 accuracy in [0, 1], a column for
            each classifier j.
        samples: resampled tables (B, N, N), in the order of ``table2``'s columns.
        seeds: those of each seed, likewise.
        chance: accuracy of guessing by classifier (N,), in the order of ``table2``'s
            columns (see ``accuracy.chance``).

    Returns:
        autoencoder, classifier, accuracy, own_autoencoder (acc(A_i ∘ i)),
        own_classifier (acc(A_j ∘ j)), rrc; with samples its 95 % interval rrc_low,
        rrc_high; with seeds its deviation over them, rrc_sd (missing for one). With
        chance: chance (c_j), above_chance (whether the accuracy is, with samples its
        whole 95 % interval), rrc_corrected and, with samples, rrc_corrected_low and
        _high (NaN: undefined). Ties keep the table's order.

    Raises:
        UserError: the table is not square, not of accuracies, or divides by zero.
    """
    accuracy = _checked(table2)
    own = pd.Series(np.diag(accuracy), accuracy.columns)
    if (own == 0).any():
        failing = own.index[own == 0][0]
        raise UserError(
            f"table2.csv: classifier {failing} has accuracy 0 with its own A_{failing},"
            " so its RRC divides by zero; train longer or on more images"
        )
    cells = pd.Series(accuracy.stack(), name="accuracy")
    rows = cells.rename_axis(["autoencoder", "classifier"]).reset_index()
    rows["own_autoencoder"] = rows["autoencoder"].str.removeprefix("A_").map(own)
    rows["own_classifier"] = rows["classifier"].map(own)
    weaker = rows[["own_autoencoder", "own_classifier"]].min(axis=1)
    rows["rrc"] = rows["accuracy"] / weaker
    if samples is not None:
        rows["rrc_low"], rows["rrc_high"] = _by_pair(
            rows, table2, *interval(rrc_matrix(samples))
        )
    if seeds is not None:
        few = np.full(seeds.shape[1:], np.nan)
        spread = rrc_matrix(seeds).std(axis=0, ddof=1) if len(seeds) > 1 else few
        (rows["rrc_sd"],) = _by_pair(rows, table2, spread)
    if chance is not None:
        rows = rows.assign(**_corrected(rows, table2, samples, np.asarray(chance)))
    return rows.sort_values("rrc", kind="stable", ignore_index=True)


def _corrected(
    rows: pd.DataFrame,
    table2: pd.DataFrame,
    samples: np.ndarray | None,
    chance: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return the columns of ``rrc_table`` that depend on chance."""
    order = [name for name in table2 if name != "autoencoder"]
    accuracy = table2.set_index("autoencoder")[order].loc[[f"A_{i}" for i in order]]
    measured = accuracy.to_numpy(float)
    least = measured if samples is None else interval(samples)[0]
    corrected = rrc_matrix(measured - chance)
    columns = {
        "chance": np.broadcast_to(chance, measured.shape),
        "above_chance": least > chance,
        "rrc_corrected": corrected,
    }
    if samples is not None:
        undefined = np.isnan(corrected)
        drawn = np.where(undefined, 0, rrc_matrix(samples - chance))
        bounds = np.where(undefined, np.nan, interval(drawn))
        columns["rrc_corrected_low"], columns["rrc_corrected_high"] = bounds
    return dict(zip(columns, _by_pair(rows, table2, *columns.values()), strict=True))


def _by_pair(
    rows: pd.DataFrame, table2: pd.DataFrame, *values: np.ndarray
) -> list[np.ndarray]:
    """Return matrices (N, N), in the order of ``table2``, as columns of ``rows``."""
    names = pd.Index([name for name in table2 if name != "autoencoder"])
    i = names.get_indexer(pd.Index(rows["autoencoder"].str.removeprefix("A_")))
    j = names.get_indexer(pd.Index(rows["classifier"]))
    return [value[i, j] for value in values]


def _checked(table2: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies with A_i in row i and classifier i in column i.

    Raises:
        UserError: as ``rrc_table`` says.
    """
    if "autoencoder" not in table2:
        raise UserError("table2.csv: no column 'autoencoder'")
    table = table2.set_index("autoencoder")
    rows, columns = list(table.index), list(table.columns)
    for kind, names in (("row", rows), ("column", columns)):
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise UserError(f"table2.csv: {kind} {twice[0]} appears twice")
    for name in rows:
        key = name.removeprefix("A_")
        if key not in columns or name != f"A_{key}":
            raise UserError(f"table2.csv: row {name} lacks its own column {key!r}")
    for name in columns:
        if f"A_{name}" not in rows:
            raise UserError(f"table2.csv: column {name} lacks its own row 'A_{name}'")
        if name in rows:
            raise UserError(
                f"table2.csv: classifier {name} is named like an autoencoder"
            )
    for name in columns:
        values = pd.to_numeric(table[name], errors="coerce")
        wrong = table.index[~values.between(0, 1)]
        if len(wrong):
            raise UserError(
                f"table2.csv: accuracy {table.loc[wrong[0], name]} of {name} with"
                f" {wrong[0]} lies outside [0, 1]"
            )
        table[name] = values.astype(float)
    return table[[name.removeprefix("A_") for name in rows]]
