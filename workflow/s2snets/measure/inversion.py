"""Reconstruction errors of inverse networks (Mahendran & Vedaldi 2016, 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from s2snets.measure import bootstrap
from s2snets.runtime.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

ERRORS = ("relative", "mse")


def errors(reconstructions: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the errors of reconstructions, image by image.

    Args:
        reconstructions: (N, 3, H, W), pixels.
        images: likewise, what they reconstruct.

    Returns:
        relative: norm of the difference over that of the image, NaN for an image that
        is black all over; mse: mean square error. Each float (N,).
    """
    difference = (reconstructions - images).flatten(1)
    length = images.flatten(1).norm(dim=1)
    relative = difference.norm(dim=1) / length.where(length > 0, float("nan"))
    return relative, difference.square().mean(1)


def compare(
    rows: pd.DataFrame, printed: pd.DataFrame, *, resamples: int, seed: int
) -> pd.DataFrame:
    """Return mean errors of the inverse networks, and reductions of one by another.

    The printed percentages multiply, 1 - (1 - .15)(1 - .36) = .46, as ratios of means
    of one error do. Which L2 error they are of, squared or not, is not in print: both
    are compared.

    Args:
        rows: seed, informed, image and ``ERRORS``; an image without one is left out.
        printed: informed, against, lower: in percent.
        resamples: of the bootstrap, paired over images.
        seed: likewise.

    Returns:
        error, informed, against, value, low, high, sd, images, seeds, printed: first
        the mean errors, ``against`` empty, then the reductions, as fractions.

    Raises:
        UserError: a network that is compared was not measured, or a seed lacks images.
    """
    scores = list(ERRORS)
    rows = rows.dropna(subset=scores).astype({"informed": str})
    known = list(rows["informed"].unique())
    for name in pd.unique(printed[["informed", "against"]].to_numpy().ravel()):
        if name not in known:
            raise UserError(
                f"errors: none of the inverse informed by {name}; measure it too"
            )
    drawn = bootstrap.resample(
        rows, ["informed"], scores, resamples=resamples, seed=seed
    )
    seeds = bootstrap.by_training(rows, ["informed"], scores)
    images = rows.groupby("informed")["image"].nunique()
    columns = (printed[name] for name in ("informed", "against", "lower"))
    comparisons: list[tuple[str, str | None, float]] = [
        *((name, None, np.nan) for name in known),
        *(
            (name, against, lower / 100)
            for name, against, lower in zip(*columns, strict=True)
        ),
    ]
    table = []
    for error in ERRORS:
        for name, against, reduction in comparisons:
            each = _error_or_reduction(seeds, error, name, against)
            whole = _error_or_reduction(seeds.mean().to_frame().T, error, name, against)
            low, high = bootstrap.interval(
                _error_or_reduction(drawn, error, name, against)
            )
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
                "printed": reduction,
            })  # fmt: skip
    return pd.DataFrame(table)


def _error_or_reduction(
    means: pd.DataFrame, error: str, name: str, against: str | None
) -> pd.Series:
    """Return a mean error, or its reduction against another's, for each row."""
    own = means[error, name]
    return own if against is None else 1 - own / means[error, against]
