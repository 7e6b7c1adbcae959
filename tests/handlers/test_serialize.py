"""handlers.serialize: the very version that was uploaded is fetched, or the fault has its name."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import boto3
import botocore.exceptions
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from contract.errors import (
    AccessDenied,
    BucketNotFound,
    ConfigurationError,
    EncryptionKeyUnavailable,
    ImageTooLarge,
    InvalidEvent,
    InvalidImage,
    ObjectNotFound,
    SconesError,
    StorageUnavailable,
    Throttled,
)
from contract.photos import StoredObject
from handlers import serialize
from tests.photo_builders import GREEN, RED, answering, decoded, encoded, is_near, lambda_context, quarters

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET, KEY = "photos", "incoming/a.png"
PHOTO = encoded(quarters(), "PNG")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Client"]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "IMAGE_SIZE": "32",
        "MAX_IMAGE_BYTES": "20000",
        "MAX_IMAGE_PIXELS": "1000000",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    with mock_aws():
        serialize.s3_client.cache_clear()
        serialize.limits_from_environment.cache_clear()
        client = serialize.s3_client()
        client.create_bucket(Bucket=BUCKET)
        yield client
    serialize.s3_client.cache_clear()
    serialize.limits_from_environment.cache_clear()


@pytest.fixture
def versioned(s3: "S3Client") -> "S3Client":
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


def requests(s3: "S3Client") -> list[str]:
    """The operations that are sent from now on."""
    sent: list[str] = []
    s3.meta.events.register("before-send.s3", lambda event_name, **_: sent.append(event_name.rpartition(".")[2]))
    return sent


def serialized(event: dict[str, object]) -> dict[str, object]:
    return serialize.handler(event, lambda_context())


def plain(key: str = KEY, **more: object) -> dict[str, object]:
    return {"s3_bucket": BUCKET, "s3_key": key, "image_data": "", **more}


def first_pixel(answer: dict[str, object]) -> tuple[int, ...]:
    return decoded(base64.b64decode(str(answer["image_data"]))).getpixel((4, 4))


def test_the_answer_holds_the_events_keys_the_version_and_the_small_picture(versioned: "S3Client"):
    version = versioned.put_object(Bucket=BUCKET, Key=KEY, Body=PHOTO)["VersionId"]
    answer = serialized(plain(order=7))
    assert {**answer, "image_data": ""} == {
        "s3_bucket": BUCKET,
        "s3_key": KEY,
        "s3_version": version,
        "image_data": "",
        "inferences": [],
        "order": 7,
    }
    picture = decoded(base64.b64decode(str(answer["image_data"]), validate=True))
    assert (picture.size, picture.mode, picture.format) == ((32, 32), "RGB", "PNG")
    assert len(json.dumps(answer)) < 10_000


@pytest.mark.parametrize(
    "key",
    ["incoming/a b.png", "incoming/a+b.png", "incoming/Fahrräder/自車 🚲.png", "incoming/'x' \"y\" %41&=?#.png"],
)
def test_a_photo_is_found_under_any_key_in_any_shape_of_event(key: str, s3: "S3Client"):
    s3.put_object(Bucket=BUCKET, Key=key, Body=PHOTO)
    record = {"s3": {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key, safe="/")}}}
    bridge = {"source": "aws.s3", "detail": {"bucket": {"name": BUCKET}, "object": {"key": key}}}
    answers = [serialized(event) for event in (plain(key), {"Records": [record]}, bridge)]
    assert [answer["s3_key"] for answer in answers] == [key] * 3
    assert {answer["image_data"] for answer in answers} == {answers[0]["image_data"]}
    assert not {"Records", "detail"} & {name for answer in answers for name in answer}


def test_a_bucket_without_versions_gives_the_version_null(s3: "S3Client"):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=PHOTO)
    assert serialized(plain())["s3_version"] == "null"
    assert serialized(plain(s3_version="null"))["s3_version"] == "null"


def test_the_version_of_the_event_is_read_and_not_a_later_one(versioned: "S3Client"):
    red = versioned.put_object(Bucket=BUCKET, Key=KEY, Body=PHOTO)["VersionId"]
    green = versioned.put_object(Bucket=BUCKET, Key=KEY, Body=encoded(quarters().rotate(90), "PNG"))["VersionId"]
    old, new = serialized(plain(s3_version=red)), serialized(plain(s3_version=""))
    assert (old["s3_version"], new["s3_version"]) == (red, green)
    assert is_near(first_pixel(old), RED)
    assert is_near(first_pixel(new), GREEN)


def test_bytes_and_version_are_of_one_answer(versioned: "S3Client"):
    first = versioned.put_object(Bucket=BUCKET, Key=KEY, Body=PHOTO)["VersionId"]
    replace_after_get(versioned)
    sent = requests(versioned)
    answer = serialized(plain())
    assert answer["s3_version"] == first
    assert is_near(first_pixel(answer), RED)
    assert sent == ["GetObject"]


def test_without_versions_too_a_photo_is_read_as_it_was_at_one_moment(s3: "S3Client"):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=PHOTO)
    replace_after_get(s3)
    assert is_near(first_pixel(serialized(plain())), RED)
    assert is_near(first_pixel(serialized(plain())), GREEN)


def replace_after_get(s3: "S3Client") -> None:
    other, done = boto3.client("s3"), []

    def replace(**_: object) -> None:
        if not done:
            done.append(other.put_object(Bucket=BUCKET, Key=KEY, Body=encoded(quarters().rotate(90), "PNG")))

    s3.meta.events.register("after-call.s3.GetObject", replace)


class Unread(BytesIO):
    """A body that nobody may read; it says whether it was closed."""

    def read(self, *words: object) -> bytes:
        raise AssertionError("the body was read")

    def stream(self, *words: object) -> Iterator[bytes]:
        raise AssertionError("the body was read")


def unread(length: int) -> tuple[Unread, Callable[..., AWSResponse]]:
    """A `before-send` hook: an object of so many bytes, none of which may be read."""
    body = Unread()
    return body, lambda request, **_: AWSResponse(request.url, 200, {"Content-Length": str(length)}, body)


def test_a_photo_larger_than_the_limit_is_refused_before_its_body_is_read(s3: "S3Client"):
    body, hook = unread(20_001)
    s3.meta.events.register_first("before-send.s3.GetObject", hook)
    with pytest.raises(ImageTooLarge, match=r"20,001 bytes; at most 20,000"):
        serialized(plain())
    assert body.closed, "the rest would come all the same"


def test_an_empty_file_is_refused(s3: "S3Client"):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"")
    with pytest.raises(InvalidImage, match=f"s3://{BUCKET}/{KEY} is empty"):
        serialized(plain())


def test_photos_come_over_one_connection_but_for_what_follows_a_refused_one(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch
):
    connections: list[object] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            connections.append(self.connection)
            body = PHOTO if "small" in self.path else bytes(30_000)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{server.server_port}")
    try:
        for _ in range(3):
            serialize.fetch(client, StoredObject(BUCKET, "small", ""), max_bytes=20_000)
        with pytest.raises(ImageTooLarge):
            serialize.fetch(client, StoredObject(BUCKET, "large", ""), max_bytes=20_000)
        serialize.fetch(client, StoredObject(BUCKET, "small", ""), max_bytes=20_000)
    finally:
        server.shutdown()
        server.server_close()
    assert [len(set(connections[:4])), len(set(connections))] == [1, 2]


def test_the_limit_on_bytes_is_inclusive(s3: "S3Client"):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=bytes(20_000))
    with pytest.raises(InvalidImage, match="is not read"):
        serialized(plain())


def test_a_missing_key_and_a_missing_bucket_are_told_apart(s3: "S3Client"):
    with pytest.raises(ObjectNotFound, match=f"s3://{BUCKET}/{KEY}"):
        serialized(plain())
    with pytest.raises(BucketNotFound, match="no-such-bucket"):
        serialized({"s3_bucket": "no-such-bucket", "s3_key": KEY})


def test_a_deleted_photo_is_not_found_but_its_version_is(versioned: "S3Client"):
    version = versioned.put_object(Bucket=BUCKET, Key=KEY, Body=PHOTO)["VersionId"]
    marker = versioned.delete_object(Bucket=BUCKET, Key=KEY)["VersionId"]
    assert serialized(plain(s3_version=version))["s3_version"] == version
    for gone in ("", marker):
        with pytest.raises(ObjectNotFound):
            serialized(plain(s3_version=gone))


@pytest.mark.parametrize("version", ["no-such-version", "x" * 32])
def test_a_missing_version_is_not_found_rather_than_replaced_by_another(version: str, versioned: "S3Client"):
    versioned.put_object(Bucket=BUCKET, Key=KEY, Body=PHOTO)
    with pytest.raises(ObjectNotFound, match=version):
        serialized(plain(s3_version=version))


def test_a_bucket_that_cannot_be_is_the_events_fault(s3: "S3Client"):
    with pytest.raises(InvalidEvent, match="not a bucket"):
        serialized({"s3_bucket": "not a bucket!", "s3_key": KEY})


@set_initial_no_auth_action_count(4)
def test_without_permission_it_is_access_that_is_denied(s3: "S3Client"):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=PHOTO)
    iam = boto3.client("iam")
    iam.create_user(UserName="function")
    made = iam.create_access_key(UserName="function")["AccessKey"]
    policy = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    iam.put_user_policy(
        UserName="function",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [policy]}),
    )
    client = boto3.client("s3", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])
    with pytest.raises(AccessDenied, match=f"s3://{BUCKET}/{KEY}"):
        serialize.fetch(client, StoredObject(BUCKET, KEY, ""), max_bytes=20_000)


def s3_fault(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>said S3</Message></Error>".encode()


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (403, "", AccessDenied),
        (400, "", ObjectNotFound),
        (405, "MethodNotAllowed", ObjectNotFound),
        (400, "InvalidRequest", ObjectNotFound),
        (404, "", ObjectNotFound),
        (503, "", Throttled),
        (429, "", Throttled),
        (500, "", StorageUnavailable),
        (502, "", StorageUnavailable),
        (503, "SlowDown", Throttled),
        (503, "ServiceUnavailable", StorageUnavailable),
        (500, "InternalError", StorageUnavailable),
        (403, "AccessDenied", AccessDenied),
        (400, "KMS.DisabledException", EncryptionKeyUnavailable),
        (400, "KMS.KMSInvalidStateException", EncryptionKeyUnavailable),
        (400, "KMS.NotFoundException", EncryptionKeyUnavailable),
        (400, "KMS.ThrottlingException", Throttled),
        (400, "KMS.KMSInternalException", StorageUnavailable),
        (400, "RequestTimeout", StorageUnavailable),
        (400, "ExpiredToken", StorageUnavailable),
        (403, "InvalidObjectState", ObjectNotFound),
        (404, "NoSuchKey", ObjectNotFound),
        (404, "NoSuchVersion", ObjectNotFound),
        (404, "NoSuchBucket", BucketNotFound),
    ],
)
def test_what_s3_answers_becomes_a_fault_with_its_name(
    status: int, code: str, fault: type[SconesError], s3: "S3Client"
):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=PHOTO)
    impatient = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
    hook = answering(status, s3_fault(code) if code else b"")
    impatient.meta.events.register_first("before-send.s3.GetObject", hook)
    with pytest.raises(SconesError, match=BUCKET) as raised:
        serialize.fetch(impatient, StoredObject(BUCKET, KEY, ""), max_bytes=20_000)
    assert type(raised.value) is fault


def test_a_connection_that_breaks_can_be_tried_again(s3: "S3Client"):
    def breaks(**_: object) -> None:
        raise botocore.exceptions.EndpointConnectionError(endpoint_url="https://s3")

    s3.meta.events.register_first("before-send.s3.GetObject", breaks)
    with pytest.raises(StorageUnavailable, match=f"s3://{BUCKET}/{KEY} could not be read"):
        serialized(plain())


def test_a_download_that_breaks_off_can_be_tried_again(s3: "S3Client"):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=PHOTO)
    cut = answering(200, PHOTO[:20], {"Content-Length": str(len(PHOTO))})
    s3.meta.events.register_first("before-send.s3.GetObject", cut)
    with pytest.raises(StorageUnavailable, match=f"s3://{BUCKET}/{KEY} could not be read"):
        serialized(plain())


@pytest.mark.parametrize("name", ["IMAGE_SIZE", "MAX_IMAGE_BYTES", "MAX_IMAGE_PIXELS"])
def test_a_limit_that_is_set_wrong_is_named(name: str, s3: "S3Client", monkeypatch: pytest.MonkeyPatch):
    serialize.limits_from_environment.cache_clear()
    monkeypatch.setenv(name, "many")
    with pytest.raises(ConfigurationError, match=f"{name}.*'many'"):
        serialized(plain())
