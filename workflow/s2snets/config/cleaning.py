"""Photographs that must be cleaned first (section 3.2)."""

from typing import Literal

from pydantic import Field, model_validator

from s2snets.config.base import Count, Fraction, Homely, Positive, Settings

Licence = Literal["by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"]


class Bucket(Settings):
    """Photographs in an S3 bucket, or in any store that speaks its language."""

    bucket: str = Field("multimedia-commons", description="Name of the bucket.")
    prefix: str = Field(
        "data/images", description="What stands before `k[:3]/k[3:6]/k.jpg`."
    )
    endpoint: str | None = Field(
        None, description="Address of another provider's store; null: Amazon's."
    )
    region: str = Field("us-west-2", description="Region of the bucket.")
    unsigned: bool = Field(
        True,
        description="Read without an account; false: with the credentials that boto3"
        " finds.",
    )
    connections: Count = Field(16, description="Photographs fetched at once by a job.")
    tries: Count = Field(6, description="Tries before a photograph counts as failed.")


class Web(Settings):
    """Photographs from where they were published; mind the host's terms."""

    contact: str = Field(
        pattern=r"\S+@\S+|https?://\S+",
        description="Address that the host can complain to: it is sent along.",
    )
    rate: Positive = Field(1.0, description="Requests a second to one host, by a job.")
    connections: Count = Field(2, description="Requests to one host at once, by a job.")
    tries: Count = Field(6, description="Tries before a photograph counts as failed.")
    timeout: Positive = Field(
        30.0, description="Seconds without a byte after which a try has failed."
    )


class Zips(Settings):
    """Photographs in zip files."""

    path: Homely = Field(description="Folder of zip files, searched to any depth.")
    names: Literal["key", "line"] = Field(
        "key",
        description="What a member is called by: its key (`012345abc….jpg`), or its"
        " line of the metadata, in the zip's name and its own (`12/345.zip:678.jpg`).",
    )


class Clean(Settings):
    """From published metadata, or a folder, to clean photographs (section 3.2)."""

    metadata: list[Homely] = Field(
        [],
        description="YFCC100m's metadata: its ten parts of 23 columns, its one file of"
        " 25 columns, both as `.bz2` or unpacked, or the SQLite file. Empty: every"
        " image below `tree` is a photograph.",
    )
    hashes: Homely | None = Field(
        None,
        description="`yfcc100m_hash.bz2`: the keys of the ten parts as published; null:"
        " keys are computed from the addresses, which gives the same.",
    )
    tree: Homely | None = Field(
        None,
        description="Folder of the photographs: `k[:3]/k[3:6]/k.jpg` by key, where"
        " there is metadata; else any folder of images.",
    )
    zips: Zips | None = Field(None, description="Or zip files.")
    s3: Bucket | None = Field(None, description="Or a bucket.")
    http: Web | None = Field(None, description="Or the addresses in the metadata.")
    store: Homely | None = Field(
        None,
        description="Folder of the cleaned shards, which studies may share; null:"
        " `results/NAME/clean`.",
    )
    shards: Count = Field(10_000, description="Tar shards; each has equal chances.")
    batches: Count = Field(250, description="Jobs that share them.")
    profile: Literal["palacio2018", "strict"] = Field(
        "palacio2018",
        description="Rules of rejection: the authors' own, as published with their"
        " loader (`datadings`), or those of this project; `docs/cleaning.md` has both.",
    )
    licences: list[Licence] = Field(
        ["by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"],
        min_length=1,
        description="Licences to keep (the paper: all).",
    )
    exclude: Homely | None = Field(
        None,
        description="List of photographs that must go, one a line: photo ids, or users'"
        " ids (`12345678@N00`).",
    )
    placeholders: Homely | None = Field(
        None,
        description="List of SHA-256 digests of files that only stand for a deleted"
        " photograph: those proposed by the audit that a person has accepted.",
    )
    held_out: Count = Field(
        50_000, description="Photographs kept for validation (50,000; section 3.2)."
    )
    most_failed: Fraction = Field(
        0.001,
        description="Part of a shard's photographs that may fail to arrive, for other"
        " reasons than being gone; above it the shard waits for the next run.",
    )
    most_rejected: Fraction = Field(
        0.1,
        description="Part of the photographs obtained that may be rejected; above it"
        " something is wrong with the source, and nothing is indexed (paper: 0.0255).",
    )

    @model_validator(mode="after")
    def consistent(self):
        given = [
            name
            for name in ("tree", "zips", "s3", "http")
            if getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise ValueError(
                "give one of tree, zips, s3 and http,"
                f" not {', '.join(given) or 'none of them'}"
            )
        if not self.metadata and given != ["tree"]:
            raise ValueError(f"metadata: is needed with {given[0]}")
        if self.hashes is not None and not self.metadata:
            raise ValueError("hashes: is of no use without metadata")
        if self.batches > self.shards:
            raise ValueError("batches: no more than shards")
        return self
