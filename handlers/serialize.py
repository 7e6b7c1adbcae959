"""Serialize: fetch the photo and turn it into the few kilobytes that the model takes."""

from __future__ import annotations

import base64
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from contract.errors import (
    AccessDenied,
    BucketNotFound,
    EncryptionKeyUnavailable,
    ImageTooLarge,
    InvalidEvent,
    InvalidImage,
    ObjectNotFound,
    SconesError,
    StorageUnavailable,
    Throttled,
)
from contract.photos import StoredObject, read_photo
from contract.pictures import to_model_image
from handlers import environment
from handlers.aws import quick_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger()

KEY_UNAVAILABLE = frozenset(
    {
        *("KMS.DisabledException", "KMS.NotFoundException"),
        *("KMS.KMSInvalidStateException", "KMS.KMSInvalidMaterialException"),
    }
)
"""What S3 passes on of KMS (AWS KMS API reference, Decrypt): a key that a person has to enable again."""
PASSING = frozenset({"RequestTimeout", "RequestTimeTooSkewed", "ExpiredToken", "OperationAborted"})
"""Refusals that a later request does not meet (S3 API reference, "Error responses")."""
UNVERSIONED = "null"
"""The version that S3 itself gives to objects of a bucket without versioning."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the function is set to: the model's square and the most bytes and pixels of a photo."""

    size: int
    max_bytes: int
    max_pixels: int


@cache
def limits_from_environment() -> Limits:
    """IMAGE_SIZE, MAX_IMAGE_BYTES and MAX_IMAGE_PIXELS, read once a process.

    Raises:
        ConfigurationError: one of them is missing or wrong.
    """
    return Limits(
        size=environment.whole_number("IMAGE_SIZE"),
        max_bytes=environment.whole_number("MAX_IMAGE_BYTES"),
        max_pixels=environment.whole_number("MAX_IMAGE_PIXELS"),
    )


@cache
def s3_client() -> S3Client:
    """The process's client; the state machine retries, so the client tries once more only."""
    return quick_client("s3", connect_timeout=3, read_timeout=15, attempts=2)


def fetch(s3: S3Client, photo: StoredObject, *, max_bytes: int) -> tuple[bytes, str]:
    """Download one version of an object, unless the head of S3's answer says that it is too large.

    Args:
        s3: the client.
        photo: which object; without a version, the current one.
        max_bytes: the most bytes that are downloaded.

    Returns:
        The bytes, and the version that they are (`UNVERSIONED` for a bucket without versioning).

    Raises:
        ImageTooLarge: more than `max_bytes`; they were not downloaded.
        InvalidImage: no bytes at all.
        InvalidEvent: no bucket can have that name.
        ObjectNotFound, BucketNotFound, AccessDenied, EncryptionKeyUnavailable, Throttled, StorageUnavailable:
            what S3 said.
    """
    pinned = photo.version if photo.version != UNVERSIONED else ""
    try:
        if pinned:
            answer = s3.get_object(Bucket=photo.bucket, Key=photo.key, VersionId=pinned)
        else:
            answer = s3.get_object(Bucket=photo.bucket, Key=photo.key)
        with closing(answer["Body"]) as body:
            if answer["ContentLength"] > max_bytes:
                raise ImageTooLarge(
                    f"s3://{photo.bucket}/{photo.key} has {answer['ContentLength']:,} bytes; "
                    f"at most {max_bytes:,} are allowed"
                )
            if not answer["ContentLength"]:
                raise InvalidImage(f"s3://{photo.bucket}/{photo.key} is empty")
            return body.read(), answer.get("VersionId", UNVERSIONED)
    except ClientError as error:
        raise _as_ours(error, photo) from error
    except ParamValidationError as error:
        raise InvalidEvent(f"s3://{photo.bucket}/{photo.key} cannot be: {error}") from error
    except BotoCoreError as error:
        raise StorageUnavailable(f"s3://{photo.bucket}/{photo.key} could not be read: {error}") from error


def _as_ours(error: ClientError, photo: StoredObject) -> SconesError:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    # without a body, as of what stands before S3, it is the status
    code = error.response.get("Error", {}).get("Code", "")
    where = f"s3://{photo.bucket}/{photo.key}" + (f" (version {photo.version})" if photo.version else "")
    if code in {"503", "SlowDown", "RequestLimitExceeded"} or "Throttl" in code or status == 429:
        return Throttled(f"{where}: S3 asks to slow down ({code})")
    if code == "NoSuchBucket":
        return BucketNotFound(f"there is no bucket {photo.bucket!r}")
    if status == 404:
        return ObjectNotFound(f"there is no object {where}")
    if code in KEY_UNAVAILABLE:
        return EncryptionKeyUnavailable(f"{where} can't be decrypted: its KMS key is disabled or deleted ({code})")
    if code == "InvalidObjectState":
        return ObjectNotFound(f"{where} is archived: restore it first")
    if code.startswith("KMS.") or code in PASSING:
        return StorageUnavailable(f"{where}: S3 answered {status} {code}")
    if status == 403:
        return AccessDenied(f"{where} may not be read by this function's role")
    if status in {400, 405}:
        return ObjectNotFound(f"{where} is not a readable version of an object ({code})")
    return StorageUnavailable(f"{where}: S3 answered {status} {code}")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, object], context: object) -> dict[str, object]:
    """Lambda's entry: the event's keys, the pinned version, and `image_data` (base64 of a PNG)."""
    limits = limits_from_environment()
    photo = read_photo(event)
    data, version = fetch(s3_client(), photo, max_bytes=limits.max_bytes)
    logger.append_keys(s3_bucket=photo.bucket, s3_key=photo.key, s3_version=version)
    image = to_model_image(data, size=limits.size, max_pixels=limits.max_pixels)
    logger.info("serialized", extra={"bytes_in": len(data), "bytes_out": len(image)})
    kept = {key: value for key, value in event.items() if key not in {"Records", "detail"}}
    return {
        **kept,
        "s3_bucket": photo.bucket,
        "s3_key": photo.key,
        "s3_version": version,
        "image_data": base64.b64encode(image).decode("ascii"),
        "inferences": [],
    }
