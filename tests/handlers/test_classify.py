"""handlers.classify: the endpoint is asked once, and what it says is checked."""

import base64
import hashlib
import json
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

from contract.decisions import UNKNOWN_MODEL
from contract.errors import (
    AccessDenied,
    ConfigurationError,
    InvalidEvent,
    InvalidInference,
    ModelNotReady,
    ModelRejectedImage,
    ModelUnavailable,
    SconesError,
    Throttled,
)
from handlers import classify, serving
from tests.photo_builders import answering, encoded, lambda_context, quarters

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

PNG = encoded(quarters(32, 32), "PNG")
EVENT: dict[str, object] = {
    "s3_bucket": "photos",
    "s3_key": "incoming/ä b.jpg",
    "s3_version": "v1",
    "image_data": base64.b64encode(PNG).decode(),
    "inferences": [],
}


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator["SageMakerRuntimeClient"]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ENDPOINT_NAME": "scones-dev",
        "ENDPOINT_CONFIGURATION": "configuration-1",
        "MODEL_NAME": "scones-job-1",
        "CLASSES": '["bicycle", "motorcycle"]',
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "ENDPOINT_WATCH_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    serves(monkeypatch, {"EndpointConfigName": "configuration-1", "EndpointStatus": "InService"})
    cached = (classify.session, classify.runtime_client, classify.model_from_environment, classify.watch)
    for each in cached:
        each.cache_clear()
    yield classify.runtime_client()
    for each in cached:
        each.cache_clear()


def serves(monkeypatch: pytest.MonkeyPatch, told: dict[str, object] | Exception) -> list[str]:
    """Let SageMaker describe every endpoint so; returns the endpoints that it was asked about."""
    asked: list[str] = []

    def describe(session: object, name: str) -> dict[str, object]:
        asked.append(name)
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(classify, "describe_endpoint", describe)
    return asked


def answers(runtime: "SageMakerRuntimeClient", status: int, body: bytes, code: str = "") -> list[AWSPreparedRequest]:
    """Give every request this answer; returns the requests as they come."""
    sent: list[AWSPreparedRequest] = []
    hook = answering(status, body, {"x-amzn-ErrorType": code, "Content-Type": "application/json"} if code else {})

    def answer(request: AWSPreparedRequest, **_: object):
        sent.append(request)
        return hook(request)

    runtime.meta.events.register_first("before-send.sagemaker-runtime", answer)
    return sent


def test_the_models_answer_is_added_to_the_event(runtime: "SageMakerRuntimeClient"):
    answers(runtime, 200, b"[0.9, 0.1]")
    assert classify.handler(EVENT, lambda_context()) == {
        **EVENT,
        "inferences": [0.9, 0.1],
        "inference_id": hashlib.sha256("photos\nincoming/ä b.jpg\nv1".encode()).hexdigest()[:32],
        "model": "scones-job-1",
    }


@pytest.mark.parametrize(
    "told",
    [
        {"EndpointConfigName": "configuration-0", "EndpointStatus": "InService"},
        {
            "EndpointConfigName": "configuration-1",
            "EndpointStatus": "Updating",
            "PendingDeploymentSummary": {"EndpointConfigName": "configuration-2"},
        },
        OSError("400 AccessDeniedException"),
        TimeoutError(),
    ],
)
def test_a_model_that_may_not_have_answered_is_not_named(
    told: dict[str, object] | Exception, runtime: "SageMakerRuntimeClient", monkeypatch: pytest.MonkeyPatch
):
    answers(runtime, 200, b"[0.9, 0.1]")
    serves(monkeypatch, told)
    answer = classify.handler(EVENT, lambda_context())
    assert (answer["model"], answer["inferences"]) == (UNKNOWN_MODEL, [0.9, 0.1])


def test_sagemaker_is_asked_before_the_endpoint_is_and_once_for_many_photos(
    runtime: "SageMakerRuntimeClient", monkeypatch: pytest.MonkeyPatch
):
    order: list[str] = []

    def describe(session: object, name: str) -> dict[str, object]:
        order.append(f"what serves {name}?")
        return {"EndpointConfigName": "configuration-1", "EndpointStatus": "InService"}

    def invoke(*words: object) -> bytes:
        order.append("what is on it?")
        return b"[0.9, 0.1]"

    monkeypatch.setattr(classify, "describe_endpoint", describe)
    monkeypatch.setattr(classify, "invoke", invoke)
    for _ in range(3):
        classify.handler(EVENT, lambda_context())
    assert order == ["what serves scones-dev?", *["what is on it?"] * 3]


def test_for_how_long_sagemaker_is_believed_can_be_set(
    runtime: "SageMakerRuntimeClient", monkeypatch: pytest.MonkeyPatch
):
    assert classify.watch().stands == serving.STANDS_SECONDS
    classify.watch.cache_clear()
    monkeypatch.setenv("ENDPOINT_WATCH_SECONDS", "2")
    assert classify.watch().stands == 2


def test_the_endpoint_gets_the_picture_and_the_id_of_the_photo(runtime: "SageMakerRuntimeClient"):
    sent = answers(runtime, 200, b"[0.9, 0.1]")
    answer = classify.handler(EVENT, lambda_context())
    (request,) = sent
    body = request.body if isinstance(request.body, bytes) else request.body.read()
    assert body == PNG
    assert request.url.endswith("/endpoints/scones-dev/invocations")
    wanted = {
        "Content-Type": "application/x-image",
        "Accept": "application/json",
        "X-Amzn-SageMaker-Inference-Id": answer["inference_id"],
    }
    got = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    assert wanted.items() <= got.items()


