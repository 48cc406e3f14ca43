"""Auditing the cleaned photographs: checks, counts, duplicates (section 3.2).

Rows are read shard by shard. What must be compared over all shards goes into temporary
files by its digest, so that equal ones meet in one file; one at a time is read back.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from s2snets.cleaning.outcomes import OUTCOMES
from s2snets.cleaning.shard import shard_files
from s2snets.cleaning.shard_store import (
    Marker,
    read_idx,
    read_manifest,
    read_markers,
    shard_error,
)
from s2snets.data.imageset import ImageSet
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json
from s2snets.runtime.progress import Progress

PAPER = {
    "rows": 100_000_000,
    "unwanted": 793_436,
    "wanted": 99_206_564,
    "missing": 4_704_140,
    "obtained": 94_502_424,
    "filtered": 2_412_945,
    "kept": 92_089_479,
}
"""The authors' counts: Palacio et al. 2018, section 3.2, says 92.1 million kept.

Exactly: the lists that come with their loader (datadings 3.4.7), and the metadata's own
numbers of photographs and videos. What they never obtained is the difference.
"""

WHOLES = {
    "unwanted": "rows", "wanted": "rows", "missing": "wanted", "obtained": "wanted",
    "filtered": "obtained", "kept": "obtained",
}  # fmt: skip
"""Quantity -> what its share is a share of."""

USUAL = {"palacio2018": (0.015, 0.04)}
"""Profile -> shares of what was obtained that it may reject of YFCC100m (0.0255)."""

EXPECTED_OUTSIDE = 0.5
"""Shards that chance may put outside of their bands, however many shards there are."""

MANY_USERS = 20
"""A file from so many users is their host's: people share few with so many others."""

TRIVIAL_BITS = 4
"""A dHash with so few bits set, or unset, is that of any nearly uniform picture."""

FILES = 61
"""Temporary files, a prime: all bits decide. 40 MB each at 100 million photographs."""

COLUMNS = ["photoid", "uid", "licence", "outcome", "bytes", "sha256"]
COPY = np.dtype(
    [("sha", "u8"), ("user", "u8"), ("shard", "i4"), ("row", "i4"), ("kept", "?")]
)
LOOK = np.dtype([("dhash", "u8"), ("sha", "u8")])


def first_words(digests: pd.Series) -> np.ndarray:
    """Return the first 8 bytes of hexadecimal SHA-256 digests: uint64 (N,)."""
    data = bytes.fromhex("".join(digests.to_numpy(object)))
    return np.frombuffer(data, ">u8")[::4].astype(np.uint64)


def count_values(column: pd.Series) -> dict[str, int]:
    """Return how often each text occurs, the most frequent first."""
    return {str(text): count for text, count in column.value_counts().items()}


def is_trivial(dhashes: np.ndarray) -> np.ndarray:
    """Return which dHashes (N,) cannot tell one picture from another: bool (N,)."""
    bits = np.bitwise_count(dhashes)
    return (bits <= TRIVIAL_BITS) | (bits >= 64 - TRIVIAL_BITS)


def read_checked(store: Path, marker: Marker) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a shard's manifest and index, once both agree with the marker.

    Raises:
        UserError: they do not agree, or a photo id stands in two rows.
    """
    manifest, idx = read_manifest(store, marker, COLUMNS), read_idx(store, marker)
    path = shard_files(store, marker["shard"]).manifest
    counts = count_values(manifest["outcome"])
    expected = {name: count for name, count in marker["outcomes"].items() if count}
    if unknown := sorted(counts.keys() - OUTCOMES.keys()):
        raise shard_error(path, f"{unknown[0]!r} is no outcome")
    if counts != expected or len(manifest) != marker["rows"]:
        raise shard_error(
            path,
            f"{len(manifest)} rows, {counts}, where the marker has {marker['rows']},"
            f" {expected}",
        )
    ids = manifest.loc[manifest["outcome"] != "repeated", "photoid"]
    if ids.duplicated().any():
        repeated = ids[ids.duplicated()].iloc[0]
        raise shard_error(path, f"photo {repeated} stands there twice")
    kept = first_words(manifest.loc[manifest["outcome"] == "kept", "sha256"])
    if len(kept) != marker["kept"] or not np.array_equal(idx["sha"], kept):
        raise shard_error(path, "keeps other photographs than the .idx.npy beside it")
    return manifest, idx


def scatter(records: np.ndarray, by: str, files: Sequence[IO[bytes]]) -> None:
    """Append each record to the file that a column's value decides."""
    number = records[by] % np.uint64(len(files))
    order = np.argsort(number, kind="stable")
    borders = np.searchsorted(number[order], np.arange(1, len(files)))
    for file, part in zip(files, np.split(records[order], borders), strict=True):
        file.write(part.tobytes())


