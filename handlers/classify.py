"""Classify: ask the endpoint what is on the picture."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from contract.decisions import UNKNOWN_MODEL
from contract.errors import (
    AccessDenied,
    ConfigurationError,
    InvalidEvent,
    ModelNotReady,
    ModelRejectedImage,
    ModelUnavailable,
    SconesError,
    Throttled,
)
from contract.inferences import read_inferences
from contract.photos import inference_id, read_photo
from handlers import environment
from handlers.aws import quick_client, session
from handlers.serving import STANDS_SECONDS, Watch, describe_endpoint

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

logger = Logger()


NOT_READY = re.compile(r"not found|could not find|creating|not in service", re.IGNORECASE)
"""How a ValidationError says that the endpoint is missing or being made; others won't pass by themselves."""


@dataclass(frozen=True, slots=True)
class Model:
    """Which model is asked: its endpoint and the configuration there, its name, and its classes in label order."""

    endpoint: str
    configuration: str
    name: str
    classes: tuple[str, ...]


@cache
def model_from_environment() -> Model:
    """ENDPOINT_NAME, ENDPOINT_CONFIGURATION, MODEL_NAME and CLASSES, read once a process.

    Raises:
        ConfigurationError: one of them is missing or wrong.
    """
    return Model(
        environment.text("ENDPOINT_NAME"),
        environment.text("ENDPOINT_CONFIGURATION"),
        environment.text("MODEL_NAME"),
        environment.names("CLASSES"),
    )


@cache
def runtime_client() -> SageMakerRuntimeClient:
    """The process's client; one attempt, since the state machine retries with a longer backoff."""
    return quick_client("sagemaker-runtime", connect_timeout=3, read_timeout=20, attempts=1)


@cache
def watch() -> Watch:
    """The process's watch on its endpoint.

    ENDPOINT_WATCH_SECONDS, for which nobody has to care on AWS, is for a stand-in that rolls out faster than SageMaker.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    model = model_from_environment()
    return Watch(
        model.configuration,
        lambda: describe_endpoint(session(), model.endpoint),
        logger.warning,
        environment.whole_number("ENDPOINT_WATCH_SECONDS", default=STANDS_SECONDS),
    )


def invoke(runtime: SageMakerRuntimeClient, endpoint: str, image: bytes, identity: str) -> bytes:
    """The endpoint's answer to one PNG.

    Raises:
        ModelNotReady, ModelUnavailable, Throttled: worth another try.
        ModelRejectedImage: the container refused the picture.
        AccessDenied: the function's role may not invoke the endpoint.
        ConfigurationError: SageMaker finds the request itself wrong.
    """
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint,
            ContentType="application/x-image",
            Accept="application/json",
            Body=image,
            InferenceId=identity,
        )
        return answer["Body"].read()
    except ClientError as error:
        raise _as_ours(error, endpoint) from error
    except BotoCoreError as error:
        raise ModelUnavailable(f"the endpoint {endpoint} could not be reached in time: {error}") from error


def _as_ours(error: ClientError, endpoint: str) -> SconesError:
    response = error.response
    # a field that AWS leaves empty is None
    code = response.get("Error", {}).get("Code") or ""
    message = response.get("Error", {}).get("Message") or "no message"
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "ModelError":
        original = str(response.get("OriginalStatusCode"))
        said = f"the model of {endpoint} answered {original}: {response.get('OriginalMessage') or message}"
        if original == "429":
            return Throttled(said)
        # 408: the container gave up waiting
        by_the_image = original != "408" and re.fullmatch("4..", original)
        return ModelRejectedImage(said) if by_the_image else ModelUnavailable(said)
    # this one is a 429 too, so it comes before the throttling
    if code == "ModelNotReadyException" or (code == "ValidationError" and NOT_READY.search(message)):
        return ModelNotReady(f"the endpoint {endpoint} is not ready: {message}")
    if code == "ValidationError":
        return ConfigurationError(f"SageMaker refuses the request to the endpoint {endpoint}: {message}")
    if "AccessDenied" in code:
        return AccessDenied(f"{endpoint} may not be invoked by this function's role")
    if "Throttl" in code or status == 429:
        return Throttled(f"{endpoint}: SageMaker asks to slow down ({code})")
    return ModelUnavailable(f"{endpoint}: SageMaker answered {status} {code}: {message}")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, object], context: object) -> dict[str, object]:
    """Lambda's entry: the event's keys, `inferences` in label order, `inference_id` and `model`.

    `model` is `UNKNOWN_MODEL` unless it is known that no other one can have answered.
    """
    model = model_from_environment()
    photo = read_photo(event)
    identity = inference_id(photo)
    logger.append_keys(s3_bucket=photo.bucket, s3_key=photo.key, inference_id=identity)
    image = _image(event)
    watch().look()
    answer = invoke(runtime_client(), model.endpoint, image, identity)
    name = model.name if watch().was_alone() else UNKNOWN_MODEL
    inferences = list(read_inferences(answer, len(model.classes)))
    logger.info("classified", extra={"inferences": inferences, "model": name})
    return {**event, "inferences": inferences, "inference_id": identity, "model": name}


def _image(event: dict[str, object]) -> bytes:
    data = event.get("image_data")
    if not isinstance(data, str) or not data:
        raise InvalidEvent("image_data must be the base64 of a picture, as Serialize makes it")
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:  # binascii.Error, or the plain one for what is not ASCII
        raise InvalidEvent(f"image_data is not base64: {error}") from error
