"""The review queue: what waits for a person, taken one at a time, and given back or removed."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from contract.decisions import STATUS_CHANGE, Outcome, outcome_of
from contract.photos import photo_in

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

HOLD_SECONDS = 300
"""How long a photo that somebody looks at is hidden from everybody else."""
LISTING_SECONDS = 30
"""How long messages are hidden at least while they are listed, so that each is listed once."""
LISTED_A_SECOND = 50
"""Messages that are surely received and given back in a second: a long queue is hidden for longer."""
LONGEST_SECONDS = 12 * 3600
"""The longest that SQS hides a message (SQS API reference, ReceiveMessage)."""
BATCH = 10
"""The most messages that SQS hands out at a time (SQS API reference, ReceiveMessage)."""
SINCE = "since"
"""In a message that was renewed: when the photo first came."""
UNKNOWN_VERSION = "unknown"
"""Stands for the version of an object whose event named none: a key of the decisions table can't be empty."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A photo that waits for a person, as the state machine's message tells it."""

    bucket: str
    key: str
    """Empty when the message names no photo."""
    version: str
    error: str
    """Why it waits: the error's name."""
    message: str
    label: str | None
    """The model's best label; None where the model did not answer."""
    confidence: float | None
    threshold: float | None
    inferences: tuple[float, ...]
    """The model's probabilities in label order; empty where the model did not answer."""
    model: str
    inference_id: str
    execution: str
    sent: datetime
    """When it was first put into the queue."""
    receipt: str
    """SQS's handle of this receipt of the message."""

    @property
    def object(self) -> str:
        """The first half of the decisions table's key: `bucket/key`, or the execution of a message without photo."""
        return f"{self.bucket}/{self.key}" if self.key else self.execution or self.message[:256] or "unknown"

    @property
    def outcome(self) -> Outcome:
        """How its execution ended."""
        return outcome_of("FAILED", self.error)

    @property
    def opinion(self) -> str:
        """Why it waits, in a sentence."""
        if self.label is not None and self.confidence is not None:
            threshold = "" if self.threshold is None else f", threshold {self.threshold:g}"
            return f"{self.label} at {self.confidence:.3f}{threshold}"
        return f"{self.error}: {self.message}" if self.error else self.message


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages there are, about (SQS counts approximately)."""

    waiting: int
    held: int
    """Hidden at the moment: somebody looks at them."""


class ReviewQueue:
    """The queue at a URL."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs, self._url = sqs, url

    def take(self) -> Waiting | None:
        """The next photo, hidden from others for HOLD_SECONDS; None when nothing waits."""
        for message in self._receive(1, HOLD_SECONDS):
            return parse(message)
        return None

    def waiting(self) -> list[Waiting]:
        """What waits, oldest first; it is hidden while it is listed and shown again at the end."""
        with self.listing() as messages:
            found = [parse(message) for message in messages]
        return sorted(found, key=lambda each: each.sent)

    @contextmanager
    def listing(self, a_second: float | None = None) -> Generator[list[MessageTypeDef]]:
        """Each message that nobody holds, once: hidden within, and shown again at the end.

        Whoever takes a message out of the list, as after its deletion, keeps it from being shown again.

        Args:
            a_second: how many messages are surely dealt with in a second (default: LISTED_A_SECOND).
        """
        seconds = min(LISTING_SECONDS + int(self.counts().waiting / (a_second or LISTED_A_SECOND)), LONGEST_SECONDS)
        found: dict[str, MessageTypeDef] = {}
        listed: list[MessageTypeDef] | None = None
        try:
            # waiting asks all of the queue's servers, where an answer at once is from some of them
            while messages := self._receive(BATCH, seconds, wait=1):
                came_again = all(message.get("MessageId", "") in found for message in messages)
                found |= {message.get("MessageId", ""): message for message in messages}
                if came_again:
                    break
            listed = [*found.values()]
            yield listed
        finally:
            for message in found.values() if listed is None else listed:
                self._hide(message.get("ReceiptHandle", ""), 0)

    def renew(self, before: datetime) -> int:
        """Send what was sent before a moment anew, so that it does not expire, with the time at which it first came.

        The old message goes after the new one is there: who is stopped in between leaves the photo there twice,
        which the desk knows.

        Returns:
            How many.
        """
        renewed = 0
        with self.listing() as messages:
            for message in messages:
                if sent_at(message) < before:
                    self._sqs.send_message(QueueUrl=self._url, MessageBody=_since(message))
                    self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.get("ReceiptHandle", ""))
                    renewed += 1
        return renewed

    def send(self, body: Mapping[str, object]) -> None:
        """Put a photo into the queue."""
        self._sqs.send_message(QueueUrl=self._url, MessageBody=json.dumps(body))

    def forward(self, message: MessageTypeDef) -> None:
        """Put another queue's message into this one, as it is."""
        self._sqs.send_message(QueueUrl=self._url, MessageBody=message.get("Body", ""))

    def counts(self) -> Counts:
        """How many wait, and how many are being looked at."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=list(names))["Attributes"]
        return Counts(*(int(found.get(name, "0")) for name in names))

    def hide(self, waiting: Waiting, seconds: int) -> None:
        """Hide it from everybody for so long from now on; 0 gives it back."""
        self._hide(waiting.receipt, seconds)

    def remove(self, waiting: Waiting) -> None:
        """Delete its message. One whose receipt is too old stays, and is found answered by whoever takes it next."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=waiting.receipt)

    def _receive(self, number: int, seconds: int, wait: int = 0) -> list[MessageTypeDef]:
        return self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=number,
            VisibilityTimeout=seconds,
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])

    def _hide(self, receipt: str, seconds: int) -> None:
        try:
            self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
        except ClientError as error:
            # it became visible by itself, or is gone: there is nothing left to hide or to show
            if error.response.get("Error", {}).get("Code", "").rpartition(".")[2] not in NOT_HELD:
                raise


