"""Relative rate of change: whose signal carries whom."""

import numpy as np
import pandas as pd

from s2snets.errors import Mistake


def relate(table2):
    """RRC of every autoencoder and classifier, ascending: ``rrc.csv``, Figure 6.

    RRC(A_i ∘ j) = acc(A_i ∘ j) / min(acc(A_i ∘ i), acc(A_j ∘ j)): 1 on the
    diagonal, above 1 where j does better with A_i than the weaker of both does
    with its own. Palacio et al. 2018, section 3.4, writes acc(i) below the
    line; only each classifier's accuracy with its *own* autoencoder gives the
    printed order.

    Args:
        table2: autoencoder (A_i), then top-1 accuracy in [0, 1], a column for
            each classifier j.

    Returns:
        autoencoder, classifier, accuracy, own_autoencoder (acc(A_i ∘ i)),
        own_classifier (acc(A_j ∘ j)), rrc; ties keep the table's order.

    Raises:
        Mistake: the table is not square, not of accuracies, or divides by zero.
    """
    accuracy = _checked(table2)
    own = pd.Series(np.diag(accuracy), accuracy.columns)
    if (own == 0).any():
        lost = own.index[own == 0][0]
        raise Mistake(
            f"table2.csv: classifier {lost} has accuracy 0 with its own A_{lost},"
            " so its RRC divides by zero; train longer or on more images"
        )
    rows = accuracy.stack().rename_axis(["autoencoder", "classifier"])
    rows = rows.rename("accuracy").reset_index()
    rows["own_autoencoder"] = rows["autoencoder"].str.removeprefix("A_").map(own)
    rows["own_classifier"] = rows["classifier"].map(own)
    weaker = rows[["own_autoencoder", "own_classifier"]].min(axis=1)
    rows["rrc"] = rows["accuracy"] / weaker
    return rows.sort_values("rrc", kind="stable", ignore_index=True)


def _checked(table2):
    """Accuracies with A_i in row i and classifier i in column i."""
    if "autoencoder" not in table2:
        raise Mistake("table2.csv: no column 'autoencoder'")
    table = table2.set_index("autoencoder")
    rows, columns = list(table.index), list(table.columns)
    for kind, names in (("row", rows), ("column", columns)):
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise Mistake(f"table2.csv: {kind} {twice[0]} appears twice")
    for name in rows:
        key = name.removeprefix("A_")
        if key not in columns or name != f"A_{key}":
            raise Mistake(f"table2.csv: row {name} lacks its own column {key!r}")
    for name in columns:
        if f"A_{name}" not in rows:
            raise Mistake(f"table2.csv: column {name} lacks its own row 'A_{name}'")
        if name in rows:
            raise Mistake(f"table2.csv: classifier {name} is named like an autoencoder")
    for name in columns:
        values = pd.to_numeric(table[name], errors="coerce")
        wrong = table.index[~values.between(0, 1)]
        if len(wrong):
            raise Mistake(
                f"table2.csv: accuracy {table.loc[wrong[0], name]} of {name} with"
                f" {wrong[0]} lies outside [0, 1]"
            )
        table[name] = values.astype(float)
    return table[[name.removeprefix("A_") for name in rows]]
