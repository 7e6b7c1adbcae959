"""What a stack holds of one photo, found and removed place by place.

A place is looked through again when a removal was interrupted: nothing is marked, all is found anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contract import prefixes
from contract.captures import DamagedRecord, read_line
from contract.photos import StoredObject, inference_id
from operations.captures.period import Period
from operations.captures.sources import may_hold
from operations.review.queue import ReviewQueue, Waiting

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

AT_ONCE = 1000
"""The most objects that S3 deletes in one request (Amazon S3 API reference, DeleteObjects)."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing that is left of a photo."""

    place: str
    """photos, decisions, review queue, corrections or captures."""
    name: str
    remove: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where a photo may have gone."""

    s3: S3Client
    bucket: str
    table: Table
    queue: ReviewQueue
    capture: str
    """Prefix of the captures, as `capture/`."""


def find_traces(places: Places, key: str, progress: Callable[[str], None]) -> Iterator[Trace]:
    """What there is of the photo at `key`, all its versions: first what names it elsewhere, last the photo itself.

    Args:
        places: where to look.
        key: the object's key.
        progress: takes what is being looked through.
    """
    versions = list(_versions(places, key))
    rows = _rows(places, key)
    ids = {str(row["inference_id"]) for row in rows if row.get("inference_id")}
    ids |= {inference_id(StoredObject(places.bucket, key, str(each["VersionId"]))) for each in versions}
    progress("review queue")
    for waiting in places.queue.waiting():
        if (waiting.bucket, waiting.key) == (places.bucket, key):
            yield Trace("review queue", waiting.execution or waiting.error, _removal(places, waiting))
    progress("corrections")
    yield from _corrections(places, key)
    times: list[datetime] = [each["LastModified"] for each in versions]
    yield from _captures(places, ids, Period(start=min(times)) if times else Period(), progress)
    for row in rows:
        name = f"version {row['version']}: {row.get('decision', '?')}"
        yield Trace("decisions", name, lambda row=row: _delete_row(places.table, row))
    for each in versions:
        identifier: ObjectIdentifierTypeDef = {"Key": key, "VersionId": each["VersionId"]}
        yield Trace("photos", f"version {each['VersionId']}", lambda which=identifier: _delete(places, [which]))


def _versions(places: Places, key: str) -> Iterator[Any]:
    """Versions and delete markers of exactly this key."""
    for page in places.s3.get_paginator("list_object_versions").paginate(Bucket=places.bucket, Prefix=key):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            if each.get("Key") == key:
                yield each


def _rows(places: Places, key: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = places.table.query(
            KeyConditionExpression="#object = :object",
            ExpressionAttributeNames={"#object": "object"},
            ExpressionAttributeValues={":object": f"{places.bucket}/{key}"},
            ConsistentRead=True,
            **more,
        )
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _delete_row(table: Table, row: Mapping[str, Any]) -> None:
    table.delete_item(Key={"object": row["object"], "version": row["version"]})


def _removal(places: Places, waiting: Waiting) -> Callable[[], None]:
    """A receipt lasts only while its message is hidden, so that the message is taken anew when it is removed."""

    def remove() -> None:
        held: list[Waiting] = []
        while taken := places.queue.take():
            if (taken.bucket, taken.key) == (waiting.bucket, waiting.key):
                places.queue.remove(taken)
            else:
                held.append(taken)
        for each in held:
            places.queue.hide(each, 0)

    return remove


def _corrections(places: Places, key: str) -> Iterator[Trace]:
    pages = places.s3.get_paginator("list_objects_v2").paginate(Bucket=places.bucket, Prefix=prefixes.CORRECTIONS)
    for page in pages:
        for item in page.get("Contents", ()):
            about = item.get("Key", "")
            if about.endswith(prefixes.ABOUT_CORRECTION) and _is_about(places, about, key):
                stem = about.removesuffix(prefixes.ABOUT_CORRECTION)
                yield Trace("corrections", stem, lambda stem=stem: _delete_all(places, stem))


def _is_about(places: Places, name: str, key: str) -> bool:
    body = places.s3.get_object(Bucket=places.bucket, Key=name)["Body"].read()
    try:
        about: Any = json.loads(body)
        return (about["bucket"], about["key"]) == (places.bucket, key)
    except (ValueError, KeyError, TypeError):
        return False


def _delete_all(places: Places, prefix: str) -> None:
    """Every version of every object whose key is `prefix` and a suffix."""
    for page in places.s3.get_paginator("list_object_versions").paginate(Bucket=places.bucket, Prefix=f"{prefix}."):
        _delete(places, [_identifier(each) for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))])


def _identifier(each: Any) -> ObjectIdentifierTypeDef:
    return {"Key": each["Key"], "VersionId": each["VersionId"]}


def _delete(places: Places, which: list[ObjectIdentifierTypeDef]) -> None:
    for start in range(0, len(which), AT_ONCE):
        part = which[start : start + AT_ONCE]
        answer = places.s3.delete_objects(Bucket=places.bucket, Delete={"Objects": part, "Quiet": True})
        for error in answer.get("Errors", ()):
            raise OSError(f"{error.get('Key')} was not deleted: {error.get('Message')} ({error.get('Code')})")


def _captures(places: Places, ids: set[str], period: Period, progress: Callable[[str], None]) -> Iterator[Trace]:
    """The captured inferences with one of these ids; a file's older versions hold them too."""
    if not ids:
        return
    wanted = tuple(each.encode() for each in ids)
    pages = places.s3.get_paginator("list_object_versions").paginate(Bucket=places.bucket, Prefix=places.capture)
    for page in pages:
        for item in page.get("Versions", ()):
            name, version = item.get("Key", ""), item.get("VersionId", "null")
            if not name.endswith(".jsonl") or not may_hold(name, period):
                continue
            progress(name)
            body = places.s3.get_object(Bucket=places.bucket, Key=name, VersionId=version)["Body"].read()
            # searched before it is parsed: nearly no file holds the photo
            if any(each in body for each in wanted) and (kept := _without(body, ids)) is not None:
                is_latest = bool(item.get("IsLatest"))
                yield Trace(
                    "captures",
                    name if is_latest else f"{name}, an older version",
                    lambda name=name, version=version, kept=kept if is_latest else None: _rewrite(
                        places, name, version, kept
                    ),
                )


def _without(body: bytes, ids: set[str]) -> bytes | None:
    """The file without the lines of these inferences; None when it has none of them."""
    lines = body.splitlines(keepends=True)
    kept = [line for line in lines if _id_of(line) not in ids]
    return None if len(kept) == len(lines) else b"".join(kept)


def _id_of(line: bytes) -> str | None:
    try:
        inference = read_line(line)
    except DamagedRecord:
        return None
    return inference.inference_id if inference else None


def _rewrite(places: Places, name: str, version: str, kept: bytes | None) -> None:
    """Write what is kept, where there is something, and delete the version that held more."""
    if kept:
        places.s3.put_object(Bucket=places.bucket, Key=name, Body=kept)
    _delete(places, [{"Key": name, "VersionId": version}])
