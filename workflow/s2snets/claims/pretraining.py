"""Claims of section 3.2: learning curves of the pretraining."""

import numpy as np
import pandas as pd

from s2snets.claims.claim import Margins, Test
from s2snets.claims.evidence import Estimate, Tables

CORPORA = ("photos", "labelled")


def curves_fall(tables: Tables) -> Margins:
    """Return how far each curve ends below its first check."""
    return {
        f"{corpus}, {column}": Estimate(curve[column].iloc[0] - curve[column].iloc[-1])
        for corpus in CORPORA
        for curve in [tables.curve(corpus)]
        for column in ("training", "validation_photos", "validation_labelled")
    }


def converged(curve: pd.DataFrame) -> float:
    """Return the share of images after which the training error stays within 10 %."""
    error, images = curve["training"].to_numpy(), curve["images"].to_numpy()
    far = np.flatnonzero(np.abs(error / error[-1] - 1) > 0.1)
    return images[far[-1] + 1 if len(far) else 0] / images[-1]


def photos_converge_faster(tables: Tables) -> Margins:
    """Return how much sooner the training error converges on photographs."""
    photos, labelled = (converged(tables.curve(corpus)) for corpus in CORPORA)
    return {"photographs before labelled images": Estimate(labelled - photos)}


def last_error(tables: Tables, corpus: str, column: str) -> float:
    """Return the last error of a curve."""
    return tables.curve(corpus)[column].iloc[-1]


def photos_reach_lower_loss(tables: Tables) -> Margins:
    """Return the last training error on labelled images less that on photographs."""
    photos, labelled = (last_error(tables, corpus, "training") for corpus in CORPORA)
    return {"labelled less photographs": Estimate(labelled - photos)}


def photos_generalise_better(tables: Tables) -> Margins:
    """Return the same of the last errors on the other one's validation set."""
    labelled = last_error(tables, "labelled", "validation_photos")
    photos = last_error(tables, "photos", "validation_labelled")
    return {"labelled less photographs": Estimate(labelled - photos)}


def labelled_is_unstable(tables: Tables) -> Margins:
    """Return how much more the rises of the training error weigh on labelled images."""
    rises = {
        corpus: np.diff(error).clip(min=0).sum() / error[-1]
        for corpus in CORPORA
        for error in [tables.curve(corpus)["training"].to_numpy()]
    }
    return {"labelled less photographs": Estimate(rises["labelled"] - rises["photos"])}


def validation_follows_training(tables: Tables) -> Margins:
    """Return correlations of the logarithms of validation and training, less 0.9."""
    return {
        f"{corpus}, {column}": Estimate(
            np.corrcoef(np.log(curve["training"]), np.log(curve[column]))[0, 1] - 0.9
        )
        for corpus in CORPORA
        for curve in [tables.curve(corpus)]
        for column in ("validation_photos", "validation_labelled")
    }


def labelled_on_photos_is_worst(tables: Tables) -> Margins:
    """Return how far the last error, labelled on photographs, is above all others."""
    errors = {
        (corpus, on): last_error(tables, corpus, f"validation_{on}")
        for corpus in CORPORA
        for on in CORPORA
    }
    worst = errors.pop(("labelled", "photos"))
    return {
        f"above {corpus} on {on}": Estimate(worst - error)
        for (corpus, on), error in errors.items()
    }


def training_loss_is_unbiased(tables: Tables) -> Margins:
    """Return 10 % less the training error's distance from that on unseen images."""
    training, unseen = (
        last_error(tables, "photos", column)
        for column in ("training", "validation_photos")
    )
    return {"photographs": Estimate(0.1 - abs(training / unseen - 1))}


TESTS: dict[str, Test] = {
    "both-reach-minima": curves_fall,
    "photos-converge-faster": photos_converge_faster,
    "converges-before-data-end": lambda tables: {
        "photographs": Estimate(0.9 - converged(tables.curve("photos")))
    },
    "photos-reach-lower-loss": photos_reach_lower_loss,
    "labelled-is-unstable": labelled_is_unstable,
    "validation-follows-training": validation_follows_training,
    "training-loss-is-unbiased": training_loss_is_unbiased,
    "labelled-on-photos-is-worst": labelled_on_photos_is_worst,
    "photos-generalise-better": photos_generalise_better,
}
