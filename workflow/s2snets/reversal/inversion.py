"""Errors of inverse networks (Mahendran & Vedaldi 2016, section 3.3)."""

from collections.abc import Iterable, Mapping

import pandas as pd
import torch

from s2snets.evaluation import Batch
from s2snets.measure.inversion import ERRORS, errors
from s2snets.networks.inverse import Bottleneck, Mirror


@torch.inference_mode()
def inversion_errors(
    batches: Iterable[Batch],
    bottleneck: Bottleneck,
    mirrors: Mapping[str, Mirror],
    seed: int,
) -> pd.DataFrame:
    """Return the errors of inverse networks, named by what they receive, on batches.

    Returns:
        One row per image and inverse: seed, informed, image, and ``ERRORS``.
    """
    tables = []
    for numbers, pixels, _, _ in batches:
        images, code, traces = bottleneck(pixels)
        for informed, mirror in mirrors.items():
            values = errors(mirror(code, traces), images)
            columns = {
                name: value.cpu().numpy()
                for name, value in zip(ERRORS, values, strict=True)
            }
            keys = {"seed": seed, "informed": informed, "image": numbers}
            tables.append(pd.DataFrame(keys | columns))
    return pd.concat(tables, ignore_index=True)
