"""Photographs in an S3 bucket."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    TokenRetrievalError,
)

from s2snets.cleaning.deadline import limited_pools
from s2snets.cleaning.fetched import (
    MAX_BYTES,
    TOO_LARGE,
    Fetch,
    Fetched,
    TransientError,
    missing,
    published_paths,
    retry,
)
from s2snets.cleaning.metadata import Row
from s2snets.config.cleaning import Bucket
from s2snets.runtime.errors import UserError

TIMEOUT = 30  # seconds to connect, and without a byte
# Error codes that hold for every photograph: neither a retry nor another key helps.
FATAL = {
    "NoSuchBucket": "mend clean.s3.bucket",
    "PermanentRedirect": "mend clean.s3.region",
    "AuthorizationHeaderMalformed": "mend clean.s3.region",
    "InvalidAccessKeyId": "renew the credentials",
    "SignatureDoesNotMatch": "renew the credentials",
    "ExpiredToken": "renew the credentials",
    "InvalidToken": "renew the credentials",
    "AccountProblem": "ask the bucket's owner",
    "RequestTimeTooSkewed": "set this machine's clock",
}
NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
)
PLAIN_MD5 = re.compile('"[0-9a-f]{32}"')


def make_client(settings: Bucket, connections: int) -> BaseClient:
    """Return a client of boto3's, which threads may share.

    It tries once: ``retry`` counts the tries, and repeats a broken body too, which
    boto3 would not.

    Raises:
        UserError: the endpoint or region is not valid.
    """
    options = Config(
        signature_version=UNSIGNED if settings.unsigned else None,
        retries={"total_max_attempts": 1},
        max_pool_connections=connections,
        connect_timeout=TIMEOUT,
        read_timeout=TIMEOUT,
    )
    try:
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            config=options,
        )
    except (ValueError, BotoCoreError) as error:
        raise UserError(
            f"clean.s3: {error}; mend endpoint, region or profile"
        ) from None
    # boto3 has no setting for this; the dictionary is that of all its managers.
    pools = client._endpoint.http_session._pool_classes_by_scheme
    pools.update(limited_pools(pools, TIMEOUT))
    return client


def http_status(error: Exception) -> str:
    """Return the HTTP status in an error of boto3's; empty where nothing answered."""
    answer = getattr(error, "response", {}).get("ResponseMetadata", {})
    return str(answer.get("HTTPStatusCode", ""))


def read_object(answer: dict[str, Any]) -> Fetched:
    """Return an object's bytes, of the length and digest that S3 announced.

    Raises:
        TransientError: they have another length or digest.
    """
    data = answer["Body"].read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        return TOO_LARGE
    if answer.get("ContentLength") not in (None, len(data)):
        raise TransientError("IncompleteRead")
    tag, cipher = answer.get("ETag", ""), answer.get("ServerSideEncryption", "AES256")
    # Objects stored in parts, or encrypted by a key service, have other tags.
    if PLAIN_MD5.fullmatch(tag) and cipher == "AES256":
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if tag != f'"{digest}"':
            raise TransientError("ETag")
    return Fetched(data, status="200")


class BucketReader:
    """A bucket of photographs, read by several threads.

    S3 answers 403 both for a photograph that is not there, where the bucket may not
    be listed, and to someone who may read nothing. So 403 means missing once one
    photograph has been read, and before that it is a failure like others.
    """

    def __init__(self, settings: Bucket, client: BaseClient) -> None:
        self.settings, self.client = settings, client
        self.readable = threading.Event()

    def check(self) -> None:
        """Raise if there is no such bucket or it cannot be reached."""
        name = self.settings.bucket
        answer = retry(self.head, self.settings.tries)
        if answer.outcome == "missing":
            raise UserError(f"clean.s3: no bucket {name}; mend clean.s3.bucket")
        if answer.outcome:
            raise UserError(
                f"clean.s3: {name} cannot be reached ({answer.status}); see endpoint,"
                " region and the network"
            )

    def head(self) -> Fetched:
        """Ask once whether the bucket exists; the answer holds no bytes."""
        try:
            self.client.head_bucket(Bucket=self.settings.bucket)
        except Exception as error:
            # Who may not list a bucket is refused here, and may yet read from it.
            if http_status(error) != "403":
                return self.explain(error)
        return Fetched(b"")

    def explain(self, error: Exception) -> Fetched:
        """Return the answer that boto3's error gives about one photograph.

        Raises:
            TransientError: the error may pass.
            UserError: the error holds for all photographs.
        """
        if isinstance(error, NO_CREDENTIALS):
            raise UserError(
                f"clean.s3: {error}; set them up for boto3, or set unsigned: true"
            ) from None
        if not isinstance(error, ClientError):
            raise TransientError(type(error).__name__) from None
        code, status = error.response["Error"].get("Code"), http_status(error)
        if code in FATAL:
            raise UserError(f"clean.s3: {self.settings.bucket}: {code}; {FATAL[code]}")
        if status == "404" or (status == "403" and self.readable.is_set()):
            return missing(status)
        raise TransientError(status) from None

    def get(self, key: str) -> Fetched:
        """Try once to read an object."""
        try:
            answer = self.client.get_object(Bucket=self.settings.bucket, Key=key)
            with closing(answer["Body"]):
                photo = read_object(answer)
        except TransientError:
            raise
        except Exception as error:  # boto3 raises any type on a hostile answer
            return self.explain(error)
        self.readable.set()
        return photo

    def fetch(self, row: Row) -> Fetched:
        """Read the photograph of a row."""
        answer, tries = missing(""), 0
        for path in published_paths(row):
            key = f"{self.settings.prefix}/{path}".lstrip("/")
            answer = retry(partial(self.get, key), self.settings.tries)
            tries += answer.tries
            if answer.outcome != "missing":
                break
        return answer._replace(tries=max(1, tries))


@contextmanager
def open_bucket(settings: Bucket, processes: int) -> Iterator[tuple[Fetch, int]]:
    """Yield a bucket's function ``fetch`` and its share of the connections.

    Raises:
        UserError: there is no such bucket, address or credentials; also on fetching.
    """
    connections = max(1, settings.connections // processes)
    with closing(make_client(settings, connections)) as client:
        reader = BucketReader(settings, client)
        reader.check()
        yield reader.fetch, connections
