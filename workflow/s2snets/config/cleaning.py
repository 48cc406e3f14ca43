"""Settings of the cleaning of photographs (section 3.2)."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from s2snets.config.base import (
    Count,
    Distinct,
    Fraction,
    Positive,
    Settings,
    UserPath,
)

Licence = Literal["by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"]


class Bucket(Settings):
    """Photographs in an S3 bucket, or in another store with the same protocol."""

    bucket: str = Field("multimedia-commons", description="Name of the bucket.")
    prefix: str = Field(
        "data/images", description="Start of the keys, before `k[:3]/k[3:6]/k.jpg`."
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
        description="Address for the host's complaints, sent with every request.",
    )
    rate: Positive = Field(1.0, description="Requests a second to one host, by a job.")
    connections: Count = Field(2, description="Requests to one host at once, by a job.")
    tries: Count = Field(6, description="Tries before a photograph counts as failed.")
    timeout: Positive = Field(
        30.0,
        description="Seconds without a byte after which a try fails, as it does when a"
        " whole answer takes ten times as long.",
    )

    @field_validator("contact")
    @classmethod
    def check_contact(cls, contact: str) -> str:
        """Require an address, in characters that a header of HTTP can carry."""
        if not re.fullmatch(r"[ -~]*([!-~]@|https?://)[!-~][ -~]*", contact):
            raise ValueError(
                "give an address such as me@example.org or https://example.org, in"
                " printable ASCII"
            )
        return contact


class Zips(Settings):
    """Photographs in zip files."""

    path: UserPath = Field(description="Folder of zip files, searched to any depth.")
    names: Literal["key", "line"] = Field(
        "key",
        description="How members are named: by key (`012345abc….jpg`), or by the line"
        " of the metadata, in the zip's and the member's name (`12/345.zip:678.jpg`).",
    )


class Clean(Settings):
    """Cleaning of photographs, from metadata or a folder (section 3.2)."""

    metadata: list[UserPath] = Field(
        [],
        description="YFCC100m's metadata: its ten parts of 23 columns, its one file of"
        " 25 columns, both as `.bz2` or unpacked, or the SQLite file. Empty: every"
        " image below `tree` is a photograph.",
    )
    hashes: UserPath | None = Field(
        None,
        description="`yfcc100m_hash.bz2`: the keys of the ten parts as published; null:"
        " keys are computed from the addresses, which gives the same.",
    )
    tree: UserPath | None = Field(
        None,
        description="Folder of the photographs: `k[:3]/k[3:6]/k.jpg` by key, where"
        " there is metadata; else any folder of images.",
    )
    zips: Zips | None = Field(None, description="Zip files, instead of `tree`.")
    s3: Bucket | None = Field(None, description="A bucket, instead of `tree`.")
    http: Web | None = Field(
        None,
        description="The addresses in the metadata, instead of `tree`.",
    )
    store: UserPath | None = Field(
        None,
        description="Folder of the cleaned shards, which studies may share; null:"
        " `results/NAME/clean`.",
    )
    shards: Count = Field(
        10_000,
        description="Number of tar shards; a photograph is equally likely in each.",
    )
    batches: Count = Field(250, description="Number of jobs that share the shards.")
    profile: Literal["palacio2018", "strict"] = Field(
        "palacio2018",
        description="Rules of rejection: the authors' own, as published with their"
        " loader (`datadings`), or those of this project; `docs/cleaning.md` has both.",
    )
    licences: Annotated[list[Licence], Distinct] = Field(
        ["by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"],
        min_length=1,
        description="Licences to keep (the paper: all).",
    )
    exclude: UserPath | None = Field(
        None,
        description="List of photographs to remove, one per line: photo ids, or users'"
        " ids (`12345678@N00`).",
    )
    placeholders: UserPath | None = Field(
        None,
        description="List of SHA-256 digests of placeholder files, which hosts serve in"
        " place of a deleted photograph: proposed by the audit, accepted by a person.",
    )
    held_out: Count = Field(
        50_000, description="Photographs kept for validation (50,000; section 3.2)."
    )
    max_failed: Fraction = Field(
        0.001,
        description="Greatest fraction of a shard's photographs that may fail to"
        " arrive, not counting deleted ones; above it the shard waits for the next"
        " run.",
    )
    max_rejected: Fraction = Field(
        0.1,
        description="Greatest fraction of the photographs obtained that may be"
        " rejected; above it the source is taken to be wrong, and nothing is indexed"
        " (paper: 0.0255).",
    )

    @model_validator(mode="after")
    def check_source(self) -> Self:
        """Require one source, and metadata where it has no file names."""
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
            raise ValueError("hashes: needs metadata")
        if self.batches > self.shards:
            raise ValueError("batches: no more than shards")
        return self
