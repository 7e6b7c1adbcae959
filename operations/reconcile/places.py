"""What the places of a stack hold: versions in the bucket, rows in the table, messages in the queues, executions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from contract import prefixes
from contract.decisions import NOT_QUEUED, STATUS_CHANGE
from contract.photos import StoredObject, photo_in
from operations.captures.period import Period
from operations.reconcile.accounts import Arrived, LastRun
from operations.review.queue import UNKNOWN_VERSION, Counts, ReviewQueue, parse, sent_at
from operations.review.stale import Recall, still_asking

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs.type_defs import MessageTypeDef
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

DESCRIBERS = 8
Say = Callable[[str, int, int | None], None]
"""Hears what is being done, how much of it is done, and of how much, where that is known."""


def arrived_in(s3: S3Client, bucket: str, period: Period, say: Say) -> Iterator[Arrived]:
    """Every version that was created in `incoming/` in the period; the empty ones that show a folder are none."""
    seen = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefixes.INCOMING):
        versions = page.get("Versions", [])
        seen += len(versions)
        say("objects", seen, None)
        for each in versions:
            key, at = each.get("Key", ""), each.get("LastModified", datetime.min).astimezone(UTC)
            folder = key.endswith("/") and not each.get("Size")
            if not folder and not (period.start and at < period.start) and not (period.end and at >= period.end):
                yield Arrived(StoredObject(bucket, key, each.get("VersionId", "")), at)


@dataclass(slots=True)
class Named:
    """The photos that some messages or executions name."""

    photos: set[StoredObject] = field(default_factory=set[StoredObject])
    without_version: list[tuple[StoredObject, datetime]] = field(default_factory=list[tuple[StoredObject, datetime]])
    """What names no version meant the newest of that moment."""

    def add(self, photo: StoredObject, at: datetime) -> None:
        """Note a photo, which was named at a moment."""
        if photo.version in ("", UNKNOWN_VERSION):
            self.without_version.append((StoredObject(photo.bucket, photo.key, ""), at))
        else:
            self.photos.add(photo)

    def among(self, arrived: Iterable[Arrived]) -> set[StoredObject]:
        """Those of the arrived that are named."""
        if not self.without_version:
            return self.photos
        by_key: dict[StoredObject, list[Arrived]] = {}
        for each in arrived:
            by_key.setdefault(StoredObject(each.photo.bucket, each.photo.key, ""), []).append(each)
        found = set(self.photos)
        for photo, at in self.without_version:
            newest = max(
                (each for each in by_key.get(photo, []) if each.at <= at), key=lambda each: each.at, default=None
            )
            if newest:
                found.add(newest.photo)
        return found


@dataclass(slots=True)
class Queued:
    """What a queue holds."""

    named: Named
    seen: int
    hidden: int
    """About how many messages were not to be seen."""
    oldest: datetime | None
    """When the oldest one was sent that was seen."""


def look_into(queue: ReviewQueue, photo_of: Callable[[MessageTypeDef], StoredObject | None]) -> Queued:
    """List a queue without taking anything from it."""
    counts = queue.counts()
    with queue.listing() as messages:
        return _queued(messages, photo_of, counts)


def look_for_people(queue: ReviewQueue, recall: Recall, say: Callable[[str], None]) -> Queued:
    """List the review queue; messages about photos that were decided meanwhile are removed from it."""
    counts = queue.counts()
    with still_asking(queue, recall, say) as asking:
        # what was removed had been seen
        without = Counts(counts.waiting - asking.removed.total(), counts.held)
        return _queued(asking.messages, reviewed_photo, without)


def _queued(
    messages: Sequence[MessageTypeDef], photo_of: Callable[[MessageTypeDef], StoredObject | None], counts: Counts
) -> Queued:
    named = Named()
    for message in messages:
        photo = photo_of(message)
        if photo:
            named.add(photo, sent_at(message))
    oldest = min((sent_at(message) for message in messages), default=None)
    # counts are approximate, and change while one looks: what was seen was there
    hidden = max(counts.held, counts.waiting + counts.held - len(messages))
    return Queued(named, len(messages), hidden, oldest)


def reviewed_photo(message: MessageTypeDef) -> StoredObject | None:
    """The photo of a message in the review queue."""
    waiting = parse(message)
    return StoredObject(waiting.bucket, waiting.key, waiting.version) if waiting.key else None


def undelivered_photo(message: MessageTypeDef) -> StoredObject | None:
    """The photo of an event that could not be delivered: an upload's, or an execution's that ended."""
    return reviewed_photo(message) if STATUS_CHANGE in message.get("Body", "") else photo_in(message.get("Body"))


@dataclass(slots=True)
class Listed:
    """The executions since a moment."""

    by_status: Counter[str] = field(default_factory=Counter[str])
    not_succeeded: dict[str, ExecutionListItemTypeDef] = field(default_factory=dict[str, "ExecutionListItemTypeDef"])
    """By ARN, newest first; those that run are among them."""


def executions_since(states: SFNClient, machine: str, since: datetime | None, say: Say) -> Listed:
    """List executions, newest first, back to a moment."""
    found = Listed()
    pages = states.get_paginator("list_executions").paginate(
        stateMachineArn=machine, PaginationConfig={"PageSize": 1000}
    )
    for page in pages:
        for each in page["executions"]:
            if since and each["startDate"] < since:
                return found
            found.by_status[each["status"]] += 1
            if each["status"] != "SUCCEEDED":
                found.not_succeeded[each["executionArn"]] = each
        say("executions", found.by_status.total(), None)
    return found


def ended_as(execution: ExecutionListItemTypeDef) -> LastRun:
    """What the list says of an execution."""
    ended = execution.get("stopDate")
    return LastRun(execution["executionArn"], execution["status"], ended.astimezone(UTC) if ended else None)


def latest_runs(
    states: SFNClient, executions: Sequence[ExecutionListItemTypeDef], unexplained: Sequence[Arrived], say: Say
) -> dict[StoredObject, LastRun]:
    """For photos that nothing accounts for, their latest execution that did not succeed.

    The list gives no input, so that executions have to be described: newest first, until each photo has its own.

    Args:
        states: the service.
        executions: those that may be theirs, newest first.
        unexplained: the photos.
        say: hears how far it is.
    """
    found: dict[StoredObject, LastRun] = {}
    wanted = {each.photo for each in unexplained}
    describe: Callable[[ExecutionListItemTypeDef], Mapping[str, Any]] = lambda item: _describe(states, item)  # noqa: E731
    rest = iter(executions)
    done = 0
    with ThreadPoolExecutor(DESCRIBERS) as pool:
        while wanted and (batch := list(islice(rest, 4 * DESCRIBERS))):
            say("unexplained", done, len(executions))
            done += len(batch)
            for execution, described in zip(batch, pool.map(describe, batch), strict=True):
                named = Named()
                photo = photo_in(described.get("input"))
                if photo:
                    named.add(photo, execution["startDate"].astimezone(UTC))
                for match in named.among(unexplained) & wanted:
                    wanted.discard(match)
                    found[match] = _run(states, execution, described)
    return found


def _describe(states: SFNClient, execution: ExecutionListItemTypeDef) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", states.describe_execution(executionArn=execution["executionArn"]))


def _run(states: SFNClient, execution: ExecutionListItemTypeDef, described: Mapping[str, Any]) -> LastRun:
    arn, status, ended = execution["executionArn"], execution["status"], execution.get("stopDate")
    error = str(described.get("error") or "")
    sent = None
    if status == "FAILED":
        sent = _left_for_people(states, arn) and NOT_QUEUED not in str(described.get("cause") or "")
        # the rule on ended executions may have sent what the state machine could not
        sent = sent or (None if error.startswith("States.") or NOT_QUEUED in str(described.get("cause")) else False)
    return LastRun(arn, status, ended.astimezone(UTC) if ended else None, error, sent)


def _left_for_people(states: SFNClient, arn: str) -> bool:
    """Whether the execution's history has it leave the step that sends the photo to the review queue."""
    pages = states.get_paginator("get_execution_history").paginate(
        executionArn=arn, reverseOrder=True, includeExecutionData=False
    )
    events = (event for page in pages for event in page["events"])
    return any(event.get("stateExitedEventDetails", {}).get("name") == "SendToReview" for event in events)