def gather(files: Sequence[IO[bytes]], dtype: np.dtype) -> Iterator[pd.DataFrame]:
    """Yield what was scattered to each file."""
    for file in files:
        file.seek(0)
        yield pd.DataFrame(np.fromfile(file, dtype))


def file_copies(manifest: pd.DataFrame, shard: int) -> np.ndarray:
    """Return a COPY of each file obtained that is not a known placeholder."""
    known = (manifest["sha256"] == "") | (manifest["outcome"] == "placeholder")
    rows = manifest[~known]
    copies = np.empty(len(rows), COPY)
    copies["sha"] = first_words(rows["sha256"])
    copies["user"] = pd.util.hash_array(rows["uid"].to_numpy(object))
    copies["shard"], copies["row"] = shard, rows.index
    copies["kept"] = rows["outcome"] == "kept"
    return copies


def duplicate_counts(values: pd.Series) -> np.ndarray:
    """Return the groups of equal values, and those beyond one a group: int (2,)."""
    counts = values.value_counts()
    counts = counts[counts > 1]
    return np.array([len(counts), counts.sum() - len(counts)])


def widely_shared(copies: pd.DataFrame) -> pd.DataFrame:
    """Return files of many users: photos, users, and the first one's shard and row."""
    counts = copies["sha"].value_counts()
    many = copies[copies["sha"].isin(counts.index[counts >= MANY_USERS])]
    table = many.groupby("sha").agg(
        photos=("user", "size"),
        users=("user", "nunique"),
        shard=("shard", "first"),
        row=("row", "first"),
    )
    return table[table["users"] >= MANY_USERS]


def proposed_placeholders(store: Path, shared: pd.DataFrame) -> pd.DataFrame:
    """Return ``widely_shared`` files for a person to judge, the most users first.

    Returns:
        Columns sha256, photos, users; bytes, outcome and photoid of the first one.
    """
    parts = []
    for shard in np.unique(shared["shard"]):
        group = shared[shared["shard"] == shard]
        marker = read_json(shard_files(store, shard).json)
        first = read_manifest(store, marker, COLUMNS).iloc[group["row"]]
        parts.append(first.assign(**group[["photos", "users"]].set_index(first.index)))
    columns = ["sha256", "photos", "users", "bytes", "outcome", "photoid"]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
    return table.sort_values(["users", "sha256"], ascending=[False, True])[columns]


class Overlap:
    """Counts of photographs that share a value with an image of another set.

    Args:
        values: uint64 (N,), one for each image.
    """

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.images = np.unique(values, return_counts=True)
        self.matched = np.zeros(len(self.values), bool)
        self.photos = 0

    def add(self, values: np.ndarray) -> np.ndarray:
        """Count more photographs (M,); returns which of them share theirs."""
        shared = np.isin(values, self.values)
        self.matched[np.searchsorted(self.values, values[shared])] = True
        self.photos += int(shared.sum())
        return shared

    def counts(self) -> dict[str, int]:
        """Return the photographs, and the images of the other set, that share."""
        return {"photos": self.photos, "images": int(self.images[self.matched].sum())}


def image_digests(path: Path, dhash_of: Callable[[bytes], int]) -> np.ndarray:
    """Return a set's first words of the SHA-256, and dHashes: uint64 (2, N)."""
    images, digests = ImageSet(path, 1), []
    for number in range(len(images)):
        data = images.read_bytes(number)
        digest = hashlib.sha256(data).digest()
        digests.append((int.from_bytes(digest[:8], "big"), dhash_of(data)))
    return np.array(digests, np.uint64).T


