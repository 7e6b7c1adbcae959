"""Putting right what went wrong with a photo: its execution again, or its message, each done once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from contract.decisions import outcome_of
from contract.errors import NoneOfTheClasses, ThresholdNotMet
from contract.photos import StoredObject, inference_id
from operations.review.queue import UNKNOWN_VERSION, ReviewQueue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_stepfunctions import SFNClient

ERROR_OF = {outcome_of("FAILED", error.__name__): error.__name__ for error in (ThresholdNotMet, NoneOfTheClasses)}
NOT_TOLD = "NotPublished"
"""The error of a photo that was accepted and whose event was never published."""


def name_of(photo: StoredObject, last: str) -> str:
    """The name of a photo's next execution: the same for whoever starts it again after the same last one.

    Step Functions takes a name once in 90 days, so that nobody starts it twice.

    Args:
        photo: the version.
        last: ARN of its last execution; empty when it had none.
    """
    return f"again-{inference_id(photo)}-{hashlib.sha256(last.encode()).hexdigest()[:12]}"


def start_again(states: SFNClient, machine: str, photo: StoredObject, last: str) -> bool:
    """Start a photo's execution, with the input that the rule on uploads gives; False when somebody did before."""
    given = {
        "s3_bucket": photo.bucket, "s3_key": photo.key,
        **({"s3_version": photo.version} if photo.version else {}), "image_data": "",
    }  # fmt: skip
    try:
        states.start_execution(stateMachineArn=machine, name=name_of(photo, last), input=json.dumps(given))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ExecutionAlreadyExists":
            raise
        return False
    return True


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
