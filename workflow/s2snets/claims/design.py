"""Claims that the settings of a study settle, whatever its networks do."""

from collections.abc import Sequence
from pathlib import Path

from s2snets.claims.evidence import PRINTED_THRESHOLDS
from s2snets.config.data import Data, Source

ABOUT_CORPORA = ("photos-generalise-better", "labelled-on-photos-is-worst")
ABOUT_FIGURE_7 = tuple(f"figure-7{panel}-order" for panel in "abcd")
ABOUT_NEW_IMAGES = ("training-loss-is-unbiased",)


def settled_by_design(
    data: Data, single_pass: bool, thresholds: Sequence[float]
) -> dict[str, str]:
    """Return the claims that a study's design decides, and why.

    Args:
        data: the settings of its image sets.
        single_pass: whether the pretraining on photographs sees none of them again.
        thresholds: of its lattices.

    Returns:
        Claim's id -> the reason, one sentence.
    """
    settled: dict[str, str] = {}
    photos = data.photos or []
    labelled = [*data.train, *data.validation]
    if (shared := shared_source(photos, labelled)) is not None:
        why = f"the photographs hold what the labelled images show ({shared})"
        settled |= dict.fromkeys(ABOUT_CORPORA, why)
    if not single_pass or any(source.repeat > 1 for source in photos):
        why = "the pretraining may see a photograph again (pretrain.photos.single_pass)"
        settled |= dict.fromkeys(ABOUT_NEW_IMAGES, why)
    if sorted(thresholds) != sorted(PRINTED_THRESHOLDS):
        why = "lattice.thresholds are the study's own choice, not the paper's"
        settled |= dict.fromkeys(ABOUT_FIGURE_7, why)
    return settled


def shared_source(photos: Sequence[Source], labelled: Sequence[Source]) -> str | None:
    """Return the path of photographs that labelled images come from, if any.

    That is the same folder or file, one within the other, or files of one folder; the
    photographs that labelled images are laid on count too.
    """
    theirs = [Path(path) for source in labelled for path in source.files.values()]
    for source in photos:
        path = Path(source.path)
        for other in theirs:
            beside = path.suffix and other.suffix and path.parent == other.parent
            if beside or path.is_relative_to(other) or other.is_relative_to(path):
                return source.path
    return None
