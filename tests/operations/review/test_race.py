"""Two desks, a listing and a second execution at once: a driver is told once, and no photo is forgotten."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from functools import partial

import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.sqs.models import sqs_backends

from components.parts.state_machine import Resources, definition
from contract.errors import UserError
from operations.review.answers import AlreadyAnswered, DecidedMeanwhile
from operations.review.desk import UNDO_SECONDS, Desk
from operations.review.queue import ReviewQueue
from operations.review.rows import recorded_for
from operations.review.stale import waiting_now
from tests.operations.review.stack_of_moto import BUCKET, TABLE, Stacked, make
from tests.operations.review.test_desk import ANNA, BEN, Clock, desk_of

FIRST, SECOND = "arn:first", "arn:second"
MACHINE = definition(Resources("s", "c", "f", TABLE, "bus", "queue", "topic", 30))
PUTS = {"accepted": "Record", "review": "RecordReview"}


class Scene:
    """One photo whose first execution ended in a fault, and whoever has to do with it."""

    def __init__(self, stack: Stacked, number: int) -> None:
        self.stack, self.clock = stack, Clock()
        self.key = stack.waits(f"{number}.png", error="AccessDenied", execution=FIRST)
        self.version = stack.s3.head_object(Bucket=BUCKET, Key=self.key)["VersionId"]
        self.desks = {ANNA: self.desk(), BEN: self.desk()}
        self.told, self.second_ended = 0, False

    def desk(self) -> Desk:
        return desk_of(self.stack, self.clock)

    def look(self, window: str) -> None:
        self.desks[window].at_hand(window)

    def answer(self, window: str) -> None:
        for shown in self.desks[window].at_hand(window)[:1]:
            with contextlib.suppress(AlreadyAnswered, DecidedMeanwhile):
                self.desks[window].answer(window, shown.receipt, "bicycle", window, 1)

    def undo(self, window: str) -> None:
        with contextlib.suppress(UserError):
            self.desks[window].undo(window)

    def die(self, window: str) -> None:
        self.desks[window] = self.desk()

    def settle(self, window: str) -> None:
        self.clock.passes(UNDO_SECONDS)
        self.desks[window].settle_due()

    def minutes(self) -> None:
        self.clock.passes(600)
        for message in sqs_backends["123456789012"]["us-east-1"].queues["review"]._messages:
            message.visible_at = 0

    def list(self) -> None:
        recall = partial(recorded_for, self.stack.dynamodb, TABLE)
        waiting_now(ReviewQueue(self.stack.sqs, self.stack.queue), recall, lambda line: None)

    def second(self, outcome: str) -> None:
        """The second execution ends, as the state machine's own definition has it."""
        if self.second_ended:
            return
        self.second_ended = True
        if outcome == "fault" or self._put(outcome):
            if outcome == "accepted":
                self.told += 1
            else:
                body = {
                    "bucket": BUCKET, "key": self.key, "version": self.version, "execution": SECOND,
                    "error": "ThresholdNotMet" if outcome == "review" else "AccessDenied",
                }  # fmt: skip
                self.stack.sqs.send_message(QueueUrl=self.stack.queue, MessageBody=json.dumps(body))

    def _put(self, outcome: str) -> bool:
        asked = MACHINE["States"][PUTS[outcome]]["Arguments"]
        texts = {"object": f"{BUCKET}/{self.key}", "version": self.version, "decision": outcome, "execution": SECOND}
        try:
            self.stack.dynamodb.put_item(
                TableName=TABLE,
                Item={name: {"S": text} for name, text in texts.items()},
                ConditionExpression=asked["ConditionExpression"],
                ExpressionAttributeNames=asked["ExpressionAttributeNames"],
                ExpressionAttributeValues={":execution": {"S": SECOND}},
            )
        except ClientError:
            return False
        return True

    def count(self) -> int:
        self.told += len(self.stack.heard_events())
        return self.told


def of(window: str) -> dict[str, Callable[[Scene], None]]:
    return {
        f"{name} {window}": lambda scene, name=name: getattr(scene, name)(window)
        for name in ("look", "answer", "undo", "die", "settle")
    }


STEPS: dict[str, Callable[[Scene], None]] = {
    **of(ANNA),
    **of(BEN),
    **{f"second {end}": lambda scene, end=end: scene.second(end) for end in ("accepted", "review", "fault")},
    "minutes": Scene.minutes,
    "list": Scene.list,
}


@pytest.fixture(scope="module")
def stack():
    with mock_aws(), pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield make()


NUMBERS = iter(range(10_000))


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=9))
@example([f"answer {ANNA}", "second accepted", f"undo {ANNA}"])
@example([f"look {ANNA}", "second accepted", f"answer {ANNA}"])
@example(["second fault", "list", f"answer {BEN}", f"settle {BEN}"])
@example([f"answer {ANNA}", f"undo {ANNA}", "second accepted", "list"])
@example([f"answer {ANNA}", "minutes", f"answer {ANNA}"])
@example([f"answer {ANNA}", "minutes", f"look {BEN}"])
@settings(max_examples=25, deadline=None)
def test_law_a_driver_is_told_once_and_the_photo_is_asked_for_until_then(stack, steps):
    scene = Scene(stack, next(NUMBERS))
    for step in steps:
        STEPS[step](scene)
        assert scene.count() <= 1
    for desk in scene.desks.values():
        desk.close()
    scene.minutes()
    last = scene.desk()
    shown = last.at_hand(ANNA)
    assert (scene.count(), [each.key for each in shown]) in ((1, []), (0, [scene.key]))
    for each in shown:
        last.answer(ANNA, each.receipt, "bicycle", "anna", 1)
    last.close()
    scene.minutes()
    assert last.at_hand(BEN) == []
    assert (scene.count(), stack.left()) == (1, 0)
