"""Endpoints, through boto3 alone: what they answer, refuse and capture, and how they are replaced."""

import base64
import io
import json
import re
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from localcloud.sagemaker.capture import Capture
from tests.localcloud.sagemaker.cloud import BUCKET, Cloud, eventually, picture, running_cloud

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def two(cloud: Cloud) -> str:
    return uri(cloud.train(cloud.dataset()))


@pytest.fixture(scope="module")
def three(cloud: Cloud) -> str:
    return uri(cloud.train(cloud.dataset(classes=3), num_classes="3"))


@pytest.fixture(scope="module")
def endpoint(cloud: Cloud, two: str) -> str:
    return cloud.endpoint(cloud.configuration(two))


def uri(job: str) -> str:
    return f"s3://{BUCKET}/models/{job}/output/model.tar.gz"


def scores(answer: Any) -> list[float]:
    return json.loads(answer["Body"].read())


def capture_to(prefix: str, **changes: Any) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/{prefix}",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        **changes,
    }


def bomb() -> bytes:
    """A PNG of a few bytes whose header says 100,000 x 100,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_the_answer_is_probabilities_in_label_order(cloud: Cloud, endpoint: str) -> None:
    right = 0
    for index in range(40):
        label = index % 2
        values = scores(cloud.invoke(endpoint, picture(label, 50_000 + index)))
        assert len(values) == 2 and sum(values) == pytest.approx(1) and all(0 <= value <= 1 for value in values)
        right += values[label] > 0.5
    assert right >= 30


def test_the_answer_names_its_variant_and_type(cloud: Cloud, endpoint: str) -> None:
    answer = cloud.invoke(endpoint, picture(0))
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("application/json", "main")


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "application/x-image"])
def test_each_image_type_is_taken(cloud: Cloud, endpoint: str, content_type: str) -> None:
    data = io.BytesIO()
    kind = "JPEG" if content_type == "image/jpeg" else "PNG"
    Image.open(io.BytesIO(picture(1))).save(data, kind)
    assert len(scores(cloud.invoke(endpoint, data.getvalue(), content_type))) == 2


def test_an_image_is_stretched_to_the_models_shape(cloud: Cloud, endpoint: str) -> None:
    image = Image.open(io.BytesIO(picture(0)))
    wide = io.BytesIO()
    image.resize((96, 32), Image.Resampling.NEAREST).save(wide, "PNG")
    stretched = scores(cloud.invoke(endpoint, wide.getvalue()))
    assert stretched == pytest.approx(scores(cloud.invoke(endpoint, picture(0))), abs=0.2)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"not an image", "application/x-image", 400, "not a PNG or JPEG"),
        (b"", "application/x-image", 400, "not a PNG or JPEG"),
        (picture(0)[:300], "image/png", 400, "unable to decode"),
        (bomb(), "image/png", 400, "unable to decode"),
        (picture(0), "application/json", 415, "application/json"),
    ],
)
def test_what_the_container_refuses_is_a_model_error(
    cloud: Cloud, endpoint: str, body: bytes, content_type: str, status: int, words: str
) -> None:
    with pytest.raises(ClientError) as error:
        cloud.invoke(endpoint, body, content_type)
    response = error.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == status
    assert words in response["OriginalMessage"]
    assert response["LogStreamArn"].startswith("arn:aws:logs:us-east-1:000000000000:log-group:")


def test_an_unknown_endpoint_is_a_validation_error_in_awss_words(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as error:
        cloud.invoke("nowhere", picture(0))
    assert error.value.response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint nowhere of account 000000000000 not found.",
    }


def test_a_payload_above_six_megabytes_is_refused(cloud: Cloud, endpoint: str) -> None:
    with pytest.raises(ClientError) as error:
        cloud.invoke(endpoint, bytes(6 * 1024 * 1024 + 1))
    assert error.value.response["Error"]["Code"] == "ValidationError"


def test_an_invocation_takes_milliseconds(cloud: Cloud, endpoint: str) -> None:
    body = picture(0)
    seconds: list[float] = []
    for _ in range(20):
        began = time.perf_counter()
        cloud.invoke(endpoint, body)
        seconds.append(time.perf_counter() - began)
    assert sorted(seconds)[10] < 0.05


def test_an_endpoint_whose_model_is_missing_fails_with_a_reason(cloud: Cloud) -> None:
    name = cloud.endpoint(cloud.configuration(f"s3://{BUCKET}/models/none/output/model.tar.gz"))
    record = cloud.settled(name)
    assert record["EndpointStatus"] == "Failed"
    assert "NoSuchKey" in record["FailureReason"]
    with pytest.raises(ClientError, match="not found"):
        cloud.invoke(name, picture(0))


@pytest.mark.parametrize("data", [b"no archive", b"\x1f\x8b\x08\x00 cut"])
def test_an_endpoint_whose_model_is_damaged_fails_with_a_reason(cloud: Cloud, data: bytes) -> None:
    cloud.put("models/damaged.tar.gz", data)
    record = cloud.settled(cloud.endpoint(cloud.configuration(f"s3://{BUCKET}/models/damaged.tar.gz")))
    assert record["EndpointStatus"] == "Failed"
    assert "not a model" in record["FailureReason"]


def test_an_update_never_leaves_the_endpoint_unanswered(cloud: Cloud, two: str, three: str) -> None:
    name = cloud.endpoint(cloud.configuration(two))
    lengths: list[int] = []
    done = threading.Event()

    def ask() -> None:
        client = Cloud(cloud.server, cloud.url, cloud.aws_url)
        while not done.is_set():
            lengths.append(len(scores(client.invoke(name, picture(0)))))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        eventually(lambda: len(lengths) > 5)
        replacement = cloud.configuration(three)
        cloud.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=replacement)
        record = cloud.settled(name)
        assert (record["EndpointStatus"], record["EndpointConfigName"]) == ("InService", replacement)
        before = len(lengths)
        eventually(lambda: len(lengths) > before + 5)
    finally:
        done.set()
        asking.join()
    assert lengths == sorted(lengths) and set(lengths) == {2, 3}


def test_an_update_to_a_missing_model_keeps_the_old_one_in_service(cloud: Cloud, two: str) -> None:
    first = cloud.configuration(two)
    name = cloud.endpoint(first)
    second = cloud.configuration(f"s3://{BUCKET}/models/none/output/model.tar.gz")
    cloud.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=second)
    record = cloud.settled(name)
    assert (record["EndpointStatus"], record["EndpointConfigName"]) == ("InService", first)
    assert "NoSuchKey" in record["FailureReason"]
    assert len(scores(cloud.invoke(name, picture(0)))) == 2


def test_a_deleted_endpoint_no_longer_answers(cloud: Cloud, two: str) -> None:
    name = cloud.endpoint(cloud.configuration(two))
    cloud.sagemaker.delete_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match="not found"):
        cloud.invoke(name, picture(0))


def test_an_endpoint_deleted_while_its_model_loads_stays_deleted(
    cloud: Cloud, two: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from localcloud.sagemaker import hosting

    loading, go = threading.Event(), threading.Event()
    unpack = hosting.unpack

    def slowly(data: bytes) -> Any:
        loading.set()
        go.wait(10)
        return unpack(data)

    monkeypatch.setattr(hosting, "unpack", slowly)
    cloud.sagemaker.create_endpoint(EndpointName="brief", EndpointConfigName=cloud.configuration(two))
    assert loading.wait(10)
    with pytest.raises(ClientError, match="not found"):
        cloud.invoke("brief", picture(0))
    cloud.sagemaker.delete_endpoint(EndpointName="brief")
    go.set()
    time.sleep(0.2)
    with pytest.raises(ClientError, match="not found"):
        cloud.invoke("brief", picture(0))


def test_the_endpoint_can_be_scaled(cloud: Cloud, endpoint: str) -> None:
    scaling = cloud.client("application-autoscaling", cloud.url)
    target: dict[str, Any] = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert found["MaxCapacity"] == 2


def test_captures_have_sagemakers_keys_and_records(cloud: Cloud, two: str) -> None:
    name = cloud.endpoint(cloud.configuration(two, capture_to("capture/records")))
    body = picture(1)
    answer = cloud.invoke(name, body, InferenceId="photo-1")["Body"].read().decode()
    files = eventually(lambda: cloud.captures("capture/records") or None)
    ((key, (line,)),) = files.items()
    assert re.fullmatch(
        rf"capture/records/{name}/main/\d{{4}}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{{3}}-[0-9a-f-]{{36}}\.jsonl", key
    )
    record = json.loads(line)
    assert record["captureData"] == {
        "endpointInput": {
            "observedContentType": "application/x-image",
            "mode": "INPUT",
            "data": base64.b64encode(body).decode(),
            "encoding": "BASE64",
        },
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": answer,
            "encoding": "JSON",
        },
    }
    assert record["eventVersion"] == "0"
    assert record["eventMetadata"]["inferenceId"] == "photo-1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["eventMetadata"]["inferenceTime"])


def test_without_content_types_outputs_are_base64_and_options_are_respected(cloud: Cloud, two: str) -> None:
    wanted = capture_to("capture/output", CaptureOptions=[{"CaptureMode": "Output"}])
    del wanted["CaptureContentTypeHeader"]
    name = cloud.endpoint(cloud.configuration(two, wanted))
    answer = cloud.invoke(name, picture(1))["Body"].read()
    ((line,),) = eventually(lambda: cloud.captures("capture/output") or None).values()
    record = json.loads(line)
    assert set(record["captureData"]) == {"endpointOutput"}
    assert record["captureData"]["endpointOutput"]["encoding"] == "BASE64"
    assert base64.b64decode(record["captureData"]["endpointOutput"]["data"]) == answer
    assert "inferenceId" not in record["eventMetadata"]


def test_deleting_an_endpoint_writes_what_waits(two: str) -> None:
    with running_cloud(capture_flush_seconds=3600) as slow:
        artifact = uri(slow.train(slow.dataset()))
        name = slow.endpoint(slow.configuration(artifact, capture_to("capture/rest")))
        for index in range(30):
            slow.invoke(name, picture(index % 2, index))
        assert slow.captures("capture/rest") == {}
        slow.sagemaker.delete_endpoint(EndpointName=name)
        (lines,) = slow.captures("capture/rest").values()
    assert len({json.loads(line)["eventMetadata"]["eventId"] for line in lines}) == 30


class Storage:
    """An S3 that fails as often as told, then keeps what it is given."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.bodies: list[bytes] = []

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("S3 is away")
        self.bodies.append(Body)

    @property
    def lines(self) -> list[str]:
        return b"".join(self.bodies).decode().splitlines()


