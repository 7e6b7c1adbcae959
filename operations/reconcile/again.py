"""Putting the message of a photo whose decision is recorded into the review queue again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from contract.decisions import outcome_of
from contract.errors import NoneOfTheClasses, ThresholdNotMet
from contract.photos import StoredObject
from operations.review.queue import UNKNOWN_VERSION, ReviewQueue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ERROR_OF = {outcome_of("FAILED", error.__name__): error.__name__ for error in (ThresholdNotMet, NoneOfTheClasses)}
NOT_TOLD = "NotPublished"
"""The error of a photo that was accepted and whose event was never published."""


def send_again(table: Table, queue: ReviewQueue, photo: StoredObject) -> bool:
    """Put a photo whose decision is recorded before a person again; False when it was answered meanwhile.

    An execution would not do: the first decision on a version stands, and the second one is told to nobody.
    """
    key = {"object": f"{photo.bucket}/{photo.key}", "version": photo.version or UNKNOWN_VERSION}
    row = cast("Mapping[str, Any]", table.get_item(Key=key, ConsistentRead=True).get("Item", {}))
    if "answer" in row:
        return False
    error = ERROR_OF.get(row.get("decision", "")) or str(row.get("error") or NOT_TOLD)
    texts = {name: str(row[name]) for name in ("label", "model", "inference_id", "execution") if name in row}
    numbers = {name: float(row[name]) for name in ("confidence", "margin", "threshold") if name in row}
    queue.send(
        {
            **{"bucket": photo.bucket, "key": photo.key, "version": photo.version or UNKNOWN_VERSION, "error": error},
            **{"message": "sent again by operations reconcile: its first message was lost"},
            **texts,
            **numbers,
            "inferences": [float(score) for score in row.get("inferences", [])],
        }
    )
    return True
