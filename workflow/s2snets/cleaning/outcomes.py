"""The outcomes of a row of the metadata: each row gets the first one that applies."""

from typing import NamedTuple


class Outcome(NamedTuple):
    """The group of an outcome and its meaning.

    Rows in ``unwanted`` are never fetched, those in ``missing`` were never obtained,
    those in ``filtered`` were obtained and rejected.
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
