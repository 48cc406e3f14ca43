"""Which outcome a row gets, and when a shard's must be found anew."""

import hashlib
import json
import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.metadata import version
from typing import get_args

from s2snets.cleaning.shard import (
    Damaged,
    Entry,
    files_of,
    owned,
    read,
    rewrite,
    write,
)
from s2snets.config import Licence
from s2snets.data.shards import mapped
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, sha256
from s2snets.runtime.fingerprint import fingerprint

ROW = ("photoid", "uid", "key", "ext", "licence", "video", "url", "line", "flaw")
SOURCES = ("tree", "zips", "s3", "http")
JUDGES = ("numpy", "pillow", "simplejpeg")
AHEAD = 2  # photographs fetched ahead of the judge, for each connection
UNCHANGING = {"malformed", "repeated", "video"}  # whatever is on a list
LISTED = "digest"  # the detail of placeholders that are on the list


class Unfinished(UserError):
    """Too many of a shard's photographs did not arrive; other shards may do better."""


def early(rows, licences, lists):
    """Each row's outcome where it needs no photograph; empty where it does.

    An unknown licence passes only where every licence does.
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


def bare(row, outcome, detail=""):
    """The entry of a row without a photograph."""
    detail = " ".join(detail.split())
    return Entry(row.photoid, row.uid, row.licence, row.line, outcome, detail)


def listed(entry):
    """The entry of a file that is on the list of placeholders."""
    unknown = dict.fromkeys(("width", "height", "format", "p95", "dhash"), "")
    return entry._replace(outcome="placeholder", detail=LISTED, **unknown)


def late(row, fetched, profile, lists, judge):
    """The entry of a row that was fetched."""
    status = " ".join(fetched.status.split())
    entry = bare(row, fetched.outcome)._replace(status=status, tries=str(fetched.tries))
    if fetched.data is None:
        return entry
    digest = hashlib.sha256(fetched.data).hexdigest()
    entry = entry._replace(bytes=str(len(fetched.data)), sha256=digest)
    if digest in lists.placeholders:
        return listed(entry)
    verdict = judge(fetched.data, profile)
    return entry._replace(
        outcome=verdict.outcome,
        width=str(verdict.width or ""),
        height=str(verdict.height or ""),
        format=verdict.format,
        p95="" if math.isnan(verdict.p95) else f"{verdict.p95:.6g}",
        dhash=f"{verdict.dhash:016x}" if verdict.outcome == "kept" else "",
    )


def entries_of(rows, clean, lists, fetch, judge, tell):
    """Every row's (Entry, photograph's bytes or None), in the rows' order.

    Raises:
        Unfinished: more than ``clean.most_failed`` of the photographs did not arrive.
    """
    outcomes = list(early(rows, clean.licences, lists))
    wanted = [row for row, outcome in zip(rows, outcomes, strict=True) if not outcome]
    failed, pool = 0, ThreadPoolExecutor(fetch.connections)
    try:
        arriving = mapped(pool, fetch, wanted, AHEAD * fetch.connections)
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome:
                yield bare(row, outcome, row.flaw), None
            else:
                fetched = next(arriving)
                entry = late(row, fetched, clean.profile, lists, judge)
                failed += entry.outcome == "fetch_error"
                if failed > clean.most_failed * len(wanted):
                    raise Unfinished(
                        f"{failed} of {len(wanted)} photographs did not arrive, such"
                        f" as {row.photoid} ({entry.status})"
                    )
                yield entry, fetched.data
            tell(1)
    finally:
        pool.shutdown(cancel_futures=True)


def settings_of(clean):
    """Fingerprint of the settings and the code that decide the outcomes.

    The lists are not in it: what they add is done in place, see ``amended``.
    """
    decisive = {
        "profile": clean.profile,
        "licences": sorted(clean.licences),
        "source": next(name for name in SOURCES if getattr(clean, name) is not None),
        "shards": clean.shards,
        "rules": fingerprint("s2snets.cleaning.quality"),
    }
    text = json.dumps(decisive, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan_of(rows):
    """Fingerprint of a shard's rows and their order."""
    digest = hashlib.sha256()
    for row in rows:
        line = "\t".join(getattr(row, name) for name in ROW)
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()[:16]


def amended(entry, lists):
    """An entry as the lists have it now; None: its photograph is needed again."""
    if entry.outcome in UNCHANGING:
        return entry
    if lists.excludes(entry):
        return bare(entry, "excluded")
    if entry.sha256 in lists.placeholders:
        return listed(entry)
    return None if entry.outcome == "excluded" or entry.detail == LISTED else entry


def stands(files, about, lists):
    """Whether a shard is there, made of this, once it is as the lists have it now."""
    if (found := read(files)) is None:
        return False
    marker, entries = found
    after = [amended(entry, lists) for entry in entries]
    if not about.items() <= marker.items() or None in after:
        return False
    try:
        if after != entries:
            rewrite(files, marker, entries, after)
    except Damaged:
        return False
    return True


def clean_shard(store, shard, rows, *, clean, lists, source, judge, tell):
    """Make a shard, unless it is there: every row gets one outcome.

    A shard that was made of the same rows by the same settings stays, or is written
    again from its own tar where the lists have grown. What has left a list is fetched
    again, with all of its shard.

    Args:
        store: folder of the shards.
        rows: in the order of the shard; of texts with the names ``ROW``.
        clean: a ``config.Clean``.
        lists: an ``exclusion.Lists``.
        source: () -> context manager of ``fetch(row) -> Fetched``, whose attribute
            ``connections`` says how many threads may call it at once.
        judge: (bytes, profile) -> ``Verdict``.
        tell: called with each number of rows that are done.

    Returns:
        dict: shard, rows, kept, outcomes, and the sha256 of the marker.

    Raises:
        Unfinished: more than ``clean.most_failed`` of the photographs did not arrive.
        UserError: the source is at fault, or the disk full or not to be written to.
    """
    files = files_of(store, shard)
    about = {
        "shard": shard,
        "shards": clean.shards,
        "settings": settings_of(clean),
        "plan": plan_of(rows),
    }
    with owned(files):
        if stands(files, about, lists):
            tell(len(rows))
        else:
            about["versions"] = {name: version(name) for name in JUDGES}
            try:
                with (
                    source() as fetch,
                    # Closed before the source, also when the disk is full.
                    closing(
                        entries_of(rows, clean, lists, fetch, judge, tell)
                    ) as entries,
                ):
                    write(files, entries, about)
            except Unfinished as mistake:
                raise Unfinished(
                    f"{files.tar}: {mistake}; rerun, or raise clean.most_failed"
                ) from None
        marker = read_json(files.json)
        return {
            **{name: marker[name] for name in ("shard", "rows", "kept", "outcomes")},
            "sha256": sha256(files.json),
        }


def scrub(files, lists):
    """Remove from a shard, without fetching anything, what must go.

    Returns:
        the entries of the photographs removed; None where the shard is not whole, so
        that nobody knows what is in it.
    """
    with owned(files):
        if not any(path.exists() for path in files):
            return []
        if (found := read(files)) is None:
            return None
        marker, entries = found
        after = [
            bare(entry, "excluded")
            if lists.excludes(entry) and entry.outcome not in UNCHANGING
            else entry
            for entry in entries
        ]
        try:
            if after != entries:
                rewrite(files, marker, entries, after)
        except Damaged:
            return None
    return [
        old
        for old, new in zip(entries, after, strict=True)
        if old.outcome == "kept" and new.outcome != "kept"
    ]
