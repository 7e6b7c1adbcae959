"""The desk: each photo is answered once, told once, kept as a sample, and never lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from contract.errors import UserError
from operations.review.answers import AlreadyAnswered, AnswerBook, DecidedMeanwhile
from operations.review.desk import UNDO_SECONDS, Desk, StackNames
from operations.review.queue import HOLD_SECONDS, ReviewQueue
from tests.operations.review.stack_of_moto import BAYS, BUCKET, BUS, LABELS, TABLE, Stacked, make

ANNA, BEN = "windowofanna", "windowofben0"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def stack() -> Iterator[Stacked]:
    with mock_aws():
        yield make()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def desk_of(stack: Stacked, clock: Clock, said: list[str] | None = None) -> Desk:
    book = AnswerBook(boto3.resource("dynamodb", region_name="us-east-1").Table(TABLE), 30)
    names = StackNames(BUCKET, BUS, LABELS, BAYS)
    say = (said if said is not None else []).append
    return Desk(ReviewQueue(stack.sqs, stack.queue), book, stack.s3, stack.events, names, now=clock, say=say)


@pytest.fixture
def desk(stack: Stacked, clock: Clock) -> Desk:
    return desk_of(stack, clock)


def answer(desk: Desk, said: str = "bicycle", window: str = ANNA, by: str = "anna") -> Any:
    return desk.answer(window, desk.at_hand(window)[0].receipt, said, by, 2.5)


def settle(desk: Desk, clock: Clock) -> None:
    clock.passes(UNDO_SECONDS)
    desk.settle_due()


def test_an_answer_is_recorded_told_and_kept_and_then_the_message_goes(stack, desk, clock):
    key = stack.waits("a.png")
    answer(desk)
    row = stack.rows()[0]
    assert (row["answer"], row["answered_by"], row["answer_seconds"], row["decision"]) == (
        "bicycle",
        "anna",
        "2.5",
        "review",
    )
    assert stack.heard_events() == [] and stack.left() == 1, "the answer can still be taken back"
    settle(desk, clock)
    (event,) = stack.heard_events()
    assert event["decided_by"] == "person" and event["label"] == "bicycle" and event["loading_bay"] == "bay 1"
    assert event["key"] == key and event["confidence"] == 0.35 and event["model"] == "job-1"
    about, sample = stack.corrections()
    assert sample.startswith("corrections/bicycle/") and sample.endswith(".png")
    assert json.loads(stack.s3.get_object(Bucket=BUCKET, Key=about)["Body"].read())["model_label"] == "motorcycle"
    assert stack.left() == 0 and "settled_at" in stack.rows()[0]


@pytest.mark.parametrize(("said", "events", "samples"), [("neither", 0, 2), ("unclear", 0, 0), ("motorcycle", 1, 2)])
def test_only_a_class_is_told_and_what_is_unclear_is_no_sample(stack, desk, clock, said, events, samples):
    stack.waits("a.png")
    answer(desk, said)
    settle(desk, clock)
    assert (len(stack.heard_events()), len(stack.corrections()), stack.left()) == (events, samples, 0)


def test_a_fault_gets_a_row_of_its_own_that_expires(stack, desk, clock):
    stack.waits("a.png", error="InvalidImage")
    answer(desk)
    row = stack.rows()[0]
    assert row["decision"] == "fault" and row["error"] == "InvalidImage"
    assert int(row["expires_at"]) == int((clock.now + timedelta(days=30)).timestamp())


def test_an_answer_can_be_taken_back_and_given_anew(stack, desk, clock):
    stack.waits("a.png")
    answer(desk, "motorcycle")
    assert desk.undo(ANNA).key == desk.at_hand(ANNA)[0].key == "incoming/a.png"
    assert "answer" not in stack.rows()[0]
    answer(desk, "bicycle")
    settle(desk, clock)
    assert [event["label"] for event in stack.heard_events()] == ["bicycle"] and stack.left() == 0


def test_the_next_answer_settles_the_one_before(stack, desk):
    stack.waits("a.png")
    stack.waits("b.png")
    answer(desk)
    answer(desk)
    assert len(stack.heard_events()) == 1 and stack.left() == 1


def test_what_is_settled_can_not_be_taken_back(stack, desk, clock):
    stack.waits("a.png")
    answer(desk)
    settle(desk, clock)
    with pytest.raises(UserError, match="no answer to take back"):
        desk.undo(ANNA)


def test_two_windows_are_shown_different_photos(stack, desk):
    for name in "abcd":
        stack.waits(f"{name}.png")
    keys = [each.key for window in (ANNA, BEN) for each in desk.at_hand(window)]
    assert len(keys) == len(set(keys)) == 4


def test_a_page_that_is_loaded_again_shows_the_same_photo(stack, desk):
    stack.waits("a.png")
    assert desk.at_hand(ANNA) == desk.at_hand(ANNA) != []


def test_the_first_of_two_answers_stands(stack, desk, clock):
    stack.waits("a.png")
    late = desk.at_hand(ANNA)[0]
    other = desk_of(stack, clock)
    # the hold of the first desk has ended, and the queue has handed the photo out again
    stack.sqs.change_message_visibility(QueueUrl=stack.queue, ReceiptHandle=late.receipt, VisibilityTimeout=0)
    answer(other, "bicycle", BEN, "ben")
    with pytest.raises(AlreadyAnswered, match="ben answered this photo at 09:00:00 UTC: bicycle"):
        desk.answer(ANNA, late.receipt, "motorcycle", "anna", 1)
    settle(other, clock)
    assert {event["label"] for event in stack.heard_events()} == {"bicycle"}
    assert stack.rows()[0]["answered_by"] == "ben"


def test_a_photo_that_was_on_the_screen_for_too_long_is_asked_for_anew(stack, desk, clock):
    stack.waits("a.png")
    receipt = desk.at_hand(ANNA)[0].receipt
    clock.passes(HOLD_SECONDS)
    stack.sqs.change_message_visibility(QueueUrl=stack.queue, ReceiptHandle=receipt, VisibilityTimeout=0)
    assert [each.key for each in desk.at_hand(ANNA)] == ["incoming/a.png"]


def test_an_answer_whose_desk_died_is_settled_by_the_next_desk(stack, desk, clock):
    stack.waits("a.png")
    receipt = desk.at_hand(ANNA)[0].receipt
    answer(desk)
    del desk
    clock.passes(HOLD_SECONDS)
    stack.sqs.change_message_visibility(QueueUrl=stack.queue, ReceiptHandle=receipt, VisibilityTimeout=0)
    assert desk_of(stack, clock).at_hand(BEN) == []
    assert [event["label"] for event in stack.heard_events()] == ["bicycle"]
    assert len(stack.corrections()) == 2 and stack.left() == 0


def test_a_second_message_about_an_answered_photo_goes_without_a_second_event(stack, desk, clock):
    stack.waits("a.png")
    version = desk.at_hand(ANNA)[0].version
    answer(desk)
    settle(desk, clock)
    body = {"bucket": BUCKET, "key": "incoming/a.png", "version": version, "error": "ThresholdNotMet"}
    stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=json.dumps(body))
    assert desk.at_hand(ANNA) == [] and stack.left() == 0
    assert len(stack.heard_events()) == 1


def test_what_could_not_be_settled_is_said_and_waits_for_another_try(stack, clock):
    said: list[str] = []
    desk = desk_of(stack, clock, said)
    stack.waits("a.png")
    answer(desk)
    desk._events = Broken()
    settle(desk, clock)
    assert stack.left() == 1 and "settled_at" not in stack.rows()[0]
    (line,) = said
    assert line.startswith("scones-dev-data/incoming/a.png: the answer is recorded, and not settled yet: ")
    assert line.endswith("the event bus refused the event: busy")


class Broken:
    def put_events(self, **_: object) -> dict[str, object]:
        return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "busy"}]}


def test_a_photo_that_has_expired_gives_an_answer_and_no_sample(stack, desk, clock):
    stack.waits("a.png")
    waiting = desk.at_hand(ANNA)[0]
    stack.s3.delete_object(Bucket=BUCKET, Key=waiting.key, VersionId=waiting.version)
    answer(desk, "bicycle")
    settle(desk, clock)
    assert stack.corrections() == [] and stack.left() == 0


def accepted(stack: Stacked, key: str, execution: str = "arn:of-the-replay") -> None:
    """What the state machine records of a photo that another execution accepts."""
    version = stack.s3.head_object(Bucket=BUCKET, Key=key)["VersionId"]
    item = {"object": f"{BUCKET}/{key}", "version": version, "decision": "accepted", "execution": execution}
    boto3.resource("dynamodb", region_name="us-east-1").Table(TABLE).put_item(Item=item)


def test_a_photo_that_another_execution_has_accepted_is_not_asked_for(stack, clock):
    said: list[str] = []
    desk = desk_of(stack, clock, said)
    accepted(stack, stack.waits("a.png", error="AccessDenied"))
    stack.waits("b.png")
    assert [each.key for each in desk.at_hand(ANNA)] == ["incoming/b.png"]
    assert stack.left() == 1
    assert said == ["incoming/a.png was decided meanwhile, and its driver told: its message goes"]


def test_a_photo_that_is_accepted_while_it_is_shown_takes_no_answer_and_goes(stack, desk, clock):
    key = stack.waits("a.png", error="AccessDenied")
    desk.at_hand(ANNA)
    accepted(stack, key)
    with pytest.raises(DecidedMeanwhile, match="decided meanwhile"):
        answer(desk)
    settle(desk, clock)
    assert desk.at_hand(ANNA) == [] and stack.left() == 0
    assert stack.heard_events() == [] and "answer" not in stack.rows()[0]


def test_a_photo_that_its_own_execution_accepted_and_did_not_tell_is_asked_for(stack, desk, clock):
    key = stack.waits("a.png", error="EventBridge.FailedEntry")
    accepted(stack, key, desk.at_hand(ANNA)[0].execution)
    answer(desk)
    settle(desk, clock)
    assert [event["label"] for event in stack.heard_events()] == ["bicycle"] and stack.left() == 0


def test_an_answer_to_a_fault_that_is_taken_back_leaves_no_row_in_the_way_of_a_decision(stack, desk):
    stack.waits("a.png", error="AccessDenied")
    answer(desk)
    assert desk.undo(ANNA).key == "incoming/a.png"
    assert stack.rows() == []


def test_closing_settles_answers_and_gives_photos_back(stack, desk):
    for name in "abc":
        stack.waits(f"{name}.png")
    answer(desk)
    desk.close()
    assert len(stack.heard_events()) == 1
    names = ["ApproximateNumberOfMessages"]
    assert stack.sqs.get_queue_attributes(QueueUrl=stack.queue, AttributeNames=names)["Attributes"][names[0]] == "2"


@pytest.mark.parametrize(
    ("said", "by", "seconds", "message"),
    [
        ("lorry", "anna", 1.0, "the answer must be one of bicycle, motorcycle, neither, unclear, got 'lorry'"),
        ("bicycle", " ", 1.0, "who answers must be a name of 1 to 64 printable characters"),
        ("bicycle", "anna", -1.0, "the seconds that the answer took must be from 0 to 604800, got -1.0"),
        ("bicycle", "anna", float("nan"), "the seconds that the answer took"),
    ],
)
def test_an_answer_that_can_not_be_is_refused_and_records_nothing(stack, desk, said, by, seconds, message):
    stack.waits("a.png")
    with pytest.raises(UserError, match=message):
        desk.answer(ANNA, desk.at_hand(ANNA)[0].receipt, said, by, seconds)
    assert stack.rows() == [] and stack.left() == 1


@pytest.mark.parametrize(
    "body", ["", "no JSON", "[]", '{"key": 3}', '{"inferences": ["x"], "confidence": true}', "[" * 5000]
)
def test_a_message_of_somebody_else_is_shown_as_one_that_names_no_photo(stack, desk, clock, body):
    stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=body or " ")
    (waiting,) = desk.at_hand(ANNA)
    assert waiting.key == "" and waiting.inferences == () and waiting.confidence is None
    answer(desk, "unclear")
    settle(desk, clock)
    assert stack.left() == 0
