"""Cleaning one shard: each row's outcome, and whether a shard must be made again."""

import hashlib
import json
import math
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, get_args

from s2snets.cleaning.exclusion import ExclusionLists
from s2snets.cleaning.fetched import Fetched, source_name
from s2snets.cleaning.metadata import Row
from s2snets.cleaning.quality import Verdict, judge
from s2snets.cleaning.shard import (
    Entry,
    ShardFiles,
    lock_shard,
    read_shard,
    shard_files,
    update_shard,
    write_shard,
)
from s2snets.config import Clean, Licence
from s2snets.data.packing import map_ahead
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, sha256
from s2snets.runtime.fingerprint import fingerprint

JUDGING_PACKAGES = ("numpy", "pillow", "simplejpeg")
PREFETCHED = 2  # photographs fetched ahead of the judge, for each connection
UNCHANGING = {"malformed", "repeated", "video"}  # outcomes that no list affects
LISTED = "digest"  # the detail of placeholders that are on the list

Judge = Callable[[bytes, str], Verdict]
"""A function of a photograph's bytes and the name of a profile; see ``judge``."""


class PhotoSource(Protocol):
    """A function that fetches the photograph of a row, for several threads at once."""

    connections: int  # how many

    def __call__(self, row: Row, /) -> Fetched:
        """Fetch the photograph of a row."""


class UnfinishedError(UserError):
    """Too many photographs of a shard did not arrive; other shards may do better."""


def outcomes_before_fetching(
    rows: Iterable[Row], licences: Iterable[str], lists: ExclusionLists
) -> Iterator[str]:
    """Yield each row's outcome where it needs no photograph, empty where it does.

    An unknown licence is accepted only where every licence is.
    """
    allowed = set(licences)
    if allowed == set(get_args(Licence)):
        allowed.add("")
    seen = set()
    for row in rows:
        if row.flaw:
            yield "malformed"
        elif row.photoid in seen:
            yield "repeated"
        elif int(row.video):
            yield "video"
        elif lists.excludes(row):
            yield "excluded"
        else:
            yield "" if row.licence in allowed else "licence"
        seen.add(row.photoid)


def unfetched_entry(row: Row | Entry, outcome: str, detail: str = "") -> Entry:
    """Return the entry of a row without a photograph."""
    detail = " ".join(detail.split())
    return Entry(row.photoid, row.uid, row.licence, row.line, outcome, detail)


def placeholder_entry(entry: Entry) -> Entry:
    """Return the entry of a file that is on the list of placeholders."""
    unknown = dict.fromkeys(("width", "height", "format", "p95", "dhash"), "")
    return entry._replace(outcome="placeholder", detail=LISTED, **unknown)


def fetched_entry(
    row: Row, fetched: Fetched, profile: str, lists: ExclusionLists, judge: Judge
) -> Entry:
    """Return the entry of a row that was fetched."""
    status = " ".join(fetched.status.split())
    entry = unfetched_entry(row, fetched.outcome)
    entry = entry._replace(status=status, tries=str(fetched.tries))
    if fetched.data is None:
        return entry
    digest = hashlib.sha256(fetched.data).hexdigest()
    entry = entry._replace(bytes=str(len(fetched.data)), sha256=digest)
    if digest in lists.placeholders:
        return placeholder_entry(entry)
    verdict = judge(fetched.data, profile)
    return entry._replace(
        outcome=verdict.outcome,
        width=str(verdict.width or ""),
        height=str(verdict.height or ""),
        format=verdict.format,
        p95="" if math.isnan(verdict.p95) else f"{verdict.p95:.6g}",
        dhash=f"{verdict.dhash:016x}" if verdict.outcome == "kept" else "",
    )


def judged_entries(
    rows: list[Row],
    clean: Clean,
    lists: ExclusionLists,
    fetch: PhotoSource,
    judge: Judge,
    on_done: Callable[[int], object],
) -> Generator[tuple[Entry, bytes | None], None, None]:
    """Yield every row's entry and its photograph's bytes, in the rows' order.

    Raises:
        UnfinishedError: more than ``clean.max_failed`` of the photographs did not
            arrive.
    """
    outcomes = list(outcomes_before_fetching(rows, clean.licences, lists))
    wanted = [row for row, outcome in zip(rows, outcomes, strict=True) if not outcome]
    failed, pool = 0, ThreadPoolExecutor(fetch.connections)
    try:
        arriving = map_ahead(pool, fetch, wanted, PREFETCHED * fetch.connections)
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome:
                yield unfetched_entry(row, outcome, row.flaw), None
            else:
                fetched = next(arriving)
                entry = fetched_entry(row, fetched, clean.profile, lists, judge)
                failed += entry.outcome == "fetch_error"
                if failed > clean.max_failed * len(wanted):
                    raise UnfinishedError(
                        f"{failed} of {len(wanted)} photographs did not arrive, such"
                        f" as {row.photoid} ({entry.status})"
                    )
                yield entry, fetched.data
            on_done(1)
    finally:
        pool.shutdown(cancel_futures=True)


