"""Which object an event is about, in each of the three shapes that AWS and people send."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote_plus

from contract.errors import InvalidEvent


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in S3; `version` is empty when the event does not know it."""

    bucket: str
    key: str
    version: str


def inference_id(photo: StoredObject) -> str:
    """The same 32 hexadecimal digits for the same version of the same object, whoever asks.

    `InferenceId` takes up to 64 ASCII characters (SageMaker Runtime API, "InvokeEndpoint").
    """
    return hashlib.sha256(f"{photo.bucket}\n{photo.key}\n{photo.version}".encode()).hexdigest()[:32]


def read_photo(event: object) -> StoredObject:
    """Read the execution's input, an EventBridge event of S3, or an S3 notification of one record.

    Keys are taken literally, but for S3 notifications, which encode them as in a URL's query
    (Amazon S3 User Guide, "Event message structure").

    Raises:
        InvalidEvent: another shape, a missing field, or more than one record.
    """
    fields = _object(event, "the event")
    if "Records" in fields:
        records = fields["Records"]
        if not isinstance(records, list) or len(cast("list[object]", records)) != 1:
            count = len(cast("list[object]", records)) if isinstance(records, list) else f"{records!r:.100}"
            raise InvalidEvent(f"Records must hold exactly one record, since one execution is one photo, got {count}")
        s3 = _object(_object(cast("list[object]", records)[0], "Records[0]").get("s3"), "Records[0].s3")
        bucket, item = _object(s3.get("bucket"), "bucket"), _object(s3.get("object"), "object")
        key = unquote_plus(_text(item.get("key"), "object.key"))
        return StoredObject(_text(bucket.get("name"), "bucket.name"), key, _version(item.get("versionId")))
    if "detail" in fields:
        detail = _object(fields["detail"], "detail")
        bucket, item = (
            _object(detail.get("bucket"), "detail.bucket"),
            _object(detail.get("object"), "detail.object"),
        )
        return StoredObject(
            _text(bucket.get("name"), "detail.bucket.name"),
            _text(item.get("key"), "detail.object.key"),
            _version(item.get("version-id")),
        )
    return StoredObject(
        _text(fields.get("s3_bucket"), "s3_bucket"),
        _text(fields.get("s3_key"), "s3_key"),
        _version(fields.get("s3_version")),
    )


def photo_in(text: object) -> StoredObject | None:
    """The photo that a JSON text names, in any of the shapes that executions take; None for another."""
    try:
        return read_photo(json.loads(text if isinstance(text, str) else ""))
    except (ValueError, RecursionError, InvalidEvent):
        return None


def _object(value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidEvent(f"{name} must be an object, got {value!r:.100}")
    return cast("dict[str, object]", value)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidEvent(f"{name} must be a non-empty string, got {value!r:.100}")
    return _unicode(value, name)


def _version(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidEvent(f"the version must be a string, got {value!r:.100}")
    return _unicode(value, "the version")


def _unicode(value: str, name: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can hold and S3 cannot
        raise InvalidEvent(f"{name} must be Unicode, got {value!r:.100}") from error
    return value
