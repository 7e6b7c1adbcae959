import io
import json
from datetime import timedelta
from decimal import Decimal

import pytest
from rich.console import Console

from operations.watch import MOST_PAGES, PAGE_SIZE, Follower, follow
from tests.operations.builders import START

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:classification"


class Cloud:
    """Step Functions and the decisions table as far as watching needs them: what was asked is remembered."""

    def __init__(self):
        self.executions, self.rows, self.inputs, self.pages_read = [], [], {}, 0

    def run(self, number, decision=None, *, status="SUCCEEDED", error=None, photo=None, recorded_by=None):
        arn = f"{MACHINE}:{number}"
        photo = photo or f"incoming/{number}.png"
        self.executions = [one for one in self.executions if one["executionArn"] != arn]
        start = START + timedelta(seconds=number)
        self.executions.append(
            {"executionArn": arn, "status": status, "startDate": start}
            | ({} if status == "RUNNING" else {"stopDate": start + timedelta(seconds=2)})
        )
        self.inputs[arn] = {"input": json.dumps({"s3_bucket": "photos", "s3_key": photo}), "error": error}
        if decision:
            self.rows.append(
                {
                    "object": f"photos/{photo}",
                    "execution": recorded_by or arn,
                    "decision": decision,
                    "label": "bicycle",
                    "confidence": Decimal("0.93"),
                    **({"loading_bay": "bay 1"} if decision == "accepted" else {}),
                }
            )

    def get_paginator(self, name):
        assert name == "list_executions"
        return self

    def paginate(self, stateMachineArn, PaginationConfig):
        assert stateMachineArn == MACHINE
        newest = sorted(self.executions, key=lambda one: one["startDate"], reverse=True)
        size = PaginationConfig["PageSize"]
        for start in range(0, max(min(len(newest), PaginationConfig["MaxItems"]), 1), size):
            self.pages_read += 1
            yield {"executions": newest[start : start + size]}

    def describe_execution(self, executionArn):
        return self.inputs[executionArn]

    def query(self, **arguments):
        wanted = arguments["ExpressionAttributeValues"][":object"]
        return {"Items": [row for row in self.rows if row["object"] == wanted]}


@pytest.fixture
def cloud():
    return Cloud()


@pytest.fixture
def follower(cloud):
    return Follower(cloud, cloud, MACHINE)


def test_every_outcome_is_told_once_oldest_first(cloud, follower):
    cloud.run(2, "review", status="FAILED", error="ThresholdNotMet")
    cloud.run(1, "accepted")
    events = follower.poll()
    assert [(event.object, event.kind) for event in events] == [
        ("photos/incoming/1.png", "accepted"),
        ("photos/incoming/2.png", "review"),
    ]
    assert (events[0].label, events[0].confidence, events[0].loading_bay) == ("bicycle", 0.93, "bay 1")
    assert follower.poll() == []


def test_a_running_execution_is_told_when_it_ends(cloud, follower):
    cloud.run(1, status="RUNNING")
    assert follower.poll() == []
    cloud.run(1, "accepted")
    assert [event.kind for event in follower.poll()] == ["accepted"]


def test_one_that_ends_long_after_hundreds_that_started_later_is_still_told(cloud, follower):
    cloud.run(1, status="RUNNING")
    for number in range(2, 350):
        cloud.run(number, "accepted")
    assert len(follower.poll()) == 348
    cloud.run(1, "review", status="FAILED")
    assert [event.kind for event in follower.poll()] == ["review"]


def test_a_failure_without_a_decision_is_a_fault_with_its_name(cloud, follower):
    cloud.run(1, status="FAILED", error="InvalidImage")
    cloud.run(2, status="TIMED_OUT")
    assert [(event.kind, event.error) for event in follower.poll()] == [
        ("fault", "InvalidImage"),
        ("fault", "TIMED_OUT"),
    ]


def test_a_stranger_is_told_apart_from_a_photo_that_the_model_is_not_sure_of(cloud, follower):
    cloud.run(1, "review", status="FAILED", error="ThresholdNotMet")
    cloud.run(2, "neither", status="FAILED", error="NoneOfTheClasses")
    cloud.run(3, "neither", status="FAILED", error="NoneOfTheClasses")
    screen = io.StringIO()
    totals = follow(follower, once=True, console=Console(file=screen, soft_wrap=True))
    assert dict(totals.kinds) == {"review": 1, "neither": 2}
    _, second, _, sentence = screen.getvalue().splitlines()
    assert "stranger     bicycle 0.930" in second and "1 for a person, 1 stranger)" in second
    assert sentence == "3 photos: 1 for a person, 2 strangers"


def test_a_second_event_for_the_same_photo_is_told_but_not_counted(cloud, follower):
    cloud.run(1, "review", status="FAILED", photo="incoming/a.png")
    cloud.run(2, photo="incoming/a.png")
    totals = follow(follower, once=True, console=Console(file=io.StringIO()))
    assert dict(totals.kinds) == {"review": 1, "repeat": 1}
    assert totals.photos == 1


def test_only_what_is_new_is_listed(cloud, follower):
    for number in range(900):
        cloud.run(number, "accepted")
    assert len(follower.poll()) == 900
    cloud.pages_read = 0
    cloud.run(900, "accepted")
    assert len(follower.poll()) == 1
    assert cloud.pages_read == 2


def test_of_a_long_history_the_newest_are_told(cloud, follower):
    for number in range(PAGE_SIZE * MOST_PAGES + 50):
        cloud.run(number, "accepted")
    assert len(follower.poll()) == PAGE_SIZE * MOST_PAGES
    assert follower.poll() == []


def test_control_c_ends_with_the_totals(cloud, follower):
    cloud.run(1, "accepted")
    cloud.run(2, "review", status="FAILED")
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            raise KeyboardInterrupt
        cloud.run(3, status="FAILED", error="ImageTooLarge", photo="incoming/[red]odd.png")

    screen = io.StringIO()
    follow(follower, interval=0.5, console=Console(file=screen, soft_wrap=True), sleep=sleep)
    lines = screen.getvalue().splitlines()
    assert looks == [0.5, 0.5]
    assert "accepted     bicycle 0.930 -> bay 1  photos/incoming/1.png  (1 photo: 1 accepted)" in lines[0]
    assert "fault        ImageTooLarge  photos/incoming/[red]odd.png" in lines[2]
    assert lines[-1] == "3 photos: 1 accepted, 1 for a person, 1 fault"


def test_scripts_get_a_json_object_a_line_and_the_totals_last(cloud, follower, capsys):
    cloud.run(1, "accepted")
    follow(follower, once=True, as_json=True)
    event, totals = map(json.loads, capsys.readouterr().out.splitlines())
    assert (event["object"], event["kind"], event["loading_bay"]) == ("photos/incoming/1.png", "accepted", "bay 1")
    assert totals == {"totals": {"accepted": 1}, "photos": 1, "bays": {"bay 1": 1}}
