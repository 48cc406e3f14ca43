"""The cleaned photographs, audited: gates, counts, duplicates (section 3.2).

Rows are read shard by shard. What must be compared over all shards goes into temporary
files, each of which gets its part of the digests: one at a time is read back.
"""

import hashlib
from collections import Counter
from contextlib import ExitStack
from tempfile import TemporaryFile

import numpy as np
import pandas as pd
from scipy.stats import binom

from s2snets.cleaning.outcomes import OUTCOMES
from s2snets.cleaning.shard import files_of
from s2snets.cleaning.shard_store import changed, markers, read_idx, read_manifest
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

OF = {"unwanted": "rows", "wanted": "rows", "missing": "wanted", "obtained": "wanted"}
OF |= {"filtered": "obtained", "kept": "obtained"}
"""Quantity -> what its share is a share of."""

USUAL = {"palacio2018": (0.015, 0.04)}
"""Profile -> parts of what was obtained that it may reject of YFCC100m (0.0255)."""

CHANCE = 0.5
"""Shards that chance may put outside of their bands, however many shards there are."""

STRANGERS = 20
"""A file from so many users is their host's: people share few with so many others."""

TRIVIAL = 4
"""A dHash with so few bits set, or unset, is that of any nearly uniform picture."""

FILES = 61
"""Temporary files, a prime: all bits decide. 40 MB each at 100 million photographs."""

COLUMNS = ["photoid", "uid", "licence", "outcome", "bytes", "sha256"]
COPY = np.dtype(
    [("sha", "u8"), ("user", "u8"), ("shard", "i4"), ("row", "i4"), ("kept", "?")]
)
LOOK = np.dtype([("dhash", "u8"), ("sha", "u8")])


def first_words(digests):
    """Uint64 (N,): the first 8 bytes of a Series of hexadecimal SHA-256 digests."""
    data = bytes.fromhex("".join(digests.to_numpy(object)))
    return np.frombuffer(data, ">u8")[::4].astype(np.uint64)


def trivial(dhash):
    """Which dHashes (N,) cannot tell one picture from another."""
    bits = np.bitwise_count(dhash)
    return (bits <= TRIVIAL) | (bits >= 64 - TRIVIAL)


def checked(store, marker):
    """A shard's manifest and index, once both agree with the marker.

    Raises:
        UserError: they do not, or a photo id stands in two rows.
    """
    manifest, idx = read_manifest(store, marker, COLUMNS), read_idx(store, marker)
    path = files_of(store, marker["shard"]).manifest
    counts = manifest["outcome"].value_counts().to_dict()
    told = {name: count for name, count in marker["outcomes"].items() if count}
    if strange := sorted(counts.keys() - OUTCOMES.keys()):
        raise changed(path, f"{strange[0]!r} is no outcome")
    if counts != told or len(manifest) != marker["rows"]:
        raise changed(
            path,
            f"{len(manifest)} rows, {counts}, where the marker has {marker['rows']},"
            f" {told}",
        )
    ids = manifest.loc[manifest["outcome"] != "repeated", "photoid"]
    if ids.duplicated().any():
        raise changed(path, f"photo {ids[ids.duplicated()].iloc[0]} stands there twice")
    kept = first_words(manifest.loc[manifest["outcome"] == "kept", "sha256"])
    if len(kept) != marker["kept"] or not np.array_equal(idx["sha"], kept):
        raise changed(path, "keeps other photographs than the .idx.npy beside it")
    return manifest, idx


def scatter(records, by, files):
    """Append each record to the file that a column's value decides."""
    number = records[by] % np.uint64(len(files))
    order = np.argsort(number, kind="stable")
    borders = np.searchsorted(number[order], np.arange(1, len(files)))
    for file, part in zip(files, np.split(records[order], borders), strict=True):
        file.write(part.tobytes())


def gathered(files, dtype):
    """What was scattered, a DataFrame from each file."""
    for file in files:
        file.seek(0)
        yield pd.DataFrame(np.fromfile(file, dtype))


def copies_of(manifest, shard):
    """A record of every file obtained that is not known as a placeholder already."""
    known = (manifest["sha256"] == "") | (manifest["outcome"] == "placeholder")
    rows = manifest[~known]
    copies = np.empty(len(rows), COPY)
    copies["sha"] = first_words(rows["sha256"])
    copies["user"] = pd.util.hash_array(rows["uid"].to_numpy(object))
    copies["shard"], copies["row"] = shard, rows.index
    copies["kept"] = rows["outcome"] == "kept"
    return copies


def surplus(values):
    """Groups of equal values, and the values in them beyond one a group."""
    counts = values.value_counts()
    counts = counts[counts > 1]
    return np.array([len(counts), counts.sum() - len(counts)])


