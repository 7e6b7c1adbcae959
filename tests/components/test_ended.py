"""Which ended executions are sent to the review queue by rule, as two independent matchers of patterns say."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from moto.events.models import EventPattern

from components.classification_workflow import _ended
from contract.decisions import NOT_QUEUED, STATUS_CHANGE
from operations.review.queue import parse
from tests.components.emulator import Emulator, emulator

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:machine"
INPUT = json.dumps({"s3_bucket": "data", "s3_key": "incoming/a b.png", "s3_version": "v1", "image_data": ""})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("emulator") / "log") as it:
        yield it


def ended(status: str, error: str | None = None, cause: str | None = None, machine: str = MACHINE) -> dict[str, object]:
    detail = {
        "executionArn": "arn:one", "stateMachineArn": machine, "status": status, "error": error, "cause": cause,
        "input": INPUT,
    }  # fmt: skip
    return {
        **{"version": "0", "id": "1", "account": "123456789012", "region": "us-east-1", "source": "aws.states"},
        **{"time": "2026-11-25T05:00:00Z", "resources": [], "detail-type": STATUS_CHANGE, "detail": detail},
    }


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        (ended("ABORTED"), True),
        (ended("TIMED_OUT"), True),
        (ended("FAILED", "States.Runtime", "an expression failed"), True),
        (ended("FAILED", "InvalidImage", f"no photo {NOT_QUEUED}SQS.Down)"), True),
        (ended("FAILED", "InvalidImage", "no photo"), False),
        (ended("FAILED", "Timeout", "of a state"), False),
        (ended("SUCCEEDED"), False),
        (ended("RUNNING"), False),
        (ended("ABORTED", machine=f"{MACHINE}-of-others"), False),
    ],
)
def test_executions_that_left_nothing_in_the_queue_are_sent_there(event, sent: bool, running: Emulator):
    answer = running.client("events").test_event_pattern(EventPattern=_ended(MACHINE), Event=json.dumps(event))
    assert answer["Result"] is sent
    assert EventPattern.load(_ended(MACHINE)).matches_event(event) is sent


def test_the_queue_s_readers_read_the_photo_out_of_the_event():
    waiting = parse({"Body": json.dumps(ended("ABORTED"))})
    assert (waiting.bucket, waiting.key, waiting.version) == ("data", "incoming/a b.png", "v1")
    assert (waiting.error, waiting.outcome, waiting.execution) == ("ABORTED", "fault", "arn:one")


@pytest.mark.parametrize("text", [None, "", "no JSON", "[]", "{}"])
def test_an_event_without_a_readable_input_still_names_its_execution(text: str | None):
    event = ended("TIMED_OUT")
    event["detail"] = {"executionArn": "arn:one", "status": "TIMED_OUT", "input": text}
    waiting = parse({"Body": json.dumps(event)})
    assert (waiting.key, waiting.object) == ("", "arn:one")