def test_the_same_version_has_the_same_id_and_another_has_another(runtime: "SageMakerRuntimeClient"):
    answers(runtime, 200, b"[0.9, 0.1]")
    photos = [EVENT, EVENT, {**EVENT, "s3_version": "v2"}, {**EVENT, "s3_key": "x"}, {**EVENT, "s3_bucket": "other"}]
    ids = [classify.handler(photo, lambda_context())["inference_id"] for photo in photos]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    "body", [b"[0.9]", b"[0.5, 0.3, 0.2]", b"[NaN, 1]", b"[0.9, 0.9]", b"{}", b"", b"\xff", b"0.9"]
)
def test_an_answer_that_is_no_distribution_is_refused(body: bytes, runtime: "SageMakerRuntimeClient"):
    answers(runtime, 200, body)
    with pytest.raises(InvalidInference):
        classify.handler(EVENT, lambda_context())


def model_error(status: int) -> dict[str, object]:
    return {"OriginalStatusCode": status, "OriginalMessage": "said the container", "LogStreamArn": "arn"}


@pytest.mark.parametrize(
    ("status", "code", "fields", "fault", "words"),
    [
        (424, "ModelError", model_error(400), ModelRejectedImage, "answered 400: said the container"),
        (424, "ModelError", model_error(415), ModelRejectedImage, "answered 415"),
        (424, "ModelError", model_error(500), ModelUnavailable, "answered 500"),
        (424, "ModelError", model_error(503), ModelUnavailable, "answered 503"),
        (424, "ModelError", {}, ModelUnavailable, "scones-dev"),
        (424, "ModelError", model_error(429), Throttled, "answered 429"),
        (424, "ModelError", model_error(408), ModelUnavailable, "answered 408"),
        (424, "ModelError", {"OriginalStatusCode": None, "OriginalMessage": None}, ModelUnavailable, "no message"),
        (400, "ValidationError", {"Message": None}, ConfigurationError, "no message"),
        (500, "InternalFailure", {"Message": None}, ModelUnavailable, "no message"),
        (400, "ValidationError", {"Message": "Endpoint e of account 1 not found."}, ModelNotReady, "not found"),
        (400, "ValidationError", {"Message": "Endpoint e is Creating"}, ModelNotReady, "Creating"),
        (400, "ValidationError", {"Message": "Value at 'endpointName' is too long"}, ConfigurationError, "too long"),
        (429, "ModelNotReadyException", {"Message": "wait"}, ModelNotReady, "wait"),
        (429, "ThrottlingException", {}, Throttled, "scones-dev"),
        (400, "ThrottlingException", {}, Throttled, "scones-dev"),
        (403, "AccessDeniedException", {}, AccessDenied, "scones-dev"),
        (500, "InternalFailure", {}, ModelUnavailable, "InternalFailure"),
        (503, "ServiceUnavailable", {}, ModelUnavailable, "ServiceUnavailable"),
        (530, "InternalDependencyException", {}, ModelUnavailable, "InternalDependency"),
    ],
)
def test_what_sagemaker_answers_becomes_a_fault_with_its_name(
    status: int,
    code: str,
    fields: dict[str, object],
    fault: type[SconesError],
    words: str,
    runtime: "SageMakerRuntimeClient",
):
    sent = answers(runtime, status, json.dumps(fields).encode(), code)
    with pytest.raises(SconesError, match=words) as raised:
        classify.handler(EVENT, lambda_context())
    assert type(raised.value) is fault
    assert len(sent) == 1, "the state machine retries, the client does not"


def client_of(port: int) -> "SageMakerRuntimeClient":
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://127.0.0.1:{port}",
        config=Config(connect_timeout=0.5, read_timeout=0.2, retries={"total_max_attempts": 1}),
    )


def test_an_endpoint_that_does_not_answer_in_time_is_unavailable(runtime: "SageMakerRuntimeClient"):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ModelUnavailable, match="in time"):
        classify.invoke(client_of(silent.getsockname()[1]), "scones-dev", PNG, "id")


def test_an_endpoint_that_cannot_be_reached_is_unavailable(runtime: "SageMakerRuntimeClient"):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ModelUnavailable, match="could not be reached"):
        classify.invoke(client_of(port), "scones-dev", PNG, "id")


def test_the_client_gives_up_before_lambda_does(runtime: "SageMakerRuntimeClient"):
    # imported here: the handlers know nothing of the components
    from components.parts.state_machine import FUNCTION_TIMEOUTS

    config = runtime.meta.config
    longest = 2 * serving.TIMEOUT_SECONDS + config.connect_timeout + config.read_timeout
    assert longest < FUNCTION_TIMEOUTS["classify"]


def test_an_invocation_is_over_before_what_sagemaker_said_is_too_old(runtime: "SageMakerRuntimeClient"):
    config = runtime.meta.config
    longest = 2 * serving.TIMEOUT_SECONDS + config.connect_timeout + config.read_timeout
    assert serving.STANDS_SECONDS / 2 + longest < serving.STANDS_SECONDS


@pytest.mark.parametrize("data", [None, "", 7, "not base64!", "aGVsbG8", "aGVs bG8=", "ä", "===="])
def test_an_event_without_a_picture_is_refused(data: object, runtime: "SageMakerRuntimeClient"):
    sent = answers(runtime, 200, b"[0.9, 0.1]")
    with pytest.raises(InvalidEvent, match="image_data"):
        classify.handler({**EVENT, "image_data": data}, lambda_context())
    assert not sent


@pytest.mark.parametrize("name", ["ENDPOINT_NAME", "ENDPOINT_CONFIGURATION", "MODEL_NAME", "CLASSES"])
def test_a_setting_that_is_missing_is_named(
    name: str, runtime: "SageMakerRuntimeClient", monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError, match=name):
        classify.handler(EVENT, lambda_context())
