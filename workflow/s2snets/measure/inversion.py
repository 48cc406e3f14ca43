"""How much of an image inverse networks bring back (Mahendran & Vedaldi 2016, 3.3)."""

import numpy as np
import pandas as pd

from s2snets.measure import bootstrap
from s2snets.runtime.errors import UserError

ERRORS = ("relative", "mse")


def errors(found, seen):
    """Errors of reconstructions, image by image.

    Args:
        found, seen: (N, 3, H, W), pixels.

    Returns:
        relative: ||found - seen|| / ||seen||, NaN for an image that is black all over;
        mse: mean square error. Each float (N,).
    """
    difference, length = (found - seen).flatten(1), seen.flatten(1).norm(dim=1)
    relative = difference.norm(dim=1) / length.where(length > 0, float("nan"))
    return relative, difference.square().mean(1)


def compare(rows, printed, *, resamples, seed):
    """Mean errors of the inverse networks, and by how much one's is below another's.

    The printed percentages multiply, 1 - (1 - .15)(1 - .36) = .46, as ratios of means
    of one error do. Which L2 error they are of, squared or not, is not in print: both
    are compared.

    Args:
        rows: seed, informed, image and ``ERRORS``; an image without one is left out.
        printed: informed, against, lower: in percent.
        resamples, seed: of the bootstrap, paired over images.

    Returns:
        error, informed, against, value, low, high, sd, images, seeds, printed: first
        the mean errors, ``against`` empty, then the reductions, as fractions.

    Raises:
        UserError: a network that is compared was not measured, or a seed lacks images.
    """
    rows = rows.dropna(subset=list(ERRORS)).astype({"informed": str})
    known = rows["informed"].unique()
    for name in printed[["informed", "against"]].stack().unique():
        if name not in known:
            raise UserError(f"errors: none of the inverse told {name}; measure it too")
    drawn = bootstrap.resample(
        rows, ["informed"], list(ERRORS), resamples=resamples, seed=seed
    )
    seeds = bootstrap.by_seed(rows, ["informed"], list(ERRORS))
    images = rows.groupby("informed")["image"].nunique()
    wanted = [(name, None, np.nan) for name in known]
    wanted += [
        (row.informed, row.against, row.lower / 100) for row in printed.itertuples()
    ]

    def value(means, error, name, against):
        """A mean error or a reduction of it, for each row of ``means``."""
        own = means[error, name]
        return own if against is None else 1 - own / means[error, against]

    table = []
    for error in ERRORS:
        for name, against, told in wanted:
            each = value(seeds, error, name, against)
            whole = value(seeds.mean().to_frame().T, error, name, against)
            low, high = bootstrap.interval(value(drawn, error, name, against))
            table.append({
                "error": error,
                "informed": name,
                "against": against,
                "value": whole.item(),
                "low": low,
                "high": high,
                "sd": each.std(),
                "images": images[name],
                "seeds": len(each),
                "printed": told,
            })  # fmt: skip
    return pd.DataFrame(table)
