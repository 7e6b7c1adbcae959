"""Where a replay finds what failed: in the review queue and among the dead letters.

Every execution that ends in a fault leaves a message in the review queue: by the state machine's own last steps, by the
rule on ended executions, or by `operations reconcile --repair`. It names photo, error and execution, and it goes when
somebody has answered. So the queue is the list of the faults that are still open; Step Functions' own list names no
errors, holds every photo for a person too, and each would have to be described.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from contract.decisions import STATUS_CHANGE
from contract.photos import photo_in
from operations.replay.choice import Candidate
from operations.review.queue import parse, sent_at
from operations.review.stale import photo_of

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

UNDELIVERED = "Undelivered"
"""The error of a dead letter that names none."""
ERROR_CODE = "ERROR_CODE"
"""The attribute by which EventBridge says why it could not deliver an event (its User Guide, "Using dead-letter
queues to process undelivered events")."""


def failed(message: MessageTypeDef) -> Candidate:
    """A message of the review queue."""
    waiting = parse(message)
    return Candidate(
        "execution", photo_of(waiting), waiting.error, waiting.sent, waiting.execution, waiting.outcome, message
    )


def undelivered(message: MessageTypeDef) -> Candidate:
    """A dead letter: the event that EventBridge could not deliver, as it came.

    It is an upload's, which has started nothing, or that of an execution which ended without reaching the review queue.
    """
    event = _object(message.get("Body", ""))
    attribute = message.get("MessageAttributes", {}).get(ERROR_CODE)
    error = (attribute and attribute.get("StringValue")) or UNDELIVERED
    at = _moment(event.get("time")) or sent_at(message)
    if event.get("detail-type") == STATUS_CHANGE:
        waiting = parse(message)
        return Candidate("dead letter", photo_of(waiting), error, at, waiting.execution, waiting.outcome, message)
    return Candidate("dead letter", photo_in(message.get("Body")), error, at, "", "fault", message)


def _object(text: str) -> dict[str, object]:
    try:
        value = cast("object", json.loads(text))
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