def rules_fingerprint() -> str:
    """Return the fingerprint of the code that judges a photograph.

    It covers `judge` and all that this refers to, whatever their modules are called.
    """
    return fingerprint(judge)


def settings_digest(clean: Clean) -> str:
    """Return a digest of the settings and the code that decide the outcomes.

    The lists are not in it, since their entries are applied in place, see ``amend``.
    """
    decisive = {
        "profile": clean.profile,
        "licences": sorted(clean.licences),
        "source": source_name(clean),
        "shards": clean.shards,
        "rules": rules_fingerprint(),
    }
    text = json.dumps(decisive, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def rows_digest(rows: Iterable[Row]) -> str:
    """Return a digest of a shard's rows and their order."""
    digest = hashlib.sha256()
    for row in rows:
        line = "\t".join(row)
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()[:16]


def amend(entry: Entry, lists: ExclusionLists) -> Entry | None:
    """Apply the lists to an entry; None if its photograph must be fetched again."""
    if entry.outcome in UNCHANGING:
        return entry
    if lists.excludes(entry):
        return unfetched_entry(entry, "excluded")
    if entry.sha256 in lists.placeholders:
        return placeholder_entry(entry)
    return None if entry.outcome == "excluded" or entry.detail == LISTED else entry


def is_up_to_date(
    files: ShardFiles, about: dict[str, Any], lists: ExclusionLists
) -> bool:
    """Return whether a shard is up to date, rewriting it where the lists have grown.

    ``about`` is what its marker must say.
    """
    if (stored := read_shard(files)) is None:
        return False
    marker, entries = stored
    after = [
        amended for entry in entries if (amended := amend(entry, lists)) is not None
    ]
    if not about.items() <= marker.items() or len(after) < len(entries):
        return False
    return update_shard(files, marker, entries, after)


def clean_shard(
    store: Path,
    shard: int,
    rows: list[Row],
    *,
    clean: Clean,
    lists: ExclusionLists,
    source: Callable[[], AbstractContextManager[PhotoSource]],
    judge: Judge,
    on_done: Callable[[int], object],
) -> dict[str, Any]:
    """Make a shard, unless it exists: every row gets one outcome.

    A shard that was made of the same rows by the same settings stays, or is rewritten
    from its own tar where the lists have grown. What has left a list is fetched again,
    with all of its shard.
    ``on_done`` is called with each number of rows that are done.

    Returns:
        shard, rows, kept, outcomes, and the sha256 of the marker.

    Raises:
        UnfinishedError: more than ``clean.max_failed`` of the photographs did not
            arrive.
        UserError: the source is at fault, or the disk full or not writable.
    """
    files = shard_files(store, shard)
    about = {
        "shard": shard,
        "shards": clean.shards,
        "settings": settings_digest(clean),
        "plan": rows_digest(rows),
    }
    with lock_shard(files):
        if is_up_to_date(files, about, lists):
            on_done(len(rows))
        else:
            about["versions"] = {name: version(name) for name in JUDGING_PACKAGES}
            try:
                with (
                    source() as fetch,
                    # Closed before the source, also when the disk is full.
                    closing(
                        judged_entries(rows, clean, lists, fetch, judge, on_done)
                    ) as entries,
                ):
                    write_shard(files, entries, about)
            except UnfinishedError as error:
                raise UnfinishedError(
                    f"{files.tar}: {error}; rerun, or raise clean.max_failed"
                ) from None
        marker = read_json(files.json)
        return {
            **{name: marker[name] for name in ("shard", "rows", "kept", "outcomes")},
            "sha256": sha256(files.json),
        }


def scrub(files: ShardFiles, lists: ExclusionLists) -> list[Entry] | None:
    """Remove what is on the lists from a shard, without fetching anything.

    Returns:
        The entries of the photographs removed; None where the shard is not whole, so
        that its contents are unknown.
    """
    with lock_shard(files):
        if not any(path.exists() for path in files):
            return []
        if (stored := read_shard(files)) is None:
            return None
        marker, entries = stored
        after = [
            unfetched_entry(entry, "excluded")
            if lists.excludes(entry) and entry.outcome not in UNCHANGING
            else entry
            for entry in entries
        ]
        if not update_shard(files, marker, entries, after):
            return None
    return [
        old
        for old, new in zip(entries, after, strict=True)
        if old.outcome == "kept" and new.outcome != "kept"
    ]
