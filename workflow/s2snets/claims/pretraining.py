"""Claims of section 3.2: learning curves of the pretraining."""

from collections.abc import Callable
from math import inf

import numpy as np
import pandas as pd

from s2snets.claims.claim import Margins, Test
from s2snets.claims.evidence import Estimate, Tables

CORPORA = ("photos", "labelled")

Curves = dict[str, pd.DataFrame]
"""Corpus -> its learning curve, of one seed."""


def over_seeds(margins: Callable[[Curves], dict[str, float]]) -> Test:
    """Return a test whose margins are means over the seeds, each of its own curves."""

    def test(tables: Tables) -> Margins:
        """Return the mean margins with the interval that the seeds give."""
        seeds = tables.table("curves")["seed"].unique()
        table = pd.DataFrame(
            [
                margins({corpus: tables.curve(corpus, seed) for corpus in CORPORA})
                for seed in seeds
            ]
        )
        return {str(name): mean_of_trainings(values) for name, values in table.items()}

    return test


def mean_of_trainings(values: pd.Series) -> Estimate:
    """Return a mean with the 95 % interval of Student's t.

    The interval of a single training is without bounds: another may give any value.
    """
    from scipy.stats import t

    mean, count = float(values.mean()), len(values)
    if count == 1:
        return Estimate(mean, -inf, inf)
    half = float(t.ppf(0.975, count - 1) * values.std() / count**0.5)
    return Estimate(mean, mean - half, mean + half)


@over_seeds
def curves_fall(curves: Curves) -> dict[str, float]:
    """Return how far each curve ends below its first check."""
    return {
        f"{corpus}, {column}": curve[column].iloc[0] - curve[column].iloc[-1]
        for corpus, curve in curves.items()
        for column in ("training", "validation_photos", "validation_labelled")
    }


def converged(curve: pd.DataFrame) -> float:
    """Return the share of images after which the training error stays within 10 %."""
    error, images = curve["training"].to_numpy(), curve["images"].to_numpy()
    far = np.flatnonzero(np.abs(error / error[-1] - 1) > 0.1)
    return images[far[-1] + 1 if len(far) else 0] / images[-1]


@over_seeds
def photos_converge_faster(curves: Curves) -> dict[str, float]:
    """Return how much sooner the training error converges on photographs."""
    photos, labelled = (converged(curves[corpus]) for corpus in CORPORA)
    return {"photographs before labelled images": labelled - photos}


@over_seeds
def photos_converge_before_the_end(curves: Curves) -> dict[str, float]:
    """Return the share of photographs left when the training error has converged."""
    return {"photographs": 0.9 - converged(curves["photos"])}


@over_seeds
def photos_reach_lower_loss(curves: Curves) -> dict[str, float]:
    """Return the last training error on labelled images less that on photographs."""
    photos, labelled = (curves[corpus]["training"].iloc[-1] for corpus in CORPORA)
    return {"labelled less photographs": labelled - photos}


@over_seeds
def photos_generalise_better(curves: Curves) -> dict[str, float]:
    """Return the same of the last errors on the other one's validation set."""
    labelled = curves["labelled"]["validation_photos"].iloc[-1]
    photos = curves["photos"]["validation_labelled"].iloc[-1]
    return {"labelled less photographs": labelled - photos}


@over_seeds
def labelled_is_unstable(curves: Curves) -> dict[str, float]:
    """Return how much more the rises of the training error weigh on labelled images."""
    rises = {
        corpus: np.diff(error).clip(min=0).sum() / error[-1]
        for corpus, curve in curves.items()
        for error in [curve["training"].to_numpy()]
    }
    return {"labelled less photographs": rises["labelled"] - rises["photos"]}


@over_seeds
def validation_follows_training(curves: Curves) -> dict[str, float]:
    """Return correlations of the logarithms of validation and training, less 0.9."""
    return {
        f"{corpus}, {column}": np.corrcoef(
            np.log(curve["training"]), np.log(curve[column])
        )[0, 1]
        - 0.9
        for corpus, curve in curves.items()
        for column in ("validation_photos", "validation_labelled")
    }


@over_seeds
def labelled_on_photos_is_worst(curves: Curves) -> dict[str, float]:
    """Return how far the last error, labelled on photographs, is above all others."""
    errors = {
        (corpus, on): curve[f"validation_{on}"].iloc[-1]
        for corpus, curve in curves.items()
        for on in CORPORA
    }
    worst = errors.pop(("labelled", "photos"))
    return {
        f"above {corpus} on {on}": worst - error
        for (corpus, on), error in errors.items()
    }


@over_seeds
def training_loss_is_unbiased(curves: Curves) -> dict[str, float]:
    """Return 10 % less the training error's distance from that on unseen images."""
    last = curves["photos"].iloc[-1]
    ratio = last["training"] / last["validation_photos"]
    return {"photographs": 0.1 - abs(ratio - 1)}


TESTS: dict[str, Test] = {
    "both-reach-minima": curves_fall,
    "photos-converge-faster": photos_converge_faster,
    "converges-before-data-end": photos_converge_before_the_end,
    "photos-reach-lower-loss": photos_reach_lower_loss,
    "labelled-is-unstable": labelled_is_unstable,
    "validation-follows-training": validation_follows_training,
    "training-loss-is-unbiased": training_loss_is_unbiased,
    "labelled-on-photos-is-worst": labelled_on_photos_is_worst,
    "photos-generalise-better": photos_generalise_better,
}
