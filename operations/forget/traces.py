"""What a stack holds of one photo, found and removed place by place.

A place is looked through again when a removal was interrupted: nothing is marked, all is found anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from contract.photos import StoredObject, inference_id
from operations.captures.period import Period
from operations.forget import messages, objects
from operations.forget.objects import Bucket
from operations.forget.trace import Trace
from operations.review.queue import ReviewQueue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True, slots=True)
class Places:
    """Where a photo may have gone."""

    bucket: Bucket
    table: Table
    queue: ReviewQueue
    dead_letters: ReviewQueue | None
    """None where the stack's outputs name none."""
    capture: str
    """Prefix of the captures, as `capture/`."""


def find_traces(places: Places, key: str, progress: Callable[[str], None]) -> Iterator[Trace]:
    """What there is of the photo at `key`, all its versions: first what names it elsewhere, last the photo itself.

    Args:
        places: where to look.
        key: the object's key.
        progress: takes what is being looked through.
    """
    bucket = places.bucket
    versions = [each for each in bucket.versions(key) if each["Key"] == key]
    rows = _rows(places, key)
    ids = {str(row["inference_id"]) for row in rows if row.get("inference_id")}
    ids |= {inference_id(StoredObject(bucket.name, key, str(each["VersionId"]))) for each in versions}
    # a row's version counts too: the photo may be gone
    ids |= {inference_id(StoredObject(bucket.name, key, str(row["version"]))) for row in rows}
    progress("review queue")
    yield from messages.in_review(places.queue, bucket.name, key)
    if places.dead_letters is not None:
        progress("dead-letter queue")
        yield from messages.in_dead_letters(places.dead_letters, bucket.name, key)
    progress("corrections")
    yield from objects.corrections(bucket, key, {str(row["answer_id"]) for row in rows if row.get("answer_id")})
    times: list[datetime] = [each["LastModified"] for each in versions]
    first = min(times, default=None)
    yield from objects.captures(bucket, places.capture, ids, Period(start=first) if first else Period(), progress)
    yield from objects.batch_results(bucket, key, first, progress)
    for row in rows:
        name = f"version {row['version']}: {row.get('decision', '?')}"
        yield Trace("decisions", name, partial(_delete_row, places.table, row))
    yield from objects.photos(bucket, versions)


def _rows(places: Places, key: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = places.table.query(
            KeyConditionExpression="#object = :object",
            ExpressionAttributeNames={"#object": "object"},
            ExpressionAttributeValues={":object": f"{places.bucket.name}/{key}"},
            ConsistentRead=True,
            **more,
        )
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _delete_row(table: Table, row: Mapping[str, Any]) -> None:
    table.delete_item(Key={"object": row["object"], "version": row["version"]})