class Scan:
    """What is counted while the shards are read one by one.

    Args:
        validation: SHA-256 words and dHashes of the validation set: uint64 (2, N).
        copies: temporary files for the digests of files.
        looks: temporary files for the dHashes.
    """

    def __init__(
        self,
        validation: np.ndarray,
        copies: Sequence[IO[bytes]],
        looks: Sequence[IO[bytes]],
    ) -> None:
        self.copies, self.looks = copies, looks
        words, dhashes = validation
        self.exact = Overlap(words)
        self.near = Overlap(dhashes[~is_trivial(dhashes)])
        self.outcomes, self.licences = Counter[str](), Counter[str]()
        self.trivial = 0
        self.shards: list[dict[str, int]] = []

    def add(self, marker: Marker, manifest: pd.DataFrame, idx: np.ndarray) -> None:
        """Count a shard."""
        outcomes: Counter[str] = Counter(marker["outcomes"])
        self.outcomes += outcomes
        quantities = totals(outcomes)
        self.shards.append({
            "shard": marker["shard"],
            "rows": quantities["rows"],
            "obtained": quantities["obtained"],
            "rejected": quantities["filtered"],
        })  # fmt: skip
        kept = manifest["outcome"] == "kept"
        self.licences.update(count_values(manifest.loc[kept, "licence"]))
        scatter(file_copies(manifest, marker["shard"]), "sha", self.copies)
        same, telling = self.exact.add(idx["sha"]), ~is_trivial(idx["dhash"])
        self.trivial += int((~telling).sum())
        self.near.add(idx["dhash"][telling & ~same])
        looks = np.empty(telling.sum(), LOOK)
        for name in ("dhash", "sha"):
            looks[name] = idx[name][telling]
        scatter(looks, "dhash", self.looks)

    def duplicates(self) -> tuple[dict[str, dict[str, int]], pd.DataFrame]:
        """Return counts of exact and near duplicates, and the widely shared files."""
        exact, shared = np.zeros(2, int), []
        for table in gather(self.copies, COPY):
            exact += duplicate_counts(table.loc[table["kept"], "sha"])
            shared.append(widely_shared(table))
        near = np.zeros(2, int)
        for table in gather(self.looks, LOOK):
            near += duplicate_counts(table.drop_duplicates()["dhash"])
        counts = {
            name: dict(zip(("groups", "surplus"), pair.tolist(), strict=True))
            for name, pair in (("exact", exact), ("near", near))
        }
        return counts, pd.concat(shared)


def add_bands(shards: pd.DataFrame) -> pd.DataFrame:
    """Add the rejected share of every shard, and the band that chance allows it.

    A hash deals the photographs to the shards, so that those rejected are binomial
    about the rate of all. The bands are so wide that chance puts fewer than
    ``EXPECTED_OUTSIDE`` shards outside, however many there are.

    Args:
        shards: columns shard, rows, obtained, rejected.

    Returns:
        The same, and rate, low, high (in [0, 1]; missing where nothing was obtained),
        outside.
    """
    obtained, rejected = shards["obtained"], shards["rejected"]
    rate, tail = rejected.sum() / obtained.sum(), EXPECTED_OUTSIDE / len(shards) / 2
    low, high = binom.ppf(tail, obtained, rate), binom.isf(tail, obtained, rate)
    return shards.assign(
        rate=rejected / obtained,
        low=low / obtained,
        high=high / obtained,
        outside=(rejected < low) | (rejected > high),
    )


def totals(outcomes: Counter[str]) -> dict[str, int]:
    """Return every quantity of ``PAPER`` by the counts of the outcomes."""
    groups = Counter[str]()
    for name, outcome in OUTCOMES.items():
        groups[outcome.group] += outcomes[name]
    groups["obtained"] = groups["filtered"] + groups["kept"]
    groups["wanted"] = groups["missing"] + groups["obtained"]
    groups["rows"] = groups["unwanted"] + groups["wanted"]
    return {quantity: groups[quantity] for quantity in PAPER}


def compare_with_paper(quantities: Mapping[str, int]) -> pd.DataFrame:
    """Return our totals and the paper's.

    Returns:
        Columns quantity, photos, share, of (what it is a share of), paper,
        paper_share.
    """
    table = pd.DataFrame({"photos": quantities, "paper": PAPER}).rename_axis("quantity")
    whole = pd.Series(WHOLES).reindex(table.index)
    for name, share in (("photos", "share"), ("paper", "paper_share")):
        table[share] = table[name] / whole.map(table[name])
    table["of"] = whole.fillna("")
    order = ["photos", "share", "of", "paper", "paper_share"]
    return table[order].reset_index()


