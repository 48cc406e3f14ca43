"""Photographs from a bucket: a local S3 server, and stubs of what it never answers."""

import io
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from moto.server import ThreadedMotoServer
from servers import DRIPS, KEY, Reply, row, serving

from s2snets.cleaning import bucket as module
from s2snets.cleaning import deadline, fetched
from s2snets.cleaning.fetched import Fetched
from s2snets.cleaning.source import open_source
from s2snets.config import Clean
from s2snets.runtime.errors import UserError

PLACE = f"data/images/1a2/b3c/{KEY}"


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """Hide this machine's credentials and proxies, and shorten pauses."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetched, "FIRST_PAUSE", 0.001)


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def owner(endpoint):
    """Return a client that may do everything, with a new bucket."""
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip
    client.create_bucket(Bucket="photos")
    yield client
    for item in client.list_objects_v2(Bucket="photos").get("Contents", []):
        client.delete_object(Bucket="photos", Key=item["Key"])
    client.delete_bucket(Bucket="photos")


def settings(endpoint=None, **changes):
    s3 = {"bucket": "photos", "endpoint": endpoint, "region": "us-east-1", "tries": 3}
    return Clean(metadata=["yfcc100m_dataset"], s3=s3 | changes)


def test_eight_threads_fetch_what_is_there_and_miss_what_is_not(owner, endpoint):
    photos = {f"{n:x}" * 28: bytes([n]) * 1000 for n in range(1, 16)}
    for key, data in photos.items():
        owner.put_object(
            Bucket="photos", Key=f"data/images/{key[:3]}/{key[3:6]}/{key}.jpg",
            Body=data, ACL="public-read",
        )  # fmt: skip
    with (
        open_source(settings(endpoint)) as fetch,
        ThreadPoolExecutor(8) as pool,
    ):
        assert fetch.connections == 16
        found = list(pool.map(fetch, [row(key) for key in [*photos, KEY] * 3]))
    expected = [Fetched(data, "", "200", 1) for data in photos.values()]
    assert found == [*expected, Fetched(None, "missing", "404", 1)] * 3


def test_the_metadatas_suffix_is_tried_after_jpg(owner, endpoint):
    owner.put_object(Bucket="photos", Key=f"{PLACE}.png", Body=b"x", ACL="public-read")
    with open_source(settings(endpoint)) as fetch:
        assert fetch(row(KEY, ext="png")) == Fetched(b"x", "", "200", 2)


def test_processes_share_the_connections(owner, endpoint):
    with open_source(settings(endpoint), processes=8) as fetch:
        assert fetch.connections == 2


def test_an_object_that_was_stored_in_parts_has_a_tag_that_is_no_digest(
    owner, endpoint
):
    part = b"x" * 5 * 2**20
    upload = owner.create_multipart_upload(
        Bucket="photos", Key=f"{PLACE}.jpg", ACL="public-read"
    )["UploadId"]
    same = {"Bucket": "photos", "Key": f"{PLACE}.jpg", "UploadId": upload}
    tags = [
        owner.upload_part(PartNumber=number, Body=part, **same)["ETag"]
        for number in (1, 2)
    ]
    parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]
    owner.complete_multipart_upload(MultipartUpload={"Parts": parts}, **same)
    with open_source(settings(endpoint)) as fetch:
        assert fetch(row(KEY)).data == 2 * part


def test_no_such_bucket_is_a_mistake(endpoint):
    with (
        pytest.raises(UserError, match=r"no bucket nowhere; mend clean\.s3\.bucket"),
        open_source(settings(endpoint, bucket="nowhere")),
    ):
        pass


def test_no_credentials_is_a_mistake(owner, endpoint):
    with (
        pytest.raises(UserError, match=r"clean\.s3: .*credentials.*unsigned: true"),
        open_source(settings(endpoint, unsigned=False)),
    ):
        pass


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"endpoint": "http://127.0.0.1:1"}, "cannot be reached .EndpointConnection"),
        ({"endpoint": "nonsense"}, "Invalid endpoint"),
        ({"bucket": "no/bucket name"}, "cannot be reached|no bucket"),
    ],
)
def test_an_endpoint_or_bucket_that_is_none_is_a_mistake(endpoint, changes, complaint):
    changes = {"endpoint": endpoint} | changes
    with (
        pytest.raises(UserError, match=complaint),
        open_source(settings(**changes)),
    ):
        pass


def test_without_rights_nothing_is_filed_as_missing(owner, endpoint):
    owner.put_object(Bucket="photos", Key=f"{PLACE}.jpg", Body=b"x", ACL="private")
    outcomes = []
    with (
        open_source(settings(endpoint, tries=1)) as fetch,
        pytest.raises(UserError, match="in a row failed, the last with 403"),
    ):
        outcomes.extend(fetch(row(KEY)) for _ in range(100))
    assert set(outcomes) == {Fetched(None, "fetch_error", "403", 1)}


def test_with_rights_403_means_missing(owner, endpoint):
    owner.put_object(Bucket="photos", Key=f"{PLACE}.jpg", Body=b"x", ACL="private")
    public = "data/images/999/999/999999.jpg"
    owner.put_object(Bucket="photos", Key=public, Body=b"y", ACL="public-read")
    with open_source(settings(endpoint, tries=1)) as fetch:
        assert fetch(row("999999")).data == b"y"
        assert fetch(row(KEY)) == Fetched(None, "missing", "403", 1)


# ---- what the local server never answers


@pytest.fixture
def stubbed(monkeypatch):
    """Return a Stubber that gives the answers of every bucket."""
    client = boto3.client(
        "s3", region_name="us-east-1",
        aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip
    monkeypatch.setattr(module, "make_client", lambda *_: client)
    with Stubber(client) as stubber:
        yield stubber


@pytest.fixture
def listed(stubbed):
    """Return the same, whose bucket has been found."""
    stubbed.add_response("head_bucket", {})
    return stubbed


def refuse(stubber, code, status, times=1):
    for _ in range(times):
        stubber.add_client_error("get_object", code, http_status_code=status)


def answer(stubber, data, told=None, tag=None, **more):
    body = StreamingBody(io.BytesIO(data), len(data) if told is None else told)
    length = len(data) if told is None else told
    found = {"Body": body, "ContentLength": length, "ETag": tag or '"-"', **more}
    stubber.add_response("get_object", found, {"Bucket": ANY, "Key": f"{PLACE}.jpg"})


MD5_OF_X = '"9dd4e461268c8034f5c8564e155c67a6"'


@pytest.mark.parametrize(
    ("code", "status"),
    [("SlowDown", 503), ("InternalError", 500), ("TooManyRequests", 429)],
)
def test_throttling_is_tried_again_and_never_filed_as_missing(listed, code, status):
    refuse(listed, code, status, times=2)
    answer(listed, b"x", tag=MD5_OF_X)
    refuse(listed, code, status, times=3)
    with open_source(settings()) as fetch:
        assert fetch(row(KEY)) == Fetched(b"x", "", "200", 3)
        assert fetch(row(KEY)) == Fetched(None, "fetch_error", str(status), 3)


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"told": 2}, "IncompleteRead"), ({"tag": f'"{"0" * 32}"'}, "ETag")],
)
def test_a_short_or_changed_body_is_tried_again(listed, fault, status):
    answer(listed, b"x", **fault)
    answer(listed, b"x", tag=MD5_OF_X)
    for _ in range(3):
        answer(listed, b"x", **fault)
    with open_source(settings()) as fetch:
        assert fetch(row(KEY)) == Fetched(b"x", "", "200", 2)
        assert fetch(row(KEY)) == Fetched(None, "fetch_error", status, 3)


def test_who_may_not_list_the_bucket_may_yet_read_from_it(stubbed):
    stubbed.add_client_error("head_bucket", "403", http_status_code=403)
    answer(stubbed, b"x")
    with open_source(settings()) as fetch:
        assert fetch(row(KEY)) == Fetched(b"x", "", "200", 1)


def test_the_tag_of_an_encrypted_object_is_no_digest(listed):
    answer(listed, b"x", tag=f'"{"0" * 32}"', ServerSideEncryption="aws:kms")
    with open_source(settings()) as fetch:
        assert fetch(row(KEY)).data == b"x"


def test_a_body_too_large_for_memory_is_given_up(listed, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 3)
    answer(listed, b"four")
    with open_source(settings()) as fetch:
        assert fetch(row(KEY)).outcome == "too_large"


@pytest.mark.parametrize("code", sorted(module.FATAL))
def test_what_is_true_of_every_photograph_is_a_mistake_at_once(listed, code):
    refuse(listed, code, 403)
    with (
        open_source(settings()) as fetch,
        pytest.raises(UserError, match=f"{code}; {module.FATAL[code]}"),
    ):
        fetch(row(KEY))


def test_a_connection_that_breaks_in_the_body_is_tried_again():
    replies = [Reply(b"half", short=4), Reply(b"whole")]
    plan = {"/photos": [Reply()], f"/photos/{PLACE}.jpg": replies}
    with (
        serving(plan) as server,
        open_source(settings(server.url(""))) as fetch,
    ):
        assert fetch(row(KEY)) == Fetched(b"whole", "", "200", 2)


@pytest.mark.parametrize("drip", DRIPS)
def test_an_object_that_drips_is_a_failed_try(monkeypatch, drip):
    monkeypatch.setattr(deadline, "MAX_TIMEOUTS", 0.3 / module.TIMEOUT)
    plan = {"/photos": [Reply()], f"/photos/{PLACE}.jpg": [drip, Reply(b"whole")]}
    with serving(plan) as server, open_source(settings(server.url(""))) as fetch:
        assert fetch(row(KEY)) == Fetched(b"whole", "", "200", 2)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nLast-Modified: Fri, 31 Dec 99999 23:59:59 GMT\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-amz-missing-meta: many\r\n\r\n",
        b"HTTP/1.1 400 Bad\r\n\r\n<Error></Error>",
        b"HTTP/1.1 301 Moved\r\nLocation: http://[::1\r\n\r\n",
    ],
)
def test_an_answer_without_sense_is_one_photographs_failure(raw):
    plan = {"/photos": [Reply()], f"/photos/{PLACE}.jpg": [Reply(raw=raw)]}
    with serving(plan) as server, open_source(settings(server.url(""))) as fetch:
        answer = fetch(row(KEY))
    assert (answer.outcome, answer.tries) == ("fetch_error", 3)