def strangers(copies):
    """Files of many users: DataFrame photos, users, and the first one's shard, row."""
    counts = copies["sha"].value_counts()
    many = copies[copies["sha"].isin(counts.index[counts >= STRANGERS])]
    found = many.groupby("sha").agg(
        photos=("user", "size"),
        users=("user", "nunique"),
        shard=("shard", "first"),
        row=("row", "first"),
    )
    return found[found["users"] >= STRANGERS]


def proposals(store, found):
    """What ``strangers`` found, for a person to judge, the most users first.

    Returns:
        DataFrame: sha256, photos, users; bytes, outcome and photoid of the first one.
    """
    parts = []
    for shard, group in found.groupby("shard"):
        marker = read_json(files_of(store, shard).json)
        first = read_manifest(store, marker, COLUMNS).iloc[group["row"]]
        parts.append(first.assign(**group[["photos", "users"]].set_index(first.index)))
    columns = ["sha256", "photos", "users", "bytes", "outcome", "photoid"]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
    return table.sort_values(["users", "sha256"], ascending=[False, True])[columns]


class Overlap:
    """How many photographs share a value with an image of another set.

    Args:
        values: uint64 (N,), one an image.
    """

    def __init__(self, values):
        self.values, self.images = np.unique(values, return_counts=True)
        self.met = np.zeros(len(self.values), bool)
        self.photos = 0

    def add(self, values):
        """Count more photographs (M,); returns which of them share theirs."""
        found = np.isin(values, self.values)
        self.met[np.searchsorted(self.values, values[found])] = True
        self.photos += int(found.sum())
        return found

    def counts(self):
        """Photographs, and images of the other set, that share."""
        return {"photos": self.photos, "images": int(self.images[self.met].sum())}


def marks(path, dhash_of):
    """First word of the SHA-256, and dHash, of a set's images: uint64 (2, N)."""
    images, found = ImageSet(path, 1), []
    for number in range(len(images)):
        data = images.bytes_of(number)
        digest = hashlib.sha256(data).digest()
        found.append((int.from_bytes(digest[:8], "big"), dhash_of(data)))
    return np.array(found, np.uint64).T


def banded(shards):
    """The rejected part of every shard, and what chance allows it to be.

    A hash deals the photographs to the shards, so that those rejected are binomial
    about the rate of all. The bands are so wide that chance puts fewer than ``CHANCE``
    shards outside, however many there are.

    Args:
        shards: DataFrame shard, rows, obtained, rejected.

    Returns:
        DataFrame: the same, and rate, low, high (in [0, 1]; missing where nothing was
        obtained), outside.
    """
    obtained, rejected = shards["obtained"], shards["rejected"]
    pooled, tail = rejected.sum() / obtained.sum(), CHANCE / len(shards) / 2
    low, high = binom.ppf(tail, obtained, pooled), binom.isf(tail, obtained, pooled)
    return shards.assign(
        rate=rejected / obtained,
        low=low / obtained,
        high=high / obtained,
        outside=(rejected < low) | (rejected > high),
    )


def totals(counts):
    """Every quantity of ``PAPER`` by the counts of the outcomes."""
    found = Counter()
    for name, outcome in OUTCOMES.items():
        found[outcome.group] += counts[name]
    found["obtained"] = found["filtered"] + found["kept"]
    found["wanted"] = found["missing"] + found["obtained"]
    found["rows"] = found["unwanted"] + found["wanted"]
    return {quantity: found[quantity] for quantity in PAPER}


def beside_paper(found):
    """Our totals and the paper's.

    Returns:
        DataFrame: quantity, photos, share, of (what it is a share of), paper,
        paper_share.
    """
    table = pd.DataFrame({"photos": found, "paper": PAPER}).rename_axis("quantity")
    whole = pd.Series(OF).reindex(table.index)
    for name, share in (("photos", "share"), ("paper", "paper_share")):
        table[share] = table[name] / whole.map(table[name])
    table["of"] = whole.fillna("")
    order = ["photos", "share", "of", "paper", "paper_share"]
    return table[order].reset_index()


def explained(counts, found):
    """Every outcome: DataFrame outcome, group, meaning, photos, share, of."""
    table = pd.DataFrame(OUTCOMES.values(), OUTCOMES).rename_axis("outcome")
    table["photos"] = pd.Series(counts).reindex(table.index, fill_value=0)
    table["of"] = table["group"].map(OF)
    table["share"] = table["photos"] / table["of"].map(found)
    order = ["group", "meaning", "photos", "share", "of"]
    return table[order].reset_index()


