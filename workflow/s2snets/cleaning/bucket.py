"""Photographs in an S3 bucket."""

import hashlib
import re
import threading
from contextlib import closing, contextmanager

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    TokenRetrievalError,
)

from s2snets.cleaning.fetched import (
    LARGEST,
    TOO_LARGE,
    Fetched,
    Transient,
    members,
    missing,
    persist,
)
from s2snets.runtime.errors import UserError

TIMEOUT = 30  # seconds to connect, and without a byte
# Codes that are true of every photograph alike: no try, and no other key, mends them.
HOPELESS = {
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
ERRORS = (ClientError, BotoCoreError)
PLAIN_MD5 = re.compile('"[0-9a-f]{32}"')


def client_of(bucket, connections):
    """A client of boto3's, which threads may share.

    It tries once: ``persist`` counts the tries, and repeats a broken body likewise,
    which boto3 would not.

    Raises:
        UserError: an address or region that is none.
    """
    options = Config(
        signature_version=UNSIGNED if bucket.unsigned else None,
        retries={"total_max_attempts": 1},
        max_pool_connections=connections,
        connect_timeout=TIMEOUT,
        read_timeout=TIMEOUT,
    )
    try:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=bucket.endpoint,
            region_name=bucket.region,
            config=options,
        )
    except (ValueError, BotoCoreError) as error:
        raise UserError(
            f"clean.s3: {error}; mend endpoint, region or profile"
        ) from None


def status_of(error):
    """The HTTP status in an error of boto3's; empty where there was no answer."""
    answer = getattr(error, "response", {}).get("ResponseMetadata", {})
    return str(answer.get("HTTPStatusCode", ""))


def whole(answer):
    """An object's bytes, once length and digest are those that S3 told.

    Raises:
        Transient: they are not.
    """
    data = answer["Body"].read(LARGEST + 1)
    if len(data) > LARGEST:
        return TOO_LARGE
    if answer.get("ContentLength") not in (None, len(data)):
        raise Transient("IncompleteRead")
    tag, lock = answer.get("ETag", ""), answer.get("ServerSideEncryption", "AES256")
    # Objects stored in parts, or encrypted by a key service, have other tags.
    if PLAIN_MD5.fullmatch(tag) and lock == "AES256":
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if tag != f'"{digest}"':
            raise Transient("ETag")
    return Fetched(data, status="200")


@contextmanager
def open_bucket(bucket, processes):
    """Yields (fetch, connections) for a bucket.

    S3 answers 403 both for a photograph that is not there, where the bucket may not
    be listed, and to someone who may read nothing. So 403 means missing once one
    photograph has been read, and before that it is a failure like others.

    Args:
        bucket: a ``config.Bucket``.
        processes: how many of the job's processes share its connections.

    Raises:
        UserError: at once or on fetching: no such bucket, address or credentials.
    """
    connections = max(1, bucket.connections // processes)
    client = client_of(bucket, connections)
    readable = threading.Event()

    def judged(error):
        """An error of boto3's as Fetched; raises what is not about one photograph."""
        if isinstance(error, NO_CREDENTIALS):
            raise UserError(
                f"clean.s3: {error}; set them up for boto3, or set unsigned: true"
            ) from None
        if not isinstance(error, ClientError):
            raise Transient(type(error).__name__) from None
        code, status = error.response["Error"]["Code"], status_of(error)
        if code in HOPELESS:
            raise UserError(f"clean.s3: {bucket.bucket}: {code}; {HOPELESS[code]}")
        if status == "404" or (status == "403" and readable.is_set()):
            return missing(status)
        raise Transient(status) from None

    def get(key):
        try:
            answer = client.get_object(Bucket=bucket.bucket, Key=key)
            with closing(answer["Body"]):
                found = whole(answer)
        except ERRORS as error:
            return judged(error)
        readable.set()
        return found

    def fetch(row):
        found, tries = missing(""), 0
        for name in members(row):
            key = f"{bucket.prefix}/{name}".lstrip("/")
            found = persist(lambda key=key: get(key), bucket.tries)
            tries += found.tries
            if found.outcome != "missing":
                break
        return found._replace(tries=max(1, tries))

    def probe():
        try:
            client.head_bucket(Bucket=bucket.bucket)
        except ERRORS as error:
            # Who may not list a bucket is refused here, and may yet read from it.
            if status_of(error) != "403":
                return judged(error)
        return Fetched(b"")

    with closing(client):
        probed = persist(probe, bucket.tries)
        if probed.outcome == "missing":
            raise UserError(
                f"clean.s3: no bucket {bucket.bucket}; mend clean.s3.bucket"
            )
        if probed.outcome:
            raise UserError(
                f"clean.s3: {bucket.bucket} cannot be reached ({probed.status}); see"
                " endpoint, region and the network"
            )
        yield fetch, connections
