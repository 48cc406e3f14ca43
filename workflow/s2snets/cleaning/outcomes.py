"""What becomes of a row of the metadata: exactly one of these, the first that fits."""

from typing import NamedTuple


class Outcome(NamedTuple):
    """A group and a meaning.

    ``unwanted`` rows are never fetched, ``missing`` ones never obtained, ``filtered``
    ones obtained and rejected.
    """

    group: str
    meaning: str


OUTCOMES = {
    "malformed": Outcome("unwanted", "the row cannot be read"),
    "repeated": Outcome("unwanted", "an earlier row has the same photograph"),
    "video": Outcome("unwanted", "a video"),
    "excluded": Outcome(
        "unwanted", "on the list of photographs and users to leave out"
    ),
    "licence": Outcome("unwanted", "a licence that is not asked for"),
    "missing": Outcome("missing", "the source does not have it"),
    "opted_out": Outcome("missing", "its host asks for it not to be used so"),
    "fetch_error": Outcome("missing", "it did not arrive, for reasons that may pass"),
    "placeholder": Outcome(
        "filtered", "a picture that stands for a deleted photograph"
    ),
    "too_small": Outcome("filtered", "too few bytes for a photograph"),
    "not_image": Outcome("filtered", "the file is no image"),
    "broken": Outcome("filtered", "the image does not decode"),
    "too_large": Outcome("filtered", "more pixels than a photograph has"),
    "flat": Outcome("filtered", "hardly anything varies over the image"),
    "kept": Outcome("kept", "a clean photograph"),
}