def test_captures_wait_while_s3_fails(capsys: pytest.CaptureFixture[str]) -> None:
    storage = Storage(failures=2)
    capture = Capture(storage, "e", "v", capture_to("capture"), 0.01)
    capture.add("image/png", b"x", "application/json", b"[1, 0]", "one")
    eventually(lambda: storage.bodies or None)
    capture.stop()
    assert len(storage.lines) == 1
    assert "S3 is away" in capsys.readouterr().err


def test_an_inference_under_way_when_its_endpoint_is_replaced_is_captured() -> None:
    storage = Storage()
    capture = Capture(storage, "e", "v", capture_to("capture"), 3600)
    capture.stop()
    capture.add("image/png", b"x", "application/json", b"[1, 0]", None)
    assert len(storage.lines) == 1


@pytest.mark.parametrize(("percentage", "least", "most"), [(0, 0, 0), (25, 200, 300), (100, 1000, 1000)])
def test_the_sampling_percentage_is_respected(percentage: int, least: int, most: int) -> None:
    storage = Storage()
    capture = Capture(storage, "e", "v", capture_to("capture", InitialSamplingPercentage=percentage), 3600)
    for _ in range(1000):
        capture.add("image/png", b"x", "application/json", b"[1, 0]", None)
    capture.stop()
    assert least <= len(storage.lines) <= most
