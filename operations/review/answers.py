"""Answers of people, in the decisions table: what was decided first of a photo's version stands.

The first answer stands, whoever gives the second; and so does what another execution than the message's has accepted,
since its driver has been told. Conditions of the table's own writes see to both.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contract.decisions import Outcome
from contract.errors import UserError
from operations.review.queue import Waiting
from operations.review.rows import recorded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

MOST_SECONDS = 7 * 24 * 3600
"""An answer takes at most a week; more is a page that was left open, and a clock that went wrong."""
ACCEPTED: Outcome = "accepted"
FAULT: Outcome = "fault"
UNSETTLED = "#answer_id = :id AND attribute_not_exists(#settled_at)"
"""The condition of what changes an answer: it is this one, and event and sample are not written yet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said of a photo."""

    id: str
    said: str
    """A label, or contract.decisions.UNCLEAR."""
    by: str
    at: datetime
    seconds: float
    """From the photo's being shown to the answer."""
    settled: bool = False
    """Whether event and sample are written."""


class AlreadyAnswered(Exception):
    """Somebody was first; their answer stands."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(f"{answer.by} answered this photo at {answer.at:%H:%M:%S} UTC: {answer.said}")


def new_answer(said: str, by: str, at: datetime, seconds: float, allowed: tuple[str, ...]) -> Answer:
    """An answer from outside, checked.

    Raises:
        UserError: it is not one of `allowed`, nobody gave it, or the time can't be.
    """
    if said not in allowed:
        raise UserError(f"the answer must be one of {', '.join(allowed)}, got {said!r:.80}")
    if not by.strip() or len(by) > 64 or not by.isprintable():
        raise UserError(f"who answers must be a name of 1 to 64 printable characters, got {by!r:.80}")
    if not 0 <= seconds <= MOST_SECONDS:
        raise UserError(f"the seconds that the answer took must be from 0 to {MOST_SECONDS}, got {seconds!r:.80}")
    return Answer(uuid.uuid4().hex, said, by.strip(), at, round(seconds, 1))


class DecidedMeanwhile(Exception):
    """Another execution has accepted the photo while its message waited; no answer is needed."""

    def __init__(self, waiting: Waiting) -> None:
        super().__init__(f"{waiting.key or waiting.object} was decided meanwhile, and its driver told")


class AnswerBook:
    """The answers in the decisions table.

    Args:
        table: the stack's.
        retention_days: after which an entry expires that an answer makes; a fault has none before.
    """

    def __init__(self, table: Table, retention_days: int) -> None:
        self._table, self._retention = table, timedelta(days=retention_days)

    def find(self, waiting: Waiting) -> Answer | None:
        """The answer to a photo; None without one.

        Raises:
            DecidedMeanwhile: another execution has accepted it.
        """
        item = self._table.get_item(Key=_key(waiting), ConsistentRead=True).get("Item", {})
        if item and recorded(item).is_accepted_by_another(waiting.execution):
            raise DecidedMeanwhile(waiting)
        return _answer(item)

    def record(self, waiting: Waiting, answer: Answer) -> None:
        """Write an answer down, if it is the first.

        Raises:
            AlreadyAnswered: it is not.
            DecidedMeanwhile: another execution has accepted the photo.
        """
        new = {
            "answer": answer.said, "answer_id": answer.id, "answered_by": answer.by,
            "answered_at": answer.at.isoformat(), "answer_seconds": str(answer.seconds),
        }  # fmt: skip
        # what the state machine writes of a photo that the model answered; of a fault it writes nothing
        kept = {
            "decision": waiting.outcome, "bucket": waiting.bucket, "key": waiting.key,
            "execution": waiting.execution, "error": waiting.error,
            "expires_at": int((answer.at + self._retention).timestamp()),
        }  # fmt: skip
        names = {f"#{name}": name for name in (*new, *kept)}
        sets = [f"#{name} = :{name}" for name in new] + [f"#{name} = if_not_exists(#{name}, :{name})" for name in kept]
        values = {f":{name}": value for name, value in (new | kept).items()}
        condition = "attribute_not_exists(#answer)"
        if waiting.execution:
            # the same that Recorded.is_accepted_by_another asks
            values[":accepted"] = ACCEPTED
            condition += " AND (attribute_not_exists(#decision) OR #decision <> :accepted OR #execution = :execution)"
        try:
            self._table.update_item(
                Key=_key(waiting),
                UpdateExpression=f"SET {', '.join(sets)}",
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            first = self.find(waiting) if _is_refused(error) else None
            if first is None:
                raise
            # an update whose reply was lost is sent again by botocore: that is no second answer
            if first.id != answer.id:
                raise AlreadyAnswered(first) from error

    def withdraw(self, waiting: Waiting, answer: Answer) -> bool:
        """Take an answer back; False when it is settled, or not there any more.

        The row of a fault is the answer's own, and goes with it: one that stays would keep an execution that is started
        again from recording its decision.
        """
        if waiting.outcome == FAULT and self._remove_fault(waiting, answer):
            return True
        names = ("answer", "answer_id", "answered_by", "answered_at", "answer_seconds")
        return self._change(waiting, answer, f"REMOVE {', '.join(f'#{name}' for name in names)}", names)

    def _remove_fault(self, waiting: Waiting, answer: Answer) -> bool:
        try:
            self._table.delete_item(
                Key=_key(waiting),
                ConditionExpression=f"#decision = :fault AND {UNSETTLED}",
                ExpressionAttributeNames={f"#{name}": name for name in ("decision", "answer_id", "settled_at")},
                ExpressionAttributeValues={":fault": FAULT, ":id": answer.id},
            )
        except ClientError as error:
            if not _is_refused(error):
                raise
            return False
        return True

    def settle(self, waiting: Waiting, answer: Answer, at: datetime) -> None:
        """Note that the answer's event and sample are written."""
        self._change(waiting, answer, "SET #settled_at = :at", (), {":at": at.isoformat()})

    def _change(
        self,
        waiting: Waiting,
        answer: Answer,
        expression: str,
        names: tuple[str, ...],
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        try:
            self._table.update_item(
                Key=_key(waiting),
                UpdateExpression=expression,
                ConditionExpression=UNSETTLED,
                ExpressionAttributeNames={f"#{name}": name for name in {*names, "answer_id", "settled_at"}},
                ExpressionAttributeValues={":id": answer.id, **(values or {})},
            )
        except ClientError as error:
            if not _is_refused(error):
                raise
            return False
        return True


def _is_refused(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException"


def _key(waiting: Waiting) -> dict[str, str]:
    return {"object": waiting.object, "version": waiting.version}


def _answer(item: Mapping[str, Any]) -> Answer | None:
    if "answer" not in item:
        return None
    return Answer(
        id=str(item["answer_id"]),
        said=str(item["answer"]),
        by=str(item["answered_by"]),
        at=datetime.fromisoformat(str(item["answered_at"])),
        seconds=float(str(item["answer_seconds"])),
        settled="settled_at" in item,
    )