def outcome_table(
    outcomes: Counter[str], quantities: Mapping[str, int]
) -> pd.DataFrame:
    """Return every outcome: columns outcome, group, meaning, photos, share, of."""
    table = pd.DataFrame(list(OUTCOMES.values()), list(OUTCOMES)).rename_axis("outcome")
    table["photos"] = pd.Series(outcomes).reindex(table.index, fill_value=0)
    table["of"] = table["group"].map(WHOLES)
    table["share"] = table["photos"] / table["of"].map(quantities)
    order = ["group", "meaning", "photos", "share", "of"]
    return table[order].reset_index()


def licence_table(licences: Counter[str], kept: int) -> pd.DataFrame:
    """Return the licences of the kept photographs: columns licence, photos, share."""
    rows = [(name, count, count / kept) for name, count in licences.most_common()]
    return pd.DataFrame(rows, columns=["licence", "photos", "share"])


def check_totals(
    quantities: Mapping[str, int],
    outcomes: Counter[str],
    rows: int,
    max_rejected: float,
) -> None:
    """Check, by the ``totals`` of the outcomes, that the store may be indexed.

    Raises:
        UserError: rows were lost or made, nothing was obtained, or too much rejected.
    """
    if quantities["rows"] != rows:
        raise UserError(
            f"the metadata had {rows:,} rows and the shards have"
            f" {quantities['rows']:,}; delete the rows and the batches' reports and"
            " rerun"
        )
    if not quantities["obtained"]:
        raise UserError(
            f"none of the {quantities['wanted']:,} photographs wanted was obtained; see"
            " the source under clean"
        )
    rejected = quantities["filtered"] / quantities["obtained"]
    if rejected > max_rejected:
        reasons = ", ".join(
            f"{name} {count:,}"
            for name, count in outcomes.most_common()
            if count and OUTCOMES[name].group == "filtered"
        )
        raise UserError(
            f"clean.max_rejected: {rejected:.2%} of {quantities['obtained']:,}"
            f" photographs obtained are rejected ({reasons}), more than"
            f" {max_rejected:.2%}; mend the source, or allow more"
        )


def audit(
    store: Path,
    reports: Iterable[Path],
    shards: int,
    *,
    rows: int,
    profile: str,
    max_rejected: float,
    validation: Path,
    dhash_of: Callable[[bytes], int],
    folder: Path,
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Audit a store of so many shards, made from so many rows of the metadata.

    Memory holds a shard, or one in ``FILES`` of all digests; ``folder`` takes temporary
    files of 41 bytes a photograph. ``validation`` is the index of the validation set.

    Returns:
        The tables outcomes, totals, shards, licences and proposed; and all that the
        report says of the audit, for JSON.

    Raises:
        UserError: a shard that does not fit its marker, or see ``check_totals``.
    """
    digests, progress = image_digests(validation, dhash_of), Progress(rows)
    with ExitStack() as stack:
        copies, looks = (
            [stack.enter_context(TemporaryFile(dir=folder)) for _ in range(FILES)]
            for _ in range(2)
        )
        scan = Scan(digests, copies, looks)
        for marker in read_markers(store, reports, shards):
            scan.add(marker, *read_checked(store, marker))
            progress(scan.outcomes.total())
        quantities = totals(scan.outcomes)
        check_totals(quantities, scan.outcomes, rows, max_rejected)
        duplicates, shared = scan.duplicates()
    tables = {
        "outcomes": outcome_table(scan.outcomes, quantities),
        "totals": compare_with_paper(quantities),
        "shards": add_bands(pd.DataFrame(scan.shards)),
        "licences": licence_table(scan.licences, quantities["kept"]),
        "proposed": proposed_placeholders(store, shared),
    }
    rejected = quantities["filtered"] / quantities["obtained"]
    low, high = USUAL.get(profile, (0, 1))
    summary = {
        "profile": profile,
        "rejected": rejected,
        "unusual": None if low <= rejected <= high else [low, high],
        "shards": shards,
        "outside": tables["shards"].query("outside")["shard"].tolist(),
        **duplicates,
        "trivial": scan.trivial,
        "validation": digests.shape[1],
        "overlap_exact": scan.exact.counts(),
        "overlap_near": scan.near.counts(),
        "proposed": len(tables["proposed"]),
        "proposed_photos": int(tables["proposed"]["photos"].sum()),
        "strangers": MANY_USERS,
    }
    # Whole tables too, so that the report reads one file.
    for name in ("totals", "outcomes", "licences"):
        summary[name] = json.loads(tables[name].to_json(orient="records"))
    return tables, summary