NOT_HELD = ("MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue")
"""What SQS says of a receipt that no longer holds its message (SQS API reference, ChangeMessageVisibility)."""


def sent_at(message: MessageTypeDef) -> datetime:
    """When this message was sent; SQS deletes it 14 days later."""
    attributes: Mapping[str, str] = {str(name): value for name, value in message.get("Attributes", {}).items()}
    return datetime.fromtimestamp(int(attributes.get("SentTimestamp", "0")) / 1000, UTC)


def parse(message: MessageTypeDef) -> Waiting:
    """A queue's message; what is missing or of another type counts as not said."""
    body = message.get("Body", "")
    document = _object(body)
    since = None if document is None else _moment(_text(document, SINCE))
    fields: dict[str, object] = {"message": body} if document is None else document
    if fields.get("detail-type") == STATUS_CHANGE:
        fields = _of_execution(fields.get("detail"))
    scores = fields.get("inferences")
    numbers = [_number(score) for score in cast("list[object]", scores)] if isinstance(scores, list) else []
    inferences = tuple(number for number in numbers if number is not None)
    return Waiting(
        bucket=_text(fields, "bucket"),
        key=_text(fields, "key"),
        version=_text(fields, "version") or UNKNOWN_VERSION,
        error=_text(fields, "error"),
        message=_text(fields, "message"),
        label=_text(fields, "label") or None,
        confidence=_number(fields.get("confidence")),
        threshold=_number(fields.get("threshold")),
        inferences=inferences if len(inferences) == len(numbers) else (),
        model=_text(fields, "model"),
        inference_id=_text(fields, "inference_id"),
        execution=_text(fields, "execution"),
        sent=since or sent_at(message),
        receipt=message.get("ReceiptHandle", ""),
    )


def _of_execution(detail: object) -> dict[str, object]:
    """What the event of an execution that ended tells, in the words of the state machine's own messages."""
    told = cast("dict[str, object]", detail) if isinstance(detail, dict) else {}
    photo, status = photo_in(told.get("input")), _text(told, "status")
    named = {"bucket": photo.bucket, "key": photo.key, "version": photo.version} if photo else {}
    return {
        **named,
        "error": _text(told, "error") or status,
        "message": _text(told, "cause") or f"the execution ended as {status} before it could say why",
        "execution": _text(told, "executionArn"),
    }


def _since(message: MessageTypeDef) -> str:
    """A message's body, which says since when it waits; one that is no object stays as it is."""
    body = message.get("Body", "")
    document = _object(body)
    return body if document is None else json.dumps({SINCE: sent_at(message).isoformat()} | document)


def _object(text: str) -> dict[str, object] | None:
    try:
        document = cast("object", json.loads(text))
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", document) if isinstance(document, dict) else None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def age(time: timedelta) -> str:
    """How long ago, in the largest unit of which there are two or more: `45 s`, `3 min`, `26 h`, `5 days`."""
    seconds = max(0, int(time.total_seconds()))
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    # JSON can hold half of a surrogate pair, which no terminal, page or table takes
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except OverflowError:  # a whole number that no float holds
        return None
