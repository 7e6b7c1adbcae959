"""What the decisions table holds of photos, for those who look at many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contract.photos import StoredObject
from operations.review.queue import UNKNOWN_VERSION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ROWS = 100
"""The most rows that are asked for at a time (DynamoDB API reference, BatchGetItem)."""
FIELDS = ("object", "version", "decision", "answer", "execution", "decided_at", "settled_at")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row of the decisions table."""

    decision: str
    answered: bool
    execution: str
    at: datetime | None
    """When the model decided; None for a fault that a person answered."""
    settled: bool = False
    """Whether event and sample of its answer are written."""

    def is_accepted_by_another(self, execution: str) -> bool:
        """Whether another execution than this one has accepted the photo, and told so; unknown ones are no other."""
        return self.decision == "accepted" and not self.answered and execution not in ("", self.execution)


def recorded_for(
    dynamodb: DynamoDBClient,
    table: str,
    photos: Sequence[StoredObject],
    say: Callable[[str, int, int | None], None] = lambda step, done, total: None,
) -> dict[StoredObject, Recorded]:
    """What the decisions table holds of these photos.

    Args:
        dynamodb: the service.
        table: its name.
        photos: which; each is asked for once.
        say: hears how far it is.
    """
    found: dict[StoredObject, Recorded] = {}
    names = {f"#{name}": name for name in FIELDS}
    by_key = {(f"{photo.bucket}/{photo.key}", photo.version or UNKNOWN_VERSION): photo for photo in photos}
    keys = [*by_key]
    for start in range(0, len(keys), ROWS):
        say("decisions", start, len(keys))
        asked: Any = {
            table: {
                "Keys": [
                    {"object": {"S": name}, "version": {"S": version}} for name, version in keys[start : start + ROWS]
                ],
                "ConsistentRead": True,
                "ProjectionExpression": ", ".join(names),
                "ExpressionAttributeNames": names,
            }
        }
        while asked:
            answer = dynamodb.batch_get_item(RequestItems=asked)
            for item in answer["Responses"].get(table, []):
                fields = {name: value.get("S", "") for name, value in item.items()}
                found[by_key[fields["object"], fields["version"]]] = recorded(fields)
            asked = answer.get("UnprocessedKeys")
    return found


def recorded(item: Mapping[str, Any]) -> Recorded:
    """A row, by the names of its attributes."""
    at = item.get("decided_at")
    return Recorded(
        decision=str(item.get("decision", "")),
        answered="answer" in item,
        execution=str(item.get("execution", "")),
        at=datetime.fromisoformat(str(at)).astimezone(UTC) if at else None,
        settled="settled_at" in item,
    )