def gate(found, counts, rows_read, most_rejected):
    """Stop what must not be indexed.

    Raises:
        UserError: rows were lost or made, nothing was obtained, or too much rejected.
    """
    if found["rows"] != rows_read:
        raise UserError(
            f"the metadata had {rows_read:,} rows and the shards have"
            f" {found['rows']:,}; delete the rows and the batches' reports and rerun"
        )
    if not found["obtained"]:
        raise UserError(
            f"none of the {found['wanted']:,} photographs wanted was obtained; see the"
            " source under clean"
        )
    rejected = found["filtered"] / found["obtained"]
    if rejected > most_rejected:
        reasons = ", ".join(
            f"{name} {count:,}"
            for name, count in counts.most_common()
            if count and OUTCOMES[name].group == "filtered"
        )
        raise UserError(
            f"clean.most_rejected: {rejected:.2%} of {found['obtained']:,} photographs"
            f" obtained are rejected ({reasons}), more than {most_rejected:.2%}; mend"
            " the source, or allow more"
        )


def audit(
    store,
    reports,
    shards,
    *,
    rows,
    profile,
    most_rejected,
    validation,
    dhash_of,
    folder,
):
    """Audit a store, with a shard, or a ``FILES``-th part of it, in memory at a time.

    Args:
        reports: paths of the batches' reports.
        shards: how many there are.
        rows: rows of the metadata.
        profile, most_rejected: as in ``config.Clean``.
        validation: index of the labelled validation set.
        dhash_of: bytes of an image -> its dHash.
        folder: for temporary files, 41 bytes a photograph.

    Returns:
        (dict of DataFrames: outcomes, totals, shards, licences, proposed; dict of all
        else that the report says).

    Raises:
        UserError: a shard that does not fit its marker, and all of ``gate``.
    """
    shas, dhashes = marks(validation, dhash_of)
    exact, near = Overlap(shas), Overlap(dhashes[~trivial(dhashes)])
    counts, licences, dull, by_shard = Counter(), Counter(), 0, []
    report = Progress(rows)
    with ExitStack() as stack:
        copies, looks = (
            [stack.enter_context(TemporaryFile(dir=folder)) for _ in range(FILES)]
            for _ in range(2)
        )
        for marker in markers(store, reports, shards):
            manifest, idx = checked(store, marker)
            own = totals(found := Counter(marker["outcomes"]))
            by_shard.append(
                (marker["shard"], own["rows"], own["obtained"], own["filtered"])
            )
            counts += found
            kept = manifest["outcome"] == "kept"
            licences.update(manifest.loc[kept, "licence"].value_counts().to_dict())
            scatter(copies_of(manifest, marker["shard"]), "sha", copies)
            same, telling = exact.add(idx["sha"]), ~trivial(idx["dhash"])
            dull += int((~telling).sum())
            near.add(idx["dhash"][telling & ~same])
            look = np.empty(telling.sum(), LOOK)
            for name in LOOK.names:
                look[name] = idx[name][telling]
            scatter(look, "dhash", looks)
            report(counts.total())
        found = totals(counts)
        gate(found, counts, rows, most_rejected)
        repeated, common = np.zeros(2, int), []
        for table in gathered(copies, COPY):
            repeated += surplus(table.loc[table["kept"], "sha"])
            common.append(strangers(table))
        alike = sum(
            surplus(table.drop_duplicates()["dhash"]) for table in gathered(looks, LOOK)
        )
    columns = ["shard", "rows", "obtained", "rejected"]
    tables = {
        "outcomes": explained(counts, found),
        "totals": beside_paper(found),
        "shards": banded(pd.DataFrame(by_shard, columns=columns)),
        "licences": pd.DataFrame(
            [
                (name, count, count / found["kept"])
                for name, count in licences.most_common()
            ],
            columns=["licence", "photos", "share"],
        ),
        "proposed": proposals(store, pd.concat(common)),
    }
    rejected = found["filtered"] / found["obtained"]
    low, high = USUAL.get(profile, (0, 1))
    summary = {
        "profile": profile,
        "rejected": rejected,
        "unusual": None if low <= rejected <= high else [low, high],
        "shards": shards,
        "outside": tables["shards"].query("outside")["shard"].tolist(),
        "exact": dict(zip(("groups", "surplus"), repeated.tolist(), strict=True)),
        "near": dict(zip(("groups", "surplus"), alike.tolist(), strict=True)),
        "trivial": dull,
        "validation": len(shas),
        "overlap_exact": exact.counts(),
        "overlap_near": near.counts(),
        "proposed": len(tables["proposed"]),
        "proposed_photos": int(tables["proposed"]["photos"].sum()),
        "strangers": STRANGERS,
    }
    return tables, summary
